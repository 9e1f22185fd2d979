using System.Buffers.Binary;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// One queue of a tun or tap device, and everything else that reads and writes one packet per call: an inherited descriptor (layer 3,
/// no vnet header) or a packet socket (layer 2, none). With a vnet header packets may be super-packets of up to 64 KiB.
/// </summary>
internal sealed unsafe class TunPort : IPacketPort
{
    private const int MaxPacket = 65535 + EthernetFrame.HeaderLength + (EthernetFrame.MaxVlanTags * EthernetFrame.VlanTagLength);
    private readonly int _packetOffset; // from the frame to what the kernel reads and writes
    private readonly int _vnetLength;

    /// <summary>Uses a non-blocking descriptor that stays the caller's.</summary>
    /// <param name="descriptor">The queue.</param>
    /// <param name="ethernet">Whether packets have an Ethernet header, else it is made up and taken off here.</param>
    /// <param name="vnetHeader">Whether a 10-byte virtio_net_hdr precedes each packet.</param>
    public TunPort(int descriptor, bool ethernet, bool vnetHeader)
    {
        Descriptor = descriptor;
        _packetOffset = ethernet ? 0 : EthernetFrame.HeaderLength;
        _vnetLength = vnetHeader ? VirtioHeader.Length : 0;
    }

    /// <inheritdoc/>
    public int Descriptor { get; }

    /// <summary>From a frame to what the kernel reads and writes of it.</summary>
    public int HeaderOffset => _packetOffset - _vnetLength;

    /// <summary>Most bytes that the kernel hands over at once.</summary>
    public int MaxRead => MaxPacket - HeaderOffset;

    /// <inheritdoc/>
    public int Receive(PacketBatch batch)
    {
        int packets = 0;
        while (batch.Fits(MaxPacket))
        {
            int start = batch.Tail + HeaderOffset, read = Nonblocking.Read(Descriptor, batch.Address(start), MaxRead);
            if (read == -Errno.EAGAIN)
                break;
            int error = Accept(batch, start, read);
            if (error < 0)
                return packets > 0 ? packets : error;
            packets++;
        }

        return packets;
    }

    /// <summary>Lists what the kernel wrote to the batch's memory. Returns 0, or the negated errno if that is no packet.</summary>
    public int Accept(PacketBatch batch, int start, int read)
    {
        if (read <= _vnetLength)
            return Math.Min(read, -Errno.EIO);
        int frame = start - HeaderOffset;
        ref Packet packet = ref batch.Add(frame, read + HeaderOffset);
        if (_vnetLength != 0 && VirtioHeader.TryRead(batch.Bytes(start, _vnetLength), out VirtioHeader header))
            packet.Header = Shift(header, _packetOffset);
        if (_packetOffset != 0)
            WriteEthernetHeader(batch.Bytes(frame, packet.Length));
        return 0;
    }

    /// <inheritdoc/>
    public void Send(PacketBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            int start = WriteHeader(batch[i], batch, out int length), written = Nonblocking.Write(Descriptor, batch.Address(start), length);
            batch[i].Error = written < 0 ? -written : 0;
        }
    }

    /// <summary>Puts the vnet header in front of a packet. Returns where what the kernel gets begins.</summary>
    public int WriteHeader(in Packet packet, PacketBatch batch, out int length)
    {
        int start = packet.Offset + HeaderOffset;
        length = packet.Length - HeaderOffset;
        if (_vnetLength != 0)
            Shift(packet.Header, -_packetOffset).Write(batch.Bytes(start, _vnetLength));
        return start;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>12 zero bytes and the EtherType (tinc 1.0 reference, chapter 8); 0xffff, which nobody routes, if it is not IP.</summary>
    private static void WriteEthernetHeader(Span<byte> frame)
    {
        frame[..12].Clear();
        int version = frame.Length > EthernetFrame.HeaderLength ? frame[EthernetFrame.HeaderLength] >> 4 : 0;
        BinaryPrimitives.WriteUInt16BigEndian(
            frame[12..], version switch { 4 => EtherType.IPv4, 6 => EtherType.IPv6, _ => ushort.MaxValue });
    }

    private static VirtioHeader Shift(in VirtioHeader header, int offset) => header.Kind == SegmentationKind.None && !header.NeedsChecksum
        ? header
        : header with
        {
            HeaderLength = (ushort)(header.HeaderLength + offset),
            ChecksumStart = (ushort)(header.ChecksumStart + offset),
        };
}
