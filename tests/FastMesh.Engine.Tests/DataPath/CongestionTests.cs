using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>RFC 6040, 4.1 (normal mode) and 4.2: what a datagram says of its packet, and what becomes of a packet whose datagram was marked.</summary>
public sealed class CongestionTests : IDisposable
{
    private const int Expedited = 0xb8; // a DSCP
    private readonly TestNetwork _network = new();
    private TestShard? _shard;

    public CongestionTests() => _network.Own(_network.Self, "10.1.0.0/16");

    private TestShard Shard => _shard ??= new TestShard(_network.Build());

    public void Dispose() => _shard?.Dispose();

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    [InlineData(3, 3)]
    [InlineData(0, 0)] // its sender does not know of ECN
    public void A_mark_goes_over_to_a_packet_whose_sender_knows_of_it(int before, int after)
    {
        foreach (TestPacket packet in (TestPacket[])[new(), new() { IPv6 = true }, new() { Vlan = true }, new() { IPv6 = true, Tags = [0x88, 0xa8, 0, 0x64, 0x81, 0, 0, 5] }])
        {
            byte[] frame = (packet with { Tos = (byte)(Expedited + before) }).Build();
            Congestion.Mark(frame);
            Assert.Equal((packet with { Tos = (byte)(Expedited + after) }).Build(), frame); // with its header checksum
        }
    }

    [Fact]
    public void What_is_no_IP_packet_is_left_alone()
    {
        for (int length = 0; length < 60; length++)
        {
            byte[] frame = TestFrames.Pattern(length), copy = [.. frame];
            Congestion.Mark(frame);
            Assert.Equal(copy, frame);
        }
    }

    [Theory]
    [InlineData(NodeProtocol.FastMesh, false, false, 2)]
    [InlineData(NodeProtocol.FastMesh, true, false, Expedited + 2)]
    [InlineData(NodeProtocol.FastMesh, false, true, 0)] // a relay passes no marks on
    [InlineData(NodeProtocol.FastMesh, true, true, Expedited)]
    [InlineData(NodeProtocol.Sptps, false, false, 0)] // nor does tincd
    [InlineData(NodeProtocol.Sptps, true, false, Expedited + 2)] // PriorityInheritance as it is there
    [InlineData(NodeProtocol.Legacy, false, false, 0)]
    [InlineData(NodeProtocol.Legacy, true, false, Expedited + 2)]
    public void Datagrams_between_FastMesh_nodes_say_what_their_packets_say(NodeProtocol protocol, bool inherits, bool relayed, int expected)
    {
        _network.Options = new() { PriorityInheritance = inherits };
        Node b = TestNetwork.Speaking(protocol, _network.Neighbour("b", TestNetwork.FastMesh)), owner = b;
        if (relayed)
            owner = TestNetwork.Speaking(protocol, _network.Behind("far", b, TestNetwork.FastMesh));
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
}
