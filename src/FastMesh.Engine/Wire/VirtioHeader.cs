using System.Runtime.InteropServices;

namespace FastMesh.Engine.Wire;

/// <summary>What kind of super-packet follows: <c>gso_type</c> without its ECN bit.</summary>
public enum SegmentationKind : byte
{
    /// <summary>One packet.</summary>
    None = 0,

    /// <summary>TCP over IPv4.</summary>
    TcpIPv4 = 1,

    /// <summary>UDP fragmentation offload, obsolete.</summary>
    UdpFragments = 3,

    /// <summary>TCP over IPv6.</summary>
    TcpIPv6 = 4,

    /// <summary>UDP datagrams over IPv4 or IPv6 (USO).</summary>
    Udp = 5,
}

/// <summary>
/// The header before every packet of a tun or tap device with IFF_VNET_HDR (linux/virtio_net.h). A value; numbers are in host order
/// on the wire too.
/// </summary>
public readonly record struct VirtioHeader
{
    //   0  flags          1
    //   1  gso_type       1
    //   2  hdr_len        2
    //   4  gso_size       2
    //   6  csum_start     2   from the start of the packet behind this header
    //   8  csum_offset    2   from csum_start

    /// <summary>Bytes of the header.</summary>
    public const int Length = 10;

    private const byte NeedsChecksumFlag = 1, EcnBit = 0x80;

    /// <summary>Whether the transport checksum field holds only the pseudo header's sum.</summary>
    public bool NeedsChecksum { get; init; }

    /// <summary>What follows.</summary>
    public SegmentationKind Kind { get; init; }

    /// <summary>Whether a TCP super-packet may carry CWR in its first segment.</summary>
    public bool Ecn { get; init; }

    /// <summary>Bytes of headers up to and including TCP or UDP. Exact when we write it, a hint when the kernel does.</summary>
    public ushort HeaderLength { get; init; }

    /// <summary>Payload bytes per segment.</summary>
    public ushort SegmentSize { get; init; }

    /// <summary>Offset of the transport header in the packet.</summary>
    public ushort ChecksumStart { get; init; }

    /// <summary>Offset of the checksum field in the transport header: 16 for TCP, 6 for UDP.</summary>
    public ushort ChecksumOffset { get; init; }

    /// <summary>Reads the header; false if there are fewer than <see cref="Length"/> bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out VirtioHeader header)
    {
        header = default;
        if (bytes.Length < Length)
            return false;

        header = new VirtioHeader
        {
            NeedsChecksum = (bytes[0] & NeedsChecksumFlag) != 0,
            Kind = (SegmentationKind)(bytes[1] & ~EcnBit),
            Ecn = (bytes[1] & EcnBit) != 0,
            HeaderLength = MemoryMarshal.Read<ushort>(bytes[2..]),
            SegmentSize = MemoryMarshal.Read<ushort>(bytes[4..]),
            ChecksumStart = MemoryMarshal.Read<ushort>(bytes[6..]),
            ChecksumOffset = MemoryMarshal.Read<ushort>(bytes[8..]),
        };
        return true;
    }

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        bytes = bytes[..Length];
        bytes[0] = NeedsChecksum ? NeedsChecksumFlag : (byte)0;
        bytes[1] = (byte)((byte)Kind | (Ecn ? EcnBit : 0));
        MemoryMarshal.Write(bytes[2..], HeaderLength);
        MemoryMarshal.Write(bytes[4..], SegmentSize);
        MemoryMarshal.Write(bytes[6..], ChecksumStart);
        MemoryMarshal.Write(bytes[8..], ChecksumOffset);
    }
}
