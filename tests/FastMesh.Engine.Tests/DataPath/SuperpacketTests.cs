using System.Buffers.Binary;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

public sealed class SuperpacketTests
{
    [Theory]
    [InlineData(false, false, false)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(true, true, false)]
    [InlineData(false, false, true)]
    [InlineData(true, true, true)]
    [InlineData(true, false, false, "88a86064")] // whose second tag begins like an IPv6 packet
    [InlineData(false, false, true, "88a80064")]
    [InlineData(true, true, true, "81004064")]
    public void Random_superpackets_are_cut_as_the_model_does(bool ipv6, bool udp, bool vlan, string outerTag = "")
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            TestPacket whole = new()
            {
                IPv6 = ipv6,
                Udp = udp,
                Tags = Convert.FromHexString(outerTag + (vlan ? "81000005" : "")),
                Payload = random.Next(1, random.Next(2, 65000)),
                PayloadSeed = seed,
                Sequence = seed % 5 == 0 ? uint.MaxValue - 3000 : (uint)random.Next(),
                Flags = (byte)(0x10 | (random.Next(2) * 0x08) | random.Next(2) | (random.Next(3) == 0 ? 0x80 : 0)),
                Options = udp ? [] : new byte[4 * random.Next(0, 11)],
                Id = (ushort)random.Next(65536),
                Tos = (byte)random.Next(256),
            };
            int size = random.Next(8) == 0 ? random.Next(40, 90) : random.Next(90, 9000), shorter = random.Next(40, 2 * size);
            bool limited = seed % 2 == 0;
            CheckCut(whole, size, limited ? whole.HeaderLength + shorter : 0, limited && !udp ? Math.Min(size, shorter) : size, seed);
        }
    }

    [Fact]
    public void Segments_shorter_than_their_headers_are_cut_too()
    {
        foreach (int size in (int[])[1, 7, 53, 54, 55])
            CheckCut(new TestPacket { Payload = 1000, Options = new byte[12] }, size, 0, size, 0);
    }

    [Fact]
    public void UDP_datagrams_are_never_shortened()
    {
        TestPacket whole = new() { Udp = true, Payload = 3000 };
        Assert.True(Superpacket.TryRead(HeaderFor(whole, 1400), Unfinished(whole), out Superpacket superpacket));
        superpacket.Limit(600);
        Assert.Equal((3, 1442), (superpacket.SegmentCount, superpacket.LongestSegment));
    }

    [Fact]
    public void The_stated_length_of_headers_is_not_believed()
    {
        TestPacket whole = new() { Payload = 3000 };
        Assert.True(Superpacket.TryRead(HeaderFor(whole, 1400) with { HeaderLength = 3 }, Unfinished(whole), out Superpacket superpacket));
        Assert.True(superpacket.TryNext(out _, out int length));
        Assert.Equal(54 + 1400, length);
    }

    [Fact]
    public void Headers_that_contradict_the_frame_are_refused()
    {
        TestPacket whole = new() { Payload = 3000 };
        VirtioHeader header = HeaderFor(whole, 1400);
        byte[] frame = Unfinished(whole);
        Assert.False(Superpacket.TryRead(header with { SegmentSize = 0 }, frame, out _));
        Assert.False(Superpacket.TryRead(header with { Kind = SegmentationKind.None }, frame, out _));
        Assert.False(Superpacket.TryRead(header with { Kind = SegmentationKind.TcpIPv6 }, frame, out _));
        Assert.False(Superpacket.TryRead(header with { Kind = SegmentationKind.UdpFragments }, frame, out _));
        Assert.False(Superpacket.TryRead(header with { ChecksumStart = 33 }, frame, out _));
        Assert.False(Superpacket.TryRead(header with { ChecksumStart = 60000 }, frame, out _));
        Assert.False(Superpacket.TryRead(header, frame.AsSpan(0, 50), out _));
        frame[whole.Transport + 12] = 0x40; // a TCP header of 16 bytes
        Assert.False(Superpacket.TryRead(header, frame, out _));
    }

    [Fact]
    public void Noise_never_leads_outside_the_frame()
    {
        for (int seed = 0; seed < 20000; seed++)
        {
            var random = new Random(seed);
            byte[] frame = new TestPacket { IPv6 = seed % 2 == 0, Udp = seed % 3 == 0, Payload = random.Next(0, 300) }.Build();
            for (int i = random.Next(4); i > 0; i--)
                frame[random.Next(42)] = (byte)random.Next(256);
            VirtioHeader header = new()
            {
                NeedsChecksum = random.Next(2) == 0,
                Kind = (SegmentationKind)random.Next(6),
                SegmentSize = (ushort)random.Next(400),
                ChecksumStart = (ushort)(random.Next(2) == 0 ? random.Next(400) : seed % 2 == 0 ? 54 : 34),
                ChecksumOffset = (ushort)random.Next(40),
            };
            Span<byte> cut = frame.AsSpan(0, random.Next(frame.Length + 1));
            Superpacket.FinishChecksum(header, cut);
            if (!Superpacket.TryRead(header, cut, out Superpacket superpacket))
                continue;
            while (superpacket.TryNext(out int offset, out int length))
                Assert.InRange(offset + length, 0, cut.Length);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void An_unfinished_checksum_is_finished(bool ipv6, bool udp)
    {
        TestPacket packet = new() { IPv6 = ipv6, Udp = udp, Payload = 333 };
        byte[] frame = Unfinished(packet);
        Assert.True(Superpacket.FinishChecksum(HeaderFor(packet, 0) with { Kind = SegmentationKind.None }, frame));
        Assert.Equal(packet.Build(), frame);
        Assert.False(Superpacket.FinishChecksum(HeaderFor(packet, 0) with { ChecksumStart = (ushort)frame.Length }, frame));
    }

    [Fact]
    public void A_finished_UDP_checksum_of_zero_becomes_ffff()
    {
        TestPacket packet = new() { Udp = true, Payload = 2, PayloadSeed = 1 };
        byte[] frame = packet.Build();
        int raised = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(40)) + BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(42));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(42), (ushort)((raised & 0xffff) + (raised >> 16))); // the complement is now zero
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(40), packet.Seed(frame));
        Assert.True(Superpacket.FinishChecksum(HeaderFor(packet, 0), frame));
        Assert.Equal(0xffff, BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(40)));
    }

    [Fact]
    public void Cutting_allocates_nothing()
    {
        TestPacket whole = new() { Payload = 60000 };
        byte[] frame = Unfinished(whole);
        VirtioHeader header = HeaderFor(whole, 1400);
        long before = 0;
        for (int i = 0; i < 20; i++)
        {
            if (i == 10)
                before = GC.GetAllocatedBytesForCurrentThread();
            Superpacket.TryRead(header, frame, out Superpacket superpacket);
            while (superpacket.TryNext(out _, out _))
            {
            }
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void CheckCut(TestPacket whole, int size, int longest, int expectedSize, int seed)
    {
        byte[] frame = Unfinished(whole), headers = new byte[whole.HeaderLength];
        Assert.True(Superpacket.TryRead(HeaderFor(whole, size), frame, out Superpacket superpacket), $"seed {seed}");
        if (longest > 0)
            superpacket.Limit(longest);
        Superpacket apart = superpacket; // headers in their own memory first: that changes nothing in the frame
        for (int i = 0; apart.TryNext(headers, out int start, out int payload); i++)
            Assert.True(whole.Segment(i, expectedSize).Build().AsSpan().SequenceEqual([.. headers, .. frame.AsSpan(start, payload)]), $"seed {seed}, {i} apart");

        int count = (whole.Payload + expectedSize - 1) / expectedSize;
        Assert.Equal(count, superpacket.SegmentCount);
        for (int i = 0; i < count; i++)
        {
            Assert.True(superpacket.TryNext(out int offset, out int length), $"seed {seed}, segment {i}");
            Assert.True(frame.AsSpan(offset, length).SequenceEqual(whole.Segment(i, expectedSize).Build()), $"seed {seed}, segment {i} of {count}");
            frame.AsSpan(0, offset + length).Fill(0xee); // sealed: nothing up to here is needed again
        }

        Assert.False(superpacket.TryNext(out _, out _));
    }

    /// <summary>As the kernel hands it over: the checksum field holds the pseudo header's sum.</summary>
    private static byte[] Unfinished(TestPacket packet)
    {
        byte[] frame = packet.Build();
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(packet.Transport + (packet.Udp ? 6 : 16)), packet.Seed(frame));
        return frame;
    }

    private static VirtioHeader HeaderFor(TestPacket packet, int size) => new()
    {
        NeedsChecksum = true,
        Kind = packet.Udp ? SegmentationKind.Udp : packet.IPv6 ? SegmentationKind.TcpIPv6 : SegmentationKind.TcpIPv4,
        HeaderLength = (ushort)packet.HeaderLength,
        SegmentSize = (ushort)size,
        ChecksumStart = (ushort)packet.Transport,
        ChecksumOffset = (ushort)(packet.Udp ? 6 : 16),
    };
}
