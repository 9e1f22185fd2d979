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
    /// Breadth first by hop count; a node found indirectly may be found again by a direct path (7.2). An edge with TCPONLY counts
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
                Node to = edge.To;
                bool indirect = node.Indirect || (edge.Options & (EdgeOptions.Indirect | EdgeOptions.TcpOnly)) != 0;
                if (edge.Reverse is null || (to.Visited && (!to.Indirect || indirect)))
                    continue;

                if (!to.Visited)
                    to.NextHop = node == Self ? to : node.NextHop;
                (to.Visited, to.Indirect, to.Entry, to.Options) = (true, indirect, edge, edge.Options);
                to.Via = indirect ? node.Via : to;
                to.Distance = node.Distance + 1;
                if (!to.Address.IsSet && edge.Address.IsSet && edge.Address.Port != 0)
                {
                    to.Address = edge.Address;
                    addressed.Add(to);
                }

                queue.Enqueue(to);
            }
        }
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
