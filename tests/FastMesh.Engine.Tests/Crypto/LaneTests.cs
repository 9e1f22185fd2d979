using System.Buffers.Binary;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

/// <summary>The laws of lanes: no nonce twice under a key, a window for each lane, and one shard for each window.</summary>
public sealed class LaneTests
{
    private const int Window = 1024, Width = 8192;

    private static readonly byte[] s_frame = TestPackets.Ip(new Random(1));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 7)]
    [InlineData(5, 8)]
    [InlineData(Lanes.Max, 100)]
    public void No_nonce_is_used_twice_over_lanes_and_keys(int lanes, int shards)
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        for (int key = 0; key < 3; key++)
        {
            DatagramSealer session = NewSealer(TestSessions.NewKey(), lanes);
            HashSet<ulong> used = [];
            for (int i = 0; i < 2000; i++)
            {
                int shard = random.Next(shards);
                PacketSealer sealer = session.Of(shard);
                Assert.Equal(lanes == 1 ? 0 : shard % lanes, sealer.Owner); // who has no lane hands over
                ulong number = NumberOf(Seal(sealer));
                Assert.Equal(lanes == 1 ? 0 : 1 + sealer.Owner, (int)(number >> 56));
                Assert.True(used.Add(number), $"seed {seed}: {number:x16}");
            }

            Assert.Equal(2000UL, session.Sent);
            for (int lane = 0; lane <= lanes; lane++) // each lane counts by itself, from zero, and leaves nothing out
                Assert.Equal(Enumerable.Range(0, used.Count(n => (int)(n >> 56) == lane)).Select(n => ((ulong)lane << 56) + (ulong)n), used.Where(n => (int)(n >> 56) == lane).Order());
        }
    }

    [Fact]
    public void Threads_that_seal_in_their_lanes_at_the_same_time_use_no_nonce_twice()
    {
        const int Each = 20_000;
        DatagramSealer session = NewSealer(TestSessions.NewKey(), lanes: 4);
        ulong[][] numbers = new ulong[4][];
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(shard => new Thread(() =>
            numbers[shard] = [.. Enumerable.Range(0, Each).Select(_ => NumberOf(Seal(session.Of(shard))))]))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        Assert.Equal(4 * Each, numbers.SelectMany(own => own).Distinct().Count());
        Assert.Equal(4UL * Each, session.Sent);
    }

    [Fact]
    public void Each_lane_has_its_own_window_and_what_was_seen_in_one_does_not_count_in_another()
    {
        byte[] key = TestSessions.NewKey();
        DatagramSealer session = NewSealer(key, lanes: 2);
        DatagramOpener opener = NewOpener(key, lanes: 2, shards: 2);
        byte[] first = Seal(session.Of(0)), second = Seal(session.Of(1)), late = Seal(session.Of(1));
        Assert.Equal((1UL << 56, 2UL << 56), (NumberOf(first), NumberOf(second)));
        Assert.Equal(OpenResult.Opened, Open(opener, first));
        Assert.Equal(OpenResult.Opened, Open(opener, second));

        for (int i = 0; i < 2 * Width; i++)
            Assert.Equal(OpenResult.Opened, Open(opener, Seal(session.Of(0))));
        Assert.Equal(OpenResult.Replayed, Open(opener, first)); // far behind in its lane
        Assert.Equal(OpenResult.Opened, Open(opener, late)); // the next one in its own
        Assert.Equal(OpenResult.Replayed, Open(opener, late));
        Assert.Equal(OpenResult.Replayed, Open(opener, second));
        Assert.Equal((2 * Width) + 3, opener.Opened);
    }

    /// <summary>Whoever may get it from the kernel: only its lane's opener takes a datagram, and that once.</summary>
    [Theory]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 3)]
    [InlineData(3, 8)]
    public void A_datagram_is_opened_once_whatever_shard_it_is_given_to(int lanes, int shards)
    {
        byte[] key = TestSessions.NewKey();
        DatagramSealer session = NewSealer(key, lanes);
        DatagramOpener opener = NewOpener(key, lanes, shards);
        PacketOpener[] all = [.. Enumerable.Range(0, lanes + 1).Select(lane => opener.Of([.. new byte[12], (byte)lane]))];
        Assert.Equal(lanes + 1, all.Distinct().Count());
        for (int shard = 0; shard < lanes; shard++)
        {
            byte[] datagram = Seal(session.Of(shard));
            PacketOpener own = opener.Of(datagram);
            Assert.Equal((all[1 + shard], shard % shards), (own, own.Owner));
            Assert.All(all, other => Assert.Equal(other == own ? OpenResult.Opened : OpenResult.Malformed, OpenBy(other, datagram)));
            Assert.All(all, other => Assert.Equal(other == own ? OpenResult.Replayed : OpenResult.Malformed, OpenBy(other, datagram)));
            for (byte lane = 0; lane < 255; lane++) // sent again in another lane's name
            {
                byte[] changed = [.. datagram[..12], lane, .. datagram[13..]];
                Assert.Equal(lane == shard + 1 ? OpenResult.Replayed : OpenResult.Forged, Open(opener, changed));
            }
        }

        Assert.Equal(lanes, opener.Opened);
    }

    [Fact]
    public void Lanes_that_the_peer_did_not_announce_are_refused()
    {
        byte[] key = TestSessions.NewKey();
        DatagramSealer session = NewSealer(key, lanes: 3);
        Assert.Equal(OpenResult.Opened, Open(NewOpener(key, lanes: 2, shards: 2), Seal(session.Of(1))));
        Assert.Equal(OpenResult.Malformed, Open(NewOpener(key, lanes: 2, shards: 2), Seal(session.Of(2))));
        Assert.Equal(OpenResult.Malformed, Open(NewOpener(key, lanes: 1, shards: 2), Seal(session.Of(0))));
    }

    [Fact]
    public void Every_lane_opens_what_was_sealed_under_the_key_before_for_a_while_and_nothing_twice()
    {
        byte[] oldKey = TestSessions.NewKey(), newKey = TestSessions.NewKey();
        DatagramSealer before = NewSealer(oldKey, lanes: 2), after = NewSealer(newKey, lanes: 2);
        DatagramOpener old = NewOpener(oldKey, lanes: 2, shards: 2);
        byte[][] seen = [Seal(before.Of(0)), Seal(before.Of(1))], late = [Seal(before.Of(0)), Seal(before.Of(1))], tooLate = [Seal(before.Of(0)), Seal(before.Of(1))];
        Assert.All(seen, datagram => Assert.Equal(OpenResult.Opened, Open(old, datagram)));

        DatagramOpener opener = DatagramOpener.Create(Receiving, newKey, Window, 0, old, lanes: 2, shards: 2);
        Assert.All(seen, datagram => Assert.Equal(OpenResult.Replayed, Open(opener, datagram)));
        for (int shard = 0; shard < 2; shard++)
        {
            Assert.Equal(OpenResult.Opened, Open(opener, Seal(after.Of(shard)))); // the same number as seen, under another key
            Assert.Equal(OpenResult.Opened, Open(opener, late[shard]));
            Assert.Equal(OpenResult.Replayed, Open(opener, late[shard]));
        }

        for (int i = 0; i < DatagramOpener.GracePackets; i++)
            Assert.Equal(OpenResult.Opened, Open(opener, Seal(after.Of(0))));
        Assert.Equal(OpenResult.Forged, Open(opener, tooLate[0])); // forgotten there
        Assert.Equal(OpenResult.Opened, Open(opener, tooLate[1])); // and not yet where little came
    }

    [Fact]
    public void The_newest_datagram_of_a_lane_may_tell_where_its_sender_is_and_no_other()
    {
        byte[] key = TestSessions.NewKey();
        DatagramSealer session = NewSealer(key, lanes: 2);
        DatagramOpener opener = NewOpener(key, lanes: 2, shards: 2);
        byte[] first = Seal(session.Of(1)), second = Seal(session.Of(1));
        Assert.True(opener.IsNewest(first));
        Open(opener, second);
        Assert.False(opener.IsNewest(first));
        Assert.False(opener.IsNewest(second));
        Assert.True(opener.IsNewest(Seal(session.Of(1))));
        Assert.False(opener.IsNewest(Seal(NewSealer(key, lanes: 9).Of(8)))); // a lane that is not there
    }

    private static DatagramSession Receiving => TestSessions.Shape(DataSuite.Aes256Gcm).Receiving;

    private static DatagramSealer NewSealer(byte[] key, int lanes) => DatagramSealer.Create(TestSessions.Shape(DataSuite.Aes256Gcm).Sending, key, 0, lanes);

    private static DatagramOpener NewOpener(byte[] key, int lanes, int shards) => DatagramOpener.Create(Receiving, key, Window, 0, null, lanes, shards);

    private static byte[] Seal(PacketSealer sealer) => TestSessions.Seal((DatagramSealer)sealer, s_frame);

    private static OpenResult Open(PacketOpener session, byte[] datagram) => OpenBy(session.Of(datagram), datagram);

    private static OpenResult OpenBy(PacketOpener lane, byte[] datagram) => TestSessions.Open((DatagramOpener)lane, datagram).Result;

    private static ulong NumberOf(byte[] datagram) => BinaryPrimitives.ReadUInt64BigEndian(datagram.AsSpan(12));
}
