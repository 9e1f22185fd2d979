using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Two nodes with two shards each and one FastMesh session: each shard sends in its lane, whatever shard of the other node gets it.</summary>
public sealed class LanePairTests : IDisposable
{
    private readonly Side _a, _b;

    public LanePairTests()
    {
        TestNetwork a = new("a"), b = new("b");
        a.Own(a.Self, "10.1.0.0/16");
        b.Own(b.Self, "10.2.0.0/16");
        Node toB = TestNetwork.Speaking(NodeProtocol.FastMesh, a.Neighbour("b", "10.2.0.0/16"));
        Node toA = TestNetwork.Speaking(NodeProtocol.FastMesh, b.Neighbour("a", "10.1.0.0/16"));
        TestNetwork.Pair(toB, toA, DataSuite.Aes256Gcm, shards: 2);
        (_a, _b) = (new Side(a.Build()), new Side(b.Build()));
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public void What_a_shard_reads_it_seals_itself_and_the_shard_of_that_lane_writes_it()
    {
        for (int shard = 0; shard < 2; shard++)
        {
            byte[] frame = Frame(shard, 1);
            _a.Shards[shard].FromDevice(frame);
            Captured datagram = Assert.Single(_a.Shards[shard].Socket4.Output);
            Assert.Equal(1 + shard, datagram.Bytes[12]);
            Carry(datagram, shard);
            Assert.Equal(frame, Assert.Single(_b.Shards[shard].Device.Output).Bytes);
            Assert.Empty(_b.Shards[1 - shard].Device.Output);
            _b.Shards[shard].Device.Output.Clear();
        }
    }

    /// <summary>The kernel may not know of lanes, or receive a train that begins in another one.</summary>
    [Fact]
    public void A_datagram_that_lands_on_the_wrong_shard_is_handed_over_and_opened_once()
    {
        _a.Shards[0].FromDevice(Frame(0, 1));
        Captured datagram = Assert.Single(_a.Shards[0].Socket4.Output);
        Carry(datagram, 1);
        Assert.Single(_b.Shards[0].Device.Output);
        foreach (int shard in (int[])[0, 1, 1, 0])
            Carry(datagram, shard);
        Assert.Single(_b.Shards[0].Device.Output);
        Assert.Empty(_b.Shards[1].Device.Output);
        Assert.Equal((4, 0), (_b.Shards[0].Counters[DropReason.Replayed], _b.Shards[1].Counters[DropReason.Replayed]));
    }

    [Fact]
    public void A_train_of_several_lanes_goes_to_the_shards_of_all()
    {
        for (int shard = 0; shard < 2; shard++)
            _a.Shards[shard].FromDevice(Frame(shard, 1), Frame(shard, 2));
        Captured first = Assert.Single(_a.Shards[0].Socket4.Output), second = Assert.Single(_a.Shards[1].Socket4.Output);
        int size = first.SegmentSize;
        byte[] mixed = [.. first.Bytes[..size], .. second.Bytes[..size], .. first.Bytes[size..], .. second.Bytes[size..]];
        Carry(first with { Bytes = mixed }, 0);
        for (int shard = 0; shard < 2; shard++)
            Assert.Equal([Frame(shard, 1), Frame(shard, 2)], _b.Shards[shard].Device.Output.Select(packet => packet.Bytes));
    }

    /// <summary>As the kernel does it: a flow stays with its queue, a lane with its socket; now and then one lands elsewhere.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(20261122)]
    public void Flows_keep_their_order_and_nothing_is_lost_or_doubled(int seed)
    {
        Random random = new(seed);
        Dictionary<(bool, int), List<ushort>> sent = [], got = [];
        for (int round = 0; round < 200; round++)
        {
            foreach ((Side from, Side to) in ((Side, Side)[])[(_a, _b), (_b, _a)])
            {
                foreach (int shard in (int[])[0, 1])
                {
                    byte[][] frames = [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => Next(from == _a, shard + (2 * random.Next(3)), sent))];
                    from.Shards[shard].FromDevice(frames);
                }

                foreach (int shard in (int[])[0, 1])
                {
                    Captured[] trains = [.. from.Shards[shard].Socket4.Output];
                    from.Shards[shard].Socket4.Output.Clear();
                    bool strays = random.Next(4) == 0;
                    foreach (Captured train in trains)
                        Move(train, to, strays ? 1 - shard : shard);
                }
            }
        }

        foreach ((Side side, bool byA) in ((Side, bool)[])[(_b, true), (_a, false)])
        {
            foreach (Captured packet in side.Shards.SelectMany(shard => shard.Device.Output))
            {
                foreach (byte[] frame in SlowCut.Apply(packet.Bytes, packet.Header))
                    List(got, (byA, frame[35] - 1)).Add((ushort)((frame[42] << 8) | frame[43]));
            }
        }

        Assert.Equal(12, sent.Count);
        Assert.All(sent, flow => Assert.Equal(flow.Value, List(got, flow.Key)));
        Assert.All(_a.Shards.Concat(_b.Shards), shard => Assert.True(shard.Counters[ShardCounter.DatagramsOut] > 500));
    }

    [Fact]
    public void A_frame_that_the_control_loop_routes_goes_by_the_lane_of_its_shard()
    {
        _a.Shards[1].ByTcp(_a.Shards[1].Table.Peers[0].Id, Frame(1, 5));
        Assert.All(_a.Shards[1].Socket4.Output, datagram => Assert.Equal(2, datagram.Bytes[12]));
    }

    private static byte[] Next(bool byA, int flow, Dictionary<(bool, int), List<ushort>> sent)
    {
        List<ushort> numbers = List(sent, (byA, flow));
        numbers.Add((ushort)(numbers.Count + 1));
        return Frame(flow, numbers[^1], byA);
    }

    private static List<ushort> List(Dictionary<(bool, int), List<ushort>> lists, (bool, int) key) => lists.TryGetValue(key, out List<ushort>? list) ? list : lists[key] = [];

    private static byte[] Frame(int flow, ushort number, bool byA = true)
    {
        byte[] frame = byA ? TestFrames.Udp4("10.1.0.1", "10.2.0.1", 64, dontFragment: false, id: number) : TestFrames.Udp4("10.2.0.1", "10.1.0.1", 64, dontFragment: false, id: number);
        (frame[35], frame[42], frame[43]) = ((byte)(flow + 1), (byte)(number >> 8), (byte)number); // source port and payload tell the flow, and which it is
        (frame[40], frame[41]) = (0, 0); // no checksum
        return frame;
    }

    private void Carry(Captured train, int shard) => Move(train, _b, shard);

    private static void Move(Captured train, Side to, int shard)
    {
        to.Shards[shard].Socket4.Input.Enqueue(train with { Endpoint = to.Shards[0].Table.Peers[0].Address });
        to.Shards[shard].Work();
        foreach (TestShard other in to.Shards)
            other.Work(); // what was handed over
    }

    /// <summary>Both shards of one node.</summary>
    private sealed class Side : IDisposable
    {
        private readonly ShardMailbox<ShardOrder>[] _mailboxes = [new(3, 256), new(3, 256)];

        public Side(ForwardingTable table) => Shards = [new(0, table, _mailboxes), new(1, table, _mailboxes)];

        public TestShard[] Shards { get; }

        public void Dispose()
        {
            Array.ForEach(Shards, static shard => shard.Dispose());
            Array.ForEach(_mailboxes, static mailbox => mailbox.Dispose());
        }
    }
}
