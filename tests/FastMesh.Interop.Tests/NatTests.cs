using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Nodes behind address translation: roaming ports, hole punching through reflexive addresses, discovery on a LAN.</summary>
public sealed class NatTests
{
    /// <summary>
    /// <code>
    ///   alpha ── gateway1 ──┐             ┌── gateway2 ── gamma
    ///   (segment 1)      segment 0 (hub)                  (segment 2)
    /// </code>
    /// </summary>
    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd, Programs.Tincd)]
    [InlineData(Programs.Tincd, Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.FastMesh, Programs.Tincd, Programs.FastMesh)]
    [InlineData(Programs.FastMesh11, Programs.Tinc11, Programs.Tinc11)]
    [InlineData(Programs.Tinc11, Programs.FastMesh11, Programs.FastMesh11)]
    public void Two_nodes_behind_different_gateways_punch_holes(string alphaKind, string hubKind, string gammaKind)
    {
        using TestNetwork network = new();
        MeshNode hub = network.AddNode("hub", hubKind, 0), alpha = network.AddNode("alpha", alphaKind, 1), gamma = network.AddNode("gamma", gammaKind, 2);
        hub.Addresses = [hub.Host.Address()];
        alpha.Addresses = gamma.Addresses = [];
        Translate(network.AddHost("gateway1", 0, 1), alpha.Host, 1);
        Translate(network.AddHost("gateway2", 0, 2), gamma.Host, 2);
        alpha.ConnectTo(hub);
        gamma.ConnectTo(hub);
        network.Start();
        network.Until(() => alpha.Host.CanPing(gamma.Inner), "the first ping");
        network.Until(() =>
        {
            alpha.Host.CanPing(gamma.Inner);
            return StateDump.Of(alpha).Nodes["gamma"].MinMtu > 0 && StateDump.Of(gamma).Nodes["alpha"].MinMtu > 0;
        }, "probes through both gateways", TimeSpan.FromSeconds(90));

        long relayed = hub.Host.UdpSent();
        Assert.Equal(0, alpha.Host.Ping(gamma.Inner, count: 50, size: 8).Lost);
        Assert.True(hub.Host.UdpSent() - relayed < 40, "the hub must be out of the path");
        Assert.StartsWith("192.0.2.", StateDump.Of(alpha).Nodes["gamma"].Address, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.Tincd, Programs.FastMesh)]
    [InlineData(Programs.FastMesh, Programs.FastMesh)]
    [InlineData(Programs.FastMesh11, Programs.Tinc11)]
    [InlineData(Programs.Tinc11, Programs.FastMesh11)]
    public void A_peer_whose_gateway_changes_its_address_is_found_again_by_its_packets(string insideKind, string outsideKind)
    {
        using TestNetwork network = new();
        MeshNode hub = network.AddNode("hub", outsideKind, 0), alpha = network.AddNode("alpha", insideKind, 1);
        alpha.Addresses = [];
        hub.Addresses = [hub.Host.Address()];
        NetworkHost gateway = network.AddHost("gateway", 0, 1);
        Translate(gateway, alpha.Host, 1);
        alpha.ConnectTo(hub);
        network.Start();
        network.Until(() => alpha.Host.CanPing(hub.Inner), "the first ping");
        alpha.WaitForUdp(hub);
        hub.WaitForUdp(alpha);

        int mark = hub.LogMark();
        gateway.Sh($"ip addr del {gateway.Address()}/24 dev eth0; ip addr add 192.0.2.100/24 dev eth0");
        network.Until(() => alpha.Host.Ping(hub.Inner, count: 5, size: 8).Lost == 0, "pings from the new address");
        hub.WaitForLog("^UDP address of alpha set to 192.0.2.100 port", mark);
    }

    /// <summary>Both know of each other only through a hub that sees them at the address of their common gateway.</summary>
    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.Tincd, Programs.FastMesh)]
    [InlineData(Programs.FastMesh, Programs.FastMesh)]
    public void Two_nodes_on_one_lan_find_each_other_by_local_discovery(string oneKind, string twoKind)
    {
        using TestNetwork network = new();
        MeshNode hub = network.AddNode("hub", Programs.Tincd, 0), one = network.AddNode("one", oneKind, 1), two = network.AddNode("two", twoKind, 1);
        hub.Addresses = [hub.Host.Address()];
        one.Addresses = two.Addresses = [];
        NetworkHost gateway = network.AddHost("gateway", 0, 1);
        Translate(gateway, one.Host, 1);
        Route(two.Host, gateway, 1);

        // Only one side asks, and a tincd that asks need not learn from the answer: it hears its own question first and has
        // spent its one search of the second on that.
        bool mustLearn = oneKind == Programs.FastMesh && !Programs.IsReferenceOnly;
        one.Settings.Add("LocalDiscovery = yes");
        one.ConnectTo(hub);
        two.ConnectTo(hub);
        network.Start();
        network.Until(() =>
        {
            one.Host.CanPing(two.Inner);
            return IsOnLan(StateDump.Of(two).Nodes["one"]) && (!mustLearn || IsOnLan(StateDump.Of(one).Nodes["two"]));
        }, "adopting an address on the LAN", TimeSpan.FromSeconds(90));
        network.Until(() => one.Host.Ping(two.Inner, count: 10, size: 8).Lost == 0, "pings on the LAN");
    }

    /// <summary>Found by IPv4 broadcast or by IPv6 multicast: whichever was heard first.</summary>
    private static bool IsOnLan(NodeState state) =>
        state.Address.StartsWith("198.51.100.", StringComparison.Ordinal) || state.Address.StartsWith("fe80", StringComparison.Ordinal);

    /// <summary>A gateway as they are: it forwards, translates, and lets nothing in that nobody has asked for.</summary>
    private static void Translate(NetworkHost gateway, NetworkHost inside, int segment)
    {
        gateway.Sh("echo 1 >/proc/sys/net/ipv4/ip_forward");
        gateway.Sh("nft add table ip nat; nft 'add chain ip nat post { type nat hook postrouting priority 100; }';" +
            "nft add rule ip nat post oifname eth0 masquerade");
        gateway.Filter("input iifname eth0 ct state new drop");
        Route(inside, gateway, segment);
    }

    private static void Route(NetworkHost host, NetworkHost gateway, int segment) =>
        host.Sh($"ip route add default via {gateway.Address(segment)}");
}
