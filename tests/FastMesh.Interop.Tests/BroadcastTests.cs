using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Who gets a broadcast, and how often, in each mode; what a hub lets others see; learned addresses.</summary>
public sealed class BroadcastTests
{
    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd, "router", "mst", 1)]
    [InlineData(Programs.Tincd, Programs.FastMesh, "router", "mst", 1)]
    [InlineData(Programs.FastMesh, Programs.Tincd, "switch", "mst", 1)]
    [InlineData(Programs.Tincd, Programs.FastMesh, "switch", "mst", 1)]
    [InlineData(Programs.FastMesh, Programs.Tincd, "router", "direct", 1)]
    [InlineData(Programs.Tincd, Programs.FastMesh, "switch", "direct", 1)]
    [InlineData(Programs.FastMesh, Programs.Tincd, "router", "no", 0)]
    [InlineData(Programs.Tincd, Programs.FastMesh, "switch", "no", 0)]
    public void Every_node_of_a_ring_gets_a_broadcast_as_often_as_the_mode_says(string oneKind, string otherKind, string mode, string broadcast, int copies)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", oneKind), beta = network.AddNode("beta", otherKind), gamma = network.AddNode("gamma", oneKind);
        foreach (MeshNode node in network.Nodes) node.Settings.AddRange([$"Mode = {mode}", $"Broadcast = {broadcast}"]);
        alpha.ConnectTo(beta, gamma);
        beta.ConnectTo(gamma);
        network.Start();
        foreach (MeshNode node in network.Nodes) network.Until(() => StateDump.Of(node).Edges.Count == 6, "six edges");
        if (broadcast != "no" || mode == "router") network.Until(() => alpha.Host.CanPing(beta.Inner) && alpha.Host.CanPing(gamma.Inner), "pings");

        PacketCapture atBeta = new(beta.Host, "mesh", "udp port 9999"), atGamma = new(gamma.Host, "mesh", "udp port 9999");
        alpha.Host.Sh("ip route add 224.0.0.0/4 dev mesh; for i in 1 2 3; do echo datagram | socat -u - UDP-DATAGRAM:224.0.0.251:9999; done");
        if (copies > 0)
        {
            network.Until(() => atBeta.Packets().Length >= 3 * copies && atGamma.Packets().Length >= 3 * copies, "the multicasts");
        }

        // A ping after the datagrams has overtaken nothing: what would come has come.
        if (mode == "router") Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 3).Lost + alpha.Host.Ping(gamma.Inner, count: 3).Lost);
        Assert.Equal((3 * copies, 3 * copies), (atBeta.Packets().Length, atGamma.Packets().Length));
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh11, Programs.Tinc11, Programs.FastMesh)]
    [InlineData(Programs.Tinc11, Programs.FastMesh11, Programs.Tinc11)]
    public void Packets_to_a_broadcast_subnet_reach_every_node_once(string oneKind, string middleKind, string otherKind)
    {
        using TestNetwork network = new();
        MeshNode one = network.AddNode("one", oneKind), middle = network.AddNode("middle", middleKind), other = network.AddNode("other", otherKind);
        foreach (MeshNode node in network.Nodes) node.Settings.Add("BroadcastSubnet = 10.20.99.0/24");
        other.HostSettings.Add("Subnet = 10.20.99.128/25");
        one.ConnectTo(middle);
        other.ConnectTo(middle);
        network.Start();
        network.Until(() => one.Host.CanPing(middle.Inner) && one.Host.CanPing(other.Inner), "pings");

        PacketCapture atMiddle = new(middle.Host, "mesh", "udp port 9999"), atOther = new(other.Host, "mesh", "udp port 9999");
        one.Host.Sh("for i in 1 2 3; do for host in 5 200; do echo datagram | socat -u - UDP-SENDTO:10.20.99.$host:9999; done; done");
        network.Until(() => atMiddle.Packets().Length >= 3 && atOther.Packets().Length >= 6, "the datagrams");

        // What would come besides has come before these answers. Of the longer prefix only its node gets something.
        Assert.Equal(0, one.Host.Ping(middle.Inner, count: 3).Lost + one.Host.Ping(other.Inner, count: 3).Lost);
        Assert.Equal((3, 6), (atMiddle.Packets().Length, atOther.Packets().Length));
        Assert.All(atMiddle.Packets(), packet => Assert.Contains("> 10.20.99.5.9999", packet, StringComparison.Ordinal));
        Assert.All(network.Nodes, node => Assert.DoesNotContain("10.20.99.0/24", string.Join(' ', network.Nodes.SelectMany(owner => StateDump.Of(node).SubnetsOf(owner))), StringComparison.Ordinal));
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void A_hub_sends_every_frame_to_everyone(string hubKind, string spokeKind)
    {
        using TestNetwork network = new();
        MeshNode hub = network.AddNode("hub", hubKind), one = network.AddNode("one", spokeKind), two = network.AddNode("two", spokeKind);
        foreach (MeshNode node in network.Nodes) node.Settings.Add("Mode = hub");
        one.ConnectTo(hub);
        two.ConnectTo(hub);
        network.Start();
        network.Until(() => one.Host.CanPing(hub.Inner) && two.Host.CanPing(hub.Inner), "the first pings");
        PacketCapture overheard = new(two.Host, "mesh", "icmp", "-p");
        Assert.Equal(0, one.Host.Ping(hub.Inner, count: 5).Lost);
        overheard.WaitFor($"{one.Inner} > {hub.Inner}: ICMP echo request");
        overheard.WaitFor($"{hub.Inner} > {one.Inner}: ICMP echo reply");
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void A_switch_learns_announces_and_forgets_addresses(string kind, string otherKind)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", otherKind), gamma = network.AddNode("gamma", otherKind);
        foreach (MeshNode node in network.Nodes)
        {
            node.Settings.AddRange(["Mode = switch", "MACExpire = 3"]);
            node.WriteScript("tinc-up", $"ip link set dev $INTERFACE address 02:00:00:00:00:0{node.Host.Number}\n" + node.TincUp());
        }

        beta.ConnectTo(alpha);
        gamma.ConnectTo(alpha);
        network.Start();
        network.Until(() => beta.Host.CanPing(gamma.Inner), "the first ping");
        Assert.Contains("2:0:0:0:0:2#10", StateDump.Of(alpha).SubnetsOf(beta));
        Assert.Contains("2:0:0:0:0:3#10", StateDump.Of(beta).SubnetsOf(gamma));

        // Unicast between two known addresses stays away from the third node.
        PacketCapture overheard = new(alpha.Host, "mesh", "icmp", "-p");
        Assert.Equal(0, beta.Host.Ping(gamma.Inner, count: 5).Lost);
        Assert.Empty(overheard.Packets());
        beta.Host.Run("ip", "link", "set", "mesh", "down");
        network.Until(() => !StateDump.Of(gamma).SubnetsOf(beta).Contains("2:0:0:0:0:2#10"), "the address of beta being forgotten");
    }
}
