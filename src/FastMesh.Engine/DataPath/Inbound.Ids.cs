using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

// Datagrams of SPTPS and FastMesh nodes begin with two ids (tinc 1.1 reference, 6.2 and 6.3):
//
//   destination   source
//   zero          the node at that address    opened
//   zero          another node                reported: the control loop finds out whether that node has moved
//   self          any                         opened as the source's; unless that is the node at that address, it came by relay
//   another       any                         relayed if the address is confirmed, also of a node that is one of tinc 1.0 to us
//
// The byte behind them is the lane in sessions of FastMesh nodes (Lanes), and says which shard opens.
//
// Which node is at the address also says that they begin so; a node of tinc 1.0 there sends datagrams without ids.
internal sealed partial class Inbound
{
    private const int IdsLength = 2 * NodeId.Length, PrefixLength = IdsLength + 1;

    private readonly OncePerSecond _failures = new(), _relays = new();

    private enum WayKind : byte
    {
        Drop,
        Report,
        Relay,
        Open,
        HandOver,
    }

    private void MatchIds(PeerRoute from, PacketBatch batch, int first, int end, int socket)
    {
        sender.NoteSocket(from.Id, socket);
        ReadOnlySpan<byte> prefix = default;
        Way way = new(WayKind.Drop, from, null, Arrival.Direct);
        for (int i = first; i < end; i++)
        {
            Packet train = batch[i];
            bool isMarked = Congestion.IsMarked(train.TrafficClass);
            if (isMarked != way.Arrival.IsMarked)
            {
                OpenCollected(way.Node, way.Opener, batch.Memory, way.Arrival);
                way = way.Marked(isMarked);
            }

            for (int at = 0; at < train.Length; at += train.SegmentSize)
            {
                (int offset, int length) = (train.Offset + at, Math.Min(train.SegmentSize, train.Length - at));
                if (length is < PrefixLength or > MaxDatagram)
                {
                    state.Drop(DropReason.BadDatagram, from.Id);
                    continue;
                }

                ReadOnlySpan<byte> datagram = batch.Bytes(offset, length);
                if (!prefix.SequenceEqual(datagram[..PrefixLength]))
                {
                    OpenCollected(way.Node, way.Opener, batch.Memory, way.Arrival);
                    prefix = datagram[..PrefixLength];
                    way = FindWay(from, train.Endpoint, prefix).Marked(isMarked);
                }

                if (way.Kind != WayKind.Open)
                    PassOn(way, from, train, socket, datagram);
                else if (IsAcceptable(way.Node, way.Opener, length))
                    _datagrams[_count++] = (offset, length);
                if (_count == _datagrams.Length)
                    OpenCollected(way.Node, way.Opener, batch.Memory, way.Arrival);
            }
        }

        OpenCollected(way.Node, way.Opener, batch.Memory, way.Arrival);
    }

    private Way FindWay(PeerRoute from, in Endpoint address, ReadOnlySpan<byte> prefix)
    {
        ForwardingTable table = state.Table;
        NodeId destination = NodeId.Read(prefix);
        if (!table.TryFindById(NodeId.Read(prefix[NodeId.Length..]), out PeerRoute? source) || source.IsSelf)
            return new(WayKind.Drop, from, null, Arrival.Direct);
        if (!destination.IsZero && destination != table.Self.RelayId)
        {
            bool known = table.TryFindById(destination, out PeerRoute? target);
            return new(known && from.UdpConfirmed ? WayKind.Relay : WayKind.Drop, target ?? from, null, Arrival.Direct);
        }

        if (!source.HasIds)
            return new(WayKind.Drop, from, null, Arrival.Direct);
        if (destination.IsZero && source != from && source.Address != address)
            return new(source.Opener is null ? WayKind.Drop : WayKind.Report, source, null, Arrival.Direct);
        PacketOpener? opener = source.Opener?.Of(prefix);
        WayKind kind = opener is not null && opener.Owner != state.Index ? WayKind.HandOver : WayKind.Open;
        return new(kind, source, opener, destination.IsZero || source == from ? Arrival.Direct : new Arrival(from.Id, ByTcp: false));
    }

    /// <summary>All that is not opened here.</summary>
    private void PassOn(in Way way, PeerRoute from, in Packet train, int socket, ReadOnlySpan<byte> datagram)
    {
        switch (way.Kind)
        {
            case WayKind.Relay:
                sender.Relay(way.Node, from, datagram, train.TrafficClass);
                break;
            case WayKind.HandOver:
                ShardOrder order = new(OrderKind.Open, way.Node.Id) { Socket = way.Arrival.IsDirect ? socket : -1, Relay = way.Arrival.Relay, IsMarked = way.Arrival.IsMarked };
                mail.Order(way.Opener!.Owner, order, datagram);
                break;
            case WayKind.Report:
                mail.UnknownDatagram(train.Endpoint, socket, datagram);
                break;
            default:
                state.Drop(DropReason.UnknownNode, from.Id);
                break;
        }
    }

    private void NoteFailure(PeerRoute peer)
    {
        if (peer.HasIds && _failures.IsDue(peer.Id, state.Now))
            mail.OpenFailed(peer.Id);
    }

    private void NoteRelay(PeerRoute peer, Arrival arrival)
    {
        if (arrival.Relay >= 0 && _relays.IsDue(peer.Id, state.Now))
            mail.Relayed(peer.Id, arrival.Relay);
    }

    /// <summary>What is to be done with datagrams of the same ids and lane from the same address.</summary>
    /// <param name="Kind">Which of the rows above.</param>
    /// <param name="Node">The source or, to relay, the destination.</param>
    /// <param name="Opener">To open or hand over: who opens them, if the source has a session.</param>
    /// <param name="Arrival">How they came.</param>
    private readonly record struct Way(WayKind Kind, PeerRoute Node, PacketOpener? Opener, Arrival Arrival)
    {
        public Way Marked(bool isMarked) => this with { Arrival = Arrival with { IsMarked = isMarked } };
    }
}
