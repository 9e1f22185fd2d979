using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;
using FastMesh.Native.Uring;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// A UDP socket: receives by one multishot request, sends as <see cref="MmsgPort"/> does, because sendmmsg is one system call per batch already and was
/// measured as fast (linux-dataplane reference, 2.3).
/// </summary>
internal sealed class UringSocketPort(MmsgPort plain, RingBatch batch, ShardCounters counters) : UringPort(plain.Descriptor, batch)
{
    private readonly ReceiveTemplate _template = new();

    /// <summary>Where in a slot the kernel's part begins: the payload has its headroom anyway.</summary>
    public const int SlotStart = 0;

    /// <summary>Bytes that the kernel needs per datagram or train.</summary>
    public const int SlotLength = ReceivedMessage.PayloadOffset + MmsgPort.ReceiveBuffer;

    /// <inheritdoc/>
    protected override int MaxPackets => MmsgPort.ReceiveMessages;

    /// <inheritdoc/>
    public override void Arm()
    {
        if (UnderWay == 0 && Batch.CanReceive && Poller.Ring.Submissions.TryReceiveMultishot(Index, Batch.Group, _template, (uint)Index))
            UnderWay++;
    }

    /// <inheritdoc/>
    public override void Send(PacketBatch packets) => plain.Send(packets);

    /// <inheritdoc/>
    public override void Dispose()
    {
        plain.Dispose();
        _template.Dispose();
    }

    /// <inheritdoc/>
    protected override int Accept(int start, int length)
    {
        if (!ReceivedMessage.TryRead(Batch.Bytes(start, length), out ReceivedMessage message) || message.IsTruncated)
        {
            counters.Drop(DropReason.Truncated);
            return -Errno.EMSGSIZE;
        }

        ref Packet packet = ref Batch.Add(start + ReceivedMessage.PayloadOffset, message.PayloadLength);
        packet.Endpoint = Endpoint.FromSockaddr(message.Name);
        packet.SegmentSize = DatagramVector.SegmentSize(message.Control, out packet.TrafficClass);
        return 0;
    }
}
