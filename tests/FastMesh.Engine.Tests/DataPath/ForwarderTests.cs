using System.Buffers.Binary;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>What is done with frames besides sending them: tinc 1.0 reference, 6.3 to 6.10. Frames to others are seen as TCP reports, in clear.</summary>
public sealed class ForwarderTests : IDisposable
{
    private const ulong MacSelf = 0x0200_0000_000a, MacB = 0x0200_0000_000b, MacNew = 0x0200_0000_0077;
    private readonly TestNetwork _network = new();
    private readonly Node _b, _c;
    private TestShard? _shard;

    public ForwarderTests()
    {
        _network.Own(_network.Self, "10.1.0.0/16", "fd00:1::/32");
        _b = _network.Neighbour("b", "10.2.0.0/16", "fd00:2::/32", "2:0:0:0:0:b");
        _c = _network.Neighbour("c", "10.3.0.0/16", "fd00:3::/32");
        _b.MinMtu = _c.MinMtu = 0;
    }

    private TestShard Shard => _shard ??= new TestShard(_network.Build(), merges: false);

    public void Dispose() => _shard?.Dispose();

    [Theory]
    [InlineData(1000, 1000)]
    [InlineData(300, 590)]
    public void A_large_ipv4_packet_with_df_is_answered_with_the_mtu_of_the_path(int mtu, int limit)
    {
        _b.Mtu = mtu;
        byte[] fits = TestFrames.Udp4("10.1.0.1", "10.2.0.1", limit - 42), tooLong = TestFrames.Udp4("10.1.0.1", "10.2.0.1", limit - 41);
        Shard.FromDevice(fits, tooLong);
        Assert.Equal(fits, Assert.Single(Shard.Reports()).Bytes);
        byte[] error = Assert.Single(Shard.Device.Output).Bytes;
        Assert.Equal((3, 4, limit - 14), (error[34], error[35], BinaryPrimitives.ReadUInt16BigEndian(error.AsSpan(40))));
        Assert.Equal(tooLong[26..30], error[30..34]); // to the sender
    }

    [Fact]
    public void A_large_ipv4_packet_without_df_is_fragmented()
    {
        _b.Mtu = 1000;
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 1400, dontFragment: false);
        Shard.FromDevice(frame);
        List<Report> pieces = Shard.Reports();
        Assert.Equal([960, 448], pieces.Select(piece => piece.Bytes.Length - 34)); // (1000 - 34) rounded down to 8
        Assert.Equal(frame[34..], pieces.SelectMany(piece => piece.Bytes[34..]).ToArray());
        Assert.Equal([0x2000, 960 / 8], pieces.Select(piece => (int)BinaryPrimitives.ReadUInt16BigEndian(piece.Bytes.AsSpan(20))));
        Assert.Empty(Shard.Device.Output);
    }

    [Theory]
    [InlineData(1400, 1400)]
    [InlineData(900, 1294)]
    public void A_large_ipv6_packet_is_answered_with_the_mtu_of_the_path(int mtu, int limit)
    {
        _b.Mtu = mtu;
        Shard.FromDevice(TestFrames.IPv6("fd00:1::1", "fd00:2::1", 17, limit - 54), TestFrames.IPv6("fd00:1::1", "fd00:2::1", 17, limit - 53));
        Assert.Single(Shard.Reports());
        byte[] error = Assert.Single(Shard.Device.Output).Bytes;
        Assert.Equal((2, 0, (uint)limit - 14), (error[54], error[55], BinaryPrimitives.ReadUInt32BigEndian(error.AsSpan(58))));
    }

    [Fact]
    public void Frames_for_self_have_no_limit()
    {
        byte[] frame = TestFrames.Udp4("10.2.0.1", "10.1.0.1", 1600);
        Shard.ByTcp(_b.Id, frame);
        Assert.Equal(frame, Assert.Single(Shard.Device.Output).Bytes);
    }

    [Fact]
    public void Errors_for_other_nodes_go_to_the_node_that_sent_the_packet()
    {
        Shard.ByTcp(_b.Id, TestFrames.Udp4("10.2.0.1", "192.0.2.77", 100));
        Report report = Assert.Single(Shard.Reports());
        Assert.Equal((_b.Id, 3, 6), (report.Header.Node, report.Bytes[34], report.Bytes[35]));
        Assert.Empty(Shard.Device.Output);
    }

    [Fact]
    public void Three_errors_per_second_are_sent()
    {
        byte[] frame = TestFrames.Udp4("10.1.0.1", "192.0.2.77", 100);
        Shard.FromDevice(frame, frame, frame, frame, frame);
        Assert.Equal(3, Shard.Device.Output.Count);
        Assert.Equal(5, Shard.Counters[DropReason.NoSubnet]);
        Assert.Equal(2, Shard.Counters[DropReason.ErrorNotSent]);
        Shard.Now = new(6000);
        Shard.FromDevice(frame);
        Assert.Equal(4, Shard.Device.Output.Count);
    }

    [Fact]
    public void Transit_loses_one_hop_and_ends_at_none()
    {
        _network.Options = new() { DecrementTtl = true };
        Shard.ByTcp(_b.Id, TestFrames.Udp4("10.2.0.1", "10.3.0.1", 100, ttl: 2));
        Assert.Equal(1, Assert.Single(Shard.Reports()).Bytes[22]);
        Shard.ByTcp(_b.Id, TestFrames.Udp4("10.2.0.1", "10.3.0.1", 100, ttl: 1));
        Report error = Assert.Single(Shard.Reports());
        Assert.Equal((_b.Id, 11, 0), (error.Header.Node, error.Bytes[34], error.Bytes[35]));
    }

    [Theory]
    [InlineData(1200, 1451, 1200 - 54)] // offset of TCP is 34: MTU - 34 - 20
    [InlineData(1451, 1300, 1300 - 54)]
    public void The_segment_size_is_clamped_to_source_and_path(int mtuB, int mtuC, int expected)
    {
        (_b.Mtu, _c.Mtu) = (mtuB, mtuC);
        Shard.ByTcp(_b.Id, Syn("10.2.0.1", "10.3.0.1", 1460));
        byte[] frame = Assert.Single(Shard.Reports()).Bytes;
        Assert.Equal(expected, BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(56)));
    }

    [Fact]
    public void The_segment_size_of_frames_for_self_follows_the_path_they_came_by()
    {
        _b.Mtu = 1200;
        Shard.ByTcp(_b.Id, Syn("10.2.0.1", "10.1.0.1", 1460));
        Assert.Equal(1146, BinaryPrimitives.ReadUInt16BigEndian(Assert.Single(Shard.Device.Output).Bytes.AsSpan(56)));
    }

    [Fact]
    public void Without_the_option_the_segment_size_is_left_alone()
    {
        Node d = _network.Neighbour("d", EdgeOptions.PmtuDiscovery, "10.4.0.0/16");
        (d.Mtu, d.MinMtu) = (1000, 0);
        Shard.FromDevice(Syn("10.1.0.1", "10.4.0.1", 1460));
        Assert.Equal(1460, BinaryPrimitives.ReadUInt16BigEndian(Assert.Single(Shard.Reports()).Bytes.AsSpan(56)));
    }

    [Fact]
    public void Kernel_forwarding_writes_transit_to_the_device_unchanged()
    {
        _network.Options = new() { Forwarding = ForwardingMode.Kernel, DecrementTtl = true };
        byte[] frame = TestFrames.Udp4("10.2.0.1", "10.3.0.1", 100);
        Shard.ByTcp(_b.Id, frame);
        Assert.Equal(frame, Assert.Single(Shard.Device.Output).Bytes);
        Assert.Empty(Shard.Reports());
    }

    [Theory]
    [InlineData(BroadcastMode.SpanningTree, false, "self", "b c")]
    [InlineData(BroadcastMode.SpanningTree, false, "b", "device c")]
    [InlineData(BroadcastMode.Direct, false, "self", "b c")]
    [InlineData(BroadcastMode.Direct, false, "b", "device")]
    [InlineData(BroadcastMode.SpanningTree, true, "self", "")]
    [InlineData(BroadcastMode.SpanningTree, true, "b", "device")]
    public void Broadcasts_go_where_the_mode_says(BroadcastMode mode, bool tunnelServer, string source, string expected)
    {
        _network.Options = new() { Broadcast = mode, TunnelServer = tunnelServer };
        byte[] frame = TestFrames.Udp4(source == "self" ? "10.1.0.1" : "10.2.0.1", "255.255.255.255", 100);
        Assert.Equal(expected, Receivers(frame, source));
    }

    [Fact]
    public void Broadcast_off_keeps_switch_mode_broadcasts_local()
    {
        _network.Options = new() { Mode = RoutingMode.Switch, Broadcast = BroadcastMode.No };
        Assert.Equal("device", Receivers(TestFrames.Ethernet(0xffff_ffff_ffff, MacB, 0x0806, 60), "b"));
    }

    [Fact]
    public void Direct_broadcast_skips_nodes_that_udp_cannot_address()
    {
        _network.Options = new() { Broadcast = BroadcastMode.Direct };
        _network.Behind("indirect", _b, EdgeOptions.Indirect);
        Node direct = _network.Behind("direct", _b, EdgeOptions.None);
        direct.Sealer = TestNetwork.NewSealer();
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "255.255.255.255", 100));
        Assert.Equal([_b.Id, _c.Id], Shard.Reports().Select(report => report.Header.Node));
        Assert.Equal(direct.Address, Assert.Single(Shard.Socket4.Output).Endpoint);
    }

    [Fact]
    public void A_broadcast_that_counts_hops_is_local_first()
    {
        _network.Options = new() { DecrementTtl = true };
        byte[] frame = TestFrames.Udp4("10.2.0.1", "224.0.0.1", 100, ttl: 1);
        Assert.Equal("device b", Receivers(frame, "b")); // b gets the error
        Assert.Equal(frame, Shard.Device.Output[0].Bytes);

        byte[] lives = TestFrames.Udp4("10.2.0.1", "224.0.0.1", 100, ttl: 5);
        Shard.ByTcp(_b.Id, lives);
        Assert.Equal(4, Assert.Single(Shard.Reports()).Bytes[22]);
        Assert.Equal(lives, Shard.Device.Output[1].Bytes);
    }

    [Fact]
    public void Hub_sends_a_super_packet_to_everyone_in_pieces()
    {
        _network.Options = new() { Mode = RoutingMode.Hub };
        byte[] payload = TestFrames.Pattern(5000);
        VirtioHeader header = new() { NeedsChecksum = true, Kind = SegmentationKind.TcpIPv4, SegmentSize = 1400, ChecksumStart = 34, ChecksumOffset = 16 };
        Shard.FromDevice(new Captured(TestFrames.Tcp4("10.1.0.1", "10.9.0.1", 1, payload).Between(MacSelf, MacNew), header));
        foreach (IGrouping<int, Report> copies in Shard.Reports().GroupBy(report => report.Header.Node))
            Assert.Equal(payload, copies.SelectMany(report => report.Bytes[54..]).ToArray());
    }

    [Fact]
    public void Switch_reports_new_source_addresses_once_a_second_and_touches_known_ones()
    {
        _network.Options = new() { Mode = RoutingMode.Switch };
        LearnedMac known = _network.Learned(new MacAddress(MacSelf));
        byte[] fromNew = TestFrames.Ethernet(MacB, MacNew, 0x0800, 60), fromKnown = TestFrames.Ethernet(MacB, MacSelf, 0x0800, 60);
        Shard.FromDevice(fromNew, fromNew, fromKnown);
        Report learned = Assert.Single(Shard.Reports(), report => report.Header.Kind == ShardReportKind.Learned);
        Assert.Equal(fromNew[6..12], learned.Bytes);
        Assert.Equal(Shard.Now, known.LastSeen);
        Shard.Now = new(6000);
        Shard.FromDevice(fromNew);
        Assert.Single(Shard.Reports(), report => report.Header.Kind == ShardReportKind.Learned);
    }

    [Fact]
    public void Switch_does_not_learn_from_the_network()
    {
        _network.Options = new() { Mode = RoutingMode.Switch };
        Shard.ByTcp(_b.Id, TestFrames.Ethernet(MacNew, MacB, 0x0800, 60));
        Assert.DoesNotContain(Shard.Reports(), report => report.Header.Kind == ShardReportKind.Learned);
    }

    [Fact]
    public void Switch_sends_large_frames_that_are_not_ip_regardless()
    {
        _network.Options = new() { Mode = RoutingMode.Switch };
        _b.Mtu = 600;
        _network.Learned(new MacAddress(MacSelf));
        Shard.FromDevice(TestFrames.Ethernet(MacB, MacSelf, 0x88cc, 1500), TestFrames.Ethernet(MacB, MacSelf, 0x88cc, 1519));
        Assert.Equal(1500, Assert.Single(Shard.Reports()).Bytes.Length);
        Assert.Equal(1, Shard.Counters[DropReason.TooLong]);
    }

    [Fact]
    public void Switch_answers_large_tagged_ip_frames()
    {
        _network.Options = new() { Mode = RoutingMode.Switch };
        _b.Mtu = 1000;
        _network.Learned(new MacAddress(MacSelf));
        byte[] plain = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 1200).Between(MacSelf, MacB);
        Shard.FromDevice([.. plain[..12], 0x81, 0x00, 0x00, 0x05, .. plain[12..]]);
        byte[] error = Assert.Single(Shard.Device.Output).Bytes;
        Assert.Equal((0x81, 3, 4, 1000 - 18), (error[12], error[38], error[39], BinaryPrimitives.ReadUInt16BigEndian(error.AsSpan(44))));
    }

    [Fact]
    public void An_arp_request_for_an_address_of_another_node_is_answered_with_the_askers_address_inverted()
    {
        byte[] request = Arp(MacSelf, "10.1.0.1", "10.2.0.1");
        Shard.FromDevice(request);
        byte[] reply = Assert.Single(Shard.Device.Output).Bytes;
        Assert.Equal([.. request[6..12], .. request[6..11], (byte)(request[11] ^ 0xff), 8, 6], reply[..14]);
        Assert.Equal(2, reply[21]);
        Assert.Equal(reply[6..12], reply[22..28]);
        Assert.Equal(request[38..42], reply[28..32]);
    }

    [Theory]
    [InlineData("10.1.0.9")]
    [InlineData("192.0.2.77")]
    public void An_arp_request_for_an_own_or_unknown_address_is_not_answered(string target)
    {
        Shard.FromDevice(Arp(MacSelf, "10.1.0.1", target));
        Assert.Empty(Shard.Device.Output);
        Assert.Equal(1, Shard.Counters[DropReason.Neighbour]);
    }

    [Fact]
    public void Router_mode_on_ethernet_addresses_frames_to_the_interface_and_then_to_who_asked_last()
    {
        using TestShard shard = new(_network.Build(), merges: false, overwritesMac: true);
        shard.ByTcp(_b.Id, TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10));
        Assert.Equal(0xfefd_0000_0000u, MacAddress.Read(shard.Device.Output[0].Bytes).Value);
        shard.FromDevice(Arp(MacNew, "10.1.0.1", "10.1.0.2"));
        shard.ByTcp(_b.Id, TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10));
        Assert.Equal(MacNew, MacAddress.Read(shard.Device.Output[1].Bytes).Value);
    }

    private string Receivers(byte[] frame, string source)
    {
        if (source == "self")
            Shard.FromDevice(frame);
        else
            Shard.ByTcp(_b.Id, frame);
        List<string> names = [.. Shard.Device.Output.Select(_ => "device")];
        names.AddRange(Shard.Reports().Where(report => report.Header.Kind == ShardReportKind.TcpFrame)
            .Select(report => report.Header.Node == _b.Id ? "b" : "c"));
        return string.Join(' ', names);
    }

    private static byte[] Syn(string from, string to, ushort mss)
    {
        byte[] option = [2, 4, (byte)(mss >> 8), (byte)mss];
        byte[] frame = TestFrames.Tcp4(from, to, 1, option, flags: 0x02);
        frame[46] = 0x60; // the four bytes behind the header are an option
        frame[50] = frame[51] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(50), TestFrames.TransportChecksum(frame.AsSpan(26, 8), 6, frame.AsSpan(34)));
        return frame;
    }

    private static byte[] Arp(ulong asker, string from, string target)
    {
        byte[] frame = TestFrames.Ethernet(0xffff_ffff_ffff, asker, 0x0806, 42);
        byte[] body = [0, 1, 8, 0, 6, 4, 0, 1, .. frame[6..12], .. System.Net.IPAddress.Parse(from).GetAddressBytes(), 0, 0, 0, 0, 0, 0, .. System.Net.IPAddress.Parse(target).GetAddressBytes()];
        body.CopyTo(frame, 14);
        return frame;
    }
}
