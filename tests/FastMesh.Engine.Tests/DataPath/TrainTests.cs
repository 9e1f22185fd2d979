using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>To whom datagrams go as trains, and to whom one by one: nodes on whose path trains get lost, or to whom the kernel refuses to send any.</summary>
public sealed class TrainTests : IDisposable
{
    private const int Datagrams = 8;
    private static readonly byte[] s_probe = new byte[600];
    private readonly TestNetwork _network = new();
    private readonly Node _b;
    private TestShard? _shard;

    public TrainTests()
    {
        _network.Own(_network.Self, "10.1.0.0/16");
        _b = TestNetwork.Speaking(NodeProtocol.FastMesh, _network.Neighbour("b", TestNetwork.FastMesh, "10.2.0.0/16"));
        PlainSession.Pair(_b, new TestNetwork("b").Neighbour("self"), RoutingMode.Router);
    }

    private TestShard Shard => _shard ??= new TestShard(_network.Build());

    public void Dispose() => _shard?.Dispose();

    [Fact]
    public void A_node_that_takes_no_trains_gets_every_datagram_alone()
    {
        byte[] together = [.. Send().SelectMany(datagram => datagram.Bytes)];
        Assert.Single(Shard.Socket4.Output);
        _b.TakesTrains = false;
        Shard.Table = _network.Build();
        List<Captured> apart = Send();
        Assert.Equal(Datagrams, apart.Count);
        Assert.Equal(together.Length, apart.Sum(datagram => datagram.Bytes.Length));
    }

    [Theory]
    [InlineData(true, NodeProtocol.FastMesh)]
    [InlineData(false, NodeProtocol.FastMesh)]
    [InlineData(true, NodeProtocol.FastMesh, RoutingMode.Switch)]
    [InlineData(true, NodeProtocol.Sptps, RoutingMode.Router)]
    [InlineData(true, NodeProtocol.Legacy, RoutingMode.Router)]
    public void Several_probes_are_a_train_in_any_case_and_one_is_never_part_of_one(
        bool takesTrains, NodeProtocol protocol, RoutingMode mode = RoutingMode.Router)
    {
        (_b.TakesTrains, _b.Protocol) = (takesTrains, protocol);
        if (protocol == NodeProtocol.Legacy)
            _b.Sealer = TestNetwork.NewSealer();
        else
            PlainSession.Pair(_b, new TestNetwork("b").Neighbour("self"), mode);
        for (int copies = 1; copies <= 3; copies += 2)
        {
            Shard.Socket4.Output.Clear();
            Shard.Order(new(OrderKind.Probe, _b.Id) { Copies = 1 }, s_probe);
            Shard.Order(new(OrderKind.Probe, _b.Id) { Copies = (byte)copies }, s_probe);
            Assert.Equal([1, copies], Shard.Socket4.Output.Select(sent => sent.Bytes.Length / sent.SegmentSize));
        }
    }

    [Theory]
    [InlineData(Errno.EIO)]
    [InlineData(Errno.EINVAL)]
    public void After_a_refusal_datagrams_go_singly_for_a_minute_and_the_control_loop_is_told_once(int errno)
    {
        Shard.Socket4.TrainError = errno;
        Send();
        Report report = Assert.Single(Refusals());
        Assert.Equal((_b.Id, errno), (report.Header.Node, report.Header.Length));
        Assert.Equal(Datagrams, Send().Count);

        Shard.Now += TimeSpan.FromSeconds(59);
        Assert.Equal(Datagrams, Send().Count);
        Shard.Now += TimeSpan.FromSeconds(1);
        Assert.Single(Send());
        Assert.Equal(Datagrams, Send().Count);
        Assert.Empty(Refusals());
        Assert.Equal(2, Shard.Counters[ShardCounter.TrainsRefused]);

        Shard.Socket4.TrainError = 0;
        Shard.Now += TimeSpan.FromSeconds(60);
        Assert.Single(Send());
        Assert.Single(Send());
        Shard.Socket4.TrainError = errno;
        Send();
        Assert.Single(Refusals()); // news again
    }

    [Fact]
    public void At_a_new_address_trains_are_tried_at_once()
    {
        Shard.Socket4.TrainError = Errno.EIO;
        Send();
        Shard.Socket4.TrainError = 0;
        Assert.Equal(Datagrams, Send().Count);
        _b.Address = Endpoint.FromIPv4(0xc0000263, 655);
        Shard.Table = _network.Build();
        Assert.Single(Send());
    }

    /// <summary>A super-packet of eight segments; returns what left for it.</summary>
    private List<Captured> Send()
    {
        Shard.Socket4.Output.Clear();
        VirtioHeader header = new() { NeedsChecksum = true, Kind = SegmentationKind.TcpIPv4, SegmentSize = 1000, ChecksumStart = 34, ChecksumOffset = 16 };
        Shard.FromDevice(new Captured(TestFrames.Tcp4("10.1.0.1", "10.2.0.1", 1, TestFrames.Pattern(Datagrams * 1000)), header));
        return [.. Shard.Socket4.Output];
    }

    private List<Report> Refusals() => [.. Shard.Reports().Where(report => report.Header.Kind == ShardReportKind.TrainRefused)];
}
