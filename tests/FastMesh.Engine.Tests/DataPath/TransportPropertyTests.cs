using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Laws of the whole way: what one device reads, packets and super-packets, another writes, for every kind of session and every mode.</summary>
public sealed class TransportPropertyTests
{
    public static TheoryData<string, RoutingMode, bool> Lines
    {
        get
        {
            TheoryData<string, RoutingMode, bool> lines = [];
            foreach (string session in s_suites.Keys)
            {
                foreach (RoutingMode mode in (RoutingMode[])[RoutingMode.Router, RoutingMode.Switch])
                {
                    lines.Add(session, mode, false);
                    lines.Add(session, mode, true);
                }
            }

            return lines;
        }
    }

    private static readonly Dictionary<string, DataSuite?> s_suites = new()
    {
        ["tinc 1.0"] = null,
        ["SPTPS"] = DataSuite.TincChaCha20Poly1305,
        ["FastMesh AES"] = DataSuite.Aes256Gcm,
        ["FastMesh ChaCha"] = DataSuite.ChaCha20Poly1305,
    };

    [Theory, MemberData(nameof(Lines))]
    public void Everything_arrives_unchanged_in_the_order_of_its_flow(string session, RoutingMode mode, bool relayed) => Property.Holds(2, random =>
    {
        using ShardLine line = new(s_suites[session], mode, relayed);
        FlowLog log = new();
        for (int round = 0; round < 6; round++)
        {
            Send(line, random, mode, log, round);
            line.Carry(random);
        }

        log.Check(line.Target.Device.Output, ethernet: mode == RoutingMode.Switch);
        Assert.Equal(0, log.Missing);
        Assert.All(line.Shards, shard => Assert.Equal(0, Drops(shard)));
        AssertNothingIsHeld(line);
    });

    [Theory, MemberData(nameof(Lines))]
    public void What_a_bad_path_loses_repeats_or_damages_costs_only_itself(string session, RoutingMode mode, bool relayed) => Property.Holds(2, random =>
    {
        using ShardLine line = new(s_suites[session], mode, relayed);
        FlowLog log = new();
        for (int round = 0; round < 6; round++)
        {
            Send(line, random, mode, log, round);
            line.Carry(random, Disturb);
        }

        log.Check(line.Target.Device.Output, ethernet: mode == RoutingMode.Switch, mayLose: true);
        AssertNothingIsHeld(line);

        IEnumerable<byte[]> Disturb(byte[] datagram)
        {
            switch (random.Next(40))
            {
                case 0:
                    return [];
                case 1:
                    return [datagram, datagram];
                case 2:
                    byte[] damaged = [.. datagram];
                    damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
                    return [damaged];
                case 3:
                    return [datagram[..random.Next(1, datagram.Length)], datagram];
                default:
                    return [datagram];
            }
        }
    });

    [Theory, MemberData(nameof(Lines))]
    public void Devices_may_say_anything_and_only_spoil_their_own_packets(string session, RoutingMode mode, bool relayed) => Property.Holds(4, random =>
    {
        using ShardLine line = new(s_suites[session], mode, relayed);
        FlowLog log = new();
        for (int round = 0; round < 10; round++)
        {
            line.Source.FromDevice([.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => Hostile(random, mode))]);
            line.Carry(random);
        }

        line.Target.Device.Output.Clear();
        Send(line, random, mode, log, 0);
        line.Carry(random);
        log.Check(line.Target.Device.Output, ethernet: mode == RoutingMode.Switch);
        Assert.Equal(0, log.Missing);
        AssertNothingIsHeld(line);
    });

    /// <summary>A turn's worth of packets and super-packets of a few flows from the source's device.</summary>
    private static void Send(ShardLine line, Random random, RoutingMode mode, FlowLog log, int round)
    {
        List<Captured> packets = [];
        for (int i = random.Next(1, 12); i > 0; i--)
        {
            TestPacket packet = RandomPackets.Next(random, tags: mode == RoutingMode.Switch, random.Next(0, 1380)) with { SourcePort = (ushort)((100 * round) + i) };
            int room = Node.MaxFrameLength - packet.HeaderLength;
            if (random.Next(2) == 0)
            {
                packet = packet with { Payload = Math.Min(packet.Payload, room) };
                bool finished = random.Next(2) == 0;
                packets.Add(finished ? new(packet.Build()) : new(RandomPackets.Unfinished(packet), RandomPackets.HeaderFor(packet, 0)));
                log.Add(packet.SourcePort, packet.Build(), packet);
                continue;
            }

            int size = random.Next(packet.Udp ? room : 9000) + 1;
            packet = packet with { Payload = random.Next(1, Math.Min(64_000, size * 200)) };
            packets.Add(new(RandomPackets.Unfinished(packet), RandomPackets.HeaderFor(packet, size)));
            foreach (TestPacket segment in Segments(packet, Math.Min(size, room)))
                log.Add(packet.SourcePort, segment.Build(), segment);
        }

        line.Source.FromDevice([.. packets]);
    }

    private static IEnumerable<TestPacket> Segments(TestPacket whole, int size) =>
        Enumerable.Range(0, (whole.Payload + size - 1) / size).Select(i => whole.Segment(i, size));

    /// <summary>A packet and a header that contradict each other, or make no sense at all.</summary>
    private static Captured Hostile(Random random, RoutingMode mode)
    {
        TestPacket packet = RandomPackets.Next(random, tags: mode == RoutingMode.Switch, random.Next(0, random.Next(2) == 0 ? 100 : 60_000));
        byte[] frame = packet.Build();
        int last = Math.Min(frame.Length, packet.HeaderLength);
        for (int i = random.Next(6); i > 0; i--)
            frame[random.Next(12, last)] = (byte)random.Next(256);
        VirtioHeader header = RandomPackets.HeaderFor(packet, random.Next(100, 3000));
        header = random.Next(6) switch
        {
            0 => header with { Kind = (SegmentationKind)random.Next(8), NeedsChecksum = random.Next(2) == 0 },
            1 => header with { ChecksumStart = (ushort)random.Next(65536) },
            2 => header with { ChecksumOffset = (ushort)random.Next(65536) },
            3 => header with { SegmentSize = (ushort)random.Next(65536) },
            4 => header with { HeaderLength = (ushort)random.Next(65536), ChecksumStart = (ushort)random.Next(120) },
            _ => header,
        };
        return new(frame[..random.Next(1, frame.Length + 1)], header);
    }

    private static long Drops(TestShard shard) => Enum.GetValues<DropReason>().Sum(reason => shard.Counters[reason]);

    /// <summary>Everything that was taken from a port was given back: another turn sends nothing more, and all buffers are free.</summary>
    private static void AssertNothingIsHeld(ShardLine line)
    {
        int written = line.Target.Device.Output.Count;
        foreach (TestShard shard in line.Shards)
        {
            shard.Work();
            Assert.Empty(shard.Socket4.Output);
            Assert.All(new[] { shard.Device, shard.Socket4 }.SelectMany(port => port.Batches), batch => Assert.Equal(0, batch.Count));
        }

        Assert.Equal(written, line.Target.Device.Output.Count);
    }
}
