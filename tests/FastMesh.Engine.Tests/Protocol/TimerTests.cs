using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

public sealed class TimerTests
{
    [Fact]
    public void Deadlines_come_out_in_order_of_time_kind_and_key_and_can_be_moved()
    {
        var table = new DeadlineTable();
        Assert.Null(table.Next);
        table.Set(TimerKind.Probe, 7, new Instant(30));
        table.Set(TimerKind.Reconnect, 2, new Instant(20));
        table.Set(TimerKind.Reconnect, 1, new Instant(20));
        table.Set(TimerKind.PeriodicCheck, 0, new Instant(20));
        table.Set(TimerKind.Probe, 7, new Instant(10));
        table.Set(TimerKind.GraphDump, 0, new Instant(5));
        table.Cancel(TimerKind.GraphDump);
        table.Cancel(TimerKind.GraphDump);
        Assert.Equal(new Instant(10), table.Next);
        List<string> taken = [];
        while (table.TryTakeDue(new Instant(20), out TimerKind kind, out int key))
            taken.Add($"{kind} {key}");
        Assert.Equal(["Probe 7", "PeriodicCheck 0", "Reconnect 1", "Reconnect 2"], taken);

        table.Set(TimerKind.Probe, 1, new Instant(100));
        table.Hasten(TimerKind.Probe, new Instant(50));
        Assert.True(table.IsSet(TimerKind.Probe, 1));
        Assert.Equal(new Instant(50), table.Next);
    }

    /// <summary>The rows of the table in the tinc 1.0 reference, 5.8: state before, state and wait after.</summary>
    [Theory]
    [InlineData(0, 0, 1518, 1, 0, 1518, 1, 3)] // the first burst
    [InlineData(8, 0, 1518, 9, 0, 1518, 1, 3)]
    [InlineData(9, 0, 1518, 31, 0, 1518, 60, 0)] // ten without a reply: give up
    [InlineData(12, 900, 1518, 13, 900, 1518, 1, 3)]
    [InlineData(12, 1451, 1451, 31, 1451, 1451, 60, 0)] // fixed early
    [InlineData(12, 1460, 1451, 31, 1451, 1451, 60, 0)]
    [InlineData(29, 1400, 1518, 31, 1400, 1400, 60, 0)] // fixed after thirty
    [InlineData(30, 1400, 1400, 31, 1400, 1400, 60, 0)] // a reply has set it back to thirty
    [InlineData(31, 1400, 1400, 32, 1400, 1400, 5, 4)] // keep-alive, with one longer probe
    [InlineData(31, 1515, 1515, 32, 1515, 1515, 5, 3)] // no room for a longer one
    [InlineData(31, 0, 1518, 32, 0, 1518, 5, 3)]
    [InlineData(32, 0, 1518, 31, 0, 1518, 60, 0)] // still no reply
    [InlineData(32, 1400, 1400, 1, 0, 1518, 1, 3)] // keep-alive unanswered: begin again
    public void A_step_of_mtu_discovery(int count, int min, int max, int newCount, int newMin, int newMax, int wait, int probes)
    {
        (PathProbe probe, Node node) = Reach(count, min, max);
        TimeSpan? next = probe.Step(s_settings, new ZeroRandom(), out int? settled);
        Assert.Equal((newCount, newMin, newMax), (probe.Count, node.MinMtu, node.MaxMtu));
        Assert.Equal(TimeSpan.FromSeconds(wait), next);
        Assert.Equal(probes, probe.Burst.Count);
        Assert.Equal(settled is not null, newCount == 31 && min > 0 && count < 30);
        if (probes == 4)
            Assert.Equal(max + 8, probe.Burst[0]);
        Assert.All(probe.Burst, length => Assert.InRange(length, 64, 1518));
    }

    [Theory]
    [InlineData(5, 0, 1518, 700, 5, 700, 1518)]
    [InlineData(5, 900, 1518, 700, 5, 900, 1518)]
    [InlineData(5, 0, 1451, 1500, 5, 1451, 1451)]
    [InlineData(32, 1400, 1400, 1000, 30, 1400, 1400)]
    [InlineData(32, 1400, 1400, 1408, 10, 1400, 1518)] // the path grew
    [InlineData(32, 0, 1518, 700, 1, 700, 1518)] // the first reply ever
    public void A_reply_to_a_probe(int count, int min, int max, int length, int newCount, int newMin, int newMax)
    {
        (PathProbe probe, Node node) = Reach(count, min, max);
        probe.HandleReply(length);
        Assert.Equal((newCount, newMin, newMax), (probe.Count, node.MinMtu, node.MaxMtu));
    }

    private static readonly MeshSettings s_settings = new MeshHarness().Settings;

    /// <summary>A node with a key whose discovery is at the given point.</summary>
    private static (PathProbe Probe, Node Node) Reach(int count, int min, int max)
    {
        var graph = new Graph("self");
        Node node = graph.GetOrAdd("n");
        graph.SetEdge(graph.Self, node, ("192.0.2.1", "1"), EdgeOptions.PmtuDiscovery, 1);
        graph.SetEdge(node, graph.Self, ("192.0.2.1", "1"), EdgeOptions.PmtuDiscovery, 1);
        graph.Recompute([], []);
        node.Sealer = new LegacySealer(LegacyKey.Generate(LegacySuite.Default, new ZeroRandom()), 0);
        var probe = new PathProbe(node);
        (node.MinMtu, node.MaxMtu) = (1, Node.MaxFrameLength);
        while (probe.Count < Math.Min(count, 29))
            probe.Step(s_settings, new ZeroRandom(), out _);
        while (probe.Count < count)
        {
            probe.Step(s_settings, new ZeroRandom(), out _);
            if (probe.Count == 31 && count == 30)
                probe.HandleReply(64);
        }

        (node.MinMtu, node.MaxMtu) = (min, max);
        return (probe, node);
    }

    private sealed class ZeroRandom : IRandomSource
    {
        public void Fill(Span<byte> bytes) => bytes.Clear();
    }
}
