using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Seals frames straight into send buffers, one per socket, where consecutive datagrams of one size to one address form a train; sends
/// them when a buffer is full and at the end of the turn. Frames are sealed many at a time, which is what makes AES-CBC fast: segments of a
/// super-packet where they lie, single frames after they were collected. Remembers on which socket each node was heard.
/// </summary>
internal sealed class TrainWriter : IDisposable
{
    // Four full trains, and more single packets than one turn reads from the device.
    private const int BatchPackets = 192, BatchBytes = 256 * 1024;

    // At once: what fits into one train. A frame's first bytes count as its header.
    private const int MaxTogether = MmsgPort.MaxSegments, HeaderPart = 64, CollectBytes = MaxTogether * (Node.MaxFrameLength + Frame.Room);

    // tincd 1.0 opens datagrams one at a time, at 8 to 16 us each, from a buffer that holds 90 of them unless its host was tuned, and we seal several
    // times faster: a long train is followed by the time that it needs at least. tincd 1.1 has a longer buffer.
    private const int LongTrain = 16;
    private const long NanosecondsEach = 8000;

    private readonly ShardState _state;
    private readonly ShardMail _mail;
    private readonly IPacketPort[] _sockets;
    private readonly bool[] _isIPv6;
    private readonly PacketBatch?[] _batches;
    private readonly byte[] _tcpDatagram = new byte[FrameRing<ReportHeader>.MaxBytes];
    private readonly byte[] _collected = GC.AllocateUninitializedArray<byte>(CollectBytes, pinned: true);
    private readonly TrainPacket[] _packets = new TrainPacket[MaxTogether];
    private readonly RefusedTrains _refused = new();
    private readonly Pacer _pacer = new();
    private Target _target;
    private int _count, _used, _sentToOthers, _sentToOurs;
    private int[] _heardOn = [];

    /// <summary>Sends by these sockets; the index is the socket number of routes and reports.</summary>
    /// <param name="state">The shard.</param>
    /// <param name="mail">For EMSGSIZE and for sessions of other shards.</param>
    /// <param name="sockets">The sockets.</param>
    /// <param name="isIPv6">The family of each.</param>
    public TrainWriter(ShardState state, ShardMail mail, IPacketPort[] sockets, bool[] isIPv6)
    {
        (_state, _mail, _sockets, _isIPv6) = (state, mail, sockets, isIPv6);
        _batches = new PacketBatch?[sockets.Length];
    }

    /// <summary>Notes that a node was heard on a socket; what we send to it leaves there.</summary>
    public void NoteSocket(int node, int socket)
    {
        if (node >= _heardOn.Length)
        {
            int old = _heardOn.Length;
            Array.Resize(ref _heardOn, Math.Max(64, (node + 1) * 2));
            _heardOn.AsSpan(old).Fill(-1);
        }

        _heardOn[node] = socket;
    }

    /// <summary>
    /// Seals a frame with the session of a node and queues it to <paramref name="destination"/>, or to the hop's own address. If another shard owns
    /// the session, the frame goes there. The frame is copied.
    /// </summary>
    /// <param name="peer">Whose session.</param>
    /// <param name="hop">Who gets the datagram: the same node, or if it has ids perhaps a relay.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="destination">Another address than the hop's, or "no address".</param>
    /// <param name="trafficClass">TOS byte or traffic class of the datagram.</param>
    public void Seal(PeerRoute peer, PeerRoute hop, Frame frame, in Endpoint destination, byte trafficClass)
    {
        if (peer.Sealer!.Of(_state.Index).Owner is int owner && owner != _state.Index)
        {
            _mail.Order(owner, new(OrderKind.Seal, peer.Id) { Endpoint = destination, TrafficClass = trafficClass }, frame.Bytes);
            return;
        }

        if (!TryTarget(peer, hop, direct: hop == peer, destination, Congestion.ClassBy(hop, peer, trafficClass), out Target target))
            return;
        int length = frame.WithRoom.Length;
        if (_count == MaxTogether || _used + length > CollectBytes || target != _target)
            SealCollected();
        _target = target;
        Collect(frame);
    }

    /// <summary>
    /// Seals a frame with the session of a node, which this shard must own, and reports it: it goes by TCP. The frame is copied.
    /// </summary>
    public void SealForTcp(PeerRoute peer, Frame frame)
    {
        SealCollected(); // keeps the order, and makes room
        PacketSealer sealer = peer.Sealer!.Of(_state.Index);
        Span<byte> copy = _collected.AsSpan(0, frame.WithRoom.Length);
        frame.Bytes.CopyTo(copy[Frame.Room..]);
        int length = sealer.SealedLength(frame.Length) <= _tcpDatagram.Length ? sealer.Seal(copy, _tcpDatagram, direct: false) : 0;
        if (length > 0)
            _mail.TcpDatagram(peer.Id, _tcpDatagram.AsSpan(0, length));
        else
            _state.Drop(DropReason.SealFailed, peer.Id);
    }

    /// <summary>Queues a datagram that someone else has sealed. It is copied.</summary>
    public void Relay(PeerRoute hop, ReadOnlySpan<byte> datagram, byte trafficClass)
    {
        SealCollected(); // keeps the order
        if (!TryTarget(null, hop, direct: false, default, trafficClass, out _target))
            return;
        PacketBatch batch = MakeRoom(1, datagram.Length, out int start);
        datagram.CopyTo(batch.Bytes(start, datagram.Length));
        Queue(batch, start, datagram.Length, frameLength: datagram.Length);
    }

    /// <summary>
    /// Seals a probe with the session of a node and queues it, to <paramref name="destination"/> or to the node's own address: several copies as a train, even
    /// if the node takes none, to see whether it does; one alone. If another shard owns the session, the probe goes there.
    /// </summary>
    public void SealProbe(PeerRoute peer, Frame frame, in Endpoint destination, int copies)
    {
        if (peer.Sealer!.Of(_state.Index).Owner is int owner && owner != _state.Index)
        {
            _mail.Order(owner, new(OrderKind.Probe, peer.Id) { Endpoint = destination, Copies = (byte)copies }, frame.Bytes);
            return;
        }

        SealCollected(); // keeps the order
        if (!TryTarget(peer, peer, direct: true, destination, trafficClass: 0, out _target))
            return;
        _target = _target with { IsAlone = copies == 1, IsProbe = true };
        for (int i = 0; i < copies; i++)
        {
            Collect(frame);
            SealCollected(); // each by itself, so that they lie next to each other: how much longer a probe gets differs from format to format
        }
    }

    private void Collect(Frame frame)
    {
        int length = frame.WithRoom.Length;
        frame.Bytes.CopyTo(_collected.AsSpan(_used + Frame.Room));
        int header = Math.Min(HeaderPart, length);
        _packets[_count++] = new()
        {
            Header = _used,
            HeaderLength = header,
            Payload = _used + header,
            PayloadLength = length - header,
        };
        _used += length;
    }

    /// <summary>
    /// Seals all segments of a super-packet with the session of a node, which this shard must own, and queues them. The payload is read where it is;
    /// what was sealed is overwritten.
    /// </summary>
    /// <param name="peer">Whose session.</param>
    /// <param name="hop">Who gets the datagrams.</param>
    /// <param name="frame">The super-packet's bytes.</param>
    /// <param name="segments">How it is cut, from the first segment on.</param>
    /// <param name="trafficClass">TOS byte or traffic class of the datagrams.</param>
    public void Seal(PeerRoute peer, PeerRoute hop, Span<byte> frame, scoped ref Superpacket segments, byte trafficClass)
    {
        SealCollected(); // keeps the order
        if (!TryTarget(peer, hop, direct: hop == peer, default, Congestion.ClassBy(hop, peer, trafficClass), out _target))
            return;
        int header = Frame.Room + segments.HeaderLength;
        bool partial = peer.Sealer!.TakesPartialChecksums && segments.TryLeaveChecksums();
        while (segments.TryNext(_collected.AsSpan(_used + Frame.Room), out int payload, out int length))
        {
            _packets[_count++] = new()
            {
                Header = _used,
                HeaderLength = header,
                Payload = payload,
                PayloadLength = length,
                HasPartialChecksum = partial,
            };
            _used += header;
            if (_count == MaxTogether)
                SealNow(frame);
        }

        SealNow(frame);
    }

    /// <summary>Sends everything queued.</summary>
    public void Flush()
    {
        SealCollected();
        for (int socket = 0; socket < _batches.Length; socket++)
        {
            if (_batches[socket] is { Count: > 0 })
                Flush(socket);
        }
    }

    /// <summary>
    /// Ends a turn. If it sent much to other than FastMesh nodes, and nothing to those, this is the time for tincd to open it: in a flood, what we send more
    /// than it opens takes the time that it, or the flood's reader, needs where processors are short. Acknowledgements gather meanwhile.
    /// </summary>
    /// <param name="packetsRead">Packets that the device gave; super-packets are few, and TCP finds the right speed for tincd 1.1 itself.</param>
    public void Rest(int packetsRead)
    {
        if (_sentToOthers >= LongTrain && _sentToOurs == 0 && !_pacer.WaitForLast() && packetsRead >= LongTrain)
            Thread.Yield();
        (_sentToOthers, _sentToOurs) = (0, 0);
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_batches, static batch => batch?.Dispose());

    private bool TryTarget(PeerRoute? peer, PeerRoute hop, bool direct, in Endpoint destination, byte trafficClass, out Target target)
    {
        Endpoint to = destination.IsSet ? destination : hop.Address;
        bool isAlone = !hop.TakesTrains || _refused.Contains(hop, _state.Now);
        target = new Target(peer, hop, direct, to, SocketFor(hop, to), trafficClass, isAlone);
        if (target.Socket >= 0)
            return true;
        _state.Drop(DropReason.NoAddress, (peer ?? hop).Id);
        return false;
    }

    /// <summary>The socket that last heard the node, else the one the control plane knows, else the first of the address's family (5.7).</summary>
    private int SocketFor(PeerRoute peer, in Endpoint to)
    {
        if (!to.IsSet)
            return -1;
        int socket = peer.Id < _heardOn.Length && _heardOn[peer.Id] >= 0 ? _heardOn[peer.Id] : peer.Socket;
        return (uint)socket < (uint)_isIPv6.Length && _isIPv6[socket] == to.IsIPv6 ? socket : Array.IndexOf(_isIPv6, to.IsIPv6);
    }

    private void SealCollected() => SealNow(_collected);

    /// <summary>Seals what <see cref="_packets"/> lists for <see cref="_target"/>; headers are collected, payloads wherever they are.</summary>
    private void SealNow(Span<byte> payloads)
    {
        Span<TrainPacket> packets = _packets.AsSpan(0, _count);
        (_count, _used) = (0, 0);
        if (packets.IsEmpty)
            return;

        PacketSealer sealer = _target.Peer!.Sealer!.Of(_state.Index);
        int total = 0;
        foreach (ref TrainPacket packet in packets)
        {
            packet.Output = total;
            total += sealer.SealedLength(packet.Length - Frame.Room);
            if (IsProbe(_collected.AsSpan(packet.Header + Frame.Room, packet.HeaderLength - Frame.Room)))
                total += EthernetFrame.HeaderLength; // travels whole in every format
        }

        bool paced = packets.Length >= LongTrain && _target.Hop.Protocol == NodeProtocol.Legacy;
        if (paced)
            Flush(_target.Socket); // nothing else shall wait
        PacketBatch batch = MakeRoom(packets.Length, total, out int start);
        int done = sealer.SealTrain(_collected, payloads, batch.Bytes(start, total), packets, _target.Direct);
        if (done < packets.Length)
            _state.Drop(DropReason.SealFailed, _target.Peer.Id, packets.Length - done);
        foreach (ref TrainPacket packet in packets[..done])
            Queue(batch, start + packet.Output, packet.OutputLength, packet.Length - Frame.Room);
        if (paced)
        {
            _pacer.Wait(_target.Hop.Id);
            Flush(_target.Socket);
            _pacer.Note(_target.Hop.Id, done * NanosecondsEach);
        }
    }

    private static bool IsProbe(ReadOnlySpan<byte> header) => EthernetFrame.TryRead(header, out EthernetFrame frame) && frame.Type == EtherType.Probe;

    /// <summary>The batch for <see cref="_target"/>, with room for that many datagrams and bytes from <paramref name="start"/> on.</summary>
    private PacketBatch MakeRoom(int packets, int bytes, out int start)
    {
        PacketBatch batch = _batches[_target.Socket] ??= new(BatchPackets, BatchBytes);
        if (batch.Count + packets > BatchPackets || !batch.Fits(bytes))
            Flush(_target.Socket);
        start = batch.Count > 0 ? EndOf(batch[batch.Count - 1]) : batch.Tail; // a train continues where it ends
        return batch;
    }

    /// <summary>Lengthens the last train by a datagram, or begins one with it.</summary>
    private void Queue(PacketBatch batch, int offset, int length, int frameLength)
    {
        if (batch.Count > 0 && Continues(batch[batch.Count - 1], offset, length))
        {
            batch.Extend(length);
            return;
        }

        PeerRoute hop = _target.Hop;
        ref Packet train = ref batch.Add(offset, length);
        (train.SegmentSize, train.Node, train.Endpoint, train.TrafficClass, train.ProbeLength, train.IsAlone, train.MayBeCut) = (
            length, hop.Id, _target.Endpoint, _target.TrafficClass, hop.HasIds ? length - hop.ProbeOverhead : frameLength, _target.IsAlone, !_target.IsProbe);
    }

    private bool Continues(in Packet train, int offset, int length) =>
        EndOf(train) == offset && length <= train.SegmentSize
        && train.Length % train.SegmentSize == 0 // a shorter datagram ends a train
        && !train.IsAlone && !_target.IsAlone && train.MayBeCut != _target.IsProbe && train.Node == _target.Hop.Id && train.TrafficClass == _target.TrafficClass && train.Endpoint == _target.Endpoint
        && train.Datagrams < MmsgPort.MaxSegments && train.Length + length <= MmsgPort.MaxTrain;

    private static int EndOf(in Packet packet) => packet.Offset + packet.Length;

    private void Flush(int socket)
    {
        if (_batches[socket] is not { Count: > 0 } batch)
            return;
        _sockets[socket].Send(batch);
        int sent = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            ref Packet packet = ref batch[i];
            NoteTrain(packet);
            if (packet.WasCut || packet.Error == Errno.EMSGSIZE)
                _mail.TooBig(packet.Node, packet.ProbeLength);
            if (packet.Error == 0)
            {
                sent += packet.Datagrams;
                if (_state.Table.Find(packet.Node) is { Protocol: NodeProtocol.FastMesh })
                    _sentToOurs += packet.Datagrams;
                else
                    _sentToOthers += packet.Datagrams;
                continue;
            }

            _state.Drop(DropReason.SendFailed, packet.Node, packet.Datagrams);
        }

        _state.Counters.Add(ShardCounter.DatagramsOut, sent);
        _state.Counters.Batch(BatchKind.Send, sent);
        batch.Clear();
    }

    private void NoteTrain(in Packet packet)
    {
        if (packet.Refused != 0)
        {
            _state.Counters.Add(ShardCounter.TrainsRefused, 1);
            if (_refused.Add(packet.Node, packet.Endpoint, _state.Now))
                _mail.TrainRefused(packet.Node, packet.Refused);
        }
        else if (packet.Error == 0 && !packet.WasCut && packet.Length > packet.SegmentSize)
        {
            _refused.Remove(packet.Node);
        }
    }

    /// <summary>Whose session seals, if any does, and where and how the datagrams go.</summary>
    private readonly record struct Target(
        PeerRoute? Peer, PeerRoute Hop, bool Direct, Endpoint Endpoint, int Socket, byte TrafficClass, bool IsAlone, bool IsProbe = false);
}
