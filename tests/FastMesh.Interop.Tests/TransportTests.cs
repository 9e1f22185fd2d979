using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>How packets travel: TCPOnly, blocked UDP, IndirectData, no path MTU discovery.</summary>
[Collection(nameof(Undisturbed))]
public sealed class TransportTests
{
    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd, "tinc.conf")]
    [InlineData(Programs.Tincd, Programs.FastMesh, "tinc.conf")]
    [InlineData(Programs.FastMesh, Programs.Tincd, "host file")]
    [InlineData(Programs.Tincd, Programs.FastMesh, "host file")]
    [InlineData(Programs.FastMesh11, Programs.Tinc11, "tinc.conf")]
    [InlineData(Programs.Tinc11, Programs.FastMesh11, "host file")]
    [InlineData(Programs.FastMesh, Programs.FastMesh, "tinc.conf")]
    public void TcpOnly_of_one_side_keeps_every_packet_on_the_meta_connection(string settingKind, string otherKind, string place)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", settingKind), beta = network.AddNode("beta", otherKind);
        if (place == "tinc.conf") alpha.Settings.Add("TCPOnly = yes");
        else beta.HostSettings.Add("TCPOnly = yes");
        alpha.ConnectTo(beta);
        network.Start();

        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 10).Lost);
        Assert.Equal(0, beta.Host.Ping(alpha.Inner, count: 10, size: 1400).Lost);
        Assert.Equal((0, 0), (alpha.Host.UdpSent(), beta.Host.UdpSent()));
        Assert.True(alpha.Host.Iperf(beta.Host, beta.Inner) > 1);
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd, "router")]
    [InlineData(Programs.Tincd, Programs.FastMesh, "router")]
    [InlineData(Programs.FastMesh, Programs.FastMesh, "switch")]
    [InlineData(Programs.FastMesh11, Programs.Tinc11, "router")]
    [InlineData(Programs.Tinc11, Programs.FastMesh11, "switch")]
    public void Where_udp_is_blocked_packets_fall_back_to_tcp(string dialler, string listener, string mode)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", dialler), beta = network.AddNode("beta", listener);
        foreach (MeshNode node in network.Nodes)
        {
            node.Settings.Add($"Mode = {mode}");
            node.Host.Filter("input udp dport 655 drop");
        }

        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 10).Lost);
        Assert.Equal(0, beta.Host.Ping(alpha.Inner, count: 10, size: 1400).Lost);
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void Once_a_probe_came_back_small_packets_go_by_udp(string dialler, string listener)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", dialler), beta = network.AddNode("beta", listener);
        alpha.ConnectTo(beta);
        network.Start();
        alpha.WaitForUdp(beta);
        beta.WaitForUdp(alpha);
        long sent = alpha.Host.UdpSent(), answered = beta.Host.UdpSent();
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 50, size: 8).Lost);
        Assert.True(alpha.Host.UdpSent() - sent >= 25, "the requests must be UDP");
        Assert.True(beta.Host.UdpSent() - answered >= 25, "the replies must be UDP");
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void Without_path_mtu_discovery_data_goes_by_udp_at_once_and_may_be_fragmented_outside(string dialler, string listener)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", dialler), beta = network.AddNode("beta", listener);
        foreach (MeshNode node in network.Nodes) node.Settings.Add("PMTUDiscovery = no");
        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        long sent = alpha.Host.UdpSent();
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 10, size: 1472).Lost);
        Assert.True(alpha.Host.UdpSent() - sent >= 5, "full-sized packets must be UDP");
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd, Programs.Tincd)]
    [InlineData(Programs.Tincd, Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.Tincd, Programs.Tincd, Programs.FastMesh)]
    public void A_spoke_with_IndirectData_is_reached_through_the_hub(string spokeKind, string hubKind, string senderKind)
    {
        using TestNetwork network = new();
        MeshNode hub = network.AddNode("hub", hubKind), spoke = network.AddNode("spoke", spokeKind), sender = network.AddNode("sender", senderKind);
        spoke.Settings.Add("IndirectData = yes");
        spoke.ConnectTo(hub);
        sender.ConnectTo(hub);
        network.Start();
        network.Until(() => sender.Host.CanPing(spoke.Inner), "the first ping");
        sender.WaitForUdp(hub);
        hub.WaitForUdp(spoke);
        spoke.WaitForUdp(hub);
        hub.WaitForUdp(sender);
        Assert.Equal("hub", StateDump.Of(sender).Nodes["spoke"].NextHop);
        Assert.NotEqual("spoke", StateDump.Of(sender).Nodes["spoke"].Via);
        long relayed = hub.Host.UdpSent();
        Assert.Equal(0, sender.Host.Ping(spoke.Inner, count: 20, size: 8).Lost);
        Assert.True(hub.Host.UdpSent() - relayed >= 18, "the hub must have relayed");
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void Spokes_that_see_each_other_talk_directly_and_not_through_the_hub(string oneKind, string twoKind)
    {
        using TestNetwork network = new();
        MeshNode hub = network.AddNode("hub", Programs.Tincd), one = network.AddNode("one", oneKind), two = network.AddNode("two", twoKind);
        one.ConnectTo(hub);
        two.ConnectTo(hub);
        network.Start();
        network.Until(() => one.Host.CanPing(two.Inner), "the first ping");
        one.WaitForUdp(two);
        two.WaitForUdp(one);
        long relayed = hub.Host.UdpSent();
        Assert.Equal(0, one.Host.Ping(two.Inner, count: 50, size: 8).Lost);
        Assert.True(hub.Host.UdpSent() - relayed < 30, "the hub must be out of the path");
        Assert.Equal("two", StateDump.Of(one).Nodes["two"].Via);
    }
}
