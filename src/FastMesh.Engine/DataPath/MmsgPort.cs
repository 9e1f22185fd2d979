using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// A UDP socket by recvmmsg and sendmmsg, with UDP_GRO and UDP_SEGMENT where the kernel has them. When the kernel refuses a train on this
/// socket (EIO, EINVAL: linux-dataplane reference, 2.3), its datagrams go out singly, and so does everything after it in the batch.
/// </summary>
internal sealed unsafe class MmsgPort : IPacketPort
{
    /// <summary>Most datagrams in a train: what every kernel with UDP_SEGMENT takes.</summary>
    public const int MaxSegments = 64;

    /// <summary>Most bytes in a train: below the 65,493 at which the queueing layer starts to cut trains in software.</summary>
    public const int MaxTrain = 64000;

    /// <summary>Messages per receive: few, because each needs a buffer of 64 KiB that should stay in the cache.</summary>
    public const int ReceiveMessages = 8;

    /// <summary>Bytes per received message: a train must fit, or its end is lost.</summary>
    public const int ReceiveBuffer = 65536;

    private readonly DatagramVector _receive = new(ReceiveMessages);
    private readonly DatagramVector _send = new(MaxSegments);
    private readonly int[] _packetOf = new int[MaxSegments];
    private readonly int _family;
    private readonly ShardCounters _counters;
    private readonly bool _hasSegmentation;
    private bool _segmentation, _hasTooBig;
    private int _trafficClass;

    /// <summary>Uses a bound, non-blocking socket that stays the caller's.</summary>
    /// <param name="descriptor">The socket.</param>
    /// <param name="isIPv6">Its family.</param>
    /// <param name="segmentation">Whether trains may be tried.</param>
    /// <param name="counters">Counts what is lost here.</param>
    public MmsgPort(int descriptor, bool isIPv6, bool segmentation, ShardCounters counters)
    {
        (Descriptor, _hasSegmentation, _counters) = (descriptor, segmentation, counters);
        _family = isIPv6 ? SocketAddress.InterNetworkV6 : SocketAddress.InterNetwork;
    }

    /// <inheritdoc/>
    public int Descriptor { get; }

    /// <inheritdoc/>
    public int Receive(PacketBatch batch)
    {
        int wanted = 0, tail = batch.Tail;
        while (wanted < ReceiveMessages && batch.Fits(tail - batch.Tail + ReceiveBuffer))
        {
            _receive.SetBuffer(wanted++, batch.Address(tail), ReceiveBuffer);
            tail += ReceiveBuffer;
        }

        int received = _receive.Receive(Descriptor, wanted);
        if (received < 0)
            return received == -Errno.EAGAIN ? 0 : received;
        tail = batch.Tail;
        for (int i = 0; i < received; i++, tail += ReceiveBuffer)
        {
            if (_receive.IsTruncated(i))
            {
                _counters.Drop(DropReason.Truncated);
                continue;
            }

            ref Packet packet = ref batch.Add(tail, _receive.Length(i));
            packet.Endpoint = Endpoint.FromSockaddr(_receive.Name(i));
            packet.SegmentSize = _receive.SegmentSize(i, out packet.TrafficClass);
        }

        return received;
    }

    /// <inheritdoc/>
    public void Send(PacketBatch batch)
    {
        _segmentation = _hasSegmentation;
        for (int next = 0; next < batch.Count;)
        {
            SetTrafficClass(batch[next].TrafficClass);
            int messages = _segmentation ? Prepare(batch, ref next) : PrepareSingles(batch, ref next);
            SendPrepared(batch, messages);
        }

        for (int i = 0; _hasTooBig && i < batch.Count; i++)
        {
            if (batch[i].Error == Errno.EMSGSIZE && batch[i].MayBeCut)
                SendCut(batch, i);
        }

        _hasTooBig = false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _receive.Dispose();
        _send.Dispose();
    }

    /// <summary>Prepares one message per packet of the same traffic class.</summary>
    private int Prepare(PacketBatch batch, ref int next)
    {
        int messages = 0;
        for (; next < batch.Count && messages < MaxSegments && batch[next].TrafficClass == _trafficClass; next++)
        {
            ref Packet packet = ref batch[next];
            int segment = packet.Length > packet.SegmentSize ? packet.SegmentSize : 0;
            SetMessage(batch, messages++, next, 0, packet.Length, segment);
        }

        return messages;
    }

    /// <summary>Prepares one message per datagram of the next packet.</summary>
    private int PrepareSingles(PacketBatch batch, ref int next)
    {
        ref Packet packet = ref batch[next];
        int messages = 0, size = packet.SegmentSize == 0 ? packet.Length : packet.SegmentSize;
        for (int at = 0; at < packet.Length && messages < MaxSegments; at += size)
            SetMessage(batch, messages++, next, at, Math.Min(size, packet.Length - at), 0);
        next++;
        return messages;
    }

    private void SetMessage(PacketBatch batch, int message, int index, int at, int length, int segment)
    {
        ref Packet packet = ref batch[index];
        Span<byte> name = stackalloc byte[Endpoint.MaxSockaddrLength];
        name = name[..packet.Endpoint.WriteSockaddr(name)];
        _send.SetMessage(message, batch.Address(packet.Offset + at), length, name, segment);
        _packetOf[message] = index;
    }

    private void SendPrepared(PacketBatch batch, int messages)
    {
        for (int done = 0; done < messages;)
        {
            int sent = _send.Send(Descriptor, done, messages - done);
            if (sent > 0)
            {
                done += sent;
                continue;
            }

            int failed = _packetOf[done++];
            ref Packet packet = ref batch[failed];
            if (_segmentation && packet.Length > packet.SegmentSize && -sent is Errno.EIO or Errno.EINVAL)
            {
                ResendSingly(batch, failed, -sent, messages - done);
                return;
            }

            packet.Error = -sent;
            _hasTooBig |= -sent == Errno.EMSGSIZE;
        }
    }

    /// <summary>
    /// Sends a refused train, and the <paramref name="rest"/> packets behind it, datagram by datagram. If that fails too, the route is to
    /// blame (old kernels answer EINVAL when a segment exceeds the MTU), and trains are tried again.
    /// </summary>
    private void ResendSingly(PacketBatch batch, int failed, int error, int rest)
    {
        _segmentation = false;
        for (int next = failed, end = failed + 1 + rest; next < end;)
            SendPrepared(batch, PrepareSingles(batch, ref next));
        _segmentation = batch[failed].Error != 0;
        batch[failed].Refused = _segmentation ? 0 : error;
    }

    /// <summary>
    /// Sends the datagrams of a packet that the kernel refused because the path has become shorter than they are, one by one and for it to cut:
    /// until the control loop knows the new MTU, everything that is sealed for the old one would be lost.
    /// </summary>
    private void SendCut(PacketBatch batch, int index)
    {
        bool always = UdpSocket.AllowsFragmentation(Descriptor);
        SetTrafficClass(batch[index].TrafficClass);
        _ = UdpSocket.SetFragmentation(Descriptor, _family, allowed: true);
        _segmentation = false;
        (batch[index].Error, batch[index].WasCut) = (0, true);
        int next = index;
        SendPrepared(batch, PrepareSingles(batch, ref next));
        _ = UdpSocket.SetFragmentation(Descriptor, _family, always);
    }

    /// <summary>Sets the socket's TOS or traffic class if it differs from the last one used (tinc 1.0 reference, 5.7).</summary>
    private void SetTrafficClass(byte value)
    {
        if (value == _trafficClass)
            return;
        _trafficClass = value;
        UdpSocket.SetTrafficClass(Descriptor, _family, value);
    }
}
