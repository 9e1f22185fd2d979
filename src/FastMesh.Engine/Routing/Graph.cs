using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Routing;

/// <summary>
/// The mesh as nodes and edges, and what follows from them: reachability, next hops and the spanning tree
/// (tinc 1.0 reference, chapter 7). Deterministic: every node computes the same tree from the same edges. Not thread-safe.
/// </summary>
public sealed class Graph
{
    /// <summary>
    /// Ids of removed nodes are used again only when this many others wait, so that a message of a shard that is still under way
    /// does not name another node.
    /// </summary>
    private const int IdsInReserve = 256;

    private readonly SortedDictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<NodeId, Node> _byRelayId = [];
    private readonly SortedSet<Edge> _edges = new(Edge.ByWeight);
    private readonly Queue<int> _freeIds = new();
    private int _nextId;

    /// <summary>Makes a graph of one node, the daemon itself, which is always reachable.</summary>
    public Graph(string selfName)
    {
        Self = GetOrAdd(selfName);
        Self.Reachable = true;
        Self.Indirect = false;
        Self.NextHop = Self.Via = Self;
        Self.Distance = 0;
    }

    /// <summary>The daemon's own node.</summary>
    public Node Self { get; }

    /// <summary>All nodes in name order.</summary>
    public IReadOnlyCollection<Node> Nodes => _nodes.Values;

    /// <summary>All edges by weight, from-name and to-name.</summary>
    public IReadOnlyCollection<Edge> Edges => _edges;

    /// <summary>One more than the highest <see cref="Node.Id"/> ever given.</summary>
    public int IdLimit => _nextId;

    /// <summary>The node of that name, or null.</summary>
    public Node? Find(string name) => _nodes.GetValueOrDefault(name);

    /// <summary>The node with that id in relayed datagrams, or null.</summary>
    public Node? Find(NodeId id) => _byRelayId.GetValueOrDefault(id);

    /// <summary>The node of that name, made (unreachable) if it is new.</summary>
    public Node GetOrAdd(string name)
    {
        if (_nodes.TryGetValue(name, out Node? node))
            return node;
        node = new Node(name, _freeIds.Count > IdsInReserve ? _freeIds.Dequeue() : _nextId++);
        _nodes.Add(name, node);
        _byRelayId.TryAdd(node.RelayId, node);
        return node;
    }

    /// <summary>The edge between two nodes, or null.</summary>
    public static Edge? FindEdge(Node from, Node to) => from.Edges.GetValueOrDefault(to.Name);

    /// <summary>Adds an edge, or gives the existing one new values.</summary>
    public Edge SetEdge(Node from, Node to, (string Address, string Port) address, EdgeOptions options, int weight)
    {
        if (from.Edges.TryGetValue(to.Name, out Edge? edge))
            _edges.Remove(edge);
        else
            edge = new Edge(from, to) { Reverse = FindEdge(to, from) };

        edge.AddressText = address;
        edge.Address = Endpoint.TryParse(address.Address, address.Port, out Endpoint parsed) ? parsed : default;
        (edge.Options, edge.Weight) = (options, weight);
        from.Edges[to.Name] = edge;
        _edges.Add(edge);
        if (edge.Reverse is { } reverse)
            reverse.Reverse = edge;
        return edge;
    }

    /// <summary>Removes an edge.</summary>
    public void RemoveEdge(Edge edge)
    {
        _edges.Remove(edge);
        edge.From.Edges.Remove(edge.To.Name);
        if (edge.Reverse is { } reverse)
            reverse.Reverse = null;
    }

    /// <summary>Removes a node that has no edges and to which none points.</summary>
    public void RemoveNode(Node node)
    {
        if (!_nodes.Remove(node.Name))
            return;
        _freeIds.Enqueue(node.Id);
        if (Find(node.RelayId) == node)
            _byRelayId.Remove(node.RelayId);
    }

    /// <summary>
    /// Recomputes paths and the spanning tree. Afterwards <paramref name="flipped"/> holds, in name order, the nodes whose
    /// <see cref="Node.Reachable"/> changed, and <paramref name="addressed"/> those that got their UDP address from an edge.
    /// </summary>
    public void Recompute(ICollection<Node> flipped, ICollection<Node> addressed)
    {
        FindPaths(addressed);
        FindSpanningTree();
        foreach (Node node in _nodes.Values)
        {
            if (node.Visited == node.Reachable)
                continue;
            node.Reachable = node.Visited;
            if (!node.Reachable)
                (node.NextHop, node.Via, node.Entry) = (null, null, null);
            flipped.Add(node);
        }
    }

    /// <summary>
    /// Breadth first by hop count; a node found indirectly may be found again by a direct path (7.2). Between paths of equally many hops, both direct
    /// or both indirect, the sum of weights decides (tinc 1.1 reference, 1.7), then the names. An edge with TCPONLY counts
    /// as indirect even if it does not say so, because there may be no connection to its end (11.3).
    /// </summary>
    private void FindPaths(ICollection<Node> addressed)
    {
        foreach (Node node in _nodes.Values)
            (node.Visited, node.Indirect, node.Distance) = (false, true, -1);
        (Self.Visited, Self.Indirect, Self.NextHop, Self.Via, Self.Distance) = (true, false, Self, Self, 0);

        var queue = new Queue<Node>();
        queue.Enqueue(Self);
        while (queue.TryDequeue(out Node? node))
        {
            foreach (Edge edge in node.Edges.Values)
            {
                if (edge.Reverse is null)
                    continue;
                Node to = edge.To;
                bool isNew = !to.Visited, wasIndirect = to.Indirect;
                PassNextHop(node, edge);
                if (!PassEntry(node, edge))
                    continue;

                if (!to.Address.IsSet && edge.Address.IsSet && edge.Address.Port != 0)
                {
                    to.Address = edge.Address;
                    addressed.Add(to);
                }

                if (isNew || wasIndirect != to.Indirect)
                    queue.Enqueue(to);
            }
        }
    }

    /// <summary>The next hop is that of a path with the fewest hops, direct or not.</summary>
    private void PassNextHop(Node node, Edge edge)
    {
        (Node to, int hops, long weight) = (edge.To, node.Distance + 1, node.PathWeight + edge.Weight);
        if (!to.Visited || (to.Distance == hops && weight < to.PathWeight))
            (to.NextHop, to.Distance, to.PathWeight) = (node == Self ? to : node.NextHop, hops, weight);
    }

    /// <summary>Everything else is that of a direct path if there is one; true if the edge is part of the best path so far.</summary>
    private static bool PassEntry(Node node, Edge edge)
    {
        Node to = edge.To;
        bool indirect = node.Indirect || (edge.Options & (EdgeOptions.Indirect | EdgeOptions.TcpOnly)) != 0;
        (int Hops, long Weight) path = (node.Direct.Hops + 1, node.Direct.Weight + edge.Weight);
        bool isBetter = !to.Visited || (to.Indirect && !indirect)
            || (to.Indirect == indirect && to.Direct.Hops == path.Hops && path.Weight < to.Direct.Weight);
        if (!isBetter)
            return false;
        (to.Visited, to.Indirect, to.Entry, to.Options, to.Direct) = (true, indirect, edge, edge.Options, path);
        to.Via = indirect ? node.Via : to;
        return true;
    }

    /// <summary>
    /// Grows one tree, from the first edge in weight order that starts at a reachable node, by the first edge that leaves it
    /// (7.3: tinc restarts its scan of all edges after each one that it skipped, which finds the same edges).
    /// </summary>
    private void FindSpanningTree()
    {
        foreach (Node node in _nodes.Values)
            (node.OnSpanningTree, node.InTree) = (false, false);

        var leaving = new SortedSet<Edge>(Edge.ByWeight);
        if (_edges.FirstOrDefault(edge => edge.From.Visited) is { } first)
            Grow(first.From, leaving);
        while (leaving.Min is { } edge)
        {
            leaving.Remove(edge);
            if (edge.From.InTree && edge.To.InTree)
                continue;
            if (edge.From == Self)
                edge.To.OnSpanningTree = true;
            if (edge.To == Self)
                edge.From.OnSpanningTree = true;
            Grow(edge.From.InTree ? edge.To : edge.From, leaving);
        }
    }

    private static void Grow(Node node, SortedSet<Edge> leaving)
    {
        node.InTree = true;
        foreach (Edge edge in node.Edges.Values)
        {
            if (edge.Reverse is null || edge.To.InTree)
                continue;
            leaving.Add(edge);
            leaving.Add(edge.Reverse);
        }
    }
}
