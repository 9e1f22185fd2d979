using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>RFC 6040, 4.1 (normal mode) and 4.2: what a datagram says of its packet, and what becomes of a packet whose datagram was marked.</summary>
public sealed class CongestionTests : IDisposable
{
    private const int Expedited = 0xb8; // a DSCP
    private static readonly EdgeOptions s_options = TestNetwork.FastMesh | TestNetwork.Sptps;
    private readonly TestNetwork _network = new();
    private TestShard? _shard;

    public CongestionTests() => _network.Own(_network.Self, "10.1.0.0/16");

    private TestShard Shard => _shard ??= new TestShard(_network.Build());

    public void Dispose() => _shard?.Dispose();

    [Theory]
    [InlineData(1, 3, true)]
    [InlineData(2, 3, true)]
    [InlineData(3, 3, true)]
    [InlineData(0, 0, false)] // its sender does not know of ECN
    public void A_mark_goes_over_to_a_packet_whose_sender_knows_of_it(int before, int after, bool goesOn)
    {
        foreach (TestPacket packet in (TestPacket[])[new(), new() { IPv6 = true }, new() { Vlan = true }, new() { IPv6 = true, Tags = [0x88, 0xa8, 0, 0x64, 0x81, 0, 0, 5] }])
        {
            byte[] frame = (packet with { Tos = (byte)(Expedited + before) }).Build();
            Assert.Equal(goesOn, Congestion.TryMark(frame));
            Assert.Equal((packet with { Tos = (byte)(Expedited + after) }).Build(), frame); // with its header checksum
        }
    }

    [Fact]
    public void What_is_no_IP_packet_is_left_alone()
    {
        for (int length = 0; length < 60; length++)
        {
            byte[] frame = TestFrames.Pattern(length), copy = [.. frame];
            Assert.True(Congestion.TryMark(frame));
            Assert.Equal(copy, frame);
        }
    }

    [Theory]
    [InlineData(NodeProtocol.FastMesh, false, false, 2)]
    [InlineData(NodeProtocol.FastMesh, true, false, Expedited + 2)]
    [InlineData(NodeProtocol.FastMesh, false, true, 2)]
    [InlineData(NodeProtocol.FastMesh, true, true, Expedited + 2)]
    [InlineData(NodeProtocol.FastMesh, false, true, 0, NodeProtocol.Sptps)] // tincd passes no marks on
    [InlineData(NodeProtocol.FastMesh, true, true, Expedited, NodeProtocol.Sptps)]
    [InlineData(NodeProtocol.Sptps, false, false, 0)] // nor over to the packet
    [InlineData(NodeProtocol.Sptps, true, false, Expedited + 2)] // PriorityInheritance as it is there
    [InlineData(NodeProtocol.Sptps, true, true, Expedited)]
    [InlineData(NodeProtocol.Legacy, false, false, 0)]
    [InlineData(NodeProtocol.Legacy, true, false, Expedited + 2)]
    public void Datagrams_between_FastMesh_nodes_say_what_their_packets_say(
        NodeProtocol protocol, bool inherits, bool relayed, int expected, NodeProtocol? relay = null)
    {
        _network.Options = new() { PriorityInheritance = inherits };
        Node b = TestNetwork.Speaking(relay ?? protocol, _network.Neighbour("b", s_options)), owner = b;
        if (relayed)
            owner = TestNetwork.Speaking(protocol, _network.Behind("far", b, s_options));
        _network.Own(owner, "10.2.0.0/16");
        if (protocol == NodeProtocol.Legacy)
            b.Sealer = TestNetwork.NewSealer();
        else
            PlainSession.Pair(owner, new TestNetwork(owner.Name).Neighbour("self"), RoutingMode.Router);
        if (relayed)
            owner.MinMtu = 0;
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.2.0.1", 100, tos: Expedited + 2));
        Assert.Equal(expected, Assert.Single(Shard.Socket4.Output).TrafficClass);
    }

    [Theory]
    [InlineData(NodeProtocol.FastMesh, 2, 2)]
    [InlineData(NodeProtocol.FastMesh, 3, 3)]
    [InlineData(NodeProtocol.FastMesh, Expedited + 3, 3)]
    [InlineData(NodeProtocol.FastMesh, Expedited + 3, Expedited + 3, true)]
    [InlineData(NodeProtocol.Sptps, 2, 0)] // tincd passes no marks on: a router shall drop it instead
    [InlineData(NodeProtocol.Sptps, 3, -1)]
    [InlineData(NodeProtocol.Sptps, Expedited, Expedited, true)]
    [InlineData(NodeProtocol.FastMesh, 2, 0, false, 1500)] // by TCP
    [InlineData(NodeProtocol.FastMesh, 3, -1, false, 1500)]
    public void A_relay_passes_on_what_datagrams_say_or_loses_those_that_were_marked(
        NodeProtocol hop, int arrived, int expected, bool inherits = false, int length = 700)
    {
        _network.Options = new() { PriorityInheritance = inherits };
        Node b = TestNetwork.Speaking(hop, _network.Neighbour("b", s_options));
        Node c = TestNetwork.Speaking(NodeProtocol.FastMesh, _network.Neighbour("c", s_options));
        TestNetwork.Speaking(NodeProtocol.FastMesh, _network.Behind("far", b, s_options)).MinMtu = 0;
        _network.Build(); // finds addresses
        byte[] datagram = TestFrames.Pattern(length);
        NodeId.Of("far").Write(datagram);
        NodeId.Of("c").Write(datagram.AsSpan(NodeId.Length));
        byte[] train = [.. datagram, .. datagram];
        Shard.Socket4.Input.Enqueue(new(train, Endpoint: c.Address, SegmentSize: length, TrafficClass: (byte)arrived));
        Shard.Work();
        Assert.Equal(expected < 0 || length > 1484 ? [] : [(train.Length, expected)], Shard.Socket4.Output.Select(sent => (sent.Bytes.Length, (int)sent.TrafficClass)));
        Assert.Equal(expected >= 0 && length > 1484 ? 2 : 0, Shard.Reports().Count(report => report.Header.Kind == ShardReportKind.TcpDatagram));
        Assert.Equal(expected < 0 ? 2 : 0, Shard.Counters[DropReason.Congestion]);
    }

    [Theory]
    [InlineData(NodeProtocol.FastMesh, 3, 3)]
    [InlineData(NodeProtocol.FastMesh, Expedited + 3, 3)]
    [InlineData(NodeProtocol.FastMesh, 2, 2)]
    [InlineData(NodeProtocol.FastMesh, 0, 2)]
    [InlineData(NodeProtocol.Sptps, 3, 2)]
    public void A_datagram_that_was_marked_marks_its_packet(NodeProtocol protocol, int outer, int expected)
    {
        Node b = TestNetwork.Speaking(protocol, _network.Neighbour("b", TestNetwork.FastMesh, "10.2.0.0/16")), self = new TestNetwork("b").Neighbour("self");
        PlainSession.Pair(b, self, RoutingMode.Router);
        _network.Build(); // finds addresses
        _shard = new TestShard(_network.Build(), merges: false);
        foreach (byte trafficClass in new[] { (byte)outer, (byte)0, (byte)outer })
        {
            byte[] frame = TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100, tos: 2), datagram = new byte[self.Sealer!.SealedLength(frame.Length)];
            datagram = datagram[..self.Sealer.Seal([0, 0, 0, 0, .. frame], datagram, direct: true)];
            Shard.Socket4.Input.Enqueue(new(datagram, Endpoint: b.Address, TrafficClass: trafficClass));
        }

        Shard.Work();
        Assert.Equal([expected, 2, expected], Shard.Device.Output.Select(packet => (int)packet.Bytes[15]));
        Assert.All(Shard.Device.Output, packet => Assert.True(Checksum.IsValid(Checksum.Sum(packet.Bytes.AsSpan(14, 20)))));
    }

    [Fact]
    public void A_datagram_that_was_marked_is_lost_if_the_sender_of_its_packet_does_not_know_of_ECN()
    {
        Node b = TestNetwork.Speaking(NodeProtocol.FastMesh, _network.Neighbour("b", TestNetwork.FastMesh, "10.2.0.0/16")), self = new TestNetwork("b").Neighbour("self");
        PlainSession.Pair(b, self, RoutingMode.Router);
        _network.Build(); // finds addresses
        foreach (byte outer in (byte[])[3, 0, 3])
        {
            byte[] frame = TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100, tos: Expedited), datagram = new byte[self.Sealer!.SealedLength(frame.Length)];
            datagram = datagram[..self.Sealer.Seal([0, 0, 0, 0, .. frame], datagram, direct: true)];
            Shard.Socket4.Input.Enqueue(new(datagram, Endpoint: b.Address, TrafficClass: outer));
        }

        Shard.Work();
        Assert.Equal(Expedited, Assert.Single(Shard.Device.Output).Bytes[15]);
        Assert.Equal(2, Shard.Counters[DropReason.Congestion]);
    }
}
