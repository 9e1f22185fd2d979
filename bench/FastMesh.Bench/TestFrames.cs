using System.Buffers.Binary;
using System.Globalization;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>Frames with right checksums: from 10.1.0.1 to 10.2.0.1, or the same within fd00::/16, from port 1 to port 2.</summary>
internal static class TestFrames
{
    /// <summary>A segment's payload in a super-packet, bytes.</summary>
    public const int Segment = 1400;

    /// <summary>As many segments as 64 KiB hold.</summary>
    public const int Segments = 46;

    /// <summary>What the device says of a TCP or UDP super-packet over IPv4.</summary>
    public static VirtioHeader Virtio(SegmentationKind kind) => new()
    {
        NeedsChecksum = true,
        Kind = kind,
        SegmentSize = Segment,
        ChecksumStart = (ushort)(kind == SegmentationKind.TcpIPv6 ? 54 : 34),
        ChecksumOffset = (ushort)(kind == SegmentationKind.Udp ? 6 : 16),
    };

    public static byte[] IPv4(byte protocol, int length, uint destination = 0x0a020001) =>
        Make("0800" + "45000000" + "00004000" + "40000000" + "0A010001" + destination.ToString("X8", CultureInfo.InvariantCulture), protocol, length, lengthAt: 2, protocolAt: 9, addressesAt: 12);

    public static byte[] IPv6(byte protocol, int length) =>
        Make("86DD" + "60000000" + "00000040" + "FD010000000000000000000000000001" + "FD020000000000000000000000000001",
            protocol, length, lengthAt: 4, protocolAt: 6, addressesAt: 8);

    private static byte[] Make(string headers, byte protocol, int length, int lengthAt, int protocolAt, int addressesAt)
    {
        int headerLength = 12 + (headers.Length / 2);
        byte[] frame = new byte[headerLength + length];
        Convert.FromHexString(headers + "00010002").CopyTo(frame, 12);
        Span<byte> ip = frame.AsSpan(14), transport = frame.AsSpan(headerLength);
        bool v4 = ip[0] >> 4 == 4;
        ip[protocolAt] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(ip[lengthAt..], (ushort)(v4 ? ip.Length : length));
        if (v4)
            Checksum.Write(ip.Slice(10, 2), Checksum.Sum(ip[..20]));
        if (protocol == IpProtocol.Tcp)
            (transport[12], transport[13]) = (0x50, 0x10);
        else
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)length);
        int field = protocol == IpProtocol.Tcp ? 16 : 6;
        Checksum.Write(transport.Slice(field, 2),
            Checksum.PseudoHeader(frame.AsSpan(14 + addressesAt, headerLength - 14 - addressesAt), protocol, length) + Checksum.Sum(transport));
        return frame;
    }
}
