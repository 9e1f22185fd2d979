using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Cuts a super-packet the way a kernel does, slowly: the oracle for merging.</summary>
internal static class SlowCut
{
    public static IEnumerable<byte[]> Apply(byte[] frame, VirtioHeader header)
    {
        if (header.Kind == SegmentationKind.None)
            return [header.NeedsChecksum ? Finished(frame, header) : frame];

        // What a kernel asks of a super-packet that is written to a device (linux-dataplane reference, 1.6).
        bool tcp = header.Kind != SegmentationKind.Udp;
        int headers = header.ChecksumStart + (tcp ? (frame[header.ChecksumStart + 12] >> 4) * 4 : 8), payload = frame.Length - headers;
        Assert.True(header.NeedsChecksum);
        Assert.Equal((tcp ? 16 : 6, headers), (header.ChecksumOffset, header.HeaderLength));
        Assert.InRange(header.SegmentSize, 1, 65534);
        Assert.True(payload > header.SegmentSize, "a super-packet of one segment");
        Assert.True(tcp || payload <= 64 * header.SegmentSize, "more than 64 datagrams");
        AssertWhole(frame, header, tcp);

        List<byte[]> segments = [];
        for (int at = headers; at < frame.Length; at += header.SegmentSize)
        {
            int length = Math.Min(header.SegmentSize, frame.Length - at);
            bool last = at + length == frame.Length;
            segments.Add(Segment([.. frame[..headers], .. frame[at..(at + length)]], header, tcp, at - headers, last));
        }

        return segments;
    }

    /// <summary>The frame without what DF makes meaningless, the IPv4 identification (RFC 6864): merging may lose it.</summary>
    public static byte[] WithoutUselessId(byte[] frame)
    {
        int offset = IpOffset(frame);
        if (frame.Length < offset + 20 || frame[offset] >> 4 != 4 || frame[offset - 2] != 8 || (frame[offset + 6] & 0x40) == 0)
            return frame;
        byte[] copy = [.. frame];
        Span<byte> ip = copy.AsSpan(offset);
        uint id = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]), sum = BinaryPrimitives.ReadUInt16BigEndian(ip[10..]) + id;
        ip.Slice(4, 2).Clear();
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)(sum % 0xffff));
        return copy;
    }

    /// <summary>With the checksum that the kernel computes over everything from the transport header on, the seed included.</summary>
    private static byte[] Finished(byte[] frame, VirtioHeader header)
    {
        Assert.InRange(header.HeaderLength, header.ChecksumStart + header.ChecksumOffset + 2, frame.Length);
        byte[] copy = [.. frame];
        ushort sum = (ushort)~TestFrames.Sum(frame.AsSpan(header.ChecksumStart));
        BinaryPrimitives.WriteUInt16BigEndian(
            copy.AsSpan(header.ChecksumStart + header.ChecksumOffset), header.ChecksumOffset == 6 && sum == 0 ? (ushort)0xffff : sum);
        return copy;
    }

    /// <summary>Behind any number of VLAN tags.</summary>
    private static int IpOffset(ReadOnlySpan<byte> frame)
    {
        int type = 12;
        while (type + 6 <= frame.Length && BinaryPrimitives.ReadUInt16BigEndian(frame[type..]) is 0x8100 or 0x88a8)
            type += 4;
        return type + 2;
    }

    /// <summary>Lengths, IPv4 header checksum and seed are those of one long packet.</summary>
    private static void AssertWhole(ReadOnlySpan<byte> frame, VirtioHeader header, bool tcp)
    {
        ReadOnlySpan<byte> ip = frame[IpOffset(frame)..], transport = frame[header.ChecksumStart..];
        bool v4 = ip[0] >> 4 == 4;
        Assert.Equal(v4, header.Kind != SegmentationKind.TcpIPv6 && (tcp || ip[0] >> 4 == 4));
        Assert.Equal(ip.Length - (v4 ? 0 : 40), BinaryPrimitives.ReadUInt16BigEndian(ip[(v4 ? 2 : 4)..]));
        Assert.True(!v4 || TestFrames.Sum(ip[..((ip[0] & 0xf) * 4)]) == 0xffff, "the IPv4 header checksum of a super-packet");
        Assert.True(tcp || BinaryPrimitives.ReadUInt16BigEndian(transport[4..]) == transport.Length, "the UDP length of a super-packet");
        ushort seed = (ushort)~TestFrames.PseudoHeaderChecksum(v4 ? ip.Slice(12, 8) : ip.Slice(8, 32), (byte)(tcp ? 6 : 17), transport.Length);
        Assert.Equal(seed, BinaryPrimitives.ReadUInt16BigEndian(transport[header.ChecksumOffset..]));
    }

    private static byte[] Segment(byte[] frame, VirtioHeader header, bool tcp, int sent, bool last)
    {
        Span<byte> ip = frame.AsSpan(IpOffset(frame)), transport = frame.AsSpan(header.ChecksumStart);
        bool v4 = ip[0] >> 4 == 4;
        int index = sent / header.SegmentSize;
        if (v4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(BinaryPrimitives.ReadUInt16BigEndian(ip[4..]) + index));
            ip.Slice(10, 2).Clear();
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~TestFrames.Sum(ip[..((ip[0] & 0xf) * 4)]));
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(ip.Length - 40));
        }

        if (tcp)
        {
            BinaryPrimitives.WriteUInt32BigEndian(transport[4..], unchecked(BinaryPrimitives.ReadUInt32BigEndian(transport[4..]) + (uint)sent));
            if (!last)
                transport[13] &= 0xf6;
            if (index > 0)
                transport[13] &= 0x7f;
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)transport.Length);
        }

        Span<byte> field = transport.Slice(header.ChecksumOffset, 2);
        field.Clear();
        ushort sum = TestFrames.TransportChecksum(v4 ? ip.Slice(12, 8) : ip.Slice(8, 32), (byte)(tcp ? 6 : 17), transport);
        BinaryPrimitives.WriteUInt16BigEndian(field, !tcp && sum == 0 ? (ushort)0xffff : sum);
        return frame;
    }
}
