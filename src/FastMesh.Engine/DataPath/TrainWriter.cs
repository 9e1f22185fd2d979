using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Seals frames straight into send buffers, one per socket, where consecutive datagrams of one size to one address form a train; sends
/// them when a buffer is full and at the end of the turn. Remembers on which socket each node was heard.
/// </summary>
internal sealed class TrainWriter : IDisposable
{
    // Four full trains, and more single packets than one turn reads from the device.
    private const int BatchPackets = 128, BatchBytes = 256 * 1024;

    private readonly ShardState _state;
    private readonly ShardMail _mail;
    private readonly IPacketPort[] _sockets;
    private readonly bool[] _isIPv6;
    private readonly PacketBatch?[] _batches;
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
    /// Seals a frame with the session of a node and queues it to <paramref name="destination"/>, or to the node's own address. If another shard owns
    /// the session, the frame goes there.
    /// </summary>
    public void Seal(PeerRoute peer, Frame frame, in Endpoint destination, byte trafficClass)
    {
        LegacySealer sealer = peer.Sealer!;
        if (sealer.Owner != _state.Index)
        {
            _mail.Order(sealer.Owner, new(OrderKind.Seal, peer.Id) { Endpoint = destination, TrafficClass = trafficClass }, frame.Bytes);
            return;
        }

        Endpoint to = destination.IsSet ? destination : peer.Address;
        int socket = SocketFor(peer, to);
        if (socket < 0)
        {
            _state.Counters.Drop(DropReason.NoAddress);
            return;
        }

        int room = sealer.SealedLength(frame.Length);
        PacketBatch batch = _batches[socket] ??= new(BatchPackets, BatchBytes);
        if (!batch.Fits(room))
            Flush(socket);

        // Where a train would continue; whether this datagram continues it shows when its length is known.
        bool follows = batch.Count > 0 && CanGrow(batch[batch.Count - 1], peer.Id, to, trafficClass);
        int offset = follows ? batch[batch.Count - 1].Offset + batch[batch.Count - 1].Length : batch.Tail;
        int length = sealer.Seal(frame.WithRoom, batch.Bytes(offset, room));
        if (length <= 0)
            _state.Counters.Drop(DropReason.SealFailed);
        else if (follows && Joins(batch[batch.Count - 1], length))
            batch.Extend(length);
        else
            Start(ref batch.Add(offset, length), peer.Id, to, trafficClass, frame.Length);
    }

    /// <summary>Sends everything queued.</summary>
    public void Flush()
    {
        for (int socket = 0; socket < _batches.Length; socket++)
        {
            if (_batches[socket] is { Count: > 0 })
                Flush(socket);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_batches, static batch => batch?.Dispose());

    /// <summary>The socket that last heard the node, else the one the control plane knows, else the first of the address's family (5.7).</summary>
    private int SocketFor(PeerRoute peer, in Endpoint to)
    {
        if (!to.IsSet)
            return -1;
        int socket = peer.Id < _heardOn.Length && _heardOn[peer.Id] >= 0 ? _heardOn[peer.Id] : peer.Socket;
        return (uint)socket < (uint)_isIPv6.Length && _isIPv6[socket] == to.IsIPv6 ? socket : Array.IndexOf(_isIPv6, to.IsIPv6);
    }

    private static bool CanGrow(in Packet train, int node, in Endpoint to, byte trafficClass) =>
        train.Node == node && train.TrafficClass == trafficClass && train.Endpoint == to
        && train.Length % train.SegmentSize == 0; // a shorter datagram ends a train

    private static bool Joins(in Packet train, int length) =>
        length <= train.SegmentSize && train.Datagrams < MmsgPort.MaxSegments && train.Length + length <= MmsgPort.MaxTrain;

    private static void Start(ref Packet train, int node, in Endpoint to, byte trafficClass, int frameLength) =>
        (train.SegmentSize, train.Node, train.Endpoint, train.TrafficClass, train.FrameLength) = (train.Length, node, to, trafficClass, frameLength);

    private void Flush(int socket)
    {
        PacketBatch batch = _batches[socket]!;
        _sockets[socket].Send(batch);
        for (int i = 0; i < batch.Count; i++)
        {
            ref Packet packet = ref batch[i];
            if (packet.Error == 0)
            {
                _state.Counters.Add(ShardCounter.DatagramsOut, packet.Datagrams);
                continue;
            }

            _state.Counters.Drop(DropReason.SendFailed, packet.Datagrams);
            if (packet.Error == Errno.EMSGSIZE)
                _mail.TooBig(packet.Node, packet.FrameLength);
        }

        batch.Clear();
    }
}
