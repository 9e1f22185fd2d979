using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>What the control socket shows of the data path: counts per node, and captured frames (tinc 1.1 reference, 10.2).</summary>
public sealed class TrafficTests : IDisposable
{
    private static readonly byte[] s_frame = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 100);
    private readonly TestNetwork _network = new();
    private readonly Node _b, _selfAtB;
    private readonly TestShard _shard;

    public TrafficTests()
    {
        _network.Own(_network.Self, "10.1.0.0/16");
        _b = _network.Neighbour("b", "10.2.0.0/16");
        _selfAtB = new TestNetwork("b").Neighbour("self");
        TestNetwork.Pair(_b, _selfAtB, LegacySuite.Default);
        _shard = new TestShard(_network.Build());
    }

    public void Dispose() => _shard.Dispose();

    [Fact]
    public void Frames_and_their_bytes_are_counted_per_node_and_direction()
    {
        _shard.FromDevice(s_frame, s_frame);
        _shard.ByTcp(_b.Id, TestFrames.Udp4("10.2.0.1", "10.1.0.1", 50));
        Receive(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10));
        Receive(new byte[64]); // a probe
        Assert.Equal(new NodeCounters(2, 92 + 52, 2, 2 * s_frame.Length), Counted(_b));
        Assert.Equal(default, Counted(_network.Self));
    }

    [Fact]
    public void A_super_packet_counts_as_its_segments()
    {
        _shard.FromDevice(Super(10_000, 1000));
        Assert.Equal(new NodeCounters(0, 0, 10, 10 * 1054), Counted(_b));
    }

    [Fact]
    public void Counts_of_nodes_with_any_number_are_kept_and_summed()
    {
        NodeTraffic first = new(), second = new();
        for (int node = 0; node < 1000; node++)
        {
            first.Reserve(node + 1);
            second.Reserve(node + 1);
            first.CountIn(node, 1, node);
            second.CountOut(node, 2, 7);
            second.CountIn(node, 1, 1);
        }

        Assert.Equal(new NodeCounters(2, 501, 2, 7), NodeTraffic.Sum([first, second], 500));
        Assert.Equal(default, NodeTraffic.Sum([first, second], 100_000));
        Assert.Equal(default, NodeTraffic.Sum([first, second], -1));
    }

    [Fact]
    public void While_captured_every_routed_frame_is_reported_cut()
    {
        _shard.State.CaptureLength = 40;
        byte[] incoming = TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10), small = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 0)[..34];
        _shard.FromDevice(s_frame);
        Receive(incoming);
        _shard.FromDevice(small);
        (int, byte[])[] expected = [(s_frame.Length, s_frame[..40]), (incoming.Length, incoming[..40]), (34, small)];
        List<(int Length, byte[] Bytes)> captures = Captures();
        Assert.Equal(expected.Select(capture => capture.Item1), captures.Select(capture => capture.Length));
        Assert.Equal(expected.Select(capture => capture.Item2), captures.Select(capture => capture.Bytes));

        _shard.State.CaptureLength = 0;
        _shard.FromDevice(s_frame);
        Assert.Empty(Captures());
    }

    [Fact]
    public void Super_packets_are_captured_as_the_frames_they_stand_for()
    {
        _shard.State.CaptureLength = 2048;
        _shard.FromDevice(Super(3500, 1000));
        Assert.Equal([1054, 1054, 1054, 554], Captures().Select(capture => capture.Bytes.Length));
        Assert.Equal(4, _shard.Socket4.Output.Sum(train => (train.Bytes.Length + train.SegmentSize - 1) / train.SegmentSize));
    }

    [Fact]
    public void Captures_leave_room_for_other_reports()
    {
        _shard.State.CaptureLength = 2048;
        for (int i = 0; i < 100; i++)
            _shard.FromDevice(s_frame);
        Receive(new byte[64]);
        List<Report> reports = _shard.Reports();
        Assert.InRange(reports.Count, 2, 40);
        Assert.Equal(ShardReportKind.Probe, reports[^1].Header.Kind);
        Assert.Equal(100, _shard.Socket4.Output.Count);
    }

    private static Captured Super(int length, int segment) => new(
        TestFrames.Tcp4("10.1.0.1", "10.2.0.1", 1, TestFrames.Pattern(length)),
        new VirtioHeader { NeedsChecksum = true, Kind = SegmentationKind.TcpIPv4, SegmentSize = (ushort)segment, ChecksumStart = 34, ChecksumOffset = 16 });

    private List<(int Length, byte[] Bytes)> Captures() =>
        [.. _shard.Reports().Where(report => report.Header.Kind == ShardReportKind.Captured).Select(report => (report.Header.Length, report.Bytes))];

    private NodeCounters Counted(Node node) => NodeTraffic.Sum([_shard.State.Traffic], node.Id);

    private void Receive(byte[] frame)
    {
        byte[] packet = [0, 0, 0, 0, .. frame], output = new byte[_selfAtB.Sealer!.SealedLength(frame.Length)];
        int length = _selfAtB.Sealer.Seal(packet, output, direct: true);
        _shard.Socket4.Input.Enqueue(new(output[..length], Endpoint: _b.Address));
        _shard.Work();
    }
}
