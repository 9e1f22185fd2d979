using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>What becomes of datagrams that begin with two node ids: tinc 1.1 reference, 6.3.</summary>
public sealed class SessionInboundTests : IDisposable
{
    private const EdgeOptions Sptps = TestNetwork.Sptps, FastMesh = TestNetwork.FastMesh;
    private static readonly NodeId s_self = NodeId.Of("self"), s_b = NodeId.Of("b"), s_c = NodeId.Of("c"), s_far = NodeId.Of("far");
    private static readonly Endpoint s_stranger = Endpoint.FromIPv4(0xc0000263, 655);

    private readonly TestNetwork _network = new();
    private readonly Node _b, _c, _far;
    private readonly Node _selfAtB, _selfAtFar;
    private TestShard? _shard;
    private ulong _sequence;

    /// <summary>Neighbours b (tinc 1.1) and c (FastMesh), and far (FastMesh) behind b.</summary>
    public SessionInboundTests()
    {
        _network.Own(_network.Self, "10.1.0.0/16");
        _b = TestNetwork.Speaking(NodeProtocol.Sptps, _network.Neighbour("b", Sptps, "10.2.0.0/16"));
        _c = TestNetwork.Speaking(NodeProtocol.FastMesh, _network.Neighbour("c", FastMesh, "10.3.0.0/16"));
        _far = TestNetwork.Speaking(NodeProtocol.FastMesh, _network.Behind("far", _b, FastMesh | Sptps, "10.4.0.0/16"));
        (_selfAtB, _selfAtFar) = (new TestNetwork("b").Neighbour("self"), new TestNetwork("far").Neighbour("self"));
        PlainSession.Pair(_b, _selfAtB);
        PlainSession.Pair(_far, _selfAtFar);
        _network.Build(); // finds addresses
    }

    private TestShard Shard => _shard ??= new TestShard(_network.Build());

    public void Dispose() => _shard?.Dispose();

    [Fact]
    public void What_the_node_at_the_address_sends_straight_is_opened_with_its_session()
    {
        byte[] frame = TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100);
        Receive(_b.Address, Seal(_selfAtB, frame));
        Assert.Equal(frame, Assert.Single(Shard.Device.Output).Bytes);
        Assert.Empty(Shard.Reports());
    }

    [Fact]
    public void What_comes_by_a_relay_is_opened_with_the_session_of_its_source_and_reported_once_a_second()
    {
        byte[][] frames = [.. Enumerable.Range(0, 4).Select(i => TestFrames.Udp4("10.4.0.1", "10.1.0.1", 100 + i))];
        foreach (byte[] frame in frames)
        {
            Receive(_b.Address, Seal(_selfAtFar, frame, direct: false));
            Shard.Now += TimeSpan.FromMilliseconds(500);
        }

        Assert.Equal(frames, Shard.Device.Output.Select(packet => packet.Bytes));
        List<Report> reports = Shard.Reports();
        Assert.Equal(2, reports.Count);
        Assert.All(reports, report => Assert.Equal(
            (ShardReportKind.Relayed, _far.Id, _b.Id), (report.Header.Kind, report.Header.Node, report.Header.KeyNeededFor)));
        Assert.Equal(new NodeCounters(4, frames.Sum(frame => frame.Length), 0, 0), NodeTraffic.Sum([Shard.State.Traffic], _far.Id));
    }

    [Fact]
    public void Datagrams_of_several_sources_from_one_address_are_told_apart()
    {
        byte[][] frames = [.. Enumerable.Range(0, 100).Select(i => TestFrames.Udp4(i % 7 < 4 ? "10.2.0.1" : "10.4.0.1", "10.1.0.1", 200, id: (ushort)(3 * i), dontFragment: false))];
        for (int i = 0; i < frames.Length; i++)
            Shard.Socket4.Input.Enqueue(new(i % 7 < 4 ? Seal(_selfAtB, frames[i]) : Seal(_selfAtFar, frames[i], direct: false), Endpoint: _b.Address));
        Shard.Work();
        Assert.Equal(frames, Shard.Device.Output.Select(packet => packet.Bytes));
    }

    [Fact]
    public void Datagrams_of_several_sources_in_one_train_are_told_apart()
    {
        PlainSession.Pair(_b, _selfAtB);
        Node c = _network.Behind("d", _b, Sptps, "10.5.0.0/16"), selfAtD = new TestNetwork("d").Neighbour("self");
        PlainSession.Pair(TestNetwork.Speaking(NodeProtocol.Sptps, c), selfAtD);
        byte[][] frames = [.. Enumerable.Range(0, 100).Select(i => TestFrames.Udp4(i % 7 < 4 ? "10.2.0.1" : "10.5.0.1", "10.1.0.1", 200, id: (ushort)(3 * i), dontFragment: false))];
        byte[][] datagrams = [.. frames.Select((frame, i) => i % 7 < 4 ? Seal(_selfAtB, frame) : Seal(selfAtD, frame, direct: false))];
        Receive(_b.Address, [.. datagrams.SelectMany(bytes => bytes)], datagrams[0].Length);
        Assert.Equal(frames, Shard.Device.Output.Select(packet => packet.Bytes));
    }

    [Fact]
    public void A_train_is_opened_whole_and_a_forged_datagram_in_it_costs_only_itself()
    {
        byte[][] frames = [.. Enumerable.Range(0, 130).Select(i => TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100, id: (ushort)(3 * i), dontFragment: false))];
        byte[][] datagrams = [.. frames.Select(frame => Seal(_selfAtB, frame))];
        datagrams[77][40] ^= 1;
        Receive(_b.Address, [.. datagrams.SelectMany(bytes => bytes)], datagrams[0].Length);
        Assert.Equal(frames.Where((_, i) => i != 77), Shard.Device.Output.Select(packet => packet.Bytes));
        Assert.Equal(1, Shard.Counters[DropReason.BadDatagram]);
        Report report = Assert.Single(Shard.Reports());
        Assert.Equal((ShardReportKind.OpenFailed, _b.Id), (report.Header.Kind, report.Header.Node));
    }

    [Fact]
    public void A_failure_is_reported_once_a_second_and_a_repetition_is_no_failure()
    {
        byte[] datagram = Seal(_selfAtB, TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100)), forged = [.. datagram[..^1], (byte)~datagram[^1]];
        Receive(_b.Address, datagram);
        Receive(_b.Address, datagram);
        Assert.Empty(Shard.Reports());
        for (int i = 0; i < 4; i++)
        {
            Receive(_b.Address, forged);
            Shard.Now += TimeSpan.FromMilliseconds(500);
        }

        Assert.Equal(2, Shard.Reports().Count(report => report.Header.Kind == ShardReportKind.OpenFailed));
        Assert.Equal((4, 1), (Shard.Counters[DropReason.BadDatagram], Shard.Counters[DropReason.Replayed]));
    }

    [Fact]
    public void Without_a_session_that_is_reported_too()
    {
        Receive(_c.Address, Ids(default, s_c, 100));
        Assert.Equal(1, Shard.Counters[DropReason.NoKey]);
        Report report = Assert.Single(Shard.Reports());
        Assert.Equal((ShardReportKind.OpenFailed, _c.Id), (report.Header.Kind, report.Header.Node));
    }

    [Fact]
    public void A_node_with_a_session_that_sends_from_anothers_address_or_from_no_nodes_is_reported_whole()
    {
        byte[] datagram = Seal(_selfAtFar, TestFrames.Udp4("10.4.0.1", "10.1.0.1", 100));
        Receive(_b.Address, datagram);
        Receive(s_stranger, datagram);
        List<Report> reports = Shard.Reports();
        Assert.Equal([_b.Address, s_stranger], reports.Select(report => report.Header.Source));
        Assert.All(reports, report => Assert.Equal(ShardReportKind.UnknownDatagram, report.Header.Kind));
        Assert.All(reports, report => Assert.Equal(datagram, report.Bytes));
        Assert.Empty(Shard.Device.Output);
    }

    [Fact]
    public void Of_nodes_that_share_an_address_each_is_opened_with_its_own_session()
    {
        _far.Address = _b.Address;
        byte[] frame = TestFrames.Udp4("10.4.0.1", "10.1.0.1", 100);
        Receive(_b.Address, Seal(_selfAtFar, frame));
        Assert.Equal(frame, Assert.Single(Shard.Device.Output).Bytes);
        Assert.Empty(Shard.Reports());
    }

    [Fact]
    public void A_node_of_tinc_1_0_keeps_its_address_and_its_format()
    {
        Node old = _network.Neighbour("old", "10.9.0.0/16"), selfAtOld = new TestNetwork("old").Neighbour("self");
        TestNetwork.Pair(old, selfAtOld, LegacySuite.Default);
        _network.Build();
        byte[] frame = TestFrames.Udp4("10.9.0.1", "10.1.0.1", 100);
        Receive(old.Address, Seal(selfAtOld, frame));
        Assert.Equal(frame, Assert.Single(Shard.Device.Output).Bytes);
        Receive(old.Address, Ids(s_self, s_b, 100));
        Receive(_b.Address, Seal(selfAtOld, frame)); // as if it still spoke tinc 1.0
        Assert.Single(Shard.Device.Output);
        Assert.Equal((1, 1), (Shard.Counters[DropReason.BadDatagram], Shard.Counters[DropReason.UnknownNode]));
    }

    [Fact]
    public void Probes_count_only_if_they_come_straight_by_udp()
    {
        byte[] probe = new byte[100];
        Receive(_b.Address, Seal(_selfAtB, probe));
        Report report = Assert.Single(Shard.Reports());
        Assert.Equal((ShardReportKind.Probe, _b.Id), (report.Header.Kind, report.Header.Node));
        Assert.Equal(probe, report.Bytes);

        Receive(_b.Address, Seal(_selfAtFar, probe, direct: false));
        Shard.Order(new ShardOrder(OrderKind.Open, _far.Id) { ByTcp = true }, Seal(_selfAtFar, probe, direct: false));
        Assert.DoesNotContain(Shard.Reports(), again => again.Header.Kind == ShardReportKind.Probe);
        Assert.Equal(2, Shard.Counters[DropReason.StrayProbe]);
        Assert.Empty(Shard.Device.Output);
    }

    [Fact]
    public void A_datagram_that_came_by_tcp_is_opened()
    {
        byte[] frame = TestFrames.Udp4("10.4.0.1", "10.1.0.1", 100);
        Shard.Order(new ShardOrder(OrderKind.Open, _far.Id) { ByTcp = true }, Seal(_selfAtFar, frame, direct: false));
        Assert.Equal(frame, Assert.Single(Shard.Device.Output).Bytes);
        Assert.Empty(Shard.Reports());
    }

    [Fact]
    public void A_train_for_another_node_is_relayed_as_it_is()
    {
        byte[] train = [.. Enumerable.Range(0, 40).SelectMany(i => Ids(s_far, s_c, 700, (byte)i))];
        _far.MinMtu = 0;
        Receive(_c.Address, train, 700);
        Captured sent = Assert.Single(Shard.Socket4.Output);
        Assert.Equal((_b.Address, 700), (sent.Endpoint, sent.SegmentSize));
        Assert.Equal(train, sent.Bytes);
        Assert.Empty(Shard.Device.Output);
        Report report = Assert.Single(Shard.Reports());
        Assert.Equal((ShardReportKind.Traffic, _far.Id, -1), (report.Header.Kind, report.Header.Node, report.Header.KeyNeededFor));
    }

    [Theory]
    [InlineData(1484, true)]
    [InlineData(1485, false)]
    public void What_does_not_fit_the_next_hop_is_carried_by_tcp(int length, bool udp)
    {
        _far.MinMtu = 0;
        byte[] datagram = Ids(s_far, s_c, length);
        Receive(_c.Address, datagram);
        Assert.Equal(udp ? 1 : 0, Shard.Socket4.Output.Count);
        Report? report = Shard.Reports().SingleOrDefault(report => report.Header.Kind == ShardReportKind.TcpDatagram);
        Assert.Equal(udp ? null : _far.Id, report?.Header.Node);
        Assert.Equal(udp ? null : datagram, report?.Bytes);
    }

    [Fact]
    public void A_destination_whose_path_is_proven_is_relayed_to_straight()
    {
        Receive(_c.Address, Ids(s_far, s_c, 500));
        Assert.Equal(_far.Address, Assert.Single(Shard.Socket4.Output).Endpoint);
    }

    /// <summary>Without an Ed25519 key of its own, this node has no sessions with nodes of tinc 1.1; with each other these have them nevertheless.</summary>
    [Fact]
    public void What_a_node_without_session_with_this_one_has_sealed_for_another_is_relayed()
    {
        Node old = _network.Neighbour("old");
        Assert.Equal(NodeProtocol.Legacy, old.Protocol);
        byte[] datagram = Ids(s_far, NodeId.Of("old"), 500);
        Receive(_c.Address, datagram);
        Captured sent = Assert.Single(Shard.Socket4.Output);
        Assert.Equal(_far.Address, sent.Endpoint);
        Assert.Equal(datagram, sent.Bytes);
    }

    [Theory]
    [InlineData("b", "c", 500)] // straight
    [InlineData("far", "c", 500)] // b is the next hop
    [InlineData("far", "c", 1600)] // also by TCP
    public void Nothing_is_relayed_back_to_where_it_came_from(string destination, string source, int length)
    {
        _far.MinMtu = 0;
        Receive(_b.Address, Ids(NodeId.Of(destination), NodeId.Of(source), length));
        AssertDropped(DropReason.RoutingLoop);
    }

    [Fact]
    public void Unknown_sources_and_destinations_the_own_id_and_tinc_1_0_sources_are_dropped()
    {
        _network.Neighbour("old");
        Receive(_b.Address, Ids(s_far, NodeId.Of("nobody"), 100));
        Receive(_b.Address, Ids(default, NodeId.Of("nobody"), 100));
        Receive(_b.Address, Ids(NodeId.Of("nobody"), s_c, 100));
        Receive(_b.Address, Ids(s_c, s_self, 100));
        Receive(_b.Address, Ids(s_self, s_self, 100));
        Receive(_b.Address, Ids(s_self, NodeId.Of("old"), 100));
        Receive(_b.Address, Ids(default, s_c, 100)); // c has no session that could tell whether it has moved
        AssertDropped(DropReason.UnknownNode, 7);
    }

    [Fact]
    public void An_unconfirmed_address_may_not_relay_through_this_node()
    {
        _c.UdpConfirmed = false;
        Receive(_c.Address, Ids(s_far, s_c, 100));
        AssertDropped(DropReason.UnknownNode);
    }

    [Fact]
    public void An_unreachable_destination_gets_nothing()
    {
        TestNetwork.Speaking(NodeProtocol.Sptps, _network.Unreachable("gone"));
        Receive(_b.Address, Ids(NodeId.Of("gone"), s_b, 100));
        AssertDropped(DropReason.Unreachable);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(44)]
    [InlineData(1662)]
    [InlineData(65000)]
    public void Lengths_that_no_datagram_has_are_dropped_and_counted(int length)
    {
        byte[] bytes = new byte[length];
        s_b.Write(bytes.Length >= 12 ? bytes.AsSpan(6) : new byte[6]);
        Receive(_b.Address, bytes);
        Assert.Equal(1, Shard.Counters[DropReason.BadDatagram]);
        Assert.Empty(Shard.Device.Output);
    }

    [Fact]
    public void A_session_of_another_shard_gets_what_came_straight_and_what_came_by_relay()
    {
        PlainSession.Pair(_b, _selfAtB, ownerA: 1);
        PlainSession.Pair(_far, _selfAtFar, ownerA: 1);
        ShardMailbox<ShardOrder>[] mailboxes = [new(3, 64), new(3, 64)];
        ForwardingTable table = _network.Build();
        using TestShard first = new(0, table, mailboxes), second = new(1, table, mailboxes);
        byte[][] frames = [TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100), TestFrames.Udp4("10.4.0.1", "10.1.0.1", 100)];
        first.Socket6.Input.Enqueue(new(Seal(_selfAtB, frames[0]), Endpoint: _b.Address));
        first.Socket6.Input.Enqueue(new(Seal(_selfAtFar, frames[1], direct: false), Endpoint: _b.Address));
        first.Socket6.Input.Enqueue(new(Seal(_selfAtFar, new byte[64], direct: false), Endpoint: _b.Address));
        first.Work();
        Assert.Empty(first.Device.Output);
        second.Work();
        Assert.Equal(frames, second.Device.Output.Select(packet => packet.Bytes));
        Assert.Equal(1, second.Counters[DropReason.StrayProbe]);
        Report report = Assert.Single(second.Reports());
        Assert.Equal((ShardReportKind.Relayed, _far.Id, _b.Id), (report.Header.Kind, report.Header.Node, report.Header.KeyNeededFor));
        Array.ForEach(mailboxes, mailbox => mailbox.Dispose());
    }

    [Fact]
    public void Hostile_datagrams_from_known_addresses_neither_get_through_nor_come_back_nor_hurt()
    {
        const int Seed = 20261122;
        Random random = new(Seed);
        NodeId[] ids = [default, s_self, s_b, s_c, s_far, NodeId.Of("nobody")];
        Endpoint[] sources = [_b.Address, _c.Address, _far.Address, s_stranger];
        byte[] genuine = Seal(_selfAtB, TestFrames.Udp4("10.2.0.1", "10.1.0.1", 200));
        for (int i = 0; i < 5000; i++)
        {
            byte[] bytes = i % 3 == 0 ? genuine[..random.Next(1, genuine.Length + 1)] : new byte[random.Next(1, 3000)];
            if (i % 3 != 0)
                random.NextBytes(bytes);
            else if (bytes.Length > 12)
                bytes[random.Next(12, bytes.Length)] ^= (byte)random.Next(1, 256);
            for (int at = 0; i % 3 == 1 && at + 12 <= bytes.Length; at += 12)
                ids[random.Next(ids.Length)].Write(bytes.AsSpan(at + (6 * random.Next(2))));
            Shard.Socket4.Input.Enqueue(new(bytes, Endpoint: sources[random.Next(sources.Length)], SegmentSize: i % 5 == 0 ? random.Next(1, 200) : 0));
        }

        Shard.Work();
        Assert.True(Shard.Device.Output.Count == 0, $"seed {Seed}");
        Assert.All(Shard.Socket4.Output, sent => Assert.False(NodeId.Read(sent.Bytes).IsZero));
        Receive(_b.Address, genuine);
        Assert.Single(Shard.Device.Output);
    }

    private byte[] Seal(Node session, byte[] frame, bool direct = true)
    {
        if (session.Sealer is PlainSealer plain)
            return plain.Session.Seal(_sequence++, frame, direct);
        byte[] output = new byte[session.Sealer!.SealedLength(frame.Length)];
        return output[..session.Sealer.Seal([0, 0, 0, 0, .. frame], output, direct)];
    }

    private static byte[] Ids(NodeId destination, NodeId source, int length, byte fill = 7)
    {
        byte[] datagram = new byte[length];
        datagram.AsSpan().Fill(fill);
        destination.Write(datagram);
        source.Write(datagram.AsSpan(6));
        return datagram;
    }

    private void Receive(Endpoint source, byte[] bytes, int segment = 0)
    {
        Shard.Socket4.Input.Enqueue(new(bytes, Endpoint: source, SegmentSize: segment));
        Shard.Work();
    }

    private void AssertDropped(DropReason reason, int count = 1)
    {
        Assert.Equal(count, Shard.Counters[reason]);
        Assert.Empty(Shard.Socket4.Output);
        Assert.Empty(Shard.Device.Output);
        Assert.DoesNotContain(Shard.Reports(), report => report.Header.Kind is not ShardReportKind.Traffic);
    }
}
