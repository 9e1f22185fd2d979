using System.Runtime.InteropServices;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>A speed test between two shards: load, acknowledgements, counts; and what does not belong to one.</summary>
public sealed class SpeedRunnerTests : IDisposable
{
    private const uint Test = 77;
    private readonly TestShard _a, _b;
    private readonly int _bOfA, _aOfB;

    public SpeedRunnerTests()
    {
        (_a, _b) = Pair(DataSuite.Aes256Gcm);
        (_bOfA, _aOfB) = (_a.Table.Peers[0].Id, _b.Table.Peers[0].Id);
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
    }

    [Fact]
    public void Load_arrives_and_is_counted_at_both_ends()
    {
        Order(_b, _aOfB, new(SpeedTask.Listen, Test));
        Order(_a, _bOfA, new(SpeedTask.Load, Test, Run: 2, Milliseconds: 1000, Bytes: long.MaxValue));
        for (int i = 0; i < 20; i++)
            Carry();
        _a.Now += TimeSpan.FromSeconds(1);
        Carry();
        Carry();

        (SpeedCounts sent, SpeedCounts received) = (CountsOf(_a), CountsOf(_b));
        Assert.Equal((2L, false), (sent.Run, sent.IsSending));
        Assert.True(sent.SentPackets > 500, $"the window must grow: {sent.SentPackets} packets in 20 round trips");
        Assert.Equal((sent.SentPackets, sent.SentBytes), (received.ReceivedPackets, received.ReceivedBytes));
        Assert.Equal(1451L * sent.SentPackets, sent.SentBytes); // a record is a whole frame, so the longest one is as long as a probe that arrived
        Assert.InRange(sent.RoundTrips.Count, sent.SentPackets / 16, sent.SentPackets);
        Assert.DoesNotContain(_a.Reports().Concat(_b.Reports()), report => report.Header.Kind != ShardReportKind.Traffic);
        Assert.Empty(_a.Device.Output.Concat(_b.Device.Output));
        Assert.Equal(0, _a.Counters[DropReason.StrayTest] + _b.Counters[DropReason.StrayTest]);
    }

    [Fact]
    public void What_gets_lost_makes_the_window_smaller()
    {
        Order(_b, _aOfB, new(SpeedTask.Listen, Test));
        Order(_a, _bOfA, new(SpeedTask.Load, Test, Run: 2, Milliseconds: 1000, Bytes: long.MaxValue));
        for (int i = 0; i < 7; i++)
            Carry();
        long before = CountsOf(_a).SentPackets;
        Carry();
        long perRound = CountsOf(_a).SentPackets - before;
        for (int i = 0; i < 12; i++)
            Carry(loses: train => train % 2 == 0);
        before = CountsOf(_a).SentPackets;
        Carry();
        Assert.True(CountsOf(_a).SentPackets - before < perRound / 2, $"{CountsOf(_a).SentPackets - before} instead of {perRound} in a round trip");
        Assert.True(CountsOf(_b).ReceivedPackets < CountsOf(_a).SentPackets);
    }

    [Fact]
    public void A_test_sends_no_more_than_it_may()
    {
        Order(_b, _aOfB, new(SpeedTask.Listen, Test));
        Order(_a, _bOfA, new(SpeedTask.Load, Test, Run: 1, Milliseconds: 1000, Bytes: 100_000));
        for (int i = 0; i < 20; i++)
            Carry();
        Assert.False(CountsOf(_a).IsSending);
        Assert.InRange(CountsOf(_a).SentBytes, 100_000, 100_000 + (64 * 1451));
    }

    [Fact]
    public void Round_trips_are_measured_by_short_records_that_are_no_load()
    {
        Order(_b, _aOfB, new(SpeedTask.Listen, Test));
        Order(_a, _bOfA, new(SpeedTask.Ping, Test, Run: 1, Milliseconds: 1000, Bytes: long.MaxValue));
        for (int i = 0; i < 50; i++)
        {
            Carry();
            _a.Now += TimeSpan.FromMilliseconds(20);
        }

        Assert.InRange(CountsOf(_a).RoundTrips.Count, 49, 50);
        Assert.Equal(0, CountsOf(_b).ReceivedPackets);
    }

    [Fact]
    public void Questions_go_to_the_control_loop()
    {
        byte[] request = SpeedRecord.Compose(SpeedKind.Request, Test, 5000);
        _a.Order(new(OrderKind.SendTest, _bOfA), request);
        Move(_a, _b);
        Report report = Assert.Single(_b.Reports(), report => report.Header.Kind == ShardReportKind.SpeedRecord);
        Assert.Equal(_aOfB, report.Header.Node);
        Assert.Equal(request, report.Bytes);
    }

    public static TheoryData<byte[]> Strays =>
    [
        SpeedRecord.Compose(SpeedKind.AskingData, Test + 1, 0, 0),
        SpeedRecord.Compose(SpeedKind.Data, Test, 0, 0)[..^1],
        SpeedRecord.Compose(SpeedKind.Report, Test, 0, 0),
        SpeedRecord.Compose((SpeedKind)200, Test, 0, 0, 0, 0),
        [SpeedRecord.Mark, .. new byte[13]],
    ];

    [Theory, MemberData(nameof(Strays))]
    public void What_is_malformed_or_of_another_test_is_a_counted_drop_without_an_answer(byte[] record)
    {
        Order(_b, _aOfB, new(SpeedTask.Listen, Test));
        _a.Order(new(OrderKind.SendTest, _bOfA), record);
        Move(_a, _b);
        Assert.Equal(1, _b.Counters[DropReason.StrayTest]);
        Assert.Empty(_b.Socket4.Output);
        Assert.DoesNotContain(_b.Reports(), report => report.Header.Kind is ShardReportKind.SpeedRecord or ShardReportKind.Probe);
        Assert.Equal(0, CountsOf(_b).ReceivedPackets);
    }

    [Theory]
    [InlineData(5000L, 0L, 0L)] // never sent
    [InlineData(-1L, 0L, 0L)]
    [InlineData(long.MaxValue, 0L, 0L)]
    [InlineData(0L, long.MinValue, 0L)]
    [InlineData(0L, long.MaxValue, 0L)]
    [InlineData(0L, 0L, -1L)]
    public void A_peer_cannot_acknowledge_what_was_not_sent(long number, long time, long received)
    {
        Order(_a, _bOfA, new(SpeedTask.Load, Test, Run: 1, Milliseconds: 1000, Bytes: long.MaxValue));
        _b.Order(new(OrderKind.SendTest, _aOfB), SpeedRecord.Compose(SpeedKind.Ack, Test, number, time, received));
        Move(_b, _a);
        Assert.Equal(1, _a.Counters[DropReason.StrayTest]);
        Assert.Equal(0, CountsOf(_a).RoundTrips.Count);
    }

    [Fact]
    public void Load_without_a_test_is_dropped_and_after_its_end_too()
    {
        _a.Order(new(OrderKind.SendTest, _bOfA), SpeedRecord.Compose(SpeedKind.AskingData, Test, 0, 0));
        Move(_a, _b);
        Order(_b, _aOfB, new(SpeedTask.Listen, Test));
        Order(_b, _aOfB, new(SpeedTask.Stop, Test));
        _a.Order(new(OrderKind.SendTest, _bOfA), SpeedRecord.Compose(SpeedKind.AskingData, Test, 0, 0));
        Move(_a, _b);
        Assert.Equal(2, _b.Counters[DropReason.StrayTest]);
        Assert.Empty(_b.Socket4.Output);
    }

    [Fact]
    public void A_tinc_node_cannot_make_a_test()
    {
        (TestShard a, TestShard b) = Pair(DataSuite.TincChaCha20Poly1305);
        using (a)
        using (b)
        {
            a.Order(new(OrderKind.SendTest, a.Table.Peers[0].Id), SpeedRecord.Compose(SpeedKind.Request, Test, 5000));
            Move(a, b);
            Assert.Equal(1, b.Counters[DropReason.StrayTest]);
            Assert.DoesNotContain(b.Reports(), report => report.Header.Kind == ShardReportKind.SpeedRecord);
        }
    }

    private static (TestShard A, TestShard B) Pair(DataSuite suite)
    {
        TestNetwork a = new("a"), b = new("b");
        Node toB = a.Neighbour("b"), toA = b.Neighbour("a");
        TestNetwork.Pair(toB, toA, suite);
        return (new TestShard(a.Build()), new TestShard(b.Build()));
    }

    private static void Order(TestShard shard, int node, SpeedOrder order) =>
        shard.Order(new(OrderKind.Speed, node), MemoryMarshal.AsBytes(new ReadOnlySpan<SpeedOrder>(ref order)).ToArray());

    private static SpeedCounts CountsOf(TestShard shard) => SpeedMeter.Sum([shard.State.Speed], Test);

    /// <summary>One round trip.</summary>
    private void Carry(Func<int, bool>? loses = null)
    {
        Move(_a, _b, loses);
        Move(_b, _a);
    }

    private static void Move(TestShard from, TestShard to, Func<int, bool>? loses = null)
    {
        Endpoint sender = to.Table.Peers[0].Address;
        int number = 0;
        foreach (Captured train in from.Socket4.Output)
        {
            if (loses?.Invoke(number++) != true)
                to.Socket4.Input.Enqueue(train with { Endpoint = sender });
        }

        from.Socket4.Output.Clear();
        to.Work();
    }
}
