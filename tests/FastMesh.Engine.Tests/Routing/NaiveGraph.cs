using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Routing;

/// <summary>
/// The graph algorithms of the tinc 1.0 reference, 7.2 and 7.3, word by word, as an oracle: lists that are scanned, a spanning
/// tree that restarts its scan. Between paths of equally many hops the weight decides (tinc 1.1 reference, 1.7).
/// </summary>
internal sealed class NaiveGraph(string self)
{
    public sealed record NaiveEdge(string From, string To, EdgeOptions Options, int Weight, Endpoint Address);

    public sealed class NaiveNode
    {
        public bool Visited, Indirect = true;
        public string? NextHop, Via;
        public int Hops, EntryHops;
        public long Weight, EntryWeight;
        public EdgeOptions Options;
        public Endpoint Address;
    }

    public List<NaiveEdge> Edges { get; } = [];

    public SortedDictionary<string, NaiveNode> Nodes { get; } = new(StringComparer.Ordinal) { [self] = new() };

    public HashSet<string> TreeNeighbours { get; } = [];

    private bool HasReverse(NaiveEdge edge) => Edges.Exists(other => other.From == edge.To && other.To == edge.From);

    public void Recompute()
    {
        foreach (NaiveNode node in Nodes.Values)
            (node.Visited, node.Indirect) = (false, true);
        NaiveNode own = Nodes[self];
        (own.Visited, own.Indirect, own.NextHop, own.Via) = (true, false, self, self);
        List<string> queue = [self];
        for (int i = 0; i < queue.Count; i++)
        {
            NaiveNode n = Nodes[queue[i]];
            foreach (NaiveEdge e in Edges.Where(e => e.From == queue[i] && HasReverse(e)).OrderBy(e => e.To, StringComparer.Ordinal).ToList())
            {
                NaiveNode t = Nodes[e.To];
                bool indirect = n.Indirect || e.Options.HasFlag(EdgeOptions.Indirect) || e.Options.HasFlag(EdgeOptions.TcpOnly);
                if (!t.Visited || (t.Hops == n.Hops + 1 && t.Weight > n.Weight + e.Weight))
                    (t.NextHop, t.Hops, t.Weight) = (n == own ? e.To : n.NextHop, n.Hops + 1, n.Weight + e.Weight);
                bool isLighter = t.Indirect == indirect && t.EntryHops == n.EntryHops + 1 && t.EntryWeight > n.EntryWeight + e.Weight;
                if (t.Visited && (!t.Indirect || indirect) && !isLighter)
                    continue;
                (t.Visited, t.Indirect, t.Via, t.Options) = (true, indirect, indirect ? n.Via : e.To, e.Options);
                (t.EntryHops, t.EntryWeight) = (n.EntryHops + 1, n.EntryWeight + e.Weight);
                if (!t.Address.IsSet)
                    t.Address = e.Address;
                queue.Add(e.To);
            }
        }

        foreach (NaiveNode node in Nodes.Values.Where(node => !node.Visited))
            node.Address = default;
        FindTree();
    }

    private void FindTree()
    {
        TreeNeighbours.Clear();
        List<NaiveEdge> sorted = [.. Edges.OrderBy(e => e.Weight).ThenBy(e => e.From, StringComparer.Ordinal).ThenBy(e => e.To, StringComparer.Ordinal)];
        if (sorted.Find(e => Nodes[e.From].Visited) is not { } first)
            return;
        HashSet<string> inTree = [first.From];
        bool skipped = false;
        for (int i = 0; i < sorted.Count; i++)
        {
            NaiveEdge e = sorted[i];
            if (!HasReverse(e) || inTree.Contains(e.From) == inTree.Contains(e.To))
            {
                skipped = true;
                continue;
            }

            inTree.Add(e.From);
            inTree.Add(e.To);
            if (e.From == self)
                TreeNeighbours.Add(e.To);
            if (e.To == self)
                TreeNeighbours.Add(e.From);
            if (skipped)
                (skipped, i) = (false, -1);
        }
    }
}
