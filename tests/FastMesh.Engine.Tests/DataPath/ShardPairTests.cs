using System.Buffers.Binary;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Two shards back to back: what one device reads the other device writes. Once for each kind of session.</summary>
public abstract class ShardPairTests : IDisposable
{
    private readonly TestShard _a, _b;
    private readonly int _datagram, _longestFrame;

    /// <summary>Brings up the pair.</summary>
    /// <param name="suite">Suite of a session with ids; null: tinc 1.0.</param>
    /// <param name="datagram">Length of the datagram that a frame of 142 bytes makes.</param>
    /// <param name="longestFrame">The longest frame on a path that is proven for probes of 1451 bytes.</param>
    protected ShardPairTests(DataSuite? suite, int datagram, int longestFrame)
    {
        (_datagram, _longestFrame) = (datagram, longestFrame);
        TestNetwork a = new("a"), b = new("b");
        a.Own(a.Self, "10.1.0.0/16", "fd00:1::/32");
        b.Own(b.Self, "10.2.0.0/16", "fd00:2::/32");
        Node toB = a.Neighbour("b", "10.2.0.0/16", "fd00:2::/32"), toA = b.Neighbour("a", "10.1.0.0/16", "fd00:1::/32");
        if (suite is { } aead)
            TestNetwork.Pair(toB, toA, aead);
        else
            TestNetwork.Pair(toB, toA, LegacySuite.Default);
        (_a, _b) = (new TestShard(a.Build()), new TestShard(b.Build()));
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void A_packet_arrives_as_it_was_sent()
    {
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 100);
        _a.FromDevice(frame);
        Assert.Equal(_datagram, Assert.Single(_a.Socket4.Output).Bytes.Length);
        Carry();
        Assert.Equal(frame, Assert.Single(_b.Device.Output).Bytes);
    }

    [Theory]
    [InlineData(20000, 1000)]
    [InlineData(65000, 1397)]
    [InlineData(65000, 8000)]
    [InlineData(5000, 100)]
    public void A_tcp_super_packet_travels_as_trains_and_arrives_whole(int length, int segment)
    {
        byte[] payload = TestFrames.Pattern(length);
        _a.FromDevice(Tcp4Super(payload, 1000, segment));
        Assert.All(_a.Socket4.Output, train => Assert.InRange(train.Bytes.Length, 1, MmsgPort.MaxTrain));
        Assert.All(_a.Socket4.Output, train => Assert.InRange((train.Bytes.Length + train.SegmentSize - 1) / train.SegmentSize, 1, 64));
        Carry();

        byte[] received = [.. _b.Device.Output.SelectMany(packet => packet.Bytes[54..])];
        Assert.Equal(payload, received);
        Assert.True(_b.Device.Output.Count <= 2, $"{_b.Device.Output.Count} writes");
        Captured first = _b.Device.Output[0];
        Assert.Equal((SegmentationKind.TcpIPv4, true, 54, 34), (first.Header.Kind, first.Header.NeedsChecksum, first.Header.HeaderLength, first.Header.ChecksumStart));
        Assert.Equal(Math.Min(segment, _longestFrame - 54), first.Header.SegmentSize);
    }

    [Fact]
    public void Segments_of_a_super_packet_are_complete_packets_that_fit_the_path()
    {
        using TestShard plain = new(_b.Table, merges: false);
        byte[] payload = TestFrames.Pattern(10_000);
        _a.FromDevice(Tcp4Super(payload, 0xffff_f000, 8960));
        Move(_a, plain);
        uint sequence = 0xffff_f000;
        foreach (Captured packet in plain.Device.Output)
        {
            Assert.InRange(packet.Bytes.Length, 55, _longestFrame);
            byte[] expected = TestFrames.Tcp4("10.1.0.1", "10.2.0.1", sequence, packet.Bytes.AsSpan(54), packet.Bytes[47], BinaryPrimitives.ReadUInt16BigEndian(packet.Bytes.AsSpan(18)));
            Assert.Equal(expected, packet.Bytes);
            sequence = unchecked(sequence + (uint)packet.Bytes.Length - 54);
        }

        Assert.Equal(payload, plain.Device.Output.SelectMany(packet => packet.Bytes[54..]).ToArray());
        Assert.All(plain.Device.Output.SkipLast(1), packet => Assert.Equal(0x10, packet.Bytes[47]));
        Assert.Equal(0x18, plain.Device.Output[^1].Bytes[47]);
    }

    [Fact]
    public void A_udp_super_packet_keeps_its_datagrams()
    {
        using TestShard plain = new(_b.Table, merges: false);
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 30 * 500 + 123);
        VirtioHeader header = new() { NeedsChecksum = true, Kind = SegmentationKind.Udp, SegmentSize = 500, ChecksumStart = 34, ChecksumOffset = 6 };
        _a.FromDevice(new Captured(frame, header));
        Move(_a, plain);
        Assert.Equal(31, plain.Device.Output.Count);
        Assert.All(plain.Device.Output.SkipLast(1), packet => Assert.Equal(542, packet.Bytes.Length));
        Assert.Equal(frame[42..], plain.Device.Output.SelectMany(packet => packet.Bytes[42..]).ToArray());
        Move(_a, _b);
    }

    [Fact]
    public void Small_packets_of_one_turn_share_a_train()
    {
        _a.FromDevice([.. Enumerable.Range(0, 50).Select(i => TestFrames.Udp4("10.1.0.1", "10.2.0.1", 64, id: (ushort)i))]);
        Captured train = Assert.Single(_a.Socket4.Output);
        Assert.Equal(50, train.Bytes.Length / train.SegmentSize);
    }

    [Fact]
    public void A_shorter_datagram_ends_a_train_and_a_longer_one_begins_another()
    {
        _a.FromDevice([.. new[] { 300, 300, 100, 300, 600, 600 }.Select(length => TestFrames.Udp4("10.1.0.1", "10.2.0.1", length))]);
        Assert.Equal([3, 1, 2], _a.Socket4.Output.Select(train => (train.Bytes.Length + train.SegmentSize - 1) / train.SegmentSize));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(20261122)]
    public void Random_traffic_both_ways_arrives_unchanged_and_in_order(int seed)
    {
        Random random = new(seed);
        List<byte[]> sentByA = [], sentByB = [];
        Dictionary<(char, int), uint> sequences = [];
        for (int round = 0; round < 60; round++)
        {
            Send(_a, 'a', sentByA);
            Send(_b, 'b', sentByB);
            Carry();
        }

        Assert.True(Segments(_b).SequenceEqual(sentByA.Select(Plain)), $"a to b, seed {seed}");
        Assert.True(Segments(_a).SequenceEqual(sentByB.Select(Plain)), $"b to a, seed {seed}");

        void Send(TestShard shard, char name, List<byte[]> sent)
        {
            List<byte[]> burst = [];
            for (int i = random.Next(1, 80); i > 0; i--)
                burst.Add(RandomFrame(random, name, sequences));
            sent.AddRange(burst);
            shard.FromDevice([.. burst]);
        }
    }

    /// <summary>What the device got, super-packets cut up again by the slow rules of RFC 9293 and RFC 768.</summary>
    private static IEnumerable<string> Segments(TestShard shard) =>
        shard.Device.Output.SelectMany(packet => SlowCut.Apply(packet.Bytes, packet.Header)).Select(Plain);

    private static string Plain(byte[] frame) => Convert.ToHexString(SlowCut.WithoutUselessId(frame));

    private static byte[] RandomFrame(Random random, char from, Dictionary<(char, int), uint> sequences)
    {
        (string source4, string destination4) = from == 'a' ? ("10.1.0.1", "10.2.0.1") : ("10.2.0.1", "10.1.0.1");
        (string source6, string destination6) = from == 'a' ? ("fd00:1::1", "fd00:2::1") : ("fd00:2::1", "fd00:1::1");
        int flow = random.Next(5), length = random.Next(3) == 0 ? random.Next(1, 1300) : 1200;
        if (flow == 4)
            return TestFrames.Udp4(source4, destination4, length, dontFragment: false, id: (ushort)random.Next(65536));

        uint sequence = sequences.GetValueOrDefault((from, flow), (uint)random.Next());
        sequences[(from, flow)] = unchecked(sequence + (uint)length);
        byte flags = random.Next(8) switch { 0 => 0x18, 1 => 0x11, _ => 0x10 };
        byte[] payload = new byte[length];
        random.NextBytes(payload);
        return flow < 2
            ? TestFrames.Tcp4(source4, destination4, sequence, payload, flags, id: 0, port: (ushort)(5000 + flow))
            : TestFrames.Tcp6(source6, destination6, sequence, payload, flags);
    }

    private static Captured Tcp4Super(byte[] payload, uint sequence, int segment) => new(
        TestFrames.Tcp4("10.1.0.1", "10.2.0.1", sequence, payload, flags: 0x18),
        new VirtioHeader { NeedsChecksum = true, Kind = SegmentationKind.TcpIPv4, HeaderLength = 54, SegmentSize = (ushort)segment, ChecksumStart = 34, ChecksumOffset = 16 });

    private void Carry()
    {
        Move(_a, _b);
        Move(_b, _a);
    }

    private static void Move(TestShard from, TestShard to)
    {
        PeerRoute sender = to.Table.Peers[0];
        foreach (Captured train in from.Socket4.Output)
            to.Socket4.Input.Enqueue(train with { Endpoint = sender.Address });
        from.Socket4.Output.Clear();
        to.Work();
    }
}

/// <summary>tinc 1.0 reference, 5.2: whole blocks, and a MAC of four bytes.</summary>
public sealed class LegacyShardPairTests() : ShardPairTests(null, ((142 + 4) / 16 * 16) + 16 + 4, 1451);

/// <summary>tinc 1.1 reference, 6.2: 33 bytes around a packet.</summary>
public sealed class SptpsShardPairTests() : ShardPairTests(DataSuite.TincChaCha20Poly1305, 142 - 14 + 33, 1465);

/// <summary>FastMesh: four more.</summary>
public sealed class FastMeshShardPairTests() : ShardPairTests(DataSuite.Aes256Gcm, 142 - 14 + 37, 1465);

/// <summary>FastMesh without AES instructions.</summary>
public sealed class FastMeshChaChaShardPairTests() : ShardPairTests(DataSuite.ChaCha20Poly1305, 142 - 14 + 37, 1465);
