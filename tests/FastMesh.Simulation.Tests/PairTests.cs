using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

/// <summary>Two nodes: connecting, keys, scripts, path MTU, loss and return.</summary>
public sealed class PairTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(2), s_minute = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Two_nodes_connect_exchange_keys_and_talk(int seed)
    {
        SimNetwork net = Pair(seed);

        Assert.True(net.RunUntil(() => net.AllReachable && HaveKeys(net), s_soon), net.Trace);
        Assert.Contains("Connection with beta (10.0.0.2 port 655) activated", net["alpha"].Log.Lines);
        Assert.Contains("Connection with alpha (10.0.0.1 port 40000) activated", net["beta"].Log.Lines);
        Assert.Contains(" alpha to beta at 10.0.0.2 port 655 options c weight",
            string.Join('\n', net["alpha"].Graph), StringComparison.Ordinal);

        net["alpha"].SendTo("beta", "ping");
        net.RunFor(s_soon);
        Assert.Equal(["ping"], net["beta"].Received);
    }

    [Fact]
    public void Scripts_run_in_tincs_order_with_tincs_variables()
    {
        SimNetwork net = Pair(seed: 4);
        net.RunFor(s_soon);
        net["beta"].Crash(silently: false);
        net.RunFor(s_soon);
        net["alpha"].Do((mesh, now) => mesh.Stop(now));

        const string Beta = "NODE=beta REMOTEADDRESS=10.0.0.2 REMOTEPORT=655";
        Assert.Equal(
            [
                "subnet-up NODE=alpha SUBNET=10.20.1.0/24 WEIGHT=10",
                $"host-up {Beta}", $"hosts/beta-up {Beta}", $"subnet-up {Beta} SUBNET=10.20.2.0/24 WEIGHT=10",
                $"host-down {Beta}", $"hosts/beta-down {Beta}", $"subnet-down {Beta} SUBNET=10.20.2.0/24 WEIGHT=10",
                "subnet-down NODE=alpha SUBNET=10.20.1.0/24 WEIGHT=10",
            ],
            net["alpha"].Scripts);
    }

    [Theory]
    [InlineData(1500, 1451)] // the value the real daemons fix on a 1500-byte path (tinc 1.0 reference, 5.8)
    [InlineData(1400, 1355)] // 1400 - 28 - 4 = 1368, 85 blocks = 1360, minus 1 padding, minus 4 sequence
    [InlineData(576, 539)] // 576 - 28 - 4 = 544, 34 blocks = 544, minus 1, minus 4; the minimum for IPv4 is the concern of routing
    public void Path_mtu_discovery_finds_the_largest_frame_that_fits(int pathMtu, int frame)
    {
        SimNetwork net = Pair(seed: pathMtu, pathMtu: pathMtu, debug: 5);
        foreach (SimNode node in net.Nodes)
            node.LocalMtu = pathMtu; // the kernel refuses what is too large
        Assert.True(net.RunUntil(() => net.AllReachable, s_soon), net.Trace);
        net.RunFor(TimeSpan.FromSeconds(40));

        Assert.Equal((frame, frame), (net["alpha"].Route("beta").Mtu, net["alpha"].Route("beta").MinMtu));
        Assert.Equal((frame, frame), (net["beta"].Route("alpha").Mtu, net["beta"].Route("alpha").MinMtu));
        Assert.Contains(net["alpha"].Log.Lines, line => line.StartsWith($"Fixing MTU of beta (10.0.0.2 port 655) to {frame} after",
            StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(51)]
    [InlineData(52)]
    public void A_lossy_path_is_still_found_and_kept(int seed)
    {
        SimNetwork net = new(seed) { Loss = 0.2, DebugLevel = 5 };
        net.Add("alpha", settings => settings with { ConnectTo = ["beta"] });
        net.Add("beta");
        net.StartAll().RunFor(s_minute);
        Assert.True(net["alpha"].Route("beta").MinMtu is >= 1300 and <= 1451, net.Trace);
        for (int i = 0; i < 10; i++)
        {
            net.RunFor(s_minute);
            Assert.True(net["alpha"].Route("beta").MinMtu > 0, net.Trace);
        }
    }

    [Fact]
    public void A_path_that_shrinks_is_noticed_and_one_that_grows_is_found_again()
    {
        SimNetwork net = Pair(seed: 7);
        net.RunFor(s_minute);
        Assert.InRange(net["alpha"].Route("beta").Mtu, 1400, 1451); // without the kernel's help, as near as chance comes

        net.PathMtu = 1300;
        net.RunFor(TimeSpan.FromMinutes(4));
        Assert.InRange(net["alpha"].Route("beta").MinMtu, 1200, 1259);

        net.PathMtu = 1500;
        net.RunFor(TimeSpan.FromMinutes(20));
        Assert.InRange(net["alpha"].Route("beta").MinMtu, 1400, 1451);
    }

    [Fact]
    public void Frames_go_by_tcp_until_udp_is_proven_and_when_it_never_is()
    {
        SimNetwork net = Pair(seed: 8, pathMtu: 20);
        net.RunFor(s_minute);
        net["alpha"].SendTo("beta", "by tcp");
        net.RunFor(s_soon);
        Assert.Equal(["by tcp"], net["beta"].Received);
        Assert.Equal((1, 0), net["alpha"].Frames);

        net.PathMtu = 1500;
        net.RunFor(TimeSpan.FromMinutes(3));
        net["alpha"].SendTo("beta", "by udp");
        net.RunFor(s_soon);
        Assert.Equal((1, 1), net["alpha"].Frames);
        Assert.Equal(["by tcp", "by udp"], net["beta"].Received);
    }

    [Fact]
    public void A_lost_connection_is_dialled_again_after_five_seconds_once_it_was_proven()
    {
        SimNetwork net = Pair(seed: 9);
        net.RunFor(TimeSpan.FromSeconds(70)); // a PING has been answered
        Assert.Single(net["alpha"].Dialled);
        net["beta"].Crash(silently: false);
        Instant lost = net.Now;
        net.RunFor(TimeSpan.FromSeconds(3));
        Assert.Contains("Connection closed by beta (10.0.0.2 port 655)", net["alpha"].Log.Lines);
        Assert.Contains("Trying to re-establish outgoing connection in 5 seconds", net["alpha"].Log.Lines);
        net["beta"].Start();
        Assert.True(net.RunUntil(() => net.AllReachable, TimeSpan.FromSeconds(5)), net.Trace);
        Assert.InRange((net["alpha"].Dialled[1].At - lost).TotalSeconds, 5.0, 5.1);
    }

    [Fact]
    public void Failed_rounds_wait_five_seconds_longer_each_up_to_the_maximum()
    {
        SimNetwork net = new(seed: 10);
        SimNode alpha = net.Add("alpha", settings => settings with { ConnectTo = ["beta"], MaxTimeout = TimeSpan.FromSeconds(20) });
        net.Add("beta");
        alpha.Start();
        net.RunFor(TimeSpan.FromSeconds(100));

        double[] waits = [.. alpha.Dialled.Zip(alpha.Dialled.Skip(1), (a, b) => Math.Round((b.At - a.At).TotalSeconds))];
        Assert.Equal([5, 10, 15, 20, 20, 20], waits);
        Assert.Contains("Could not set up a meta connection to beta", alpha.Log.Lines);
    }

    [Fact]
    public void A_round_tries_every_address_and_resolves_names()
    {
        SimNetwork net = new(seed: 11);
        SimNode alpha = net.Add("alpha", settings => settings with { ConnectTo = ["beta"] });
        SimNode beta = net.Add("beta");
        alpha.Directory.Files["beta"] = beta.HostFile with
        {
            Addresses = [new("10.9.9.9", "655"), new("nowhere", "655"), new("beta", "655")],
        };
        net.StartAll();
        Assert.True(net.RunUntil(() => net.AllReachable, s_soon), net.Trace);
        Assert.Equal(["10.9.9.9 port 655", "10.0.0.2 port 655"], alpha.Dialled.Select(dial => dial.Target.ToString()));
        Assert.Contains("Error looking up nowhere port 655 for beta", alpha.Log.Lines);
    }

    [Fact]
    public void A_dead_peer_is_noticed_by_its_silence()
    {
        SimNetwork net = Pair(seed: 12);
        net.RunFor(s_soon);
        net["beta"].Crash(silently: true);
        net.RunFor(TimeSpan.FromSeconds(60 + 5 + 5 + 5)); // PING due, unanswered, noticed: each at a check every 5 s
        Assert.Contains(net["alpha"].Log.Lines,
            line => line.StartsWith("beta (10.0.0.2 port 655) didn't respond to PING in ", StringComparison.Ordinal));
        Assert.DoesNotContain("beta", net["alpha"].ReachableNames);
    }

    [Fact]
    public void A_restarted_node_is_taken_up_again_before_the_old_connection_is_missed()
    {
        SimNetwork net = new(seed: 13) { DebugLevel = 5 };
        net.Add("alpha");
        net.Add("beta", settings => settings with { ConnectTo = ["alpha"] });
        net.StartAll();
        net.RunFor(s_soon);
        net["beta"].Crash(silently: true);
        net["beta"].Start();
        Assert.True(net.RunUntil(() => net["beta"].ReachableNames.Contains("alpha"), s_soon), net.Trace);
        net.RunFor(s_soon);
        Assert.Contains(net["alpha"].Log.Lines, line => line.StartsWith("Established a second connection with beta", StringComparison.Ordinal));
        net["alpha"].SendTo("beta", "one");
        net["beta"].SendTo("alpha", "two");
        net.RunFor(s_soon);
        Assert.Equal(["one"], net["beta"].Received);
        Assert.Equal(["two"], net["alpha"].Received);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    public void Two_nodes_that_dial_each_other_end_with_one_connection(int seed)
    {
        SimNetwork net = new(seed) { DebugLevel = 3 };
        net.Add("alpha", settings => settings with { ConnectTo = ["beta"] });
        net.Add("beta", settings => settings with { ConnectTo = ["alpha"] });
        net.StartAll();
        net.RunFor(TimeSpan.FromMinutes(3));
        Assert.True(net.AllReachable, net.Trace);
        Assert.All(net.Nodes, node => Assert.Equal(1, node.OpenStreams));

        net["alpha"].Crash(silently: false);
        net.RunFor(s_minute);
        net["alpha"].Start();
        Assert.True(net.RunUntil(() => net.AllReachable, s_minute), net.Trace);
    }

    [Fact]
    public void New_keys_every_few_seconds_lose_no_frame()
    {
        SimNetwork net = new(seed: 30);
        net.Add("alpha", settings => settings with { ConnectTo = ["beta"], KeyExpire = TimeSpan.FromSeconds(10) });
        net.Add("beta", settings => settings with { KeyExpire = TimeSpan.FromSeconds(7) });
        net.StartAll();
        net.RunFor(TimeSpan.FromSeconds(40));
        List<string> sent = [];
        for (int i = 0; i < 1000; i++)
        {
            sent.Add($"{i}");
            net["alpha"].SendTo("beta", $"{i}");
            net["beta"].SendTo("alpha", $"{i}");
            net.RunFor(TimeSpan.FromMilliseconds(100));
        }

        net.RunFor(s_soon);
        Assert.Contains("Expiring symmetric keys", net["alpha"].Log.Lines);
        Assert.Equal(sent.Order(), net["beta"].Received.Order());
        Assert.Equal(sent.Order(), net["alpha"].Received.Order());
        Assert.True(net["alpha"].Frames.Udp > 900, $"{net["alpha"].Frames}");
    }

    [Fact]
    public void A_node_whose_address_changes_is_found_by_its_key()
    {
        SimNetwork net = Pair(seed: 31, debug: 3);
        net.RunFor(s_minute);
        net["beta"].Address = Endpoint.FromIPv4(0x0a000099, 1234); // the NAT in front of beta has lost its state
        net.RunFor(TimeSpan.FromMinutes(2)); // beta's keep-alive probes arrive from there
        Assert.Equal("10.0.0.153 port 1234", net["alpha"].Route("beta").Address.ToString());
        net["alpha"].SendTo("beta", "still there?");
        net.RunFor(s_soon);
        Assert.Equal(["still there?"], net["beta"].Received);
        Assert.Equal(1, net["alpha"].Frames.Udp);
    }

    [Theory]
    [InlineData(true, "10.0.0.2 port 655")]
    [InlineData(false, "198.51.100.1 port 1002")] // as the hub sees it
    public void Local_discovery_finds_a_neighbour_behind_the_same_nat(bool localDiscovery, string address)
    {
        SimNetwork net = new(seed: 40) { DebugLevel = 5 };
        SimNode alpha = net.Add("alpha", settings => settings with
        {
            ConnectTo = ["hub"],
            LocalDiscovery = localDiscovery,
            AddressFamily = AddressFamilyChoice.IPv4,
        });
        SimNode beta = net.Add("beta", settings => settings with { ConnectTo = ["hub"] });
        net.Add("hub");
        Assert.True(Endpoint.TryParse("198.51.100.1", "1001", out Endpoint nat));
        (alpha.Public, beta.Public) = (nat, nat.WithPort(1002));
        net.StartAll().RunFor(s_soon);
        alpha.SendTo("beta", "by tcp through the hub");
        net.RunFor(s_minute);
        alpha.SendTo("beta", "as found");
        net.RunFor(s_soon);
        Assert.Equal(address, alpha.Route("beta").Address.ToString());
        Assert.Equal(localDiscovery ? 1 : 0, alpha.Frames.Udp);
        Assert.Equal(["by tcp through the hub", "as found"], beta.Received);
    }

    private static SimNetwork Pair(int seed, int pathMtu = 1500, int debug = 2)
    {
        SimNetwork net = new(seed) { DebugLevel = debug, PathMtu = pathMtu };
        Assert.True(Subnet.TryParse("10.20.1.0/24", out Subnet first));
        Assert.True(Subnet.TryParse("10.20.2.0/24", out Subnet second));
        net.Add("alpha", settings => settings with { ConnectTo = ["beta"], Subnets = [first] });
        net.Add("beta", settings => settings with { Subnets = [second] });
        return net.StartAll();
    }

    private static bool HaveKeys(SimNetwork net) =>
        net["alpha"].Route("beta").Sealer is not null && net["beta"].Route("alpha").Sealer is not null;
}
