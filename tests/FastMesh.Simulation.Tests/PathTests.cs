using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

/// <summary>
/// The way by UDP between FastMesh nodes, and between nodes that speak SPTPS as tinc 1.1 does: found, measured, kept, lost and found again
/// (tinc 1.1 reference, chapter 7).
/// </summary>
public sealed class PathTests
{
    private const int IpAndUdp = 20 + 8;

    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(2), s_minute = TimeSpan.FromMinutes(1);

    private bool _isFastMesh = true;

    /// <summary>Ids, sequence number, type and tag.</summary>
    private int Overhead => _isFastMesh ? 37 : 33;

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void Neighbours_have_a_session_and_a_way_by_udp_within_two_seconds(int seed, bool isFastMesh)
    {
        _isFastMesh = isFastMesh;
        SimNetwork net = Pair(seed);
        Assert.True(net.RunUntil(() => IsDirect(net["alpha"], "beta") && IsDirect(net["beta"], "alpha"), s_soon), net.Trace);
        Assert.Equal(isFastMesh ? NodeProtocol.FastMesh : NodeProtocol.Sptps, net["alpha"].Route("beta").Protocol);
        net["alpha"].SendTo("beta", "hello", length: 1400);
        net.RunFor(s_soon);
        Assert.Equal(["hello"], net["beta"].Received);
        Assert.Equal((0, 1), net["alpha"].Frames);
    }

    [Theory]
    [InlineData(1500, true, true)]
    [InlineData(1400, true, true)]
    [InlineData(1280, true, false)]
    [InlineData(1400, false, true)] // a hop on the way drops in silence
    [InlineData(1280, false, true)]
    [InlineData(1400, false, false)]
    public void The_path_mtu_is_found_exactly_for_common_links(int pathMtu, bool kernelKnows, bool isFastMesh)
    {
        _isFastMesh = isFastMesh;
        SimNetwork net = Pair(seed: pathMtu, pathMtu: pathMtu);
        foreach (SimNode node in net.Nodes)
            node.LocalMtu = kernelKnows ? pathMtu : null;
        net.RunFor(TimeSpan.FromSeconds(kernelKnows ? 2 : 10));
        Assert.Equal(pathMtu - IpAndUdp, net["alpha"].Route("beta").MaxDatagram);
        Assert.Equal(pathMtu - IpAndUdp, net["beta"].Route("alpha").MaxDatagram);
    }

    [Theory]
    [InlineData(true, 12, true)] // an ICMP message: what was under way is lost
    [InlineData(true, 12, false)]
    [InlineData(false, 320, true)] // silence: up to three seconds of the long frames
    [InlineData(false, 320, false)]
    public void When_the_path_shrinks_under_traffic_few_frames_are_lost(bool kernelLearns, int most, bool isFastMesh)
    {
        _isFastMesh = isFastMesh;
        SimNetwork net = Pair(seed: 3);
        net.RunFor(TimeSpan.FromSeconds(10));
        Send(net, TimeSpan.FromSeconds(5), length: 1400, out int before);
        net.PathMtu = 1280;
        net["alpha"].LocalMtu = kernelLearns ? 1280 : null;
        Send(net, TimeSpan.FromSeconds(20), length: 1400, out int sent);
        net.RunFor(s_soon);
        int lost = before + sent - net["beta"].Received.Count;
        Assert.True(lost <= most, $"{lost} {net["alpha"].Frames} {net.Trace}");
        Assert.Equal(1280 - IpAndUdp, net["alpha"].Route("beta").MaxDatagram);
        Assert.Equal(1280 - IpAndUdp - Overhead + 14, net["alpha"].Route("beta").Mtu); // routing counts the Ethernet header that does not travel
        Assert.True(net["alpha"].Frames.Tcp > 0); // 1400 bytes do not fit any more
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void When_udp_is_blocked_tcp_takes_over_within_three_seconds_and_gives_back(bool isFastMesh)
    {
        _isFastMesh = isFastMesh;
        SimNetwork net = Pair(seed: 4);
        net.RunFor(TimeSpan.FromSeconds(20));
        net.BlocksUdp = (_, _) => true;
        Send(net, TimeSpan.FromSeconds(10), length: 1000, out int sent);
        net.RunFor(s_soon);
        Assert.InRange(sent - net["beta"].Received.Count, 1, 320);
        int byUdp = net["alpha"].Frames.Udp;
        Send(net, s_minute, length: 1000, out _);
        Assert.Equal(byUdp, net["alpha"].Frames.Udp);
        Assert.False(net["alpha"].Route("beta").UdpConfirmed);

        net.BlocksUdp = (_, _) => false;
        // The replay window of tinc 1.1 drops the first datagrams after a long gap.
        Assert.True(net.RunUntil(() => IsDirect(net["alpha"], "beta"), TimeSpan.FromSeconds(isFastMesh ? 3 : 10)), net.Trace);
        net["beta"].Received.Clear();
        Send(net, s_soon, length: 1000, out sent);
        net.RunFor(s_soon);
        Assert.Equal(sent, net["beta"].Received.Count);
        Assert.True(net["alpha"].Frames.Udp > byUdp + 100);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_path_that_loses_trains_is_noticed_under_traffic_and_so_is_its_repair(bool isFastMesh)
    {
        _isFastMesh = isFastMesh;
        SimNetwork net = Pair(seed: 6);
        net["alpha"].LosesTrains = true;
        net.RunFor(TimeSpan.FromSeconds(20));
        Assert.True(net["alpha"].Route("beta").TakesTrains); // nothing is sent, nothing is tried
        Send(net, TimeSpan.FromSeconds(10), length: 1000, out _);
        Assert.False(net["alpha"].Route("beta").TakesTrains);
        Assert.True(net["beta"].Route("alpha").TakesTrains);
        net["alpha"].LosesTrains = false;
        Send(net, TimeSpan.FromSeconds(65), length: 1000, out _);
        Assert.True(net["alpha"].Route("beta").TakesTrains);
        Assert.Single(net["alpha"].Log.Lines, line => line.StartsWith("Datagrams sent to beta", StringComparison.Ordinal) && line.EndsWith("one by one", StringComparison.Ordinal));
        Assert.Single(net["alpha"].Log.Lines, line => line.EndsWith("several at once arrive again", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Lost_packets_alone_are_no_reason_to_give_trains_up(int seed)
    {
        SimNetwork net = new(seed) { DebugLevel = 5, Loss = 0.1 };
        Add(net, "alpha", "beta");
        Add(net, "beta");
        net.StartAll();
        Send(net, TimeSpan.FromMinutes(10), length: 1000, out _);
        Assert.DoesNotContain(net["alpha"].Log.Lines, line => line.StartsWith("Datagrams sent to", StringComparison.Ordinal));
    }

    [Fact]
    public void An_idle_way_is_kept_open_between_neighbours()
    {
        SimNetwork net = Pair(seed: 5);
        (net["alpha"].Public, net["alpha"].IsGuarded) = (Address("198.51.100.1", 1001), true);
        net.RunFor(TimeSpan.FromMinutes(10));
        net["beta"].SendTo("alpha", "still open?", length: 1200);
        net.RunFor(s_soon);
        Assert.Equal(["still open?"], net["alpha"].Received);
        Assert.Equal((0, 1), net["beta"].Frames);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_guarded_nats_are_punched_with_the_help_of_a_third_node(bool isFastMesh)
    {
        _isFastMesh = isFastMesh;
        SimNetwork net = Behind(seed: 6, out SimNode alpha, out SimNode beta);
        net.RunFor(TimeSpan.FromSeconds(20));
        List<string> sent = [];
        for (int i = 0; i < 100; i++)
        {
            sent.Add($"{i}");
            alpha.SendTo("beta", $"{i}", length: 1000); // in one direction only
            net.RunFor(TimeSpan.FromMilliseconds(100));
        }

        Assert.True(IsDirect(alpha, "beta"), net.Trace);
        Assert.Equal("198.51.100.2 port 1002", alpha.Route("beta").Address.ToString());
        Assert.Equal("198.51.100.1 port 1001", beta.Route("alpha").Address.ToString());
        net.RunFor(s_soon);
        Assert.InRange(sent.Count - beta.Received.Count, 0, 2); // the first ones started the session
        int relayed = net["hub"].Relayed;
        alpha.SendTo("beta", "direct", length: 1000);
        net.RunFor(s_soon);
        Assert.Equal("direct", beta.Received[^1]);
        Assert.Equal(relayed, net["hub"].Relayed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nodes_that_cannot_reach_each_other_are_relayed_unopened(bool isFastMesh)
    {
        _isFastMesh = isFastMesh;
        SimNetwork net = Behind(seed: 7, out SimNode alpha, out SimNode beta);
        net.BlocksUdp = (left, right) => left.Name != "hub" && right.Name != "hub";
        net.RunFor(TimeSpan.FromSeconds(20));
        for (int i = 0; i < 50; i++)
        {
            alpha.SendTo("beta", $"{i}", length: 1000);
            net.RunFor(TimeSpan.FromMilliseconds(100));
        }

        net.RunFor(s_soon);
        Assert.InRange(beta.Received.Count, 47, 50); // the first ones asked for the session
        Assert.True(net["hub"].Relayed > 30, net.Trace);
        Assert.Empty(net["hub"].Received);
        Assert.False(alpha.Route("beta").UdpConfirmed);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    public void Local_discovery_finds_the_short_way_behind_one_nat(int seed)
    {
        SimNetwork net = Behind(seed, out SimNode alpha, out SimNode beta);
        beta.Public = alpha.Public!.Value.WithPort(1002); // which does not turn packets around
        net.RunFor(s_soon);
        for (int i = 0; i < 10; i++)
        {
            alpha.SendTo("beta", $"{i}", length: 1000);
            net.RunFor(TimeSpan.FromSeconds(1));
        }

        Assert.True(IsDirect(alpha, "beta"), net.Trace);
        Assert.Equal(beta.Address, alpha.Route("beta").Address);
        Assert.Equal(alpha.Address, beta.Route("alpha").Address);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_node_that_moves_is_followed_at_once(bool isFastMesh)
    {
        _isFastMesh = isFastMesh;
        SimNetwork net = Pair(seed: 10);
        net.RunFor(TimeSpan.FromSeconds(20));
        net["beta"].Address = Address("10.0.0.153", 1234); // the NAT in front of beta has lost its state
        int sent = 0;
        for (int i = 0; i < 100; i++, sent++)
        {
            net["beta"].SendTo("alpha", $"{i}", length: 1000);
            net.RunFor(TimeSpan.FromMilliseconds(20));
        }

        Assert.Equal("10.0.0.153 port 1234", net["alpha"].Route("beta").Address.ToString());
        Assert.True(IsDirect(net["alpha"], "beta"), net.Trace);
        net.RunFor(s_soon);
        Assert.Equal(sent, net["alpha"].Received.Count);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(21)]
    [InlineData(22)]
    public void Loss_overtaking_and_duplicates_do_no_harm(int seed)
    {
        SimNetwork net = new(seed) { Loss = 0.1, Duplicates = 0.1, Latency = 40, DebugLevel = 5 };
        Add(net, "alpha", "beta");
        Add(net, "beta");
        net.StartAll().RunFor(TimeSpan.FromSeconds(10));
        Assert.True(IsDirect(net["alpha"], "beta"), net.Trace);
        Send(net, s_minute, length: 1400, out int sent);
        net.RunFor(s_soon);
        Assert.InRange(net["beta"].Received.Count, (int)(sent * 0.85), sent);
        Assert.Equal(net["beta"].Received.Count, net["beta"].Received.Distinct().Count());
        Assert.True(net["alpha"].Frames.Tcp < sent / 20, $"{net["alpha"].Frames}");
    }

    [Fact]
    public void Nodes_of_all_generations_reach_each_other()
    {
        SimNetwork net = new(seed: 30) { DebugLevel = 5 };
        Add(net, "alpha", "hub");
        Add(net, "beta", "hub");
        net.Add("gamma", settings => settings with { ConnectTo = ["hub"] }); // tinc 1.0
        net.Add("delta", settings => settings with { ConnectTo = ["gamma"] });
        Add(net, "omega", "gamma"); // behind the tinc 1.0 node
        Add(net, "hub");
        net.StartAll();
        Assert.True(net.RunUntil(() => net.AllReachable, TimeSpan.FromSeconds(10)), net.Trace);
        for (int round = 0; round < 15; round++)
        {
            foreach (SimNode from in net.Nodes)
            {
                foreach (SimNode to in net.Nodes)
                    from.SendTo(to.Name, $"{from.Name} {round}", length: 1000);
            }

            net.RunFor(TimeSpan.FromSeconds(1));
        }

        net.RunFor(s_soon);
        foreach (SimNode to in net.Nodes)
        {
            foreach (SimNode from in net.Nodes)
                Assert.InRange(to.Received.Count(payload => payload.StartsWith(from.Name + " ", StringComparison.Ordinal)), 14, 15);
        }
    }

    /// <summary>tinc 1.1 ends a session when a datagram from a confirmed address does not open (tinc 1.1 reference, 13.2).</summary>
    [Fact]
    public void No_datagram_reaches_another_node_than_the_one_it_is_for()
    {
        SimNetwork net = Behind(seed: 31, out SimNode alpha, out SimNode beta);
        SimNode twin = Add(net, "twin", "alpha"); // at alpha's site, with beta's local address
        (twin.Public, twin.IsGuarded) = (alpha.Public!.Value.WithPort(1003), true);
        twin.Start();
        (alpha.Address, beta.Address, twin.Address) = (Address("192.168.1.2", 655), Address("192.168.1.3", 655), Address("192.168.1.3", 655));
        net.BlocksUdp = (left, right) => left == beta || right == beta; // so that alpha tries every address of beta
        net.RunFor(s_soon);
        for (int i = 0; i < 30; i++)
        {
            foreach (SimNode node in net.Nodes)
                alpha.SendTo(node.Name, $"{i}", length: 500);
            net.RunFor(TimeSpan.FromSeconds(1));
        }

        Assert.True(net.Nodes.All(node => node.Strays == 0), net.Trace);
        Assert.True(IsDirect(alpha, "twin"));
        Assert.Equal("192.168.1.3 port 655", alpha.Route("twin").Address.ToString());
    }

    private SimNetwork Pair(int seed, int pathMtu = 1500)
    {
        SimNetwork net = new(seed) { DebugLevel = 5, PathMtu = pathMtu };
        Add(net, "alpha", "beta");
        Add(net, "beta");
        return net.StartAll();
    }

    /// <summary>alpha and beta, each behind a NAT, and a hub that both connect to.</summary>
    private SimNetwork Behind(int seed, out SimNode alpha, out SimNode beta)
    {
        SimNetwork net = new(seed) { DebugLevel = 5 };
        alpha = Add(net, "alpha", "hub");
        beta = Add(net, "beta", "hub");
        Add(net, "hub");
        (alpha.Public, beta.Public) = (Address("198.51.100.1", 1001), Address("198.51.100.2", 1002));
        (alpha.IsGuarded, beta.IsGuarded) = (true, true);
        return net.StartAll();
    }

    private SimNode Add(SimNetwork net, string name, params string[] dials)
    {
        int index = net.Nodes.Count;
        return net.Add(name, settings => settings with
        {
            ConnectTo = dials,
            Identity = SimKeys.Identity(index),
            IsFastMesh = _isFastMesh,
            SpeaksSptps = !_isFastMesh,
        });
    }

    private static Endpoint Address(string address, int port)
    {
        Assert.True(Endpoint.TryParse(address, $"{port}", out Endpoint endpoint));
        return endpoint;
    }

    private static bool IsDirect(SimNode node, string peer) => node.ReachableNames.Contains(peer) && node.Route(peer) is { Sealer: not null, UdpConfirmed: true, MaxDatagram: > 600 };

    /// <summary>A frame every ten milliseconds from alpha to beta.</summary>
    private static void Send(SimNetwork net, TimeSpan span, int length, out int sent)
    {
        Instant end = net.Now + span;
        for (sent = 0; net.Now < end; sent++)
        {
            net["alpha"].SendTo("beta", $"{sent} {net.Now.Milliseconds}", length);
            net.RunFor(TimeSpan.FromMilliseconds(10));
        }
    }
}
