using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>Status bits of a node as control clients get them (tinc 1.1 reference, 10.2).</summary>
[Flags]
internal enum NodeStatusBits
{
    None = 0,
    ValidKey = 2,
    WaitingForKey = 4,
    Visited = 8,
    Reachable = 0x10,
    Indirect = 0x20,
    Sptps = 0x40,
    UdpConfirmed = 0x80,
    ValidKeyIn = 0x400,
    HasAddress = 0x800,
}

/// <summary>Status bits of a meta connection as control clients get them (tinc 1.1 reference, 10.2).</summary>
[Flags]
internal enum ConnectionStatusBits
{
    None = 0,
    Pinged = 1,
    Connecting = 4,
    EncryptOut = 0x40,
    DecryptIn = 0x80,
    SpanningTree = 0x100,
    Control = 0x200,
    Capture = 0x400,
    Log = 0x800,
    LogColor = 0x1000,
}

/// <summary>A node and what only the state machine knows of it.</summary>
/// <param name="Node">The node; borrowed until the next input.</param>
/// <param name="Address">Its UDP address in the form "HOST port PORT"; of self "MYSELF port PORT".</param>
/// <param name="Suite">How packets to it are protected if it is a tinc 1.0 node with a key, else zeros.</param>
/// <param name="Options">Its option bits, or the own ones.</param>
/// <param name="Status">Status bits.</param>
/// <param name="Flipped">When it last became reachable or unreachable, or null.</param>
internal readonly record struct NodeRow(
    Node Node, string Address, LegacySuite Suite, EdgeOptions Options, NodeStatusBits Status, Instant? Flipped);

/// <summary>A meta connection.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Name">The peer's name, or null before its ID.</param>
/// <param name="Remote">The other end.</param>
/// <param name="Options">Option bits agreed on.</param>
/// <param name="Status">Status bits.</param>
/// <param name="Connection">Everything else; borrowed until the next input.</param>
internal readonly record struct ConnectionRow(
    ConnectionId Id, string? Name, Endpoint Remote, EdgeOptions Options, ConnectionStatusBits Status, MetaConnection Connection);

/// <summary>What control clients ask for, as values; the daemon makes text of them (tinc 1.1 reference, 10.2).</summary>
public sealed partial class Mesh
{
    /// <summary>All nodes by name.</summary>
    internal IEnumerable<NodeRow> NodeRows() => _graph.Nodes.Select(RowOf);

    /// <summary>How many nodes are known, and reachable, the own one included.</summary>
    internal (int Reachable, int All) CountNodes() => (_graph.Nodes.Count(static node => node.Reachable), _graph.Nodes.Count);

    /// <summary>All edges by the names of both ends.</summary>
    internal IEnumerable<Edge> EdgeRows() => _graph.Nodes.SelectMany(node => node.Edges.Values);

    /// <summary>All subnets in their global order.</summary>
    internal IReadOnlyCollection<OwnedSubnet> SubnetRows() => _subnets.All;

    /// <summary>All meta connections, the oldest first.</summary>
    internal IEnumerable<ConnectionRow> ConnectionRows() => _connections.Values.Select(connection => new ConnectionRow(
        connection.Id, connection.Name, connection.Remote, connection.Options, StatusBitsOf(connection), connection));

    /// <summary>When a learned address of this node is forgotten unless it is seen again, or null if the subnet is no such address.</summary>
    internal Instant? ExpiryOf(OwnedSubnet owned) =>
        owned.Owner == Self && owned.Subnet.Kind == SubnetKind.Mac && _learned.TryGetValue((ulong)owned.Subnet.Address, out LearnedAddress learned)
            && learned.Announced ? learned.Mac.LastSeen + _settings.MacExpire : null;

    /// <summary>Every <see cref="Routing.Node.Id"/> is below.</summary>
    internal int NodeIdLimit => _graph.IdLimit;

    /// <summary>The node of that name, or null.</summary>
    internal Node? FindNode(string name) => _graph.Find(name);

    /// <summary>The own node.</summary>
    internal Node OwnNode => Self;

    /// <summary>How handshakes have ended so far.</summary>
    internal HandshakeCounts Handshakes { get; } = new();

    private NodeRow RowOf(Node node)
    {
        Peer? peer = _peers.GetValueOrDefault(node.Id);
        bool isLegacy = node != Self && node.Protocol == NodeProtocol.Legacy;
        LegacySuite suite = isLegacy && peer is not null && node.Sealer is not null ? peer.Outgoing : default;
        (string address, EdgeOptions options) = node == Self
            ? ($"MYSELF port {_port}", OptionsFor(new PeerSettings()) | OptionsAboutSelf)
            : (node.Address.ToString(), node.Options);
        return new(node, address, suite, options, StatusBitsOf(node, peer, isLegacy), peer?.Flipped);
    }

    private NodeStatusBits StatusBitsOf(Node node, Peer? peer, bool isLegacy)
    {
        bool isSelf = node == Self;
        return When(node.Sealer is not null, NodeStatusBits.ValidKey)
            | When(node.Sealer is null && peer?.KeyRequested is not null, NodeStatusBits.WaitingForKey)
            | When(node.Visited, NodeStatusBits.Visited)
            | When(node.Reachable, NodeStatusBits.Reachable)
            | When(node.Indirect, NodeStatusBits.Indirect)
            | When(isSelf ? _settings.SpeaksSptps : !isLegacy, NodeStatusBits.Sptps)
            | When(node.UdpConfirmed || (!isSelf && node.MinMtu > 0), NodeStatusBits.UdpConfirmed)
            | When(isLegacy && node.Opener is not null, NodeStatusBits.ValidKeyIn)
            | When(isSelf || node.Address.IsSet, NodeStatusBits.HasAddress);

        static NodeStatusBits When(bool condition, NodeStatusBits bit) => condition ? bit : NodeStatusBits.None;
    }

    private static ConnectionStatusBits StatusBitsOf(MetaConnection connection)
    {
        return When(connection.Pinged, ConnectionStatusBits.Pinged)
            | When(connection.State == MetaState.Connecting, ConnectionStatusBits.Connecting)
            | When(connection.Encrypting && !connection.IsSptps, ConnectionStatusBits.EncryptOut)
            | When(connection.Decrypting && !connection.IsSptps, ConnectionStatusBits.DecryptIn)
            | When(connection.Node is { OnSpanningTree: true }, ConnectionStatusBits.SpanningTree);

        static ConnectionStatusBits When(bool condition, ConnectionStatusBits bit) => condition ? bit : ConnectionStatusBits.None;
    }
}
