using System.Runtime.CompilerServices;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Crypto;

/// <summary>What sealers make and openers take, packet by packet.</summary>
public sealed class DatagramSessionTests
{
    // tinc 1.1 reference, 12: the datagram session of alice (initiator) and bob
    private const string ToInitiator = "983a590f43f56844068ebdac20a38d9652bd12111520f5517befc9bb3097012e";
    private const string ToResponder = "eab96e8f636ad43bd5c8772dfcb30e3a98b0068a09dc97a165dd3281632465c9";

    private readonly byte[] _datagram = new byte[4096], _output = new byte[4096];

    public static TheoryData<DataSuite, bool, int> Forms()
    {
        TheoryData<DataSuite, bool, int> forms = [];
        foreach (DataSuite suite in Enum.GetValues<DataSuite>())
            foreach (bool withEthernet in (bool[])[false, true])
                foreach (int compression in (int[])[0, 1, 9, 10, 11, 12])
                    forms.Add(suite, withEthernet, compression);
        return forms;
    }

    [Theory]
    [InlineData("alice", "bob", ToResponder, "000000000000000000000000000001020304",
        "000000000000408b27d3097e00000002312e4f41aaeb3ff3ca8a3f442a31313d2e3b418e4762757ad7f8e8b22dd61a25aefee2")]
    [InlineData("bob", "alice", ToInitiator, "020012000000000000000000000001020304",
        "0000000000000416a26ba5540000000256740f84d7194d149ef364484ad4b544029a30e7d5967b39f02d1cff701627b6eb5ced")]
    public void Probes_of_the_reference_come_out_and_in(string from, string to, string key, string frame, string expected)
    {
        byte[] probe = Convert.FromHexString(frame);
        (DatagramSession sending, DatagramSession receiving) = TestSessions.Shape(DataSuite.TincChaCha20Poly1305, false, from, to);
        byte[] material = [.. Convert.FromHexString(key), .. new byte[32]];
        DatagramSealer sealer = new(sending, material, TestSessions.CounterAt(2), 0);
        DatagramOpener opener = new(receiving, material, 16, 0, null, nextSequence: 2);

        byte[] datagram = sealer.Seal(probe);
        Assert.Equal(expected, Convert.ToHexStringLower(datagram));
        Assert.Equal(OpenResult.Opened, opener.Open(datagram, _output, out int offset, out int length));
        Assert.Equal(PacketOpener.FrameOffset, offset);
        Assert.Equal(probe, _output.AsSpan(offset, length).ToArray());
        Assert.Equal(OpenResult.Replayed, opener.Open(datagram, _output, out _, out _));
        Assert.Equal(1, opener.Opened);
    }

    [SkippableTheory, MemberData(nameof(Forms))]
    public void Frames_come_out_as_they_went_in(DataSuite suite, bool withEthernet, int compression)
    {
        Skip.If(!FrameCompressor.IsAvailable(compression), "the library is not installed");
        int seed = Environment.TickCount;
        Random random = new(seed);
        (DatagramSealer sealer, DatagramOpener opener) = TestSessions.NewPair(suite, withEthernet, compression);
        int shorter = 0;
        for (int i = 0; i < 300; i++)
        {
            bool isProbe = i % 10 == 0;
            byte[] frame = isProbe ? TestPackets.Probe(random) : withEthernet ? TestPackets.Ethernet(random) : TestPackets.Ip(random);
            int plain = sealer.SealedLength(frame.Length) + (isProbe && !withEthernet ? 14 : 0);
            byte[] datagram = sealer.Seal(frame);
            Assert.True(compression == 0 || isProbe ? datagram.Length == plain : datagram.Length <= plain, $"seed {seed}, packet {i}");
            shorter += datagram.Length < plain ? 1 : 0;

            Assert.True(opener.Open(datagram, _output, out int offset, out int length) == OpenResult.Opened, $"seed {seed}, packet {i}");
            Assert.Equal(4, offset);
            Assert.True(_output.AsSpan(offset, length).SequenceEqual(frame), $"seed {seed}, packet {i}");
        }

        Assert.True(compression == 0 || shorter > 50);
        Assert.Equal(300, opener.Opened);
    }

    [Theory]
    [InlineData(DataSuite.TincChaCha20Poly1305, true, "tinc 1.1 reference, 6.2: s + 33", 33)]
    [InlineData(DataSuite.TincChaCha20Poly1305, false, "as to minor versions below 4: s + 21", 21)]
    [InlineData(DataSuite.Aes256Gcm, true, "12 + 8 + 1 + 16", 37)]
    [InlineData(DataSuite.ChaCha20Poly1305, true, "12 + 8 + 1 + 16", 37)]
    public void A_packet_of_s_bytes_makes_a_datagram_of_known_length(DataSuite suite, bool hasIds, string why, int overhead)
    {
        (DatagramSession session, DatagramSession other) = TestSessions.Shape(suite);
        DatagramSealer sealer = new(session with { HasIds = hasIds }, new byte[64], new RecordCounter(), 0);
        byte[] frame = TestPackets.Ip(new Random(1));
        byte[] datagram = sealer.Seal(frame);
        Assert.True(datagram.Length == frame.Length - 14 + overhead, why);
        DatagramOpener opener = new(other with { HasIds = hasIds }, new byte[64], 16, 0, null, 0);
        Assert.Equal(OpenResult.Opened, opener.Open(datagram, _output, out _, out int length));
        Assert.Equal(frame.Length, length);
    }

    [Fact]
    public void The_destination_is_named_only_on_the_way_by_a_relay()
    {
        (DatagramSession session, _) = TestSessions.Shape(DataSuite.Aes256Gcm);
        DatagramSealer sealer = new(session, new byte[64], TestSessions.CounterAt(0x010203), 0);
        byte[] packet = [.. new byte[4], .. TestPackets.Ip(new Random(1))];
        int length = sealer.Seal(packet, _datagram, direct: false);
        Assert.Equal($"{NodeId.Of("beta")}{NodeId.Of("alpha")}0000000000010203", Convert.ToHexStringLower(_datagram, 0, 20));
        Assert.Equal(length, sealer.Seal([.. new byte[4], .. TestPackets.Ip(new Random(1))], _datagram, direct: true));
        Assert.Equal($"000000000000{NodeId.Of("alpha")}0000000000010204", Convert.ToHexStringLower(_datagram, 0, 20));
    }

    /// <summary>SPTPS would repeat nonces beyond 2^32; a lane of FastMesh beyond 2^56 (reached by way of the counter's field).</summary>
    [Theory]
    [InlineData(DataSuite.TincChaCha20Poly1305, 32)]
    [InlineData(DataSuite.Aes256Gcm, 56)]
    [InlineData(DataSuite.ChaCha20Poly1305, 56)]
    public void A_sealer_ends_with_the_last_number(DataSuite suite, int bits)
    {
        RecordCounter counter = new();
        NextOf(counter) = (1L << bits) - 2;
        DatagramSealer sealer = new(TestSessions.Shape(suite).Sending, new byte[64], counter, 0);
        byte[] frame = TestPackets.Ip(new Random(1)), headers = new byte[4 * 2048], output = new byte[4 * 2048];
        TrainPacket[] packets = new TrainPacket[4];
        for (int i = 0; i < packets.Length; i++)
        {
            frame.CopyTo(headers, (i * 2048) + 4);
            packets[i] = new() { Header = i * 2048, HeaderLength = 60, Payload = (i * 2048) + 60, PayloadLength = frame.Length + 4 - 60, Output = i * 2048 };
        }

        Assert.Equal(2, sealer.SealTrain(headers, headers, output, packets, direct: true));
        Assert.Equal(0, sealer.SealTrain(headers, headers, output, packets, direct: true));
        Assert.Empty(sealer.Seal(frame));
    }

    [SkippableTheory, MemberData(nameof(Forms))]
    public void A_train_is_its_packets_end_to_end(DataSuite suite, bool withEthernet, int compression)
    {
        Skip.If(!FrameCompressor.IsAvailable(compression), "the library is not installed");
        const int Count = 40, Stride = 256, Offset = 100;
        int seed = Environment.TickCount;
        Random random = new(seed);
        byte[] key = TestSessions.NewKey(), headers = new byte[Count * Stride], payloads = new byte[Count * 1600], output = new byte[Count * 1600];
        (DatagramSession sending, DatagramSession receiving) = TestSessions.Shape(suite, withEthernet);
        DatagramSealer sealer = new(sending, key, new RecordCounter(), compression), alone = new(sending, key, new RecordCounter(), compression);
        DatagramOpener opener = new(receiving, key, 16, compression, null, 0);
        TrainPacket[] packets = new TrainPacket[Count];
        byte[][] frames = new byte[Count][];
        for (int i = 0, payload = 0, at = Offset; i < Count; i++)
        {
            byte[] frame = frames[i] = i == 7 ? TestPackets.Probe(random) : withEthernet ? TestPackets.Ethernet(random) : TestPackets.Ip(random);
            int inHeader = random.Next(14, Math.Min(frame.Length, Stride - 4) + 1);
            frame.AsSpan(0, inHeader).CopyTo(headers.AsSpan((i * Stride) + 4));
            frame.AsSpan(inHeader).CopyTo(payloads.AsSpan(payload));
            packets[i] = new()
            {
                Header = i * Stride,
                HeaderLength = 4 + inHeader,
                Payload = payload,
                PayloadLength = frame.Length - inHeader,
                Output = at,
            };
            payload += frame.Length - inHeader;
            at += sealer.SealedLength(frame.Length) + (i == 7 && !withEthernet ? 14 : 0);
        }

        Assert.Equal(Count, sealer.SealTrain(headers, payloads, output, packets, direct: true));

        int end = Offset;
        for (int i = 0; i < Count; i++)
        {
            string because = $"seed {seed}, packet {i}";
            Assert.True(packets[i].Output == end, because);
            end += packets[i].OutputLength;
            byte[] datagram = output.AsSpan(packets[i].Output, packets[i].OutputLength).ToArray();
            Assert.True(datagram.AsSpan().SequenceEqual(alone.Seal(frames[i])), because);
            Assert.True(opener.Open(datagram).Frame.AsSpan().SequenceEqual(frames[i]), because);
        }

        Assert.Equal(-1, output.AsSpan(0, Offset).IndexOfAnyExcept((byte)0));
        Assert.Equal(-1, output.AsSpan(end).IndexOfAnyExcept((byte)0));
    }

    [Theory]
    [InlineData(DataSuite.TincChaCha20Poly1305)]
    [InlineData(DataSuite.Aes256Gcm)]
    [InlineData(DataSuite.ChaCha20Poly1305)]
    public void Packets_without_room_or_header_are_not_sealed(DataSuite suite)
    {
        (DatagramSealer sealer, _) = TestSessions.NewPair(suite);
        byte[] frame = TestPackets.Ip(new Random(1)), packet = [.. new byte[4], .. frame];
        byte[] output = new byte[sealer.SealedLength(frame.Length)];
        Assert.Equal(0, sealer.Seal(packet, output.AsSpan(1), direct: true));
        Assert.Equal(0, sealer.Seal(packet.AsSpan(0, 17), output, direct: true));
        Assert.Equal(output.Length, sealer.Seal(packet, output, direct: true));
        Assert.Equal(0, sealer.SealTrain(default, default, default, default, direct: true));
    }

    [Theory]
    [InlineData(DataSuite.TincChaCha20Poly1305, 0)]
    [InlineData(DataSuite.TincChaCha20Poly1305, 1)]
    [InlineData(DataSuite.TincChaCha20Poly1305, 12)]
    [InlineData(DataSuite.Aes256Gcm, 0)]
    [InlineData(DataSuite.ChaCha20Poly1305, 0)]
    public void Packets_allocate_nothing(DataSuite suite, int compression)
    {
        if (!FrameCompressor.IsAvailable(compression))
            return;
        (DatagramSealer sealer, DatagramOpener opener) = TestSessions.NewPair(suite, compression: compression);
        byte[] packet = [.. new byte[16], 8, 0, 0x45, .. new byte[1300]];
        int Round()
        {
            int length = sealer.Seal(packet, _datagram, direct: true);
            opener.Open(_datagram.AsSpan(0, length), _output, out _, out int frame);
            opener.Open(_datagram.AsSpan(0, length - 1), _output, out _, out _); // a forgery
            return frame;
        }

        Assert.Equal(packet.Length - 4, Round());
        for (int i = 0; i < 100; i++)
            Round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 500; i++)
            Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void The_control_plane_and_a_shard_never_take_the_same_number()
    {
        RecordCounter counter = new();
        System.Collections.Concurrent.ConcurrentBag<ulong> firsts = [];
        Parallel.For(0, 4, _ =>
        {
            for (int i = 0; i < 5000; i++)
                firsts.Add(counter.Take(3));
        });
        Assert.Equal(60_000u, counter.Next);
        Assert.Equal(Enumerable.Range(0, 20_000).Select(static i => (ulong)i * 3), firsts.Order());
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_next")]
    private static extern ref long NextOf(RecordCounter counter);
}
