using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Routing;

/// <summary>What shards need to know of one node. Immutable once its <see cref="ForwardingTable"/> is published.</summary>
public sealed class PeerRoute
{
    internal PeerRoute(Node node, bool isSelf)
    {
        (Id, Name, IsSelf, Reachable, Indirect) = (node.Id, node.Name, isSelf, isSelf || node.Reachable, node.Indirect);
        (Options, Address, Socket) = (node.Options, node.Address, node.Socket);
        (Mtu, MinMtu, HasConnection, OnSpanningTree) = (node.Mtu, node.MinMtu, node.HasConnection, node.OnSpanningTree);
        (Sealer, Opener, RelayId, Protocol, Minor) = (node.Sealer, node.Opener, node.RelayId, node.Protocol, node.Minor);
        NextHop = Via = this;
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

    /// <summary>Whether this is the daemon itself.</summary>
    public bool IsSelf { get; }

    /// <summary>Whether a path leads to it.</summary>
    public bool Reachable { get; }

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

    /// <summary>Largest frame that routing lets through to it, bytes with Ethernet header.</summary>
    public int Mtu { get; }

    /// <summary>Largest frame proven to arrive by UDP, bytes; 0 before the first probe reply.</summary>
    public int MinMtu { get; }

    /// <summary>Whether an active meta connection to it exists.</summary>
    public bool HasConnection { get; }

    /// <summary>Whether that connection belongs to the spanning tree for broadcasts.</summary>
    public bool OnSpanningTree { get; }

    /// <summary>Seals packets to it; null while there is no valid key.</summary>
    public PacketSealer? Sealer { get; }

    /// <summary>Opens packets from it; null while we have given it no key.</summary>
    public PacketOpener? Opener { get; }
}
