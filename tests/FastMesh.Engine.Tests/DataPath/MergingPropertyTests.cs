using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Laws of <see cref="DeviceWriter"/> and what it merges with, against packets that are built field by field.</summary>
public sealed class MergingPropertyTests
{
    [Fact]
    public void Cutting_what_was_merged_gives_back_every_flow_in_order() => Property.Holds(80, random =>
    {
        FlowLog log = new();
        List<byte[]> frames = [];
        TestPacket[] flows = [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => Flow(random) with { SourcePort = (ushort)(1000 + i) })];
        int current = 0;
        for (int i = random.Next(1, 200); i > 0; i--)
        {
            if (random.Next(8) == 0)
                current = random.Next(flows.Length);
            (byte[] frame, TestPacket? packet) = NextOf(random, ref flows[current]);
            frames.Add(frame);
            log.Add(current, frame, packet);
        }

        log.Check(Write(random, frames, new(true, true, false, default)));
        Assert.Equal(0, log.Missing);
    });

    [Fact]
    public void A_flow_becomes_as_few_superpackets_as_the_rules_allow() => Property.Holds(80, random =>
    {
        TestPacket flow = Flow(random);
        List<TestPacket> packets = [];
        for (int i = random.Next(1, 200); i > 0; i--)
            packets.Add(Step(random, ref flow));
        IEnumerable<byte[]> frames = packets.Select(packet => packet.Build());
        List<Captured> written = Write(new Random(0), [.. frames], new(true, true, false, default), flushes: false);
        Assert.Equal(MergeModel.Groups(packets), written.Count);
    });

    [Fact]
    public void Cutting_and_merging_again_gives_the_superpacket() => Property.Holds(80, random =>
    {
        TestPacket whole = Flow(random) with { Flags = (byte)(0x10 + random.Next(2) * 8), Reserved = 0, IpOptions = [], Extensions = [], NoChecksum = false };
        int size = random.Next(1, 1461), most = whole.Udp ? 64 * size : 65535;
        whole = whole with { Payload = random.Next(size + 1, Math.Min(most, 65535 - whole.HeaderLength + whole.IpOffset) + 1) };
        byte[] super = RandomPackets.Unfinished(whole);
        VirtioHeader header = RandomPackets.HeaderFor(whole, size);
        Assert.True(Superpacket.TryRead(header, [.. super], out Superpacket cut));
        byte[] headers = new byte[cut.HeaderLength];
        List<byte[]> frames = [];
        while (cut.TryNext(headers, out int start, out int length))
            frames.Add([.. headers, .. super.AsSpan(start, length)]);

        Captured merged = Assert.Single(Write(random, frames, new(true, true, false, default), flushes: false));
        Assert.Equal(header, merged.Header);
        Assert.True(super.AsSpan().SequenceEqual(merged.Bytes), $"{whole}, segments of {size}");
    });

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void What_the_device_does_not_take_is_never_written(bool tcp, bool udp) => Property.Holds(30, random =>
    {
        TestPacket flow = Flow(random);
        List<byte[]> frames = [];
        for (int i = 0; i < 100; i++)
            frames.Add(NextOf(random, ref flow).Frame);
        Assert.All(
            Write(random, frames, new(tcp, udp, false, default)),
            packet => Assert.True(packet.Header.Kind == SegmentationKind.None || (packet.Header.Kind == SegmentationKind.Udp ? udp : tcp)));
    });

    [Fact]
    public void Datagrams_that_cannot_be_opened_leave_no_trace() => Property.Holds(30, random =>
    {
        FlowLog log = new();
        TestPacket flow = Flow(random) with { Reserved = 0, IpOptions = [], Extensions = [] };
        using Target target = new(new(true, true, false, default));
        for (int i = 0; i < 200; i++)
        {
            if (random.Next(3) == 0)
            {
                Span<byte> reserved = target.Device.Reserve(random.Next(1, 1600));
                random.NextBytes(reserved); // decrypted before it was found to be forged
                target.Device.Release();
                continue;
            }

            TestPacket packet = Step(random, ref flow);
            log.Add(0, packet.Build(), packet);
            target.Write(packet.Build(), opened: random.Next(4) != 0);
        }

        target.Device.Flush();
        log.Check(target.Port.Output);
        Assert.Equal(0, log.Missing);
    });

    private static TestPacket Flow(Random random) => RandomPackets.Next(random, tags: true, random.Next(1, 1461)) with { Flags = 0x10 };

    /// <summary>One more packet of a flow as its sender would make it, mostly one that continues the one before.</summary>
    private static TestPacket Step(Random random, ref TestPacket flow)
    {
        TestPacket packet = flow with { PayloadSeed = random.Next() };
        packet = random.Next(30) switch
        {
            0 => packet with { Flags = 0x18 },
            1 => packet with { Flags = (byte)random.Next(256) },
            2 => packet with { Payload = random.Next(0, packet.Payload + 1) },
            3 => packet with { Payload = random.Next(0, 1461) },
            4 => packet with { Tos = (byte)random.Next(256) },
            5 => packet with { Ttl = (byte)(packet.Ttl - 1) },
            6 => packet with { Sequence = packet.Sequence + (uint)random.Next(-2, 3), Id = (ushort)(packet.Id + random.Next(-2, 3)) },
            7 => packet with { Window = (ushort)random.Next(65536) },
            8 => packet with { Acknowledged = packet.Acknowledged + 1 },
            9 => packet with { NoChecksum = packet.Udp && !packet.IPv6 },
            10 => packet with { FragmentField = (ushort)random.Next(0x4000), DontFragment = false },
            11 => packet with { FlowLabel = (uint)random.Next(1 << 20) },
            12 => packet with { Tags = RandomPackets.Tags(random) },
            _ => packet,
        };
        flow = flow with { Sequence = unchecked(packet.Sequence + (uint)packet.Payload), Id = unchecked((ushort)(packet.Id + 1)) };
        if (random.Next(20) == 0)
            flow = flow with { Payload = random.Next(1, 1461), Acknowledged = flow.Acknowledged + 1 };
        return packet;
    }

    /// <summary>The same, sometimes damaged: one bit over, lengths that lie, cut, or padded. Such a packet is merged with nothing.</summary>
    private static (byte[] Frame, TestPacket? Packet) NextOf(Random random, ref TestPacket flow)
    {
        TestPacket packet = Step(random, ref flow);
        byte[] frame = packet.Build();
        switch (random.Next(20))
        {
            case 0:
                frame[random.Next(packet.IpOffset + (packet.IPv6 ? 1 : 0), frame.Length)] ^= (byte)(1 << random.Next(8));
                return (frame, null);
            case 1:
                return (frame[..random.Next(1, frame.Length)], null);
            case 2:
                return ([.. frame, .. RandomPackets.Bytes(random, random.Next(1, 60))], null);
            default:
                return (frame, packet);
        }
    }

    private static List<Captured> Write(Random random, List<byte[]> frames, DeviceTraits traits, bool flushes = true)
    {
        using Target target = new(traits);
        foreach (byte[] frame in frames)
        {
            target.Write(frame, opened: random.Next(4) != 0);
            if (flushes && random.Next(60) == 0)
                target.Device.Flush();
        }

        target.Device.Flush();
        return target.Port.Output;
    }

    /// <summary>A device writer as a shard has it.</summary>
    private sealed class Target : IDisposable
    {
        public Target(DeviceTraits traits) => Device = new DeviceWriter(new ShardState(0, new TestNetwork().Build()), Port, traits);

        public MemoryPort Port { get; } = new();

        public DeviceWriter Device { get; }

        /// <summary>Writes a frame that was opened into a reservation, or that lies elsewhere.</summary>
        public void Write(byte[] frame, bool opened)
        {
            byte[] elsewhere = new byte[Frame.Room + frame.Length];
            Span<byte> place = opened ? Device.Reserve(elsewhere.Length + 40)[..elsewhere.Length] : elsewhere;
            frame.CopyTo(place[Frame.Room..]);
            Device.Write(new Frame(place));
            Device.Release();
        }

        public void Dispose() => Device.Dispose();
    }
}
