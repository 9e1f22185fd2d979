using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Floods of what needs the control loop: they are cut off with a count, the loop is woken once, and everything else goes on.</summary>
public sealed class FloodTests : IDisposable
{
    private const int Flood = 2000, Ring = 64; // entries of TestShard's ring of reports
    private readonly TestNetwork _network = new();
    private readonly Node _b, _selfAtB;
    private TestShard? _shard;

    public FloodTests()
    {
        _network.Own(_network.Self, "10.1.0.0/16");
        _b = TestNetwork.Speaking(NodeProtocol.FastMesh, _network.Neighbour("b", TestNetwork.FastMesh, "10.2.0.0/16"));
        _selfAtB = new TestNetwork("b").Neighbour("self");
        PlainSession.Pair(_b, _selfAtB, RoutingMode.Router);
        _network.Build();
    }

    private TestShard Shard => _shard ??= new TestShard(_network.Build());

    public void Dispose() => _shard?.Dispose();

    [Fact]
    public void Trains_from_unknown_addresses_take_half_of_the_ring_at_most()
    {
        for (int i = 0; i < Flood / 50; i++)
            Shard.Socket4.Input.Enqueue(new(new byte[50 * 100], Endpoint: Endpoint.FromIPv4((uint)(0xcb007100 + i), 655), SegmentSize: 100));
        Shard.Work();
        AssertOthersPass(reports => Assert.InRange(reports.Count(report => report.Header.Kind == ShardReportKind.UnknownDatagram), 8, Ring / 2));
        Assert.Equal(Flood / 50 * (50 - 8), Shard.Counters[DropReason.UnknownSource]);
        Assert.Equal((Flood / 50 * 8) - (Ring / 2), Shard.Counters[DropReason.RingFull]);
    }

    [Fact]
    public void Packets_for_a_node_without_a_key_are_one_report_a_second()
    {
        TestNetwork.Speaking(NodeProtocol.FastMesh, _network.Behind("far", _b, TestNetwork.FastMesh, "10.3.0.0/16")).MinMtu = 0;
        for (int i = 0; i < Flood; i++)
            Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 100));
        AssertOthersPass(reports => Assert.Single(reports, report => report.Header.Kind == ShardReportKind.Traffic && report.Header.KeyNeededFor >= 0));
        Assert.Equal(Flood, Shard.Counters[DropReason.NoKey]);
    }

    [Fact]
    public void Packets_with_a_time_to_live_of_one_are_answered_three_times_a_second()
    {
        _network.Options = new() { DecrementTtl = true };
        _network.Neighbour("c", "10.4.0.0/16").Sealer = TestNetwork.NewSealer();
        byte[] expiring = TestFrames.Udp4("10.2.0.1", "10.4.0.1", 100, ttl: 1);
        for (int i = 0; i < Flood; i++)
            Shard.Socket4.Input.Enqueue(new(Seal(expiring), Endpoint: _b.Address));
        Shard.Work();
        Assert.Equal(3, Shard.Socket4.Output.Sum(sent => (sent.Bytes.Length + sent.SegmentSize - 1) / sent.SegmentSize));
        Assert.Equal((Flood, Flood - 3), (Shard.Counters[DropReason.TimeExceeded], Shard.Counters[DropReason.ErrorNotSent]));
        AssertOthersPass(reports => Assert.InRange(reports.Count, 1, 3));
    }

    [Fact]
    public void Frames_that_must_go_by_tcp_leave_room_in_the_ring()
    {
        Node d = _network.Neighbour("d", "10.5.0.0/16");
        (d.MinMtu, d.Sealer) = (0, TestNetwork.NewSealer());
        for (int i = 0; i < Flood; i++)
            Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.5.0.1", 100));
        AssertOthersPass(reports => Assert.InRange(reports.Count(report => report.Header.Kind == ShardReportKind.TcpFrame), 8, Ring * 7 / 8));
    }

    [Fact]
    public void The_control_loop_is_woken_once_however_many_reports_there_are()
    {
        using ShardMailbox<ReportHeader> control = new(1, Ring);
        ShardMail mail = new(new ShardState(0, _network.Build()), control, []);
        for (int i = 0; i < Flood; i++)
        {
            mail.UnknownDatagram(default, 0, new byte[100]);
            mail.Flush();
        }

        byte[] rung = new byte[sizeof(ulong)];
        Assert.Equal(rung.Length, FileIo.Read(control.Descriptor, rung));
        Assert.Equal(1ul, BitConverter.ToUInt64(rung)); // an eventfd adds up what is written to it
    }

    /// <summary>A packet each way and a probe go through as ever.</summary>
    private void AssertOthersPass(Action<List<Report>> check)
    {
        Shard.Socket4.Output.Clear();
        Shard.Device.Output.Clear();
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.2.0.1", 100));
        Assert.Single(Shard.Socket4.Output);
        Shard.Socket4.Input.Enqueue(new(Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100)), Endpoint: _b.Address));
        Shard.Socket4.Input.Enqueue(new(Seal(new byte[64]), Endpoint: _b.Address));
        Shard.Work();
        Assert.Single(Shard.Device.Output);
        List<Report> reports = Shard.Reports();
        Assert.Equal(ShardReportKind.Probe, reports[^1].Header.Kind);
        check(reports);
    }

    private byte[] Seal(byte[] frame)
    {
        byte[] output = new byte[_selfAtB.Sealer!.SealedLength(frame.Length) + 14];
        return output[.._selfAtB.Sealer.Seal([0, 0, 0, 0, .. frame], output, direct: true)];
    }
}
