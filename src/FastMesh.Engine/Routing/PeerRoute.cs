using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Routing;

/// <summary>What shards need to know of one node. Immutable once its <see cref="ForwardingTable"/> is published.</summary>
public sealed class PeerRoute
{
    /// <summary>The longest datagram any tinc node sends, bytes (tinc 1.0 reference, 5.2).</summary>
    public const int LongestDatagram = 1661;

    // By how much a datagram is longer than a probe, or a whole frame, in it: ids, sequence number, type, tag (tinc 1.1 reference, 6.2).
    private const int SptpsOverhead = 33, FastMeshOverhead = 37;

    /// <summary><see cref="SubnetTable.Everyone"/> as an owner.</summary>
    internal static PeerRoute Everyone { get; } = new(SubnetTable.Everyone, isSelf: false, RoutingMode.Router) { Reachable = true };

    internal PeerRoute(Node node, bool isSelf, RoutingMode mode)
    {
        (Id, Name, IsSelf, Reachable, Indirect) = (node.Id, node.Name, isSelf, isSelf || node.Reachable, node.Indirect);
        (Options, Address, Socket) = (node.Options, node.Address, node.Socket);
        int minMtu = node.UdpPaused ? 0 : node.MinMtu;
        (Mtu, MinMtu, HasConnection, OnSpanningTree) = (node.Mtu, minMtu, node.HasConnection, node.OnSpanningTree);
        (RelayId, Protocol, Minor, UdpConfirmed) = (node.RelayId, node.Protocol, node.Minor, node.UdpConfirmed && !node.UdpPaused);
        SessionFormat format = FormatOf(Protocol);
        Sealer = node.Sealer is { } sealer && sealer.Format == format ? sealer : null;
        Opener = node.Opener is { } opener && opener.Format == format ? opener : null;
        TakesTrains = node.TakesTrains;
        NextHop = Via = this;
        if (!HasIds)
            return;

        int stripped = mode == RoutingMode.Router ? EthernetFrame.HeaderLength : 0;
        ProbeOverhead = Protocol == NodeProtocol.Sptps ? SptpsOverhead : FastMeshOverhead;
        Overhead = ProbeOverhead - stripped;
        Mtu = Math.Min(node.Mtu + stripped, Node.MaxFrameLength);
        bool discovers = (Options & EdgeOptions.PmtuDiscovery) != 0;
        MaxDatagram = minMtu > 0 ? minMtu + ProbeOverhead : 0;
        if (!discovers && UdpConfirmed)
            MaxDatagram = LongestDatagram;
        MinMtu = Math.Clamp(MaxDatagram - Overhead, 0, Node.MaxFrameLength);
    }

    /// <summary>The node's <see cref="Node.Id"/>.</summary>
    public int Id { get; }

    /// <summary>The node's name, for logs.</summary>
    public string Name { get; }

    /// <summary>What stands for the node in relayed datagrams.</summary>
    public NodeId RelayId { get; }

    /// <summary>How data travels to and from it.</summary>
    public NodeProtocol Protocol { get; }

    /// <summary>Its minor protocol version.</summary>
    public int Minor { get; }

    /// <summary>Whether its datagrams carry node ids and its sessions are end to end.</summary>
    public bool HasIds => Protocol != NodeProtocol.Legacy;

    /// <summary>Whether a probe was answered, so that UDP works to its <see cref="Address"/>.</summary>
    public bool UdpConfirmed { get; }

    /// <summary>Whether datagrams that are given to the kernel together arrive there.</summary>
    public bool TakesTrains { get; }

    /// <summary>Whether this is the daemon itself.</summary>
    public bool IsSelf { get; }

    /// <summary>Whether this is no node but stands for all: what it owns is broadcast.</summary>
    public bool IsEveryone => Id < 0;

    /// <summary>Whether a path leads to it.</summary>
    public bool Reachable { get; private init; }

    /// <summary>Whether UDP may not be sent to it directly.</summary>
    public bool Indirect { get; }

    /// <summary>The direct neighbour on the path to it.</summary>
    public PeerRoute NextHop { get; internal set; }

    /// <summary>The last node on the path that may be addressed by UDP; self means "use the next hop".</summary>
    public PeerRoute Via { get; internal set; }

    /// <summary>Options of the edge by which it was reached; for self the own options.</summary>
    public EdgeOptions Options { get; internal set; }

    /// <summary>Its UDP address, if known.</summary>
    public Endpoint Address { get; }

    /// <summary>Index of the UDP socket to use, or -1 for the first of the address's family.</summary>
    public int Socket { get; }

    /// <summary>Largest frame that routing lets through to it, bytes with Ethernet header, whether that header travels or not.</summary>
    public int Mtu { get; }

    /// <summary>Largest frame proven to arrive by UDP, bytes with Ethernet header; 0 before the first probe reply.</summary>
    public int MinMtu { get; }

    /// <summary>Of a node with ids: largest datagram, of any node's session, proven to arrive by UDP, bytes; 0 before the first probe reply.</summary>
    public int MaxDatagram { get; }

    /// <summary>Of a node with ids: bytes by which a datagram of its session is longer than the frame in it.</summary>
    public int Overhead { get; }

    /// <summary>Of a node with ids: bytes by which a datagram of its session is longer than the probe in it.</summary>
    public int ProbeOverhead { get; }

    /// <summary>Whether an active meta connection to it exists.</summary>
    public bool HasConnection { get; }

    /// <summary>Whether that connection belongs to the spanning tree for broadcasts.</summary>
    public bool OnSpanningTree { get; }

    /// <summary>Seals packets to it as its <see cref="Protocol"/> says; null while there is no valid key.</summary>
    public PacketSealer? Sealer { get; }

    /// <summary>Opens packets from it as its <see cref="Protocol"/> says; null while we have given it no key.</summary>
    public PacketOpener? Opener { get; }

    private static SessionFormat FormatOf(NodeProtocol protocol) => protocol switch
    {
        NodeProtocol.Legacy => SessionFormat.Legacy,
        NodeProtocol.Sptps => SessionFormat.Sptps,
        _ => SessionFormat.FastMesh,
    };
}
