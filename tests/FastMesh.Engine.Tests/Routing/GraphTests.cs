using System.Globalization;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Routing;

public sealed class GraphTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Paths_and_tree_are_those_of_the_reference_through_random_changes(int seed)
    {
        Random random = new(seed);
        int count = 2 + random.Next(14);
        Graph graph = new("n05");
        NaiveGraph naive = new("n05");
        for (int step = 0; step < 60; step++)
        {
            for (int change = random.Next(4); change >= 0; change--)
                Change(random, count, graph, naive);
            List<Node> flipped = [], addressed = [];
            HashSet<string> before = [.. graph.Nodes.Where(node => node.Reachable).Select(node => node.Name)];
            graph.Recompute(flipped, addressed);
            naive.Recompute();
            foreach (Node node in flipped.Where(node => !node.Reachable))
                node.Address = default; // the caller's duty (7.2 step 4)

            string where = string.Create(CultureInfo.InvariantCulture, $"seed {seed} step {step}");
            Assert.True(Describe(naive).SequenceEqual(Describe(graph)), $"{where}\n{string.Join('\n', Describe(naive).Except(Describe(graph)))}\nbut\n{string.Join('\n', Describe(graph).Except(Describe(naive)))}");
            HashSet<string> after = [.. graph.Nodes.Where(node => node.Reachable).Select(node => node.Name)];
            before.SymmetricExceptWith(after);
            Assert.Equal(before.Order(StringComparer.Ordinal), flipped.Select(node => node.Name));
        }
    }

    [Fact]
    public void A_direct_longer_path_replaces_an_indirect_shorter_one_but_for_the_next_hop()
    {
        Graph graph = new("a");
        Link(graph, "a", "b", EdgeOptions.Indirect, 1);
        Link(graph, "a", "c", EdgeOptions.None, 1);
        Link(graph, "c", "d", EdgeOptions.None, 1);
        Link(graph, "d", "b", EdgeOptions.None, 1);
        graph.Recompute([], []);
        Node b = graph.Find("b")!;
        Assert.Equal(("b", "b", false), (b.NextHop!.Name, b.Via!.Name, b.Indirect));
    }

    /// <summary>As tincd 1.1pre18 lists it.</summary>
    [Fact]
    public void The_distance_counts_edges_and_is_negative_without_a_path()
    {
        Graph graph = new("a");
        Assert.Equal(0, graph.Self.Distance);
        Link(graph, "a", "b", EdgeOptions.None, 1);
        Link(graph, "b", "c", EdgeOptions.None, 1);
        graph.GetOrAdd("d");
        graph.Recompute([], []);
        Assert.Equal([0, 1, 2, -1], graph.Nodes.Select(node => node.Distance));
        graph.RemoveEdge(Graph.FindEdge(graph.Self, graph.Find("b")!)!);
        graph.Recompute([], []);
        Assert.Equal([0, -1, -1, -1], graph.Nodes.Select(node => node.Distance));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Of_paths_with_equally_many_hops_the_one_with_the_least_total_weight_is_taken(int seed)
    {
        const int Count = 25;
        Random random = new(seed);
        Graph graph = new("n00");
        Node[] nodes = [graph.Self, .. Enumerable.Range(1, Count - 1).Select(i => graph.GetOrAdd($"n{i:d2}"))];
        for (int i = 0; i < 3 * Count; i++)
        {
            (Node a, Node b) = (nodes[random.Next(Count)], nodes[random.Next(Count)]);
            if (a == b)
                continue;
            graph.SetEdge(a, b, ("unspec", "unspec"), EdgeOptions.None, random.Next(1, 50));
            graph.SetEdge(b, a, ("unspec", "unspec"), EdgeOptions.None, random.Next(1, 50));
        }

        graph.Recompute([], []);
        // Bellman and Ford: least weights of paths with at most that many hops.
        Dictionary<Node, (int Hops, long Weight)> best = new() { [graph.Self] = (0, 0) };
        for (int hops = 1; hops < Count; hops++)
        {
            foreach (Edge edge in graph.Edges.Where(edge => best.GetValueOrDefault(edge.From, (-1, 0)).Hops == hops - 1).ToList())
            {
                long weight = best[edge.From].Weight + edge.Weight;
                if (!best.TryGetValue(edge.To, out (int Hops, long Weight) known) || (known.Hops == hops && weight < known.Weight))
                    best[edge.To] = (hops, weight);
            }
        }

        foreach (Node node in nodes)
        {
            Assert.Equal(best.ContainsKey(node), node.Reachable);
            if (!node.Reachable || node == graph.Self)
                continue;
            (int hops, long weight) = (0, 0);
            for (Node at = node; at != graph.Self; at = at.Entry!.From)
                (hops, weight) = (hops + 1, weight + at.Entry!.Weight);
            Assert.True(best[node] == (hops, weight), $"seed {seed}, {node}: {best[node]} instead of {(hops, weight)}");
            Assert.Equal(best[node].Hops, node.Distance);
            Assert.Equal(node, node.Via);
            Assert.Contains(node.NextHop, nodes.Where(next => Graph.FindEdge(graph.Self, next) is not null));
        }
    }

    [Fact]
    public void An_edge_without_its_opposite_is_not_used()
    {
        Graph graph = new("a");
        graph.SetEdge(graph.Self, graph.GetOrAdd("b"), ("192.0.2.1", "655"), EdgeOptions.None, 1);
        graph.Recompute([], []);
        Assert.False(graph.Find("b")!.Reachable);
    }

    [Fact]
    public void Ids_of_removed_nodes_come_back_only_after_a_while_and_the_table_stays_small()
    {
        Graph graph = new("a");
        Queue<int> recent = new();
        for (int i = 0; i < 20_000; i++)
        {
            Node node = graph.GetOrAdd($"x{i}");
            Assert.DoesNotContain(node.Id, recent);
            recent.Enqueue(node.Id);
            if (recent.Count > 200)
                recent.Dequeue();
            graph.RemoveNode(node);
        }

        Assert.InRange(graph.IdLimit, 256, 300);
    }

    private static void Link(Graph graph, string left, string right, EdgeOptions options, int weight)
    {
        graph.SetEdge(graph.GetOrAdd(left), graph.GetOrAdd(right), ("192.0.2.1", "655"), options, weight);
        graph.SetEdge(graph.GetOrAdd(right), graph.GetOrAdd(left), ("192.0.2.1", "655"), options, weight);
    }

    private static void Change(Random random, int count, Graph graph, NaiveGraph naive)
    {
        int left = random.Next(count), right = random.Next(count);
        if (left == right)
            return;
        string from = $"n{left:D2}", to = $"n{right:D2}";
        foreach ((string one, string two) in random.Next(4) == 0 ? new[] { (from, to) } : [(from, to), (to, from)])
        {
            Node source = graph.GetOrAdd(one), target = graph.GetOrAdd(two);
            naive.Nodes.TryAdd(one, new());
            naive.Nodes.TryAdd(two, new());
            naive.Edges.RemoveAll(e => e.From == one && e.To == two);
            if (random.Next(3) == 0)
            {
                if (Graph.FindEdge(source, target) is { } edge)
                    graph.RemoveEdge(edge);
                continue;
            }

            EdgeOptions options = (EdgeOptions)(random.Next(3) == 0 ? random.Next(16) : 12);
            int weight = random.Next(6);
            string port = (600 + random.Next(3)).ToString(CultureInfo.InvariantCulture);
            graph.SetEdge(source, target, ("192.0.2.1", port), options, weight);
            Assert.True(Endpoint.TryParse("192.0.2.1", port, out Endpoint address));
            naive.Edges.Add(new(one, two, options, weight, address));
        }
    }

    private static string[] Describe(Graph graph) => [.. graph.Nodes.Select(node => !node.Reachable
        ? $"{node.Name} unreachable {node.OnSpanningTree}"
        : $"{node.Name} {node.NextHop} {node.Via} {node.Indirect} {(node == graph.Self ? 0 : node.Options)} {node.OnSpanningTree} {(node == graph.Self ? default : node.Address)}")];

    private static string[] Describe(NaiveGraph graph) => [.. graph.Nodes.Select(pair => !pair.Value.Visited
        ? $"{pair.Key} unreachable {graph.TreeNeighbours.Contains(pair.Key)}"
        : $"{pair.Key} {pair.Value.NextHop} {pair.Value.Via} {pair.Value.Indirect} {pair.Value.Options} {graph.TreeNeighbours.Contains(pair.Key)} {pair.Value.Address}")];
}
