using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>Datagrams of end-to-end sessions which travel by TCP, and their relaying (tinc 1.1 reference, 6.4).</summary>
public sealed partial class Mesh
{
    // Bytes by which a datagram, without ids, is longer than the probe in it (tinc 1.1 reference, 3.1).
    private const int IdsLength = 2 * NodeId.Length, SptpsOverhead = 21, FastMeshOverhead = 25;

    /// <summary>A shard sealed a datagram that must travel by TCP, or relays one that cannot go on by UDP.</summary>
    /// <param name="node">Node id of its destination.</param>
    /// <param name="datagram">Both node ids, never zero, then the datagram.</param>
    /// <param name="now">Current time.</param>
    public void HandleTcpDatagram(int node, ReadOnlySpan<byte> datagram, Instant now)
    {
        UpdateGraph(now);
        if (datagram.Length <= IdsLength || !_peers.TryGetValue(node, out Peer? peer) || _graph.Find(NodeId.Read(datagram[NodeId.Length..])) is not { } source)
            return;
        if (source == Self && peer.Sptps is { } session)
            SendByTcp(source, peer.Node, [.. datagram[..IdsLength], .. session.Renew(datagram[IdsLength..])], now);
        else
            SendByTcp(source, peer.Node, datagram, now);
    }

    /// <summary>The payload of an SPTPS_PACKET.</summary>
    /// <param name="from">Where it came from.</param>
    /// <param name="datagram">Both node ids, then the datagram.</param>
    /// <param name="now">Current time.</param>
    private void HandleSptpsPacket(MetaConnection from, ReadOnlySpan<byte> datagram, Instant now)
    {
        UpdateGraph(now);
        if (_graph.Find(NodeId.Read(datagram)) is { Reachable: true } target && _graph.Find(NodeId.Read(datagram[NodeId.Length..])) is { Reachable: true } source)
            AcceptDatagram(source, target, datagram, now);
        else
            _log.Status.UnknownNode(NameOf(MetaRequest.SptpsPacket), from, $"{NodeId.Read(datagram)} or {NodeId.Read(datagram[NodeId.Length..])}");
    }

    /// <summary>REQ_KEY 21 or 110: one datagram without its node ids.</summary>
    private void HandleCarriedDatagram(Node source, Node target, string data, Instant now)
    {
        if (!TincBase64.TryDecode(data, out byte[] bytes) || bytes.Length == 0)
        {
            _log.Status.SessionMessageIgnored("datagram", source.Name);
            return;
        }

        byte[] datagram = new byte[IdsLength + bytes.Length];
        target.RelayId.Write(datagram);
        source.RelayId.Write(datagram.AsSpan(NodeId.Length));
        bytes.CopyTo(datagram.AsSpan(IdsLength));
        AcceptDatagram(source, target, datagram, now);
    }

    /// <summary>A datagram that came by TCP: opened here, or sent on by the best way.</summary>
    private void AcceptDatagram(Node source, Node target, ReadOnlySpan<byte> datagram, Instant now)
    {
        if (source == Self)
            return;
        NoteIndirect(source, target, now);
        if (target != Self)
            RelayDatagram(source, target, datagram, now);
        else if (source.Opener is not null && source.Protocol != NodeProtocol.Legacy)
            _actions.Enqueue(new MeshAction.OpenDatagram(source.Id, datagram.ToArray(), ByTcp: true));
        else
            RequestSession(PeerOf(source), now);
    }

    /// <summary>By UDP to the node's static relay or next hop, if that can pass datagrams on and this one is proven to arrive there (6.4).</summary>
    private void RelayDatagram(Node source, Node target, ReadOnlySpan<byte> datagram, Instant now)
    {
        Node? hop = target.Via is { } via && via != Self && Carries(via, target, datagram.Length) ? via : target.NextHop;
        if (hop is not null && Carries(hop, target, datagram.Length))
            _actions.Enqueue(new MeshAction.SendDatagram(hop.Id, datagram.ToArray()));
        else
            SendByTcp(source, target, datagram, now);
    }

    private bool Carries(Node hop, Node target, int length)
    {
        bool canRelay = hop == target || hop.Minor >= 4 || hop.Options.HasFlag(EdgeOptions.FastMesh);
        return canRelay && hop is { Protocol: not NodeProtocol.Legacy, UdpPaused: false } && !IsTcpOnly(hop)
            && hop.MinMtu > 0 && length <= hop.MinMtu + IdsLength + (hop.Protocol == NodeProtocol.Sptps ? SptpsOverhead : FastMeshOverhead);
    }

    /// <summary>
    /// To the next hop: as it is if that knows how to pass it on, else as text in a REQ_KEY, which every node relays. A tinc 1.1 node passes datagrams on only to
    /// nodes with which it has a session itself: those that speak SPTPS, but no neighbour with TCPOnly.
    /// </summary>
    private void SendByTcp(Node source, Node target, ReadOnlySpan<byte> datagram, Instant now)
    {
        if (target == Self || !target.Reachable || ConnectionTo(target.NextHop) is not { } next || IsCrowded(next, target))
            return;
        bool knows = next.Node!.Options.HasFlag(EdgeOptions.FastMesh) || (target.Minor >= 4 && !target.Options.HasFlag(EdgeOptions.TcpOnly));
        if (knows && TrySendSptpsPacket(next, datagram, now))
            return;
        int subtype = IsFastMeshPair(source, target) ? (int)FastMeshMessage.Datagram : (int)MetaRequest.SptpsPacket;
        if (datagram.Length - IdsLength <= ProtocolLimits.MaxCarried)
            Send(next, MetaRequest.ReqKey, MetaWriter.ReqKey((source.Name, target.Name), subtype, TincBase64.Encode(datagram[IdsLength..])), now);
    }

    /// <summary>Whether two nodes have a FastMesh session with each other.</summary>
    private bool IsFastMeshPair(Node source, Node target) => source == Self
        ? target.Protocol == NodeProtocol.FastMesh
        : source.Options.HasFlag(EdgeOptions.FastMesh) && target.Options.HasFlag(EdgeOptions.FastMesh);

    /// <summary>
    /// Random early drop of packets on a connection whose output piles up (tinc 1.0 reference, 4.8). What takes it only for the moment in which a session
    /// changes its key may pile up higher.
    /// </summary>
    private bool IsCrowded(MetaConnection connection, Node target)
    {
        int room = target.UdpPaused ? Math.Max(_settings.MaxOutputBufferSize, ProtocolLimits.PauseOutput) : _settings.MaxOutputBufferSize;
        double fill = (double)connection.PendingLength / Math.Max(1, room);
        return _random.NextChance((2 * fill) - 1);
    }
}
