using System.Buffers.Binary;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>How a frame travels to a node whose session is end to end: tinc 1.1 reference, 6.2 and 6.4.</summary>
public sealed class SessionSendingTests : IDisposable
{
    private const EdgeOptions Sptps = TestNetwork.Sptps, FastMesh = TestNetwork.FastMesh;
    private static readonly byte[] s_frame = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 100);
    private readonly TestNetwork _network = new();
    private TestShard? _shard;

    public SessionSendingTests() => _network.Own(_network.Self, "10.1.0.0/16");

    private TestShard Shard => _shard ??= new TestShard(_network.Build());

    public void Dispose() => _shard?.Dispose();

    [Theory]
    [InlineData(NodeProtocol.Sptps, 33)]
    [InlineData(NodeProtocol.FastMesh, 37)]
    public void A_datagram_straight_to_its_node_has_no_destination_and_carries_the_packet_only(NodeProtocol protocol, int overhead)
    {
        Node b = Neighbour("b", protocol, "10.2.0.0/16"), self = PairWith(b);
        Shard.FromDevice(s_frame);
        Captured datagram = Assert.Single(Shard.Socket4.Output);
        Assert.Equal(b.Address, datagram.Endpoint);
        Assert.Equal(s_frame.Length - 14 + overhead, datagram.Bytes.Length);
        Assert.Equal(new byte[6], datagram.Bytes[..6]);
        Assert.Equal(NodeId.Of("self"), NodeId.Read(datagram.Bytes.AsSpan(6)));
        Assert.Equal(s_frame, Open(self, datagram.Bytes));
    }

    [Theory]
    [InlineData(NodeProtocol.Sptps, RoutingMode.Router, 1000 - 28, true)]
    [InlineData(NodeProtocol.Sptps, RoutingMode.Router, 1001 - 28, false)]
    [InlineData(NodeProtocol.FastMesh, RoutingMode.Router, 1000 - 28, true)]
    [InlineData(NodeProtocol.FastMesh, RoutingMode.Router, 1001 - 28, false)]
    [InlineData(NodeProtocol.Sptps, RoutingMode.Hub, 1000 - 42, true)]
    [InlineData(NodeProtocol.Sptps, RoutingMode.Hub, 1001 - 42, false)]
    [InlineData(NodeProtocol.FastMesh, RoutingMode.Hub, 1000 - 42, true)]
    public void Datagrams_are_at_most_as_long_as_the_probe_that_arrived(NodeProtocol protocol, RoutingMode mode, int payload, bool udp)
    {
        _network.Options = new() { Mode = mode };
        Node b = Neighbour("b", protocol, "10.2.0.0/16");
        (b.Mtu, b.MinMtu, b.OnSpanningTree) = (1518, 1000, true);
        PairWith(b, mode);
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.2.0.1", payload);
        Shard.FromDevice(frame);
        if (udp)
        {
            int probe = 1000 + (protocol == NodeProtocol.Sptps ? 33 : 37);
            Assert.Equal(probe, Assert.Single(Shard.Socket4.Output).Bytes.Length);
            return;
        }

        Assert.Empty(Shard.Socket4.Output);
        Assert.Equal(frame, Assert.Single(Reports(ShardReportKind.TcpFrame)).Bytes);
    }

    [Fact]
    public void A_neighbour_is_sent_to_by_its_connection_while_udp_does_not_work_or_there_is_no_session()
    {
        Node b = Neighbour("b", NodeProtocol.Sptps, "10.2.0.0/16");
        Shard.FromDevice(s_frame);
        Report packet = Assert.Single(Reports(ShardReportKind.TcpFrame, out List<Report> traffic));
        Assert.Equal((b.Id, -1), (packet.Header.Node, packet.Header.KeyNeededFor));
        Assert.Equal(s_frame, packet.Bytes);
        Assert.Equal((b.Id, b.Id), (Assert.Single(traffic).Header.Node, traffic[0].Header.KeyNeededFor));

        PairWith(b);
        b.MinMtu = 0;
        Shard.Table = _network.Build();
        Shard.Now += TimeSpan.FromSeconds(1);
        Shard.FromDevice(s_frame);
        Assert.Single(Reports(ShardReportKind.TcpFrame, out traffic));
        Assert.Equal((b.Id, -1), (Assert.Single(traffic).Header.Node, traffic[0].Header.KeyNeededFor));
        Assert.Empty(Shard.Socket4.Output);
    }

    [Fact]
    public void Without_a_session_a_frame_for_a_node_that_is_no_neighbour_is_dropped_and_a_session_asked_for_once_a_second()
    {
        Node far = Behind("far", Neighbour("b", NodeProtocol.Sptps), NodeProtocol.FastMesh, FastMesh, "10.3.0.0/16");
        for (int i = 0; i < 5; i++)
        {
            Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100));
            Shard.Now += TimeSpan.FromMilliseconds(500);
        }

        List<Report> reports = Shard.Reports();
        Assert.All(reports, report => Assert.Equal((ShardReportKind.Traffic, far.Id, far.Id), (report.Header.Kind, report.Header.Node, report.Header.KeyNeededFor)));
        Assert.Equal(3, reports.Count);
        Assert.Equal(5, Shard.Counters[DropReason.NoKey]);
        Assert.Empty(Shard.Socket4.Output);
    }

    [Fact]
    public void A_session_of_another_protocol_than_the_nodes_is_not_used()
    {
        Node b = Neighbour("b", NodeProtocol.FastMesh, "10.2.0.0/16");
        b.Sealer = TestNetwork.NewSealer();
        Shard.FromDevice(s_frame);
        Assert.Empty(Shard.Socket4.Output);
        Assert.Single(Reports(ShardReportKind.TcpFrame));
    }

    [Theory]
    [InlineData(NodeProtocol.Sptps, Sptps, NodeProtocol.Sptps, Sptps, true)]
    [InlineData(NodeProtocol.Sptps, Sptps, NodeProtocol.FastMesh, FastMesh, true)]
    [InlineData(NodeProtocol.Sptps, Sptps, NodeProtocol.Sptps, TestNetwork.Usual | (EdgeOptions)(3u << 24), false)]
    [InlineData(NodeProtocol.Sptps, Sptps, NodeProtocol.Legacy, TestNetwork.Usual, false)]
    [InlineData(NodeProtocol.FastMesh, FastMesh, NodeProtocol.FastMesh, FastMesh, true)]
    [InlineData(NodeProtocol.FastMesh, FastMesh, NodeProtocol.Sptps, Sptps, false)]
    [InlineData(NodeProtocol.FastMesh, FastMesh | Sptps, NodeProtocol.Sptps, Sptps, true)]
    [InlineData(NodeProtocol.FastMesh, FastMesh, NodeProtocol.Legacy, TestNetwork.Usual, false)]
    public void Who_can_relay_does_so_by_udp_else_the_datagram_goes_by_tcp(
        NodeProtocol protocol, EdgeOptions options, NodeProtocol relays, EdgeOptions relayOptions, bool udp)
    {
        Node b = TestNetwork.Speaking(relays, _network.Neighbour("b", relayOptions));
        Node far = Behind("far", b, protocol, options, "10.3.0.0/16"), selfAtFar = PairWith(far);
        far.MinMtu = 0;
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100);
        Shard.FromDevice(frame);
        Report? byTcp = Reports(ShardReportKind.TcpDatagram).SingleOrDefault();
        Assert.Equal(!udp, byTcp is not null);
        Assert.Equal(udp ? 1 : 0, Shard.Socket4.Output.Count);
        byte[] datagram = byTcp?.Bytes ?? Shard.Socket4.Output[0].Bytes;
        Assert.Equal((NodeId.Of("far"), NodeId.Of("self")), (NodeId.Read(datagram), NodeId.Read(datagram.AsSpan(6))));
        Assert.Equal(frame, Open(selfAtFar, datagram));
        Assert.Equal(udp ? b.Address : default, udp ? Shard.Socket4.Output[0].Endpoint : default);
        Assert.Equal(udp ? -1 : far.Id, byTcp?.Header.Node ?? -1);
    }

    [Fact]
    public void A_node_whose_own_path_is_proven_gets_what_fits_it_and_the_next_hop_relays_the_rest()
    {
        Node b = Neighbour("b", NodeProtocol.Sptps), far = Behind("far", b, NodeProtocol.Sptps, Sptps, "10.3.0.0/16");
        PairWith(far);
        (b.MinMtu, far.MinMtu) = (1400, 500);
        byte[][] frames = [.. new[] { 400, 1000, 1450 }.Select(length => TestFrames.Udp4("10.1.0.1", "10.3.0.1", length - 28))];
        foreach (byte[] frame in frames)
            Shard.FromDevice(frame);
        Assert.Equal([far.Address, b.Address], Shard.Socket4.Output.Select(datagram => datagram.Endpoint));
        Assert.Equal([true, false], Shard.Socket4.Output.Select(datagram => NodeId.Read(datagram.Bytes).IsZero));
        Assert.Equal(far.Id, Assert.Single(Reports(ShardReportKind.TcpDatagram)).Header.Node);
    }

    [Fact]
    public void An_indirect_node_is_sent_to_by_way_of_its_static_relay()
    {
        Node b = Neighbour("b", NodeProtocol.Sptps), c = Behind("c", b, NodeProtocol.FastMesh, FastMesh);
        Node far = Behind("far", c, NodeProtocol.FastMesh, FastMesh | EdgeOptions.Indirect, "10.3.0.0/16");
        PairWith(far);
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100));
        Assert.Equal(c.Address, Assert.Single(Shard.Socket4.Output).Endpoint);
    }

    [Theory]
    [InlineData(1200 - 4, true)]
    [InlineData(1200 - 3, false)]
    public void A_longer_format_leaves_less_room_in_a_relays_datagrams(int packet, bool udp)
    {
        Node b = Neighbour("b", NodeProtocol.Sptps), far = Behind("far", b, NodeProtocol.FastMesh, FastMesh | Sptps, "10.3.0.0/16");
        PairWith(far);
        (b.MinMtu, far.MinMtu) = (1200, 0);
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.3.0.1", packet - 28));
        Assert.Equal(udp ? 1 : 0, Shard.Socket4.Output.Count(datagram => datagram.Bytes.Length == 1233));
        Assert.Equal(udp ? 0 : 1, Reports(ShardReportKind.TcpDatagram).Count);
    }

    [Fact]
    public void Tcp_only_on_either_side_sends_by_tcp()
    {
        Node b = Neighbour("b", NodeProtocol.Sptps, "10.2.0.0/16");
        Node c = TestNetwork.Speaking(NodeProtocol.Sptps, _network.Neighbour("c", Sptps | EdgeOptions.TcpOnly));
        Node far = Behind("far", c, NodeProtocol.Sptps, Sptps | EdgeOptions.Indirect, "10.3.0.0/16");
        PairWith(b);
        PairWith(far);
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100));
        Assert.Equal(far.Id, Assert.Single(Reports(ShardReportKind.TcpDatagram)).Header.Node);
        Shard.FromDevice(s_frame);
        Assert.Single(Shard.Socket4.Output);

        _network.Options = new() { LocalOptions = EdgeOptions.TcpOnly };
        Shard.Table = _network.Build();
        Shard.FromDevice(s_frame);
        Assert.Single(Reports(ShardReportKind.TcpFrame));
        Assert.Single(Shard.Socket4.Output);
    }

    [Fact]
    public void A_tinc_1_0_node_behind_a_node_with_ids_is_reached_in_the_session_of_that_hop()
    {
        Node b = Neighbour("b", NodeProtocol.FastMesh), selfAtB = PairWith(b);
        _network.Behind("old", b, EdgeOptions.Indirect, "10.3.0.0/16");
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100);
        Shard.FromDevice(frame);
        Captured datagram = Assert.Single(Shard.Socket4.Output);
        Assert.Equal(b.Address, datagram.Endpoint);
        Assert.Equal(frame, Open(selfAtB, datagram.Bytes));
    }

    [Fact]
    public void What_arrived_by_tcp_goes_on_in_the_session_by_udp()
    {
        Node b = Neighbour("b", NodeProtocol.Sptps, "10.2.0.0/16"), c = _network.Neighbour("c");
        PairWith(b);
        Shard.ByTcp(c.Id, TestFrames.Udp4("10.9.0.1", "10.2.0.1", 100));
        Assert.Single(Shard.Socket4.Output);
    }

    [Theory]
    [InlineData(NodeProtocol.Sptps, 1451, false)]
    [InlineData(NodeProtocol.FastMesh, 1451, false)]
    [InlineData(NodeProtocol.Sptps, 1451, true)]
    [InlineData(NodeProtocol.FastMesh, 1451 - 4, true)]
    public void A_super_packet_goes_as_trains_of_datagrams_that_fill_the_path(NodeProtocol protocol, int packet, bool relayed)
    {
        EdgeOptions options = protocol == NodeProtocol.Sptps ? Sptps : FastMesh | Sptps;
        Node b = Neighbour("b", relayed ? NodeProtocol.Sptps : protocol);
        Node far = relayed ? Behind("far", b, protocol, options, "10.2.0.0/16") : b;
        if (relayed)
            far.MinMtu = 0;
        else
            _network.Own(b, "10.2.0.0/16");
        Node self = PairWith(far);
        byte[] payload = TestFrames.Pattern(60_000);
        VirtioHeader header = new() { NeedsChecksum = true, Kind = SegmentationKind.TcpIPv4, SegmentSize = 8000, ChecksumStart = 34, ChecksumOffset = 16 };
        Shard.FromDevice(new Captured(TestFrames.Tcp4("10.1.0.1", "10.2.0.1", 1, payload), header));

        Captured train = Assert.Single(Shard.Socket4.Output);
        Assert.Equal(b.Address, train.Endpoint);
        Assert.Equal((relayed ? 33 : protocol == NodeProtocol.Sptps ? 33 : 37) + 1451, train.SegmentSize);
        byte[][] frames = [.. train.Bytes.Chunk(train.SegmentSize).Select(datagram => Open(self, datagram))];
        Assert.All(frames[..^1], frame => Assert.Equal(packet + 14, frame.Length));
        Assert.Equal(payload, frames.SelectMany(frame => frame[54..]).ToArray());
        Assert.All(train.Bytes.Chunk(train.SegmentSize), datagram => Assert.Equal(relayed ? NodeId.Of("far") : default, NodeId.Read(datagram)));
        Assert.Equal(frames.Length, NodeTraffic.Sum([Shard.State.Traffic], far.Id).PacketsOut);
    }

    [Fact]
    public void A_session_of_another_shard_is_used_by_that_shard()
    {
        Node b = Neighbour("b", NodeProtocol.FastMesh), far = Behind("far", b, NodeProtocol.FastMesh, FastMesh, "10.3.0.0/16");
        far.MinMtu = 0;
        Node selfAtFar = PairWith(far, owner: 1);
        ShardMailbox<ShardOrder>[] mailboxes = [new(3, 64), new(3, 64)];
        ForwardingTable table = _network.Build();
        using TestShard first = new(0, table, mailboxes), second = new(1, table, mailboxes);
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100);
        first.FromDevice(frame);
        Assert.Empty(first.Socket4.Output);
        second.Work();
        Captured datagram = Assert.Single(second.Socket4.Output);
        Assert.Equal(b.Address, datagram.Endpoint);
        Assert.Equal(frame, Open(selfAtFar, datagram.Bytes));
        Assert.Equal(1, NodeTraffic.Sum([first.State.Traffic, second.State.Traffic], far.Id).PacketsOut);
        Array.ForEach(mailboxes, mailbox => mailbox.Dispose());
    }

    [Fact]
    public void A_probe_goes_straight_whatever_the_path_and_a_sealed_datagram_goes_as_it_is()
    {
        Node b = Neighbour("b", NodeProtocol.Sptps), far = Behind("far", b, NodeProtocol.Sptps, Sptps), selfAtFar = PairWith(far);
        far.MinMtu = 0;
        Endpoint elsewhere = Endpoint.FromIPv4(0xc0000263, 655);
        byte[] probe = new byte[100], datagram = [.. TestFrames.Pattern(321)];
        Shard.Order(new ShardOrder(OrderKind.Seal, far.Id), probe);
        Shard.Order(new ShardOrder(OrderKind.Seal, far.Id) { Endpoint = elsewhere }, probe);
        Shard.Order(new ShardOrder(OrderKind.SendSealed, b.Id), datagram);
        Assert.Equal([far.Address, elsewhere, b.Address], Shard.Socket4.Output.Select(sent => sent.Endpoint));
        Assert.All(Shard.Socket4.Output.Take(2), sent => Assert.Equal(probe, Open(selfAtFar, sent.Bytes)));
        Assert.All(Shard.Socket4.Output.Take(2), sent => Assert.Equal((133, true), (sent.Bytes.Length, NodeId.Read(sent.Bytes).IsZero)));
        Assert.Equal(datagram, Shard.Socket4.Output[2].Bytes);
    }

    [Theory]
    [InlineData(NodeProtocol.Sptps)]
    [InlineData(NodeProtocol.FastMesh)]
    public void What_the_kernel_finds_too_large_is_reported_as_the_probe_of_that_size(NodeProtocol protocol)
    {
        Node b = Neighbour("b", protocol), far = Behind("far", b, NodeProtocol.FastMesh, FastMesh | Sptps, "10.3.0.0/16");
        PairWith(far);
        (b.MinMtu, far.MinMtu) = (1400, 0);
        Shard.Socket4.SendError = Errno.EMSGSIZE;
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 1300 - 28));
        Report report = Assert.Single(Reports(ShardReportKind.TooBig));
        Assert.Equal((b.Id, protocol == NodeProtocol.Sptps ? 1304 : 1300), (report.Header.Node, report.Header.Length));
    }

    [Theory]
    [InlineData(1300, true)]
    [InlineData(1301, false)]
    public void Packets_up_to_the_path_mtu_pass_in_router_mode_and_senders_of_longer_ones_are_told_that_size(int packet, bool passes)
    {
        Node b = Neighbour("b", NodeProtocol.Sptps, "10.2.0.0/16");
        (b.Mtu, b.MinMtu) = (1300, 1300);
        PairWith(b);
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.2.0.1", packet - 28));
        Assert.Equal(passes ? 1 : 0, Shard.Socket4.Output.Count);
        if (!passes)
            Assert.Equal(1300, BinaryPrimitives.ReadUInt16BigEndian(Assert.Single(Shard.Device.Output).Bytes.AsSpan(14 + 20 + 6))); // RFC 1191, 4
    }

    [Fact]
    public void Fragments_go_to_the_owner_in_its_session_though_a_relay_carries_them()
    {
        Node b = Neighbour("b", NodeProtocol.FastMesh), far = Behind("far", b, NodeProtocol.FastMesh, FastMesh, "10.3.0.0/16"), selfAtFar = PairWith(far);
        (far.Mtu, far.MinMtu) = (700, 0);
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.3.0.1", 1200, dontFragment: false);
        Shard.FromDevice(frame);
        Assert.All(Shard.Socket4.Output, datagram => Assert.Equal((b.Address, NodeId.Of("far")), (datagram.Endpoint, NodeId.Read(datagram.Bytes))));
        byte[] together = [.. Shard.Socket4.Output.SelectMany(train => train.Bytes.Chunk(train.SegmentSize == 0 ? train.Bytes.Length : train.SegmentSize))
            .SelectMany(datagram => Open(selfAtFar, datagram)[34..])];
        Assert.Equal(frame[34..], together);
    }

    [Fact]
    public void A_broadcast_is_sealed_for_every_neighbour_in_its_own_session()
    {
        _network.Options = new() { Mode = RoutingMode.Hub };
        Node b = Neighbour("b", NodeProtocol.Sptps), c = Neighbour("c", NodeProtocol.FastMesh), d = _network.Neighbour("d");
        Node selfAtB = PairWith(b, RoutingMode.Hub), selfAtC = PairWith(c, RoutingMode.Hub), selfAtD = new TestNetwork("d").Neighbour("self");
        TestNetwork.Pair(d, selfAtD, LegacySuite.Default);
        b.OnSpanningTree = c.OnSpanningTree = d.OnSpanningTree = true;
        Shard.FromDevice(s_frame);
        Assert.Equal([b.Address, c.Address, d.Address], Shard.Socket4.Output.Select(datagram => datagram.Endpoint));
        Node[] sessions = [selfAtB, selfAtC, selfAtD];
        Assert.All(sessions.Zip(Shard.Socket4.Output), pair => Assert.Equal(s_frame, Open(pair.First, pair.Second.Bytes)));
    }

    private Node Neighbour(string name, NodeProtocol protocol, params string[] subnets) =>
        TestNetwork.Speaking(protocol, _network.Neighbour(name, protocol == NodeProtocol.Sptps ? Sptps : FastMesh, subnets));

    private Node Behind(string name, Node hop, NodeProtocol protocol, EdgeOptions options, params string[] subnets) =>
        TestNetwork.Speaking(protocol, _network.Behind(name, hop, options, subnets));

    /// <summary>Gives a node a session; returns self as that node sees it.</summary>
    private static Node PairWith(Node node, RoutingMode mode = RoutingMode.Router, int owner = 0)
    {
        Node self = new TestNetwork(node.Name).Neighbour("self");
        PlainSession.Pair(node, self, mode, ownerA: owner);
        return self;
    }

    private static byte[] Open(Node session, byte[] datagram)
    {
        byte[] output = new byte[session.Opener!.OutputLength(datagram.Length)];
        Assert.Equal(OpenResult.Opened, session.Opener.Open(datagram, output, out int offset, out int length));
        return output[offset..(offset + length)];
    }

    private List<Report> Reports(ShardReportKind kind) => Reports(kind, out _);

    private List<Report> Reports(ShardReportKind kind, out List<Report> traffic)
    {
        List<Report> all = Shard.Reports();
        traffic = [.. all.Where(report => report.Header.Kind == ShardReportKind.Traffic)];
        return [.. all.Where(report => report.Header.Kind == kind)];
    }
}
