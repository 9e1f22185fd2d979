using System.Runtime.CompilerServices;
using FastMesh.Engine.Crypto;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

public sealed class LegacyTrainTests
{
    private const int HeaderStride = CbcTrain.MaxHeaderLength, OutputStride = 2048, MaxFrame = 1600;
    private readonly byte[] _headers = new byte[64 * HeaderStride], _payloads = new byte[64 * MaxFrame], _output = new byte[64 * OutputStride];
    private readonly byte[] _opened = new byte[LegacyOpener.RoomFor(OutputStride)];

    [Fact]
    public void The_17th_packet_of_a_train_is_the_captured_one()
    {
        byte[] frame = Convert.FromHexString(TincCapture.DataPlain[8..^20]);
        TrainPacket[] packets = new TrainPacket[20];
        for (int i = 0; i < packets.Length; i++)
            packets[i] = Place(i, frame, header: 4 + 14 + i);

        Assert.Equal(20, new LegacySealer(Captured(), 0).SealTrain(_headers, _payloads, _output, packets, direct: true));

        Assert.Equal(TincCapture.DataPacket, Convert.ToHexStringLower(Sealed(packets[16])));
    }

    [SkippableTheory]
    [InlineData(427, 672, 4, 0)]
    [InlineData(423, 64, 20, 0)]
    [InlineData(419, 0, 0, 0)]
    [InlineData(427, 672, 32, 0)]
    [InlineData(44, 672, 4, 0)]
    [InlineData(753, 674, 6, 0)]
    [InlineData(0, 672, 4, 0)]
    [InlineData(0, 0, 0, 0)]
    [InlineData(427, 672, 4, 1)]
    [InlineData(427, 672, 4, 10)]
    public void Trains_open_to_their_frames_and_match_packets_sealed_alone(int cipher, int digest, int mac, int compression)
    {
        Skip.If(compression >= 10 && !Lzo.IsAvailable, "liblzo2 is not installed");
        int seed = Environment.TickCount;
        Random random = new(seed);
        LegacyKey key = LegacyKey.Generate(new(cipher, digest, mac, compression), new SystemRandom());
        LegacySealer sealer = new(key, 0), single = new(key, 0);
        LegacyOpener opener = new(key, 16, 0, null);
        byte[] alone = new byte[OutputStride + 1024];
        for (int round = 0; round < 20; round++)
        {
            byte[][] frames = [.. Enumerable.Range(0, random.Next(1, 65)).Select(_ => RandomFrame(random))];
            TrainPacket[] packets = [.. frames.Select((frame, i) => Place(i, frame, random.Next(4, Math.Min(4 + frame.Length, HeaderStride) + 1)))];

            Assert.Equal(packets.Length, sealer.SealTrain(_headers, _payloads, _output, packets, direct: true));

            for (int i = 0; i < packets.Length; i++)
            {
                string because = $"seed {seed}, round {round}, packet {i}";
                int length = single.Seal([0, 0, 0, 0, .. frames[i]], alone);
                Assert.True(Sealed(packets[i]).SequenceEqual(alone.AsSpan(0, length)), because);
                Assert.True(opener.Open(Sealed(packets[i]), _opened, out int offset, out int opened) == OpenResult.Opened, because);
                Assert.True(_opened.AsSpan(offset, opened).SequenceEqual(frames[i]), because);
            }
        }

        Assert.Equal(single.NextSequence, sealer.NextSequence);
    }

    [Theory]
    [InlineData(427)]
    [InlineData(0)]
    public void A_train_stops_at_the_last_number_of_the_key(int cipher)
    {
        LegacyKey key = LegacyKey.Generate(LegacySuite.Default with { Cipher = cipher }, new SystemRandom());
        LegacySealer sealer = new(key, 0);
        NextSequence(sealer) = uint.MaxValue - 1;
        TrainPacket[] packets = [.. Enumerable.Range(0, 5).Select(i => Place(i, new byte[60], header: 4))];

        Assert.Equal(2, sealer.SealTrain(_headers, _payloads, _output, packets, direct: true));
        Assert.Equal(0, sealer.SealTrain(_headers, _payloads, _output, packets, direct: true));
        Assert.Equal(0, sealer.Seal(new byte[64], _output));
    }

    [Theory]
    [InlineData(427, 672, 4, 0)]
    [InlineData(44, 674, 6, 0)]
    [InlineData(0, 0, 0, 0)]
    [InlineData(427, 672, 4, 1)]
    public void Datagrams_verified_together_open_as_they_do_alone(int cipher, int digest, int mac, int compression)
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        LegacyKey oldKey = LegacyKey.Generate(new(cipher, digest, mac, compression), new SystemRandom());
        LegacyKey key = LegacyKey.Generate(new(cipher, digest, mac, compression), new SystemRandom());
        LegacySealer oldSealer = new(oldKey, 0), sealer = new(key, 0);
        LegacyOpener together = new(key, 16, 0, new(oldKey, 16, 0, null)), alone = new(key, 16, 0, new(oldKey, 16, 0, null));
        byte[] expected = new byte[_opened.Length];
        for (int round = 0; round < 20; round++)
        {
            var datagrams = new (int Offset, int Length)[random.Next(1, 65)];
            for (int i = 0; i < datagrams.Length; i++)
            {
                int at = i * OutputStride, length = (random.Next(8) == 0 ? oldSealer : sealer).Seal([0, 0, 0, 0, .. RandomFrame(random)], _output.AsSpan(at, OutputStride));
                if (random.Next(4) == 0)
                    length = random.Next(together.MinDatagram, length);
                else if (random.Next(4) == 0)
                    _output[at + random.Next(length)] ^= 64;
                datagrams[i] = (at, length);
                if (i > 0 && random.Next(8) == 0)
                    datagrams[i] = datagrams[i - 1]; // a replay
            }

            ulong genuine = together.Verify(_output, datagrams);
            for (int i = 0; i < datagrams.Length; i++)
            {
                ReadOnlySpan<byte> datagram = _output.AsSpan(datagrams[i].Offset, datagrams[i].Length);
                OpenResult result = alone.Open(datagram, expected, out _, out int expectedLength);
                OpenResult actual = together.OpenVerified(datagram, (genuine >> i & 1) != 0, _opened, out int offset, out int length);
                Assert.True((result, expectedLength) == (actual, length), $"seed {seed}, round {round}, datagram {i}: {result}, {actual}");
                Assert.True(_opened.AsSpan(offset, Math.Max(0, length)).SequenceEqual(expected.AsSpan(offset, Math.Max(0, length))), $"seed {seed}");
            }
        }

        Assert.Equal(alone.HighestSequence, together.HighestSequence);
    }

    [Fact]
    public void A_header_without_room_for_the_number_is_misuse()
    {
        TrainPacket[] packets = [Place(0, new byte[60], header: 4), Place(1, new byte[60], header: 3)];
        Assert.ThrowsAny<ArgumentException>(() => new LegacySealer(Captured(), 0).SealTrain(_headers, _payloads, _output, packets, direct: true));
    }

    [Theory]
    [InlineData(427, 0)]
    [InlineData(44, 0)]
    [InlineData(427, 6)]
    public void Sealing_trains_allocates_nothing(int cipher, int compression)
    {
        LegacyKey key = LegacyKey.Generate(LegacySuite.Default with { Cipher = cipher, Compression = compression }, new SystemRandom());
        LegacySealer sealer = new(key, 0);
        TrainPacket[] packets = [.. Enumerable.Range(0, 46).Select(i => Place(i, new byte[1414], header: 70))];
        Assert.Equal(46, sealer.SealTrain(_headers, _payloads, _output, packets, direct: true));

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
            sealer.SealTrain(_headers, _payloads, _output, packets, direct: true);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static LegacyKey Captured()
    {
        Assert.True(LegacyKey.TryParse(TincCapture.DataKey, LegacySuite.Default, out LegacyKey? key, out string reason), reason);
        return key;
    }

    private static byte[] RandomFrame(Random random)
    {
        byte[] frame = new byte[random.Next(14, MaxFrame)];
        random.NextBytes(frame);
        return frame;
    }

    private TrainPacket Place(int index, byte[] frame, int header)
    {
        int inHeader = Math.Max(0, header - LegacySealer.SequenceLength);
        frame.AsSpan(0, inHeader).CopyTo(_headers.AsSpan((index * HeaderStride) + LegacySealer.SequenceLength));
        frame.AsSpan(inHeader).CopyTo(_payloads.AsSpan(index * MaxFrame));
        return new()
        {
            Header = index * HeaderStride,
            HeaderLength = header,
            Payload = index * MaxFrame,
            PayloadLength = frame.Length - inHeader,
            Output = index * OutputStride,
        };
    }

    private ReadOnlySpan<byte> Sealed(TrainPacket packet) => _output.AsSpan(packet.Output, packet.OutputLength);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_nextSequence")]
    private static extern ref uint NextSequence(LegacySealer sealer);
}
