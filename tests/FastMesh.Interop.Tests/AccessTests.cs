using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>StrictSubnets and TunnelServer: whose word counts, and what clients of a tunnel server learn of each other.</summary>
public sealed class AccessTests
{
    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void StrictSubnets_believes_only_the_local_host_files(string strictKind, string otherKind)
    {
        using TestNetwork network = new();
        MeshNode strict = network.AddNode("strict", strictKind), peer = network.AddNode("peer", otherKind), third = network.AddNode("third", Programs.Tincd);
        strict.Settings.Add("StrictSubnets = yes");
        peer.ConnectTo(strict);
        third.ConnectTo(strict);
        network.ExchangeHostFiles();

        // The peer claims more than the strict node's copy of its host file says.
        peer.HostSettings.Add("Subnet = 10.99.0.0/16");
        peer.WriteHostFile(peer);
        strict.Start();
        third.Start();
        third.WaitForConnection(strict);
        peer.Start();

        network.Until(() => StateDump.Of(third).SubnetsOf(peer).Length == 3, "the claim being forwarded to the third node");
        Assert.DoesNotContain("10.99.0.0/16#10", StateDump.Of(strict).SubnetsOf(peer));
        strict.WaitForLog(@"^Ignoring unauthorized ADD_SUBNET from peer .*10\.99\.0\.0/16");
        network.Until(() => strict.Host.CanPing(peer.Inner), "a ping inside what is believed");

        // A reload believes what the host file now says.
        strict.WriteHostFile(peer);
        int mark = strict.LogMark();
        strict.Signal("HUP");
        strict.WaitForLog("Got HUP signal", mark);
        network.Until(() => StateDump.Of(strict).SubnetsOf(peer).Contains("10.99.0.0/16#10"), "the new subnet being believed");
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void Clients_of_a_tunnel_server_learn_nothing_of_each_other(string serverKind, string clientKind)
    {
        using TestNetwork network = new();
        MeshNode server = network.AddNode("server", serverKind), one = network.AddNode("one", clientKind), two = network.AddNode("two", Programs.Tincd);
        server.Settings.Add("TunnelServer = yes");
        one.ConnectTo(server);
        two.ConnectTo(server);
        network.Start();
        network.Until(() => one.Host.CanPing(server.Inner) && two.Host.CanPing(server.Inner), "pings to the server");
        Assert.Equal(["one", "server"], StateDump.Of(one).Nodes.Keys.Order());
        Assert.Equal(["server", "two"], StateDump.Of(two).Nodes.Keys.Order());
        Assert.Equal(2, StateDump.Of(one).Edges.Count);
        Assert.Equal(["one", "server", "two"], StateDump.Of(server).Nodes.Keys.Order());
        Assert.False(one.Host.CanPing(two.Inner));
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void A_stranger_is_refused_and_held_in_silence(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("node", kind), stranger = network.AddNode("stranger", Programs.Tincd);
        stranger.ConnectTo(node);
        network.ExchangeHostFiles();
        File.Delete(Path.Combine(node.Directory, "hosts", "stranger"));
        node.Start();
        stranger.Start();
        node.WaitForLog(@"^Peer 192\.0\.2\.2 port \d+ had unknown identity \(stranger\)");
        stranger.WaitForLog(@"^Timeout from node \(.*\) during authentication");
        Assert.False(stranger.HasLogged("Connection closed by"));
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void A_node_that_claims_our_name_or_speaks_another_version_is_refused(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("node", kind), other = network.AddNode("other", Programs.Tincd);
        network.ExchangeHostFiles();
        node.Start();
        foreach (string id in new[] { "0 node 17", "0 other 18", "0 other 16", "0 ../x 17", "nonsense", "" })
        {
            int mark = node.LogMark();
            string heard = other.Host.Sh($"printf '%s\\n' '{id}' | timeout 1 socat -t 1 - TCP:192.0.2.1:655 || true");
            Assert.Equal("", heard);
            node.WaitForLog("^Connection from 192.0.2.2", mark);
            node.WaitForLog("^Closing connection with", mark);
        }

        // Version texts of tinc 1.1 begin with 17 and are welcome.
        Assert.StartsWith("0 node 17", other.Host.Sh("printf '0 other 17.7\\n' | timeout 1 socat -t 1 - TCP:192.0.2.1:655 || true"), StringComparison.Ordinal);
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void Bypassed_security_works_between_both(string dialler, string listener)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", dialler), beta = network.AddNode("beta", listener);
        foreach (MeshNode node in network.Nodes) node.Arguments.Add("--bypass-security");
        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void DirectOnly_refuses_what_would_need_a_relay(string kind)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", kind), relay = network.AddNode("relay", Programs.Tincd), gamma = network.AddNode("gamma", Programs.Tincd);
        alpha.Settings.Add("DirectOnly = yes");
        gamma.Settings.Add("IndirectData = yes");
        alpha.ConnectTo(relay);
        gamma.ConnectTo(relay);
        network.Start();
        network.Until(() => alpha.Host.CanPing(relay.Inner), "a ping to the neighbour");
        network.Until(() => StateDump.Of(alpha).SubnetsOf(gamma).Length == 2, "the whole graph");
        network.Until(() => relay.Host.CanPing(gamma.Inner), "a ping behind the relay");
        ShellResult ping = alpha.Host.Try("ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", gamma.Inner);
        Assert.Contains("Net Prohibited", ping.Output, StringComparison.Ordinal);
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void PriorityInheritance_copies_the_type_of_service_outside(string kind, string otherKind)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", otherKind);
        alpha.Settings.Add("PriorityInheritance = yes");
        alpha.ConnectTo(beta);
        network.Start();
        alpha.WaitForUdp(beta);
        PacketCapture outside = new(beta.Host, "eth0", "udp port 655 and src host 192.0.2.1", "-v");
        alpha.Host.Try("ping", "-n", "-c", "3", "-i", "0.1", "-s", "8", "-Q", "0xb8", beta.Inner);
        outside.WaitFor("tos 0xb8");
        alpha.Host.Try("ping", "-n", "-c", "3", "-i", "0.1", "-s", "8", "-Q", "0x20", beta.Inner);
        outside.WaitFor("tos 0x20");
    }
}
