using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

/// <summary>Three and more nodes: relays, partitions, crashes, big meshes.</summary>
public sealed class MeshTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(3), s_minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void In_a_line_of_three_the_ends_reach_each_other()
    {
        SimNetwork net = Line(seed: 1, count: 3);
        net.RunFor(s_soon);
        Assert.True(net.AllReachable, net.Trace);
        PeerRoute far = net["n00"].Route("n02");
        Assert.Equal(("n01", "n02"), (far.NextHop.Name, far.Via.Name));
        Assert.Equal("10.0.0.3 port 655", far.Address.ToString());
        Assert.False(far.HasConnection);

        net["n00"].SendTo("n02", "first"); // no key yet: by TCP through the middle, and the key is asked for
        net.RunFor(s_minute);
        Assert.NotNull(net["n00"].Route("n02").Sealer);
        net["n00"].SendTo("n02", "second");
        net.RunFor(s_soon);
        Assert.Equal(["first", "second"], net["n02"].Received);
        Assert.Equal((1, 1), net["n00"].Frames);
    }

    [Fact]
    public void Indirect_data_goes_through_the_relay()
    {
        SimNetwork net = new(seed: 2);
        net.Add("n00", settings => settings with { ConnectTo = ["n01"] });
        net.Add("n01");
        net.Add("n02", settings => settings with { ConnectTo = ["n01"], IndirectData = true });
        net.StartAll().RunFor(s_minute);
        PeerRoute far = net["n00"].Route("n02");
        Assert.True(far.Indirect);
        Assert.Equal("n01", far.Via.Name);
        net["n00"].SendTo("n02", "hello");
        net.RunFor(s_soon);
        Assert.Equal(["hello"], net["n02"].Received);
        Assert.Equal((0, 1), net["n00"].Frames);
        Assert.Equal((0, 1), net["n01"].Frames); // the neighbour itself may use UDP across its own edge
    }

    [Fact]
    public void Reflexive_addresses_travel_with_the_keys()
    {
        SimNetwork net = Line(seed: 3, count: 3);
        net.RunFor(s_minute);
        net["n02"].Address = Endpoint.FromIPv4(0x0a000077, 4242); // n02 now appears elsewhere; the relay finds out by its probes
        net.RunFor(TimeSpan.FromMinutes(2));
        net["n00"].SendTo("n02", "x");
        net.RunFor(s_soon);
        Assert.Equal("10.0.0.119 port 4242", net["n00"].Route("n02").Address.ToString());
    }

    /// <summary>The relay is on one network with the node whose key it passes on, and sees it at an address that is good only there.</summary>
    [Fact]
    public void A_new_key_that_comes_with_another_address_does_not_end_a_way_that_works()
    {
        SimNetwork net = new(seed: 16) { DebugLevel = 3 };
        SimNode alpha = net.Add("alpha", settings => settings with { ConnectTo = ["hub"] });
        SimNode hub = net.Add("hub"), beta = net.Add("beta", settings => settings with { ConnectTo = ["hub"], KeyExpire = TimeSpan.FromSeconds(20) });
        hub.Public = beta.Public = Endpoint.FromIPv4(0xcb007101, 0).WithPort(655);
        hub.Public = hub.Public.Value.WithPort(656);
        net.StartAll().RunFor(s_soon);
        for (int i = 0; i < 30; i++)
        {
            alpha.SendTo("beta", "warm-up");
            beta.SendTo("alpha", "warm-up");
            net.RunFor(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(beta.Public, alpha.Route("beta").Address);
        string[] sent = [.. Enumerable.Range(0, 400).Select(i => $"{i}")];
        foreach (string text in sent)
        {
            alpha.SendTo("beta", text);
            net.RunFor(TimeSpan.FromMilliseconds(200));
        }

        net.RunFor(s_soon);
        Assert.Equal(sent, beta.Received.Where(text => text != "warm-up"));
        Assert.Equal(beta.Public, alpha.Route("beta").Address);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    public void Every_node_reaches_every_other_after_a_partition_heals(int seed)
    {
        SimNetwork net = new SimNetwork(seed).AddMany(6, i => i == 0 ? [] : i < 3 ? [0] : [i - 1, 0]).StartAll();
        net.RunFor(s_soon);
        Assert.True(net.AllReachable, net.Trace);

        net.Part("n00", "n01");
        net.RunFor(TimeSpan.FromMinutes(3));
        Assert.True(net["n00"].ReachableNames.SetEquals(["n00", "n01"]), net.Trace);
        Assert.DoesNotContain("n00", net["n05"].ReachableNames);

        net.Heal();
        Assert.True(net.RunUntil(() => net.AllReachable, TimeSpan.FromMinutes(16)), net.Trace);
        net.RunFor(s_soon);
        AssertAgreement(net);
    }

    [Fact]
    public void A_crashed_node_is_forgotten_and_comes_back()
    {
        SimNetwork net = Line(seed: 7, count: 4);
        net.RunFor(TimeSpan.FromSeconds(70));
        net["n03"].Crash(silently: false);
        net.RunFor(s_soon);
        Assert.True(net.AllReachable, net.Trace);
        Assert.Contains(net["n00"].Scripts, line => line.StartsWith("host-down NODE=n03 ", StringComparison.Ordinal));
        net["n03"].Start();
        Assert.True(net.RunUntil(() => net.AllReachable, s_minute), net.Trace);
        net.RunFor(s_soon);
        AssertAgreement(net);
    }

    // When all start at once and some dial each other, both lose the two connections, and what is said of the edges overtakes each other. Some nodes
    // are then wrong (with seed 12 about an edge that is, with 14 about one that is not) until its owner speaks once more.
    [Theory]
    [InlineData(50, 11)]
    [InlineData(50, 12)]
    [InlineData(50, 14)]
    public void Fifty_nodes_in_a_random_graph_agree_on_everything(int count, int seed)
    {
        Random shape = new(seed);
        SimNetwork net = new SimNetwork(seed) { DebugLevel = 1 }
            .AddMany(count, i => i == 0 ? [] : [shape.Next(i), shape.Next(count)])
            .StartAll();
        Assert.True(net.RunUntil(() => net.AllReachable, TimeSpan.FromMinutes(2)), net.Trace);
        net.RunFor(s_minute);
        Assert.True(net.AllReachable, net.Trace);
        AssertAgreement(net);

        string[] crashed = [.. net.Nodes.Skip(40).Select(node => node.Name)];
        foreach (string name in crashed)
            net[name].Crash(silently: false);
        net.RunFor(TimeSpan.FromMinutes(5));
        foreach (string name in crashed)
            net[name].Start();
        Assert.True(net.RunUntil(() => net.AllReachable, TimeSpan.FromMinutes(10)), net.Trace);
        net.RunFor(TimeSpan.FromSeconds(20));
        AssertAgreement(net);
    }

    [Fact]
    public void A_ring_floods_each_request_once_over_each_connection()
    {
        SimNetwork net = new SimNetwork(13) { DebugLevel = 3 }.AddMany(8, i => [(i + 1) % 8]).StartAll();
        net.RunFor(s_minute);
        Assert.True(net.AllReachable, net.Trace);
        foreach (SimNode node in net.Nodes)
            node.Log.Lines.Clear();

        Assert.True(Subnet.TryParse("10.77.0.0/16", out Subnet added));
        net["n00"].Do((mesh, now) => mesh.Reload(net["n00"].Settings with { Subnets = [added] }, now));
        net.RunFor(s_soon);
        int received = net.Nodes.Sum(node => node.Log.Lines.Count(line => line.StartsWith("Got ADD_SUBNET", StringComparison.Ordinal)));
        Assert.InRange(received, 7, 9); // both ways around the ring; where they meet each side may have sent already
        Assert.All(net.Nodes, node => Assert.Contains(" 10.77.0.0/16#10 owner n00", node.Graph));
        Assert.All(net.Nodes, node => Assert.DoesNotContain(node.Graph, line => line.Contains("10.100.0.0/24", StringComparison.Ordinal)));
    }

    [Fact]
    public void An_expired_key_of_a_distant_node_is_asked_for_again()
    {
        SimNetwork net = new(seed: 14);
        net.Add("n00", settings => settings with { ConnectTo = ["n01"] });
        net.Add("n01");
        net.Add("n02", settings => settings with { ConnectTo = ["n01"], KeyExpire = TimeSpan.FromSeconds(20) });
        net.StartAll().RunFor(s_soon);
        List<string> sent = [];
        for (int i = 0; i < 600; i++)
        {
            sent.Add($"{i}");
            net["n00"].SendTo("n02", $"{i}");
            net.RunFor(TimeSpan.FromMilliseconds(200));
        }

        net.RunFor(s_soon);
        Assert.Equal(sent.Order(), net["n02"].Received.Order());
        Assert.True(net["n00"].Frames.Udp > 400, $"{net["n00"].Frames}");
    }

    [Fact]
    public void The_last_connection_gone_the_rest_of_the_mesh_is_purged()
    {
        SimNetwork net = Line(seed: 15, count: 3);
        net.RunFor(s_soon);
        net["n00"].Do((mesh, now) => mesh.Reload(net["n00"].Settings with { ConnectTo = [] }, now));
        net["n01"].Crash(silently: false);
        net.RunFor(s_soon);
        Assert.Equal(["Nodes:"], net["n00"].Graph.Take(1));
        Assert.DoesNotContain(net["n00"].Graph, line => line.Contains("n01", StringComparison.Ordinal) || line.Contains("n02", StringComparison.Ordinal));
    }

    private static SimNetwork Line(int seed, int count) =>
        new SimNetwork(seed).AddMany(count, i => i + 1 < count ? [i + 1] : []).StartAll();

    /// <summary>All nodes have the same edges and subnets, and their spanning tree marks form one tree.</summary>
    private static void AssertAgreement(SimNetwork net)
    {
        SimNode[] up = [.. net.Nodes.Where(node => node.IsUp)];
        string[] expected = EdgesAndSubnets(up[0]);
        foreach (SimNode node in up)
        {
            string[] actual = EdgesAndSubnets(node);
            Assert.True(expected.SequenceEqual(actual), $"""
                seed {net.Seed}: {up[0].Name} and {node.Name} differ
                {string.Join('\n', expected.Except(actual))}
                against
                {string.Join('\n', actual.Except(expected))}
                """);
        }

        HashSet<(string, string)> tree = [.. up.SelectMany(node => node.Table.Peers.Where(peer => peer.OnSpanningTree)
            .Select(peer => (node.Name, peer.Name)))];
        Assert.All(tree, edge => Assert.Contains((edge.Item2, edge.Item1), tree));
        Assert.Equal(2 * (up.Length - 1), tree.Count);
        HashSet<string> reached = [up[0].Name];
        while (tree.FirstOrDefault(edge => reached.Contains(edge.Item1) && !reached.Contains(edge.Item2)) is { Item2: not null } edge)
            reached.Add(edge.Item2);
        Assert.Equal(up.Length, reached.Count);
    }

    private static string[] EdgesAndSubnets(SimNode node) => [.. node.Graph.SkipWhile(line => line != "Edges:")];
}
