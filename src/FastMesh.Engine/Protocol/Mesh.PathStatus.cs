using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>What protects packets to a node.</summary>
/// <param name="Suite">In words.</param>
/// <param name="Since">When the key in use was agreed on.</param>
/// <param name="PacketsSinceKey">Packets sealed under it.</param>
internal readonly record struct NodeSession(string Suite, Instant? Since, long PacketsSinceKey);

/// <summary>What the data path makes of what the mesh knows, for people who ask why; <c>PeerSender</c> decides it packet by packet.</summary>
public sealed partial class Mesh
{
    /// <summary>How packets to a node travel now, and why not straight to it by UDP.</summary>
    internal NodePath PathTo(Node node, Instant now)
    {
        NodePath path = PathTo(node);
        return path.Kind is PathKind.Idle or PathKind.Relay or PathKind.Tcp ? path with { Reason = WhyNotDirect(node, now) } : path;
    }

    /// <summary>How packets to a node travel now, without a reason.</summary>
    private NodePath PathTo(Node node) => node == Self ? new(PathKind.Self)
        : !node.Reachable ? new(PathKind.Unreachable)
        : node.Protocol == NodeProtocol.Legacy ? LegacyPathTo(node)
        : SessionPathTo(node);

    /// <summary>What protects packets to a node, or null while there is no key.</summary>
    internal NodeSession? SessionWith(Node node)
    {
        if (node.Sealer is not { } sealer || !_peers.TryGetValue(node.Id, out Peer? peer))
            return null;
        (_, string suite) = DescribeSession(peer, sealer.Format);
        return sealer.Format switch
        {
            SessionFormat.FastMesh => new(suite, peer.FastMesh!.EstablishedAt, (long)peer.FastMesh.Sent),
            SessionFormat.Sptps => new(suite, peer.Sptps?.KeyedAt, (long)(peer.Sptps is { } sptps ? sptps.Sent - sptps.SentBeforeKey : 0)),
            _ => new(suite, peer.OutgoingSince, ((LegacySealer)sealer).NextSequence - 1),
        };
    }

    /// <summary>The session travels end to end; its datagrams go to the node, its static relay or the next hop, whichever is proven to take them.</summary>
    private NodePath SessionPathTo(Node node)
    {
        if (node.Sealer is null)
            return WithoutSession(node);
        foreach (Node? hop in (Node?[])[RelayOf(node), node.NextHop])
        {
            if (hop is { Protocol: not NodeProtocol.Legacy, Reachable: true } && (hop == node || CanRelay(hop, node)) && TakesUdp(hop))
                return Through(hop, node);
        }

        return ByTcp(node);
    }

    /// <summary>Frames go from hop to hop, each with a session of its own, and from the first hop that UDP does not reach by its connection.</summary>
    private NodePath LegacyPathTo(Node node)
    {
        Node? hop = RelayOf(node);
        while (hop is not null && !IsTcpOnly(hop))
        {
            if (hop.Sealer is null)
                return hop == node ? WithoutSession(node) : ByTcp(node);
            if (TakesUdp(hop))
                return Through(hop, node);
            hop = hop.NextHop == hop || hop.NextHop is not { } next ? null : RelayOf(next);
        }

        return ByTcp(node);
    }

    private NodePath WithoutSession(Node node) => node.HasConnection || IsTcpOnly(node) ? ByTcp(node) : new(PathKind.Idle);

    private static NodePath Through(Node hop, Node node) => hop == node ? new(PathKind.Direct) : new(PathKind.Relay, hop.Name);

    private static NodePath ByTcp(Node node) => new(PathKind.Tcp, node.NextHop == node ? null : node.NextHop?.Name);

    /// <summary>Whether a node is proven to take datagrams at its own address, or need not prove it.</summary>
    private bool TakesUdp(Node hop) => !IsTcpOnly(hop) && !hop.UdpPaused && hop.Address.IsSet
        && (hop.MinMtu > 0 || (!hop.Options.HasFlag(EdgeOptions.PmtuDiscovery) && (hop.UdpConfirmed || hop.Protocol == NodeProtocol.Legacy)));

    private PathReason WhyNotDirect(Node node, Instant now) =>
        _settings.TcpOnly || _settings.Forwarding.LocalOptions.HasFlag(EdgeOptions.TcpOnly) ? PathReason.TcpOnlyHere
        : node.Options.HasFlag(EdgeOptions.TcpOnly) ? PathReason.TcpOnlyThere
        : node.Indirect ? PathReason.Indirect
        : node.Sealer is null ? PathReason.NoSession
        : !node.Address.IsSet ? PathReason.NoAddress
        : node.UdpPaused ? PathReason.KeyChange
        : node.UdpConfirmed ? PathReason.MtuUnknown
        : node.Protocol != NodeProtocol.Legacy && !node.HasConnection && !PeerOf(node).Discovery.IsBusy(now) ? PathReason.NoTraffic
        : PathReason.NoReply;

    private static (string Protocol, string Suite) DescribeSession(Peer peer, SessionFormat format) => format switch
    {
        SessionFormat.FastMesh => ("FastMesh", peer.FastMesh!.Agreement!.Describe()),
        SessionFormat.Sptps => ("tinc 1.1 SPTPS", "ChaCha20-Poly1305"),
        _ => ("tinc 1.0", peer.Outgoing.Describe()),
    };
}
