using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Routing;

/// <summary>How a node wants data sessions (tinc 1.1 reference, 1.5 and 13).</summary>
public enum NodeProtocol
{
    /// <summary>tinc 1.0: REQ_KEY, ANS_KEY, hop by hop.</summary>
    Legacy,

    /// <summary>tinc 1.1: SPTPS, end to end.</summary>
    Sptps,

    /// <summary>FastMesh: its own handshake, end to end.</summary>
    FastMesh,
}

/// <summary>
/// One node of the mesh as this daemon knows it. Mutable and owned by the control plane; shards see only the
/// <see cref="PeerRoute"/> that is made of it when a <see cref="ForwardingTable"/> is published.
/// </summary>
public sealed class Node
{
    /// <summary>Largest VPN frame, in bytes with the 14-byte Ethernet header (tinc 1.0 reference, 0.1).</summary>
    public const int MaxFrameLength = 1518;

    internal Node(string name, int id) => (Name, Id, RelayId) = (name, id, NodeId.Of(name));

    /// <summary>The node's name.</summary>
    public string Name { get; }

    /// <summary>A small number that is this node's for the life of the daemon; names it in messages to and from shards.</summary>
    public int Id { get; }

    /// <summary>What stands for the node in relayed datagrams.</summary>
    public NodeId RelayId { get; }

    /// <summary>How data travels to and from it.</summary>
    public NodeProtocol Protocol { get; set; }

    /// <summary>Its minor protocol version as its options say: 7 for tinc 1.1, 0 for tinc 1.0 (tinc 1.1 reference, 1.5, 6.5).</summary>
    public int Minor => (int)((uint)Options >> 24);

    /// <summary>Whether a probe was answered, so that UDP works to its <see cref="Address"/> (tinc 1.1 reference, 7.1).</summary>
    public bool UdpConfirmed { get; set; }

    /// <summary>Whether nothing is sent to it by UDP for a moment, because its session changes its key (tinc 1.1 reference, 3.7).</summary>
    public bool UdpPaused { get; set; }

    /// <summary>Whether datagrams that are given to the kernel together arrive.</summary>
    public bool TakesTrains { get; set; } = true;

    /// <summary>Outgoing edges by destination name.</summary>
    public SortedDictionary<string, Edge> Edges { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether a path of usable edges leads to the node.</summary>
    public bool Reachable { get; internal set; }

    /// <summary>Whether UDP may not be sent to it directly.</summary>
    public bool Indirect { get; internal set; } = true;

    /// <summary>The direct neighbour on the path to it; itself for a neighbour; self for self.</summary>
    public Node? NextHop { get; internal set; }

    /// <summary>The last node on the path that may be addressed by UDP; self means "use the next hop".</summary>
    public Node? Via { get; internal set; }

    /// <summary>Edges on the path to it by way of <see cref="NextHop"/>: 0 for self, -1 while there is none.</summary>
    public int Distance { get; internal set; } = -1;

    /// <summary>The edge through which the last graph run reached it.</summary>
    public Edge? Entry { get; internal set; }

    /// <summary>Options of the entry edge.</summary>
    public EdgeOptions Options { get; internal set; }

    /// <summary>The UDP address packets to it are sent to, if known.</summary>
    public Endpoint Address { get; set; }

    /// <summary>Index of the UDP socket to use, or -1 for the first of the address's family.</summary>
    public int Socket { get; set; } = -1;

    /// <summary>Largest frame that routing lets through to it by UDP, bytes.</summary>
    public int Mtu { get; set; } = MaxFrameLength;

    /// <summary>Largest frame proven to arrive by UDP, bytes; 0 before the first probe reply.</summary>
    public int MinMtu { get; set; }

    /// <summary>Smallest frame not yet proven to be too large, bytes.</summary>
    public int MaxMtu { get; set; } = MaxFrameLength;

    /// <summary>Time between the last answered probe and its reply, or null if none was answered since it became reachable.</summary>
    public TimeSpan? Rtt { get; set; }

    /// <summary>All such times since the start; null before the first.</summary>
    public TimeHistogram? RoundTrips { get; private set; }

    /// <summary>Where the first bucket of <see cref="RoundTrips"/> ends: within a local network.</summary>
    public static TimeSpan ShortestRoundTrip { get; } = TimeSpan.FromMicroseconds(125);

    /// <summary>A probe was answered.</summary>
    public void NoteRoundTrip(TimeSpan time)
    {
        Rtt = time;
        (RoundTrips ??= new(ShortestRoundTrip)).Add(time);
    }

    /// <summary>Seals packets to it, present while it has given us a valid key.</summary>
    public PacketSealer? Sealer { get; set; }

    /// <summary>Opens packets from it, present while we have given it a key.</summary>
    public PacketOpener? Opener { get; set; }

    /// <summary>Whether an active meta connection to it exists.</summary>
    public bool HasConnection { get; set; }

    /// <summary>Whether that connection belongs to the spanning tree for broadcasts.</summary>
    public bool OnSpanningTree { get; internal set; }

    internal bool Visited { get; set; }

    /// <summary>Sum of the weights on the path to <see cref="NextHop"/> and on.</summary>
    internal long PathWeight { get; set; }

    /// <summary>Hops and sum of weights on the path that <see cref="Via"/> and <see cref="Entry"/> belong to, which avoids indirect edges if it can.</summary>
    internal (int Hops, long Weight) Direct { get; set; }

    internal bool InTree { get; set; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
