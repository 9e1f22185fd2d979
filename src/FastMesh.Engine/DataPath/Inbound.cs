using System.Diagnostics.CodeAnalysis;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

// Network to device, in packet order. Everything runs on the shard's thread.
//
//   1  Match   trains from one address to the node there, once          unknown sources are reported
//              if it has ids, runs of equal ids and lane to a session   what is for another node: relayed unopened (Inbound.Ids)
//   2  Verify  their datagrams together, where they are                 sessions and lanes of other shards: handed over
//   3  Open    each datagram, next to the packet it may be merged with
//   4  Forward the frame                                                probes are reported; the rest is Forwarder's

/// <summary>How a datagram came.</summary>
/// <param name="Relay">Id of the node that relayed it, or -1.</param>
/// <param name="ByTcp">Whether it came on a meta connection.</param>
/// <param name="IsMarked">Whether it met congestion on the way (<see cref="Congestion"/>).</param>
internal readonly record struct Arrival(int Relay, bool ByTcp, bool IsMarked = false)
{
    /// <summary>Straight from its sender by UDP.</summary>
    public static Arrival Direct => new(-1, false);

    /// <summary>Whether it came straight from its sender by UDP, so that it says something about that path.</summary>
    public bool IsDirect => Relay < 0 && !ByTcp;
}

/// <summary>Takes received datagrams apart (tinc 1.0 reference, 5.3).</summary>
internal sealed partial class Inbound(ShardState state, Forwarder forwarder, PeerSender sender, DeviceWriter device, ShardMail mail, SpeedRunner speed)
{
    /// <summary>The longest datagram that is looked at, bytes.</summary>
    public const int MaxDatagram = PeerRoute.LongestDatagram;

    /// <summary>A train has up to 64 datagrams, and half of the reports' ring must do for all strangers.</summary>
    private const int MaxUnknownPerMessage = 8;

    private readonly (int Offset, int Length)[] _datagrams = new (int, int)[PacketOpener.MaxTogether];
    private int _count;
    private PeerRoute? _lastSender;
    private ForwardingTable? _lastTable; // whose route it is

    /// <summary>Handles all datagrams that came in on one socket. Their memory is free afterwards.</summary>
    public void Process(PacketBatch batch, int socket)
    {
        int datagrams = 0;
        for (int next = 0; next < batch.Count;)
        {
            int first = next;
            while (next < batch.Count && (next == first || batch[next].Endpoint == batch[first].Endpoint))
            {
                ref Packet train = ref batch[next++];
                datagrams += train.Datagrams;
                if (train.SegmentSize == 0)
                    train.SegmentSize = Math.Max(train.Length, 1);
            }

            if (!TryFindSender(batch[first].Endpoint, out PeerRoute? peer))
                ReportUnknown(batch, first, next, socket);
            else if (peer.HasIds)
                MatchIds(peer, batch, first, next, socket);
            else
                Match(peer, batch, first, next, socket);
        }

        state.Counters.Add(ShardCounter.DatagramsIn, datagrams);
        state.Counters.Batch(BatchKind.Receive, datagrams);
    }

    /// <summary>Opens one datagram as coming from a node, and forwards what is in it.</summary>
    public void Open(PeerRoute peer, ReadOnlySpan<byte> datagram, Arrival arrival)
    {
        PacketOpener? opener = peer.Opener?.Of(datagram);
        if (!IsAcceptable(peer, opener, datagram.Length))
            return;
        _datagrams[_count++] = (0, datagram.Length);
        OpenCollected(peer, opener, datagram, arrival);
    }

    /// <summary>Forwards a frame that came from a node.</summary>
    public void Route(PeerRoute peer, Frame frame, bool byTcp)
    {
        state.Traffic.CountIn(peer.Id, 1, frame.Length);
        forwarder.Route(frame, peer, byTcp);
    }

    /// <summary>The node at an address, which mostly is the one that the last datagram came from.</summary>
    private bool TryFindSender(in Endpoint address, [NotNullWhen(true)] out PeerRoute? peer)
    {
        peer = _lastSender;
        if (peer is not null && _lastTable == state.Table && peer.Address == address)
            return true;
        if (!state.Table.TryFindByAddress(address, out peer))
            return false;
        (_lastSender, _lastTable) = (peer, state.Table);
        return true;
    }

    private void Match(PeerRoute peer, PacketBatch batch, int first, int end, int socket)
    {
        sender.NoteSocket(peer.Id, socket);
        int otherShard = peer.Opener is { } opener && opener.Owner != state.Index ? opener.Owner : -1;
        for (int i = first; i < end; i++)
        {
            Packet train = batch[i];
            for (int at = 0; at < train.Length; at += train.SegmentSize)
            {
                (int offset, int length) = (train.Offset + at, Math.Min(train.SegmentSize, train.Length - at));
                if (otherShard >= 0)
                    mail.Order(otherShard, new(OrderKind.Open, peer.Id) { Socket = socket }, batch.Bytes(offset, length));
                else if (IsAcceptable(peer, peer.Opener, length))
                    _datagrams[_count++] = (offset, length);
                if (_count == _datagrams.Length)
                    OpenCollected(peer, peer.Opener, batch.Memory, Arrival.Direct);
            }
        }

        OpenCollected(peer, peer.Opener, batch.Memory, Arrival.Direct);
    }

    /// <summary>Whether a datagram from a node may be worth opening; else counts why not.</summary>
    private bool IsAcceptable(PeerRoute peer, PacketOpener? opener, int length)
    {
        if (opener is not null && length >= opener.MinDatagram && length <= MaxDatagram)
            return true;
        state.Drop(opener is null ? DropReason.NoKey : DropReason.BadDatagram, peer.Id);
        NoteFailure(peer);
        return false;
    }

    /// <summary>Opens the datagrams listed in <see cref="_datagrams"/>, in order.</summary>
    private void OpenCollected(PeerRoute peer, PacketOpener? opener, ReadOnlySpan<byte> memory, Arrival arrival)
    {
        ReadOnlySpan<(int Offset, int Length)> datagrams = _datagrams.AsSpan(0, _count);
        _count = 0;
        if (datagrams.IsEmpty)
            return;
        ulong genuine = opener!.Verify(memory, datagrams);
        for (int i = 0; i < datagrams.Length; i++)
            Open(peer, opener, memory.Slice(datagrams[i].Offset, datagrams[i].Length), (genuine >> i & 1) != 0, arrival);
    }

    private void Open(PeerRoute peer, PacketOpener opener, ReadOnlySpan<byte> datagram, bool genuine, Arrival arrival)
    {
        Span<byte> output = device.Reserve(opener.OutputLength(datagram.Length));
        OpenResult result = opener.OpenVerified(datagram, genuine, output, out int offset, out int length);
        switch (result)
        {
            case OpenResult.Opened or OpenResult.OpenedPartial:
                NoteRelay(peer, arrival);
                Frame frame = new(output.Slice(offset - Frame.Room, Frame.Room + length)) { HasPartialChecksum = result == OpenResult.OpenedPartial };
                if (arrival.IsMarked && peer.Protocol == NodeProtocol.FastMesh && !Congestion.TryMark(frame.Bytes))
                    state.Drop(DropReason.Congestion, peer.Id);
                else if (device.TryContinue(frame, peer.Id))
                    state.Traffic.CountIn(peer.Id, 1, length);
                else
                    Forward(peer, frame, arrival);
                break;
            case OpenResult.Replayed:
                state.Drop(DropReason.Replayed, peer.Id);
                break;
            default:
                state.Drop(DropReason.BadDatagram, peer.Id);
                NoteFailure(peer);
                break;
        }

        device.Release();
    }

    /// <summary>
    /// Reports what came from an unknown address: of each message received the first datagrams only. One is enough to find out who has moved there.
    /// </summary>
    private void ReportUnknown(PacketBatch batch, int first, int end, int socket)
    {
        for (int i = first; i < end; i++)
        {
            Packet train = batch[i];
            int reported = Math.Min(train.Datagrams, MaxUnknownPerMessage);
            for (int k = 0; k < reported; k++)
            {
                int at = k * train.SegmentSize, length = Math.Min(Math.Min(train.SegmentSize, MaxDatagram), train.Length - at);
                mail.UnknownDatagram(train.Endpoint, socket, batch.Bytes(train.Offset + at, length));
            }

            state.Counters.Drop(DropReason.UnknownSource, train.Datagrams - reported);
        }
    }

    private void Forward(PeerRoute peer, Frame frame, Arrival arrival)
    {
        if (!EthernetFrame.TryRead(frame.Bytes, out EthernetFrame header) || header.Type != EtherType.Probe)
            Route(peer, frame, byTcp: false);
        else if (SpeedRecord.IsOne(frame.Bytes))
            speed.Handle(peer, frame.Bytes);
        else if (arrival.IsDirect)
            mail.Probe(peer.Id, frame.Bytes);
        else
            state.Drop(DropReason.StrayProbe, peer.Id);
    }
}
