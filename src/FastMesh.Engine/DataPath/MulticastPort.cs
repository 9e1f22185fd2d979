using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// DeviceType = multicast: Ethernet frames as datagrams of a group. What we send comes back to us, so frames whose source is the last
/// source written are ignored (tinc 1.0 reference, chapter 8).
/// </summary>
internal sealed unsafe class MulticastPort : IPacketPort
{
    private const int MaxFrame = 65535;
    private readonly byte[] _group;
    private MacAddress _lastSource = new(ulong.MaxValue);

    /// <summary>Uses a joined, non-blocking socket that stays the caller's.</summary>
    /// <param name="descriptor">The socket.</param>
    /// <param name="group">The group's sockaddr.</param>
    public MulticastPort(int descriptor, byte[] group) => (Descriptor, _group) = (descriptor, group);

    /// <inheritdoc/>
    public int Descriptor { get; }

    /// <inheritdoc/>
    public int Receive(PacketBatch batch)
    {
        int packets = 0;
        while (batch.Fits(MaxFrame))
        {
            int offset = batch.Tail;
            int read = FileIo.Read(Descriptor, batch.Address(offset), MaxFrame);
            if (read == -Errno.EAGAIN)
                break;
            if (read < 0)
                return packets > 0 ? packets : read;
            if (EthernetFrame.TryRead(batch.Bytes(offset, read), out EthernetFrame frame) && frame.Source != _lastSource)
            {
                batch.Add(offset, read);
                packets++;
            }
        }

        return packets;
    }

    /// <inheritdoc/>
    public void Send(PacketBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            Span<byte> bytes = batch.Bytes(i);
            if (EthernetFrame.TryRead(bytes, out EthernetFrame frame))
                _lastSource = frame.Source;
            int sent = UdpSocket.SendTo(Descriptor, bytes, _group);
            batch[i].Error = sent < 0 ? -sent : 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
