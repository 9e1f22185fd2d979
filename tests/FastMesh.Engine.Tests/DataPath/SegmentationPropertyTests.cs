using System.Buffers.Binary;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Tests.Wire;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Laws of <see cref="Superpacket"/>, against packets that are built field by field (linux-dataplane reference, 1.5).</summary>
public sealed class SegmentationPropertyTests
{
    [Fact]
    public void Every_superpacket_is_cut_into_the_packets_it_stands_for() => Property.Holds(80, random =>
    {
        TestPacket whole = RandomSuperpacket(random, out int size);
        AssertCut(RandomPackets.HeaderFor(whole, size), RandomPackets.Unfinished(whole), whole, size, random);
    });

    [Fact]
    public void What_the_packet_says_of_its_lengths_and_checksums_is_not_believed() => Property.Holds(80, random =>
    {
        TestPacket whole = RandomSuperpacket(random, out int size);
        byte[] frame = RandomPackets.Unfinished(whole);
        Span<byte> ip = frame.AsSpan(whole.IpOffset), transport = frame.AsSpan(whole.Transport);
        Lie(ip.Slice(whole.IPv6 ? 4 : 2, 2));
        Lie(transport.Slice(whole.Udp ? 6 : 16, 2));
        if (!whole.IPv6)
            Lie(ip.Slice(10, 2));
        if (whole.Udp)
            Lie(transport.Slice(4, 2));
        VirtioHeader header = RandomPackets.HeaderFor(whole, size) with { HeaderLength = (ushort)random.Next(65536), ChecksumOffset = (ushort)random.Next(65536) };
        AssertCut(header, frame, whole, size, random);

        void Lie(Span<byte> field) => BinaryPrimitives.WriteUInt16BigEndian(field, (ushort)random.Next(65536));
    });

    [Fact]
    public void A_header_that_points_elsewhere_is_refused_or_cuts_all_of_the_frame_and_no_more() => Property.Holds(5000, random =>
    {
        TestPacket whole = RandomPackets.Next(random, tags: true, random.Next(1, 600));
        byte[] frame = RandomPackets.Unfinished(whole)[..random.Next(whole.HeaderLength + whole.Payload + 1)];
        VirtioHeader header = RandomPackets.HeaderFor(whole, random.Next(1, 400));
        header = random.Next(4) switch
        {
            0 => header with { ChecksumStart = (ushort)random.Next(random.Next(2) == 0 ? 100 : 65536) },
            1 => header with { Kind = (SegmentationKind)random.Next(128) },
            2 => header with { SegmentSize = 0 },
            _ => header,
        };
        for (int i = random.Next(3); i > 0 && frame.Length > 12; i--)
            frame[random.Next(12, Math.Min(frame.Length, whole.HeaderLength))] = (byte)random.Next(256);

        byte[] original = [.. frame];
        if (!Superpacket.TryRead(header, frame, out Superpacket superpacket))
        {
            Assert.Equal(original, frame);
            return;
        }

        Assert.InRange(header.SegmentSize, 1, 65535);
        Assert.Contains(header.Kind, new[] { SegmentationKind.TcpIPv4, SegmentationKind.TcpIPv6, SegmentationKind.Udp });
        byte[] headers = new byte[superpacket.HeaderLength];
        int next = headers.Length, count = 0;
        while (superpacket.TryNext(headers, out int start, out int length))
        {
            Assert.Equal(next, start);
            Assert.InRange(length, 0, header.SegmentSize);
            (next, count) = (next + length, count + 1);
        }

        Assert.Equal((frame.Length, superpacket.SegmentCount), (next, count));
    });

    [Fact]
    public void An_unfinished_checksum_is_finished_wherever_it_lies_in_the_frame() => Property.Holds(5000, random =>
    {
        byte[] frame = RandomPackets.Bytes(random, random.Next(1, 300));
        VirtioHeader header = new()
        {
            NeedsChecksum = random.Next(4) != 0,
            ChecksumStart = (ushort)random.Next(random.Next(10) == 0 ? 65536 : frame.Length),
            ChecksumOffset = (ushort)random.Next(random.Next(10) == 0 ? 65536 : 40),
        };
        byte[] expected = [.. frame];
        int field = header.ChecksumStart + header.ChecksumOffset;
        bool fits = field + 2 <= frame.Length;
        if (header.NeedsChecksum && fits)
        {
            int sum = (ushort)~ChecksumTests.Naive(frame.AsSpan(header.ChecksumStart));
            BinaryPrimitives.WriteUInt16BigEndian(expected.AsSpan(field), (ushort)(sum == 0 && header.ChecksumOffset == 6 ? 0xffff : sum));
        }

        Assert.Equal(!header.NeedsChecksum || fits, Superpacket.FinishChecksum(header, frame));
        Assert.Equal(expected, frame);
    });

    [Fact]
    public void A_single_packet_of_any_kind_gets_its_checksum() => Property.Holds(1000, random =>
    {
        TestPacket packet = RandomPackets.Next(random, tags: true, random.Next(0, 1500));
        byte[] frame = RandomPackets.Unfinished(packet);
        Assert.True(Superpacket.FinishChecksum(RandomPackets.HeaderFor(packet, 0), frame));
        Assert.Equal(packet.Build(), frame);
    });

    /// <summary>Segments from one byte to longer than the packet; few enough of them that the slow model keeps up.</summary>
    private static TestPacket RandomSuperpacket(Random random, out int size)
    {
        size = random.Next(6) switch
        {
            0 => random.Next(1, 100),
            1 => random.Next(1, 65536),
            2 => 65535,
            _ => random.Next(500, 1500),
        };
        int longest = Math.Min(65000, size * 64);
        return RandomPackets.Next(random, tags: true, random.Next(1, longest + 1));
    }

    /// <summary>Both ways of cutting; before, perhaps, what the path carries is made known.</summary>
    private static void AssertCut(VirtioHeader header, byte[] frame, TestPacket whole, int size, Random random)
    {
        Assert.True(Superpacket.TryRead(header, frame, out Superpacket inPlace), $"{whole}, segments of {size}");
        if (random.Next(2) == 0)
        {
            int longest = random.Next(whole.HeaderLength - 20, whole.HeaderLength + (2 * size));
            inPlace.Limit(longest);
            if (!whole.Udp && longest > whole.HeaderLength)
                size = Math.Min(size, longest - whole.HeaderLength);
        }

        List<byte[]> expected = RandomPackets.Segments(whole, size), cut = [];
        Assert.Equal((expected.Count, expected[0].Length), (inPlace.SegmentCount, inPlace.LongestSegment));
        Superpacket apart = inPlace;
        byte[] headers = new byte[whole.HeaderLength];
        while (apart.TryNext(headers, out int start, out int length))
            cut.Add([.. headers, .. frame.AsSpan(start, length)]);
        AssertSame(expected, cut, whole);

        cut.Clear();
        while (inPlace.TryNext(out int offset, out int length))
        {
            cut.Add(frame[offset..(offset + length)]);
            frame.AsSpan(0, offset + length).Fill(0xee); // sealed: nothing up to here is needed again
        }

        AssertSame(expected, cut, whole);
    }

    private static void AssertSame(List<byte[]> expected, List<byte[]> cut, TestPacket whole)
    {
        Assert.Equal(expected.Count, cut.Count);
        for (int i = 0; i < cut.Count; i++)
            Assert.True(expected[i].AsSpan().SequenceEqual(cut[i]), $"segment {i} of {cut.Count}, {whole}:\n{Convert.ToHexString(expected[i])}\n{Convert.ToHexString(cut[i])}");
    }
}
