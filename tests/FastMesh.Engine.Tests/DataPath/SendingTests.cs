using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>How a frame travels to another node: the rows of tinc 1.0 reference, 5.7.</summary>
public sealed class SendingTests : IDisposable
{
    private static readonly byte[] s_frame = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 100);
    private readonly TestNetwork _network = new();
    private readonly Node _b;
    private TestShard? _shard;

    public SendingTests()
    {
        _network.Own(_network.Self, "10.1.0.0/16");
        _b = _network.Neighbour("b", "10.2.0.0/16");
        _b.Sealer = TestNetwork.NewSealer();
    }

    private TestShard Shard => _shard ??= new TestShard(_network.Build());

    public void Dispose() => _shard?.Dispose();

    [Fact]
    public void With_key_and_proven_path_it_goes_by_udp()
    {
        Shard.FromDevice(s_frame);
        Captured datagram = Assert.Single(Shard.Socket4.Output);
        Assert.Equal(_b.Address, datagram.Endpoint);
        Assert.Empty(Shard.Reports());
    }

    [Fact]
    public void Without_key_it_goes_by_tcp_to_the_next_hop_and_a_key_is_asked_for()
    {
        _b.Sealer = null;
        Shard.FromDevice(s_frame);
        AssertTcp(_b, _b.Id);
    }

    [Fact]
    public void Before_the_first_probe_reply_it_goes_by_tcp()
    {
        _b.MinMtu = 0;
        Shard.FromDevice(s_frame);
        AssertTcp(_b, -1);
    }

    [Theory]
    [InlineData(1000, 958, true)]
    [InlineData(1000, 959, false)]
    public void Frames_up_to_the_proven_size_go_by_udp(int proven, int payload, bool udp)
    {
        _b.MinMtu = proven;
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.2.0.1", payload));
        Assert.Equal(udp ? 1 : 0, Shard.Socket4.Output.Count);
        Assert.Equal(udp ? 0 : 1, Shard.Reports().Count);
    }

    [Fact]
    public void Without_path_mtu_discovery_everything_goes_by_udp()
    {
        Node c = _network.Neighbour("c", EdgeOptions.None, "10.3.0.0/16");
        (c.Sealer, c.MinMtu) = (TestNetwork.NewSealer(), 0);
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 1000));
        Assert.Single(Shard.Socket4.Output);
    }

    [Fact]
    public void Tcp_only_on_either_side_sends_by_tcp()
    {
        Node c = _network.Neighbour("c", EdgeOptions.TcpOnly, "10.3.0.0/16");
        c.Sealer = TestNetwork.NewSealer();
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100);
        Shard.FromDevice(frame);
        Assert.Equal(c.Id, Assert.Single(Shard.Reports()).Header.Node);

        _network.Options = new() { LocalOptions = EdgeOptions.TcpOnly };
        Shard.Table = _network.Build();
        Shard.FromDevice(s_frame);
        AssertTcp(_b, -1);
    }

    [Fact]
    public void A_node_that_needs_tcp_but_has_no_connection_counts_as_indirect()
    {
        _network.Behind("far", _b, EdgeOptions.TcpOnly, "10.3.0.0/16");
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100));
        Assert.Equal(_b.Address, Assert.Single(Shard.Socket4.Output).Endpoint);
    }

    [Fact]
    public void Without_any_connection_a_frame_for_tcp_is_dropped_and_counted()
    {
        (_b.HasConnection, _b.Sealer) = (false, null);
        Shard.FromDevice(s_frame);
        Assert.Empty(Shard.Reports());
        Assert.Equal(1, Shard.Counters[DropReason.NoConnection]);
    }

    [Fact]
    public void An_indirect_node_is_sent_to_by_way_of_its_next_hop()
    {
        Node far = _network.Behind("far", _b, EdgeOptions.Indirect, "10.3.0.0/16");
        far.Sealer = TestNetwork.NewSealer();
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100));
        Assert.Equal(_b.Address, Assert.Single(Shard.Socket4.Output).Endpoint);
    }

    [Fact]
    public void A_direct_node_behind_another_is_sent_to_directly_and_by_the_next_hop_if_the_frame_is_too_large()
    {
        Node far = _network.Behind("far", _b, TestNetwork.Usual, "10.3.0.0/16");
        (far.Sealer, far.MinMtu) = (TestNetwork.NewSealer(), 500);
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100), TestFrames.Udp4("10.1.0.1", "10.3.0.1", 1000));
        Assert.Equal([far.Address, _b.Address], Shard.Socket4.Output.Select(datagram => datagram.Endpoint));
    }

    [Fact]
    public void What_arrived_by_tcp_goes_on_by_tcp_to_the_next_hop()
    {
        Node far = _network.Behind("far", _b, TestNetwork.Usual, "10.3.0.0/16"), c = _network.Neighbour("c");
        far.Sealer = TestNetwork.NewSealer();
        Shard.ByTcp(c.Id, TestFrames.Udp4("10.9.0.1", "10.3.0.1", 100));
        Assert.Equal(_b.Id, Assert.Single(Shard.Reports()).Header.Node);
        Assert.Empty(Shard.Socket4.Output);
    }

    [Fact]
    public void An_unmarked_frame_from_a_connection_goes_on_by_udp()
    {
        Node c = _network.Neighbour("c");
        Shard.ByTcp(c.Id, TestFrames.Udp4("10.9.0.1", "10.2.0.1", 100), byTcp: false);
        Assert.Single(Shard.Socket4.Output);
    }

    [Fact]
    public void The_socket_is_the_one_that_heard_the_node_else_one_of_the_family()
    {
        Node six = _network.Neighbour("six", "10.6.0.0/16");
        Assert.True(Endpoint.TryParse("2001:db8::6", "655", out Endpoint address));
        (six.Address, six.Sealer, six.Socket) = (address, TestNetwork.NewSealer(), 0);
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.6.0.1", 100));
        Assert.Single(Shard.Socket6.Output);
    }

    [Fact]
    public void Without_a_socket_of_the_family_the_datagram_is_dropped_and_counted()
    {
        using TestShard shard = new(_network.Build(), sockets: 1);
        Assert.True(Endpoint.TryParse("2001:db8::6", "655", out Endpoint address));
        shard.Order(new ShardOrder(OrderKind.Seal, _b.Id) { Endpoint = address }, s_frame);
        Assert.Equal(1, shard.Counters[DropReason.NoAddress]);
    }

    [Fact]
    public void An_order_for_a_node_that_is_gone_is_dropped_and_counted()
    {
        Shard.Table = new TestNetwork().Build();
        Shard.Order(new ShardOrder(OrderKind.Seal, _b.Id), s_frame);
        Assert.Equal(1, Shard.Counters[DropReason.Unreachable]);
    }

    [Fact]
    public void A_probe_goes_by_udp_whatever_the_path_and_where_it_is_told()
    {
        _b.MinMtu = 0;
        Endpoint broadcast = Endpoint.FromIPv4(0xffffffff, 655);
        byte[] probe = new byte[100];
        Shard.Order(new ShardOrder(OrderKind.Seal, _b.Id), probe);
        Shard.Order(new ShardOrder(OrderKind.Seal, _b.Id) { Endpoint = broadcast }, probe);
        Assert.Equal([_b.Address, broadcast], Shard.Socket4.Output.Select(datagram => datagram.Endpoint));
    }

    [Fact]
    public void A_datagram_too_large_for_the_path_is_reported_with_the_length_of_its_frame()
    {
        Shard.Socket4.SendError = Errno.EMSGSIZE;
        Shard.FromDevice(s_frame);
        ReportHeader report = Assert.Single(Shard.Reports()).Header;
        Assert.Equal((ShardReportKind.TooBig, _b.Id, s_frame.Length), (report.Kind, report.Node, report.Length));
        Assert.Equal(1, Shard.Counters[DropReason.SendFailed]);
    }

    [Fact]
    public void Other_send_errors_are_counted_only()
    {
        Shard.Socket4.SendError = Errno.EAGAIN;
        Shard.FromDevice(s_frame, s_frame);
        Assert.Empty(Shard.Reports());
        Assert.Equal(2, Shard.Counters[DropReason.SendFailed]);
    }

    [Fact]
    public void Trains_do_not_mix_traffic_classes()
    {
        _network.Options = new() { PriorityInheritance = true };
        Shard.FromDevice([.. new[] { 0, 0, 0xb8, 0xb8, 0 }.Select(tos => TestFrames.Udp4("10.1.0.1", "10.2.0.1", 100, tos))]);
        Assert.Equal([0, 0xb8, 0], Shard.Socket4.Output.Select(train => (int)train.TrafficClass));
    }

    [Fact]
    public void A_super_packet_for_a_tcp_only_node_is_cut_into_frames_that_a_tincd_takes()
    {
        _b.MinMtu = 0;
        byte[] payload = TestFrames.Pattern(20_000);
        VirtioHeader header = new() { NeedsChecksum = true, Kind = SegmentationKind.TcpIPv4, SegmentSize = 8000, ChecksumStart = 34, ChecksumOffset = 16 };
        Shard.FromDevice(new Captured(TestFrames.Tcp4("10.1.0.1", "10.2.0.1", 1, payload), header));
        List<Report> reports = Shard.Reports();
        Assert.All(reports, report => Assert.InRange(report.Bytes.Length, 55, Node.MaxFrameLength));
        Assert.Equal(payload, reports.SelectMany(report => report.Bytes[54..]).ToArray());
    }

    [Fact]
    public void A_full_report_ring_costs_the_frame_and_nothing_else()
    {
        _b.Sealer = null;
        for (int i = 0; i < 200; i++)
            Shard.FromDevice(s_frame);
        int taken = Shard.Reports().Count;
        Assert.InRange(taken, 10, 64);
        Assert.Equal(200 - taken, Shard.Counters[DropReason.RingFull]);
        Shard.FromDevice(s_frame);
        Assert.Single(Shard.Reports());
    }

    [Fact]
    public void A_session_of_another_shard_is_used_by_that_shard()
    {
        ShardMailbox<ShardOrder>[] mailboxes = [new(3, 64), new(3, 64)];
        _b.Sealer = TestNetwork.NewSealer(owner: 1);
        ForwardingTable table = _network.Build();
        using TestShard first = new(0, table, mailboxes), second = new(1, table, mailboxes);
        first.FromDevice(s_frame);
        Assert.Empty(first.Socket4.Output);
        second.Work();
        Assert.Equal(_b.Address, Assert.Single(second.Socket4.Output).Endpoint);
        Array.ForEach(mailboxes, mailbox => mailbox.Dispose());
    }

    private void AssertTcp(Node node, int keyNeededFor)
    {
        Report report = Assert.Single(Shard.Reports());
        Assert.Equal((ShardReportKind.TcpFrame, node.Id, keyNeededFor), (report.Header.Kind, report.Header.Node, report.Header.KeyNeededFor));
        Assert.Equal(s_frame, report.Bytes);
        Assert.Empty(Shard.Socket4.Output);
    }
}
