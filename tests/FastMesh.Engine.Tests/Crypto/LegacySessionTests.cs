using System.Security.Cryptography;
using FastMesh.Engine.Crypto;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

public sealed class LegacySessionTests
{
    private readonly byte[] _output = new byte[LegacyOpener.RoomFor(4096)];

    public static TheoryData<int, int, int> Suites()
    {
        var data = new TheoryData<int, int, int>();
        foreach (int cipher in (int[])[0, 419, 423, 427, 44, 753])
        {
            foreach ((int digest, int mac) in ((int, int)[])[(0, 0), (4, 16), (64, 4), (672, 4), (672, 32), (674, 64), (117, 20), (672, 0)])
                data.Add(cipher, digest, mac);
        }

        return data;
    }

    [Fact]
    public void The_captured_data_packet_opens()
    {
        LegacyOpener opener = Opener(Captured());
        Assert.Equal(OpenResult.Opened, opener.Open(Convert.FromHexString(TincCapture.DataPacket), _output, out int offset, out int length));
        Assert.Equal(98, length);
        Assert.Equal(TincCapture.DataPlain[8..^20], Convert.ToHexStringLower(_output.AsSpan(offset, length)));
        Assert.Equal(17u, opener.HighestSequence);
    }

    [Fact]
    public void The_captured_probe_opens()
    {
        Assert.Equal(OpenResult.Opened, Opener(Captured()).Open(Convert.FromHexString(TincCapture.ProbePacket), _output, out int offset, out int length));
        Assert.Equal(64, length);
        Assert.Equal("00000000000000000000000000003dcd7ae8535b926a", Convert.ToHexStringLower(_output.AsSpan(offset, 22)));
    }

    [Fact]
    public void The_17th_packet_seals_to_the_captured_one()
    {
        var sealer = new LegacySealer(Captured(), 0);
        byte[] packet = Convert.FromHexString(TincCapture.DataPlain[..^20]);
        for (int i = 1; i < 17; i++)
            Assert.NotEqual(0, sealer.Seal(packet, _output));
        Assert.Equal(17u, sealer.NextSequence);
        packet.AsSpan(0, 4).Fill(0xff); // room, whatever it holds
        int length = sealer.Seal(packet, _output);
        Assert.Equal(TincCapture.DataPacket, Convert.ToHexStringLower(_output.AsSpan(0, length)));
    }

    [Theory, MemberData(nameof(Suites))]
    public void Every_suite_carries_every_length(int cipher, int digest, int mac)
    {
        LegacyKey key = LegacyKey.Generate(new(cipher, digest, mac, 0), new SystemRandom());
        var sealer = new LegacySealer(key, 0);
        LegacyOpener opener = Opener(key);
        byte[] datagram = new byte[4096];
        for (int length = 14; length < 1600; length += length < 80 ? 1 : 61)
        {
            byte[] packet = RandomNumberGenerator.GetBytes(4 + length);
            byte[] frame = packet[4..];
            int sent = sealer.Seal(packet, datagram);
            Assert.Equal(sealer.SealedLength(length), sent);
            Assert.InRange(sent, length + 4, length + sealer.Overhead);
            Assert.Equal(OpenResult.Opened, opener.Open(datagram.AsSpan(0, sent), _output, out int offset, out int opened));
            Assert.Equal(frame, _output.AsSpan(offset, opened).ToArray());
        }
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    public void Every_compression_level_carries_good_and_bad_data(int level)
    {
        Skip.If(level >= 10 && !Lzo.IsAvailable, "liblzo2 is not installed");
        LegacyKey key = LegacyKey.Generate(LegacySuite.Default with { Compression = level }, new SystemRandom());
        var sealer = new LegacySealer(key, 0);
        LegacyOpener opener = Opener(key);
        byte[] datagram = new byte[4096];
        foreach (byte[] frame in (byte[][])[new byte[1400], RandomNumberGenerator.GetBytes(1400), RandomNumberGenerator.GetBytes(14)])
        {
            int sent = sealer.Seal([0, 0, 0, 0, .. frame], datagram);
            Assert.InRange(sent, 1, sealer.SealedLength(frame.Length));
            Assert.Equal(OpenResult.Opened, opener.Open(datagram.AsSpan(0, sent), _output, out int offset, out int opened));
            Assert.Equal(frame, _output.AsSpan(offset, opened).ToArray());
        }

        Assert.True(sealer.Seal(new byte[1404], datagram) < 200, "zeros compress");
    }

    [Fact]
    public void A_compressed_frame_that_expands_beyond_the_limit_is_dropped()
    {
        LegacyKey key = LegacyKey.Generate(LegacySuite.Default with { Compression = 9 }, new SystemRandom());
        byte[] datagram = new byte[4096];
        int sent = new LegacySealer(key, 0).Seal(new byte[4 + LegacyOpener.MaxExpandedFrame + 1], datagram);
        Assert.Equal(OpenResult.Corrupt, Opener(key).Open(datagram.AsSpan(0, sent), _output, out _, out _));
    }

    [Fact]
    public void Altered_cut_and_repeated_datagrams_are_dropped()
    {
        byte[] datagram = Convert.FromHexString(TincCapture.DataPacket);
        LegacyOpener opener = Opener(Captured());
        for (int i = 0; i < datagram.Length; i++)
        {
            datagram[i] ^= 0x40;
            Assert.Equal(OpenResult.Forged, opener.Open(datagram, _output, out _, out _));
            datagram[i] ^= 0x40;
            Assert.NotEqual(OpenResult.Opened, opener.Open(datagram.AsSpan(0, i), _output, out _, out _));
        }

        Assert.Equal(OpenResult.Opened, opener.Open(datagram, _output, out _, out _));
        Assert.Equal(OpenResult.Replayed, opener.Open(datagram, _output, out _, out _));
    }

    [Theory]
    [InlineData(427)]
    [InlineData(0)]
    public void Noise_without_a_MAC_is_never_an_exception(int cipher)
    {
        LegacyOpener opener = Opener(LegacyKey.Generate(new(cipher, 0, 0, 0), new SystemRandom()));
        var random = new Random(cipher);
        for (int i = 0; i < 3000; i++)
        {
            byte[] noise = new byte[random.Next(0, 200)];
            random.NextBytes(noise);
            if (opener.Open(noise, _output, out int offset, out int length) == OpenResult.Opened)
                Assert.InRange(length, 14, noise.Length - offset);
        }
    }

    [Fact]
    public void Too_little_room_is_refused_not_overrun()
    {
        var sealer = new LegacySealer(Captured(), 0);
        Assert.Equal(0, sealer.Seal(new byte[104], new byte[sealer.SealedLength(100) - 1]));
        Assert.Equal(0, sealer.Seal(new byte[3], _output));
        Assert.Equal(1u, sealer.NextSequence);
        byte[] datagram = Convert.FromHexString(TincCapture.DataPacket);
        Assert.Equal(OpenResult.Malformed, Opener(Captured()).Open(datagram, new byte[LegacyOpener.RoomFor(datagram.Length) - 1], out _, out _));
    }

    [Fact]
    public void Packets_under_the_previous_key_open_until_the_new_key_has_settled()
    {
        LegacyKey oldKey = NewKey(), newKey = NewKey();
        LegacySealer oldSealer = new(oldKey, 0), newSealer = new(newKey, 0);
        LegacyOpener previous = Opener(oldKey);
        Assert.Equal(OpenResult.Opened, Pass(oldSealer, previous));
        var opener = new LegacyOpener(newKey, 16, 0, previous);

        Assert.Equal(OpenResult.Opened, Pass(oldSealer, opener));
        Assert.Equal(0u, opener.HighestSequence);
        Assert.Equal(OpenResult.Opened, Pass(newSealer, opener));
        Assert.Equal(OpenResult.Opened, Pass(oldSealer, opener));
        for (int i = 0; i < LegacyOpener.GracePackets; i++)
            Assert.Equal(OpenResult.Opened, Pass(newSealer, opener));
        Assert.Equal(OpenResult.Forged, Pass(oldSealer, opener));
    }

    [Fact]
    public void Forgeries_use_the_previous_key_up()
    {
        LegacyKey oldKey = NewKey();
        var opener = new LegacyOpener(NewKey(), 16, 0, Opener(oldKey));
        var oldSealer = new LegacySealer(oldKey, 0);
        for (int i = 0; i < LegacyOpener.MaxPreviousPackets / LegacyOpener.ForgeryCost; i++)
            Assert.Equal(OpenResult.Forged, opener.Open(new byte[116], _output, out _, out _));
        Assert.Equal(OpenResult.Forged, Pass(oldSealer, opener));
    }

    [Fact]
    public void Only_the_last_key_but_one_is_remembered_and_only_by_its_owner()
    {
        LegacyKey first = NewKey(), second = NewKey();
        LegacyOpener middle = new(second, 16, 0, Opener(first));
        LegacyOpener last = new(NewKey(), 16, 0, middle), elsewhere = new(NewKey(), 16, 1, middle);
        Assert.Equal(OpenResult.Forged, Pass(new LegacySealer(first, 0), last));
        Assert.Equal(OpenResult.Opened, Pass(new LegacySealer(second, 0), last));
        Assert.Equal(OpenResult.Forged, Pass(new LegacySealer(second, 0), elsewhere));
    }

    [SkippableTheory]
    [InlineData(427, 672, 0)]
    [InlineData(0, 0, 0)]
    [InlineData(44, 64, 6)]
    [InlineData(427, 672, 10)]
    public void Sealing_and_opening_allocate_nothing(int cipher, int digest, int compression)
    {
        Skip.If(compression >= 10 && !Lzo.IsAvailable, "liblzo2 is not installed");
        LegacyKey key = LegacyKey.Generate(new(cipher, digest, digest == 0 ? 0 : 4, compression), new SystemRandom());
        var sealer = new LegacySealer(key, 0);
        LegacyOpener opener = Opener(key);
        byte[] packet = new byte[1404], datagram = new byte[4096];
        long before = 0;
        for (int i = 0; i < 200; i++)
        {
            if (i == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            int length = sealer.Seal(packet, datagram);
            opener.Open(datagram.AsSpan(0, length), _output, out _, out _);
            opener.Open(datagram.AsSpan(0, length), _output, out _, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(200u, opener.HighestSequence);
    }

    private OpenResult Pass(LegacySealer sealer, LegacyOpener opener)
    {
        byte[] datagram = new byte[200];
        int length = sealer.Seal(new byte[104], datagram);
        return opener.Open(datagram.AsSpan(0, length), _output, out _, out _);
    }

    private static LegacyOpener Opener(LegacyKey key) => new(key, 16, 0, null);

    private static LegacyKey NewKey() => LegacyKey.Generate(LegacySuite.Default, new SystemRandom());

    private static LegacyKey Captured()
    {
        Assert.True(LegacyKey.TryParse(TincCapture.DataKey, LegacySuite.Default, out LegacyKey? key, out string reason), reason);
        return key;
    }
}
