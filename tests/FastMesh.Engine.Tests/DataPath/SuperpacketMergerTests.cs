using System.Buffers.Binary;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

public sealed class SuperpacketMergerTests
{
    private static readonly TestPacket s_tcp = new() { Payload = 100, DontFragment = true };

    // Each makes the second segment one that may not join the first (linux-dataplane reference, 1.6).
    private static readonly Dictionary<string, Func<TestPacket, TestPacket>> s_differences = new()
    {
        ["gap"] = p => p with { Sequence = p.Sequence + 1 },
        ["repeat"] = p => p with { Sequence = p.Sequence - 100 },
        ["other port"] = p => p with { SourcePort = 1 },
        ["other acknowledgement"] = p => p with { Acknowledged = 78 },
        ["other window"] = p => p with { Window = 499 },
        ["other options"] = p => p with { Options = [1, 1, 1, 0] },
        ["other TOS"] = p => p with { Tos = 2 },
        ["other TTL"] = p => p with { Ttl = 63 },
        ["other DF"] = p => p with { DontFragment = false },
        ["FIN"] = p => p with { Flags = 0x11 },
        ["RST"] = p => p with { Flags = 0x14 },
        ["SYN"] = p => p with { Flags = 0x12 },
        ["URG"] = p => p with { Flags = 0x30 },
        ["ECE"] = p => p with { Flags = 0x50 },
        ["CWR"] = p => p with { Flags = 0x90 },
        ["no ACK"] = p => p with { Flags = 0 },
        ["no payload"] = p => p with { Payload = 0 },
        ["longer"] = p => p with { Payload = 101 },
        ["fragment"] = p => p with { DontFragment = false, FragmentField = 0x2000 },
        ["later fragment"] = p => p with { DontFragment = false, FragmentField = 0x0001 },
        ["IP options"] = p => p with { IpOptions = [1, 1, 1, 0] },
        ["UDP"] = p => p with { Udp = true },
        ["IPv6"] = p => p with { IPv6 = true },
        ["VLAN"] = p => p with { Vlan = true },
    };

    public static TheoryData<string> Differences => [.. s_differences.Keys];

    [Theory, MemberData(nameof(Differences))]
    public void A_segment_that_differs_is_not_merged(string difference)
    {
        TestPacket next = s_differences[difference](s_tcp with { Sequence = 1100 });
        List<Written> written = Merge([s_tcp.Build(), next.Build()]);
        Assert.Equal(2, written.Count);
        Assert.All(written, packet => Assert.Equal(default, packet.Header));
        Assert.Equal(s_tcp.Build(), written[0].Frame);
        Assert.Equal(next.Build(), written[1].Frame);
    }

    [Fact]
    public void A_damaged_segment_is_not_merged()
    {
        byte[] first = s_tcp.Build(), second = (s_tcp with { Sequence = 1100, PayloadSeed = 3 }).Build();
        Assert.Single(Merge([first, second]));
        for (int at = 14; at < second.Length; at++)
        {
            foreach (byte[] damaged in (byte[][])[first, second])
            {
                damaged[at] ^= 0x20;
                Assert.Equal(2, Merge([first, second]).Count);
                damaged[at] ^= 0x20;
            }
        }
    }

    [Fact]
    public void Forty_five_segments_become_the_superpacket_the_kernel_wants()
    {
        TestPacket whole = s_tcp with { Payload = (44 * 1400) + 77, Flags = 0x18, Options = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8] };
        Written merged = Assert.Single(Merge(Segments(whole, 1400)));
        Assert.Equal(
            new VirtioHeader
            {
                NeedsChecksum = true,
                Kind = SegmentationKind.TcpIPv4,
                HeaderLength = 66,
                SegmentSize = 1400,
                ChecksumStart = 34,
                ChecksumOffset = 16,
            },
            merged.Header);
        byte[] expected = whole.Build(); // IP length and checksum, PSH, payload: all as in one long packet,
        BinaryPrimitives.WriteUInt16BigEndian(expected.AsSpan(50), whole.Seed(expected)); // but for the seed in the checksum field
        Assert.Equal(expected, merged.Frame);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Sixty_four_datagrams_are_the_most_of_one_UDP_superpacket(bool ipv6, bool vlan)
    {
        TestPacket datagram = new() { Udp = true, IPv6 = ipv6, Payload = 50, Vlan = vlan, DontFragment = true };
        List<Written> written = Merge([.. Enumerable.Range(0, 65).Select(i => (datagram with { PayloadSeed = i }).Build())]);
        Assert.Equal([64 * 50, 50], written.Select(packet => packet.Frame.Length - datagram.HeaderLength));
        Assert.Equal(
            new VirtioHeader
            {
                NeedsChecksum = true,
                Kind = SegmentationKind.Udp,
                HeaderLength = (ushort)datagram.HeaderLength,
                SegmentSize = 50,
                ChecksumStart = (ushort)datagram.Transport,
                ChecksumOffset = 6,
            },
            written[0].Header);
        Assert.Equal(8 + (64 * 50), BinaryPrimitives.ReadUInt16BigEndian(written[0].Frame.AsSpan(datagram.Transport + 4)));
        Assert.Equal(datagram.Seed(written[0].Frame), BinaryPrimitives.ReadUInt16BigEndian(written[0].Frame.AsSpan(datagram.Transport + 6)));
    }

    [Fact]
    public void UDP_without_a_checksum_stays_alone()
    {
        byte[] frame = new TestPacket { Udp = true, DontFragment = true }.Build();
        frame[40] = frame[41] = 0;
        Assert.Equal(2, Merge([frame, frame]).Count);
    }

    [Fact]
    public void What_the_device_does_not_take_is_not_merged()
    {
        byte[][] tcp = [s_tcp.Build(), (s_tcp with { Sequence = 1100 }).Build()];
        TestPacket datagram = new() { Udp = true };
        byte[][] udp = [datagram.Build(), (datagram with { Id = 10 }).Build()];
        Assert.Single(Merge(tcp, new(mergesTcp: true, mergesUdp: false)));
        Assert.Equal(2, Merge(tcp, new(mergesTcp: false, mergesUdp: true)).Count);
        Assert.Single(Merge(udp, new(mergesTcp: false, mergesUdp: true)));
        Assert.Equal(2, Merge(udp, new(mergesTcp: true, mergesUdp: false)).Count);
    }

    [Fact]
    public void No_superpacket_is_longer_than_an_IP_packet_may_be()
    {
        List<Written> written = Merge(Segments(s_tcp with { Payload = 200 * 1400 }, 1400));
        Assert.Equal([46, 46, 46, 46, 16], written.Select(packet => (packet.Frame.Length - 54) / 1400)); // 47 x 1400 + 40 > 65535
    }

    [Fact]
    public void PSH_ends_a_superpacket()
    {
        TestPacket whole = s_tcp with { Payload = 300, Flags = 0x18 };
        List<byte[]> frames = [.. Segments(whole, 100), .. Segments(whole with { Sequence = 1300 }, 100)];
        Assert.Equal([300, 300], Merge(frames).Select(packet => packet.Frame.Length - 54));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Cutting_what_was_merged_gives_back_every_packet_in_order(bool udp)
    {
        int superpackets = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            List<byte[]> sent = RandomTraffic(random, udp);
            var received = new List<byte[]>();
            foreach (Written packet in Merge(sent))
            {
                byte[] frame = packet.Frame;
                if (!Superpacket.TryRead(packet.Header, frame, out Superpacket superpacket))
                {
                    received.Add(frame);
                    continue;
                }

                superpackets++;
                while (superpacket.TryNext(out int offset, out int length))
                    received.Add(frame.AsSpan(offset, length).ToArray());
            }

            Assert.True(sent.Count == received.Count, $"seed {seed}: {sent.Count} packets became {received.Count}");
            for (int i = 0; i < sent.Count; i++)
                Assert.True(sent[i].AsSpan().SequenceEqual(received[i]), $"seed {seed}, packet {i}");
        }

        Assert.InRange(superpackets, 1000, int.MaxValue);
    }

    [Fact]
    public void Damaged_and_cut_frames_are_passed_on_unchanged()
    {
        for (int seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            byte[][] frames = [.. Enumerable.Range(0, 4).Select(i => (s_tcp with { Sequence = (uint)(1000 + (100 * i)), IPv6 = seed % 2 == 0 }).Build())];
            foreach (byte[] frame in frames)
                frame[random.Next(14, frame.Length)] ^= (byte)(1 << random.Next(8));
            frames[1] = frames[1][..random.Next(frames[1].Length)];
            List<Written> written = Merge(frames);
            Assert.True(written.Count == 4, $"seed {seed}");
            Assert.All(written.Zip(frames), pair => Assert.Equal(pair.Second, pair.First.Frame));
        }
    }

    [Fact]
    public void Merging_allocates_nothing()
    {
        byte[] first = s_tcp.Build(), second = (s_tcp with { Sequence = 1100 }).Build(), group = new byte[2000];
        SuperpacketMerger merger = new(mergesTcp: true, mergesUdp: true);
        long before = 0;
        bool merged = true;
        for (int i = 0; i < 20; i++)
        {
            if (i == 10)
                before = GC.GetAllocatedBytesForCurrentThread();
            first.CopyTo(group, 0);
            merger.Start(first);
            merged &= merger.TryAppend(second);
            merger.Finish(group.AsSpan(0, first.Length + 100));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(merged);
    }

    private static List<byte[]> RandomTraffic(Random random, bool udp)
    {
        var sent = new List<byte[]>();
        TestPacket flow = new() { Udp = udp, IPv6 = random.Next(2) == 0, Vlan = random.Next(4) == 0, Payload = random.Next(1, 1400) };
        flow = flow with { Tags = random.Next(4) == 0 ? [0x88, 0xa8, 0, 0x64, .. flow.Tags] : flow.Tags };
        for (int i = 0; i < 80; i++)
        {
            TestPacket packet = flow with { PayloadSeed = i };
            packet = random.Next(20) switch
            {
                0 => packet with { Flags = 0x18 },
                1 => packet with { Payload = random.Next(1, packet.Payload + 1) },
                2 => packet with { Payload = random.Next(1, 1400) },
                3 => packet with { Flags = 0x11 },
                4 => packet with { SourcePort = 6 },
                5 => packet with { Tos = 3 },
                _ => packet,
            };
            sent.Add(packet.Build());
            flow = flow with { Sequence = unchecked(packet.Sequence + (uint)packet.Payload), Id = unchecked((ushort)(packet.Id + 1)) };
            if (random.Next(15) == 0)
                flow = flow with { Payload = random.Next(1, 1400), Sequence = (uint)random.Next() };
        }

        return sent;
    }

    private static List<byte[]> Segments(TestPacket whole, int size) =>
        [.. Enumerable.Range(0, (whole.Payload + size - 1) / size).Select(i => whole.Segment(i, size).Build())];

    private static List<Written> Merge(IEnumerable<byte[]> frames) => Merge(frames, new(mergesTcp: true, mergesUdp: true));

    /// <summary>Lays payloads behind each other as the data path does.</summary>
    private static List<Written> Merge(IEnumerable<byte[]> frames, SuperpacketMerger merger)
    {
        var written = new List<Written>();
        byte[]? group = null;
        foreach (byte[] frame in frames)
        {
            if (group is not null && merger.TryAppend(frame))
            {
                group = [.. group, .. frame[merger.HeaderLength..]];
                continue;
            }

            if (group is not null)
                written.Add(new(merger.Finish(group), group));
            merger.Start(frame);
            group = [.. frame];
        }

        if (group is not null)
            written.Add(new(merger.Finish(group), group));
        return written;
    }

    private sealed record Written(VirtioHeader Header, byte[] Frame);
}
