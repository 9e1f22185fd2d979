using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

// Network to device, in packet order. Everything runs on the shard's thread.
//
//   1  Match   each train to the node at its source address, once       unknown sources are reported
//   2  Open    MACs of a train together, then each datagram next to
//              the packet it may be merged with                         sessions of other shards: handed over
//   3  Forward the frame                                                probes are reported; the rest is Forwarder's

/// <summary>Takes received datagrams apart (tinc 1.0 reference, 5.3).</summary>
internal sealed class Inbound(ShardState state, Forwarder forwarder, TrainWriter trains, DeviceWriter device, ShardMail mail)
{
    /// <summary>The longest datagram any tinc node sends, bytes (tinc 1.0 reference, 5.2).</summary>
    public const int MaxDatagram = 1661;

    /// <summary>Handles all datagrams that came in on one socket. Their memory is free afterwards.</summary>
    public void Process(PacketBatch batch, int socket)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            ref Packet train = ref batch[i];
            state.Counters.Add(ShardCounter.DatagramsIn, train.Datagrams);
            if (train.SegmentSize == 0)
                train.SegmentSize = Math.Max(train.Length, 1);
            Span<byte> bytes = batch.Bytes(i);
            if (state.Table.TryFindByAddress(train.Endpoint, out PeerRoute? peer))
                Match(peer, bytes, train.SegmentSize, socket);
            else
                ReportUnknown(train.Endpoint, bytes, train.SegmentSize, socket);
        }
    }

    /// <summary>Opens one datagram as coming from a node, and forwards what is in it.</summary>
    public void Open(PeerRoute peer, ReadOnlySpan<byte> datagram) => Open(peer, datagram, isGenuine: false);

    private void Open(PeerRoute peer, ReadOnlySpan<byte> datagram, bool isGenuine)
    {
        if (datagram.Length > MaxDatagram || peer.Opener is null)
        {
            state.Counters.Drop(peer.Opener is null ? DropReason.NoKey : DropReason.BadDatagram);
            return;
        }

        Span<byte> output = device.Reserve(LegacyOpener.OutputLength(datagram.Length));
        OpenResult result = peer.Opener.OpenFromTrain(datagram, isGenuine, output, out int offset, out int length);
        if (result == OpenResult.Opened)
            Forward(peer, new Frame(output.Slice(offset - Frame.Room, Frame.Room + length)));
        else
            state.Counters.Drop(result == OpenResult.Replayed ? DropReason.Replayed : DropReason.BadDatagram);
        device.Release();
    }

    private void Match(PeerRoute peer, Span<byte> train, int size, int socket)
    {
        trains.NoteSocket(peer.Id, socket);
        if (peer.Opener is { } opener && opener.Owner != state.Index)
        {
            for (; !train.IsEmpty; train = train[Math.Min(size, train.Length)..])
                mail.Order(opener.Owner, new(OrderKind.Open, peer.Id) { Socket = socket }, train[..Math.Min(size, train.Length)]);
            return;
        }

        ulong genuine = 0;
        for (int i = 0; !train.IsEmpty; i++)
        {
            Span<byte> datagram = train[..Math.Min(size, train.Length)];
            if (i % LegacyOpener.MaxTrain == 0) // a single one, or one nobody sends, is left to Open
                genuine = datagram.Length < train.Length && size <= MaxDatagram ? peer.Opener?.Authenticate(train, size) ?? 0 : 0;
            Open(peer, datagram, ((genuine >> (i % LegacyOpener.MaxTrain)) & 1) != 0);
            train = train[datagram.Length..];
        }
    }

    private void ReportUnknown(in Endpoint source, ReadOnlySpan<byte> train, int size, int socket)
    {
        for (; !train.IsEmpty; train = train[Math.Min(size, train.Length)..])
            mail.UnknownDatagram(source, socket, train[..Math.Min(Math.Min(size, MaxDatagram), train.Length)]);
    }

    private void Forward(PeerRoute peer, Frame frame)
    {
        if (EthernetFrame.TryRead(frame.Bytes, out EthernetFrame header) && header.Type == EtherType.Probe)
            mail.Probe(peer.Id, frame.Bytes);
        else
            forwarder.Route(frame, peer, byTcp: false);
    }
}
