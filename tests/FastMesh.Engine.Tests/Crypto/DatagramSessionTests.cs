using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;
using FastMesh.Native.Crypto;

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
        (DatagramSession sending, DatagramSession receiving) = Pair(from, to, DataSuite.TincChaCha20Poly1305, withEthernet: false);
        byte[] material = [.. Convert.FromHexString(key), .. new byte[32]];
        DatagramSealer sealer = new(sending, material, CounterAt(2), 0);
        DatagramOpener opener = new(receiving, material, 16, 0, null, nextSequence: 2);

        byte[] datagram = Seal(sealer, probe);
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
        (DatagramSealer sealer, DatagramOpener opener) = NewPair(suite, withEthernet, compression);
        int shorter = 0;
        for (int i = 0; i < 300; i++)
        {
            bool isProbe = i % 10 == 0;
            byte[] frame = isProbe ? TestPackets.Probe(random) : withEthernet ? TestPackets.Ethernet(random) : TestPackets.Ip(random);
            int plain = sealer.SealedLength(frame.Length) + (isProbe && !withEthernet ? 14 : 0);
            byte[] datagram = Seal(sealer, frame);
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
        (DatagramSession session, DatagramSession other) = Pair("alpha", "beta", suite, withEthernet: false);
        DatagramSealer sealer = new(session with { HasIds = hasIds }, new byte[64], new RecordCounter(), 0);
        byte[] frame = TestPackets.Ip(new Random(1));
        byte[] datagram = Seal(sealer, frame);
        Assert.True(datagram.Length == frame.Length - 14 + overhead, why);
        DatagramOpener opener = new(other with { HasIds = hasIds }, new byte[64], 16, 0, null, 0);
        Assert.Equal(OpenResult.Opened, opener.Open(datagram, _output, out _, out int length));
        Assert.Equal(frame.Length, length);
    }

    [Fact]
    public void The_destination_is_named_only_on_the_way_by_a_relay()
    {
        (DatagramSession session, _) = Pair("alpha", "beta", DataSuite.Aes256Gcm, withEthernet: false);
        DatagramSealer sealer = new(session, new byte[64], CounterAt(0x010203), 0);
        byte[] packet = [.. new byte[4], .. TestPackets.Ip(new Random(1))];
        int length = sealer.Seal(packet, _datagram, direct: false);
        Assert.Equal($"{NodeId.Of("beta")}{NodeId.Of("alpha")}0000000000010203", Convert.ToHexStringLower(_datagram, 0, 20));
        Assert.Equal(length, sealer.Seal([.. new byte[4], .. TestPackets.Ip(new Random(1))], _datagram, direct: true));
        Assert.Equal($"000000000000{NodeId.Of("alpha")}0000000000010204", Convert.ToHexStringLower(_datagram, 0, 20));
    }

    private static (DatagramSession Sending, DatagramSession Receiving) Pair(string from, string to, DataSuite suite, bool withEthernet)
    {
        SessionFormat format = suite == DataSuite.TincChaCha20Poly1305 ? SessionFormat.Sptps : SessionFormat.FastMesh;
        return (new(format, suite, NodeId.Of(from), NodeId.Of(to), withEthernet, HasIds: true, Owner: 0),
            new(format, suite, NodeId.Of(to), NodeId.Of(from), withEthernet, HasIds: true, Owner: 0));
    }

    private static (DatagramSealer Sealer, DatagramOpener Opener) NewPair(DataSuite suite, bool withEthernet, int compression)
    {
        byte[] key = new byte[DatagramKey.Length];
        new SystemRandom().Fill(key);
        (DatagramSession sending, DatagramSession receiving) = Pair("alpha", "beta", suite, withEthernet);
        return (new(sending, key, new RecordCounter(), compression), new(receiving, key, 16, compression, null, 0));
    }

    private static RecordCounter CounterAt(int next)
    {
        RecordCounter counter = new();
        counter.Take(next);
        return counter;
    }

    private byte[] Seal(DatagramSealer sealer, byte[] frame) => _datagram[..sealer.Seal([0, 0, 0, 0, .. frame], _datagram, direct: true)];
}
