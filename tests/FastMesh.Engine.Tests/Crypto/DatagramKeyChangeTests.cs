using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

/// <summary>One key after another, with datagrams of both on their way.</summary>
public sealed class DatagramKeyChangeTests
{
    private static readonly byte[] s_frame = TestPackets.Ip(new Random(1));

    public static TheoryData<DataSuite> Suites() => [.. Enum.GetValues<DataSuite>()];

    [Theory, MemberData(nameof(Suites))]
    public void Nothing_is_lost_whichever_side_switches_first(DataSuite suite)
    {
        Change change = new(suite);
        byte[][] late = [.. Enumerable.Range(0, 20).Select(_ => change.Old.Seal(s_frame))];
        for (int i = 0; i < 5; i++)
            Assert.Equal(OpenResult.Opened, change.Opener.Open(change.Old.Seal(s_frame)).Result);
        for (int i = 0; i < 20; i++) // in turns, so the key changes each time
        {
            Assert.Equal(OpenResult.Opened, change.Opener.Open(change.New.Seal(s_frame)).Result);
            Assert.Equal(OpenResult.Opened, change.Opener.Open(late[i]).Result);
            Assert.Equal(OpenResult.Replayed, change.Opener.Open(late[i]).Result);
        }

        Assert.Equal(20, change.Opener.Opened);
    }

    [Theory, MemberData(nameof(Suites))]
    public void The_old_key_is_forgotten_after_some_datagrams_under_the_new_one(DataSuite suite)
    {
        Change change = new(suite);
        byte[] late = change.Old.Seal(s_frame), later = change.Old.Seal(s_frame);
        for (int i = 0; i < DatagramOpener.GracePackets - 1; i++)
            Assert.Equal(OpenResult.Opened, change.Opener.Open(change.New.Seal(s_frame)).Result);
        Assert.Equal(OpenResult.Opened, change.Opener.Open(late).Result);
        Assert.Equal(OpenResult.Opened, change.Opener.Open(change.New.Seal(s_frame)).Result);
        Assert.Equal(OpenResult.Forged, change.Opener.Open(later).Result);
    }

    [Theory, MemberData(nameof(Suites))]
    public void Only_the_last_predecessor_is_asked_and_only_on_its_own_shard(DataSuite suite)
    {
        (DatagramSession sending, DatagramSession receiving) = TestSessions.Shape(suite);
        byte[][] keys = [TestSessions.NewKey(), TestSessions.NewKey(), TestSessions.NewKey()];
        RecordCounter counter = new();
        DatagramSealer[] sealers = [.. keys.Select(key => new DatagramSealer(sending, key, counter, 0))];
        DatagramOpener first = new(receiving, keys[0], 16, 0, null, 0), middle = new(receiving, keys[1], 16, 0, first, 0);
        DatagramOpener last = new(receiving, keys[2], 16, 0, middle, 0), elsewhere = new(receiving with { Owner = 1 }, keys[2], 16, 0, middle, 0);
        Assert.Equal(OpenResult.Forged, last.Open(sealers[0].Seal(s_frame)).Result);
        Assert.Equal(OpenResult.Opened, last.Open(sealers[1].Seal(s_frame)).Result);
        Assert.Equal(OpenResult.Opened, last.Open(sealers[2].Seal(s_frame)).Result);
        Assert.Equal(OpenResult.Forged, elsewhere.Open(sealers[1].Seal(s_frame)).Result);
        Assert.Equal(OpenResult.Opened, elsewhere.Open(sealers[2].Seal(s_frame)).Result);
    }

    [Fact]
    public void In_SPTPS_the_window_goes_on_and_in_FastMesh_every_session_has_its_own()
    {
        Change sptps = new(DataSuite.TincChaCha20Poly1305), fastMesh = new(DataSuite.Aes256Gcm);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(OpenResult.Opened, sptps.Opener.Open(sptps.Old.Seal(s_frame)).Result);
            Assert.Equal(OpenResult.Opened, fastMesh.Opener.Open(fastMesh.Old.Seal(s_frame)).Result);
        }

        // Number 3 came under the old key; the same number under the new one is none that was left out.
        DatagramSession sending = TestSessions.Shape(DataSuite.TincChaCha20Poly1305).Sending;
        Assert.Equal(OpenResult.Replayed, sptps.Opener.Open(new DatagramSealer(sending, sptps.NewKey, TestSessions.CounterAt(3), 0).Seal(s_frame)).Result);
        sending = TestSessions.Shape(DataSuite.Aes256Gcm).Sending;
        Assert.Equal(OpenResult.Opened, fastMesh.Opener.Open(new DatagramSealer(sending, fastMesh.NewKey, TestSessions.CounterAt(3), 0).Seal(s_frame)).Result);
    }

    [Theory, MemberData(nameof(Suites))]
    public void Suites_may_differ_between_sessions(DataSuite suite)
    {
        if (suite == DataSuite.TincChaCha20Poly1305)
            return; // it has but one
        DataSuite other = suite == DataSuite.Aes256Gcm ? DataSuite.ChaCha20Poly1305 : DataSuite.Aes256Gcm;
        (DatagramSealer oldSealer, DatagramOpener oldOpener) = TestSessions.NewPair(other);
        (DatagramSession sending, DatagramSession receiving) = TestSessions.Shape(suite);
        byte[] key = TestSessions.NewKey();
        DatagramOpener opener = new(receiving, key, 16, 0, oldOpener, 0);
        DatagramSealer sealer = new(sending, key, new RecordCounter(), 0);
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(OpenResult.Opened, opener.Open(sealer.Seal(s_frame)).Result);
            Assert.Equal(OpenResult.Opened, opener.Open(oldSealer.Seal(s_frame)).Result);
        }
    }

    /// <summary>Loss, reordering, duplicates and forgeries while keys change every few hundred packets: a packet is opened exactly if it should be.</summary>
    [Theory, MemberData(nameof(Suites))]
    public void A_bad_network_and_changing_keys_cost_only_what_the_network_loses(DataSuite suite)
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        (DatagramSession sending, DatagramSession receiving) = TestSessions.Shape(suite);
        bool isSptps = suite == DataSuite.TincChaCha20Poly1305;
        RecordCounter counter = new();
        DatagramSealer sealer = null!;
        DatagramOpener opener = null!;
        List<(int Key, byte[] Datagram, byte[] Frame)> onTheWay = [];
        HashSet<(int, string)> arrived = [];
        int opened = 0, expected = 0;
        for (int sent = 0, key = -1; sent < 5000; sent++)
        {
            if (sent % 300 == 0) // the receiver knows the new key a little before the sender uses it
            {
                byte[] material = TestSessions.NewKey();
                counter = isSptps ? counter : new RecordCounter();
                (opener, sealer) = (new(receiving, material, 1024, 0, opener, 0), new(sending, material, counter, 0));
                key++;
            }

            byte[] frame = TestPackets.Ip(random);
            onTheWay.Add((key, sealer.Seal(frame), frame));
            if (random.Next(20) == 0)
                onTheWay.RemoveAt(random.Next(onTheWay.Count)); // lost
            if (onTheWay.Count < 20)
                continue;
            int pick = random.Next(onTheWay.Count);
            (int under, byte[] datagram, byte[] plain) = onTheWay[pick];
            if (random.Next(10) != 0)
                onTheWay.RemoveAt(pick); // else it will come again
            byte[] forged = [.. datagram];
            forged[random.Next(16, forged.Length)] ^= 0x10;
            Assert.Equal(OpenResult.Forged, opener.Open(forged).Result);

            (OpenResult result, byte[] got) = opener.Open(datagram);
            bool isFirst = arrived.Add((under, Convert.ToHexString(datagram, 12, 8)));
            bool isKnown = under == key || (under == key - 1 && opener.Opened < DatagramOpener.GracePackets);
            if (result == OpenResult.Opened)
                Assert.True(isFirst && got.AsSpan().SequenceEqual(plain), $"seed {seed}, packet {sent}");
            expected += isFirst && isKnown ? 1 : 0;
            opened += result == OpenResult.Opened ? 1 : 0;
            Assert.True(opened >= expected, $"seed {seed}, packet {sent}: {result} under key {under} of {key}");
        }

        Assert.InRange(opened, 3500, 5000);
    }

    /// <summary>The moment after a receiver was given a second key.</summary>
    private sealed class Change
    {
        public Change(DataSuite suite)
        {
            (DatagramSession sending, DatagramSession receiving) = TestSessions.Shape(suite);
            byte[] oldKey = TestSessions.NewKey();
            RecordCounter counter = new();
            Old = new DatagramSealer(sending, oldKey, counter, 0);
            New = new DatagramSealer(sending, NewKey, suite == DataSuite.TincChaCha20Poly1305 ? counter : new RecordCounter(), 0);
            Opener = new DatagramOpener(receiving, NewKey, 16, 0, new DatagramOpener(receiving, oldKey, 16, 0, null, 0), 0);
        }

        public byte[] NewKey { get; } = TestSessions.NewKey();

        public DatagramSealer Old { get; }

        public DatagramSealer New { get; }

        public DatagramOpener Opener { get; }
    }
}
