using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

/// <summary>How two nodes agree on a speed test, and what protects the one that is asked. The shards' part is only counted.</summary>
public sealed class SpeedTests
{
    private static readonly TimeSpan s_five = TimeSpan.FromSeconds(5);
    private int _identities;

    [Theory]
    [InlineData(1, 0.0, false)]
    [InlineData(2, 0.2, false)]
    [InlineData(3, 0.0, true)]
    public void A_test_goes_through_its_phases_directly_and_by_tcp_whatever_gets_lost(int seed, double loss, bool byTcp)
    {
        SimNetwork net = Line(seed, loss);
        net.BlocksUdp = (_, _) => byTcp;
        net.RunFor(TimeSpan.FromSeconds(10));
        SpeedReport report = Run(net, "alpha", "beta");
        Assert.Equal(("done", byTcp ? "over TCP" : "direct"), (report.State, report.Path));
        AssertMeasured(report);
        Assert.Equal([SpeedTask.Ping, SpeedTask.Load, SpeedTask.Listen, SpeedTask.Stop], net["alpha"].SpeedOrders.Select(order => order.Task));
        Assert.Equal([SpeedTask.Listen, SpeedTask.Load, SpeedTask.Stop], net["beta"].SpeedOrders.Select(order => order.Task));
        Assert.All(net["alpha"].SpeedOrders.Concat(net["beta"].SpeedOrders).Where(order => order.Task == SpeedTask.Load), order => Assert.Equal(5000, order.Milliseconds));
    }

    [Fact]
    public void A_test_with_a_node_behind_a_relay_gets_a_session_first()
    {
        SimNetwork net = Line(4, 0, third: true);
        net.BlocksUdp = (a, b) => (a.Name, b.Name) is ("alpha", "gamma") or ("gamma", "alpha");
        net.RunFor(TimeSpan.FromSeconds(10));
        SpeedReport report = Run(net, "alpha", "gamma");
        Assert.Equal(("done", "via beta"), (report.State, report.Path));
        AssertMeasured(report);
    }

    [Fact]
    public void A_node_that_has_had_its_test_must_wait_a_minute()
    {
        SimNetwork net = Line(5, 0);
        net.RunFor(TimeSpan.FromSeconds(10));
        Assert.Equal("done", Run(net, "alpha", "beta").State);
        SpeedReport again = Run(net, "alpha", "beta");
        Assert.Equal("failed", again.State);
        Assert.Matches("^beta allows one speed test a minute to each node; try again in [1-5]?[0-9] s$", again.Error);
        Assert.Equal("done", Run(net, "beta", "alpha").State); // the other way round is another node's test
        net.RunFor(TimeSpan.FromMinutes(1));
        Assert.Equal("done", Run(net, "alpha", "beta").State);
    }

    [Fact]
    public void One_test_at_a_time()
    {
        SimNetwork net = Line(6, 0, third: true);
        net.RunFor(TimeSpan.FromSeconds(10));
        Assert.Null(Start(net, "alpha", "beta"));
        Assert.NotNull(Start(net, "alpha", "beta"));
        net.RunFor(TimeSpan.FromSeconds(3));
        SpeedReport busy = Run(net, "gamma", "beta");
        Assert.Equal("beta takes part in another speed test; try again in half a minute", busy.Error);
        Assert.NotNull(Start(net, "beta", "gamma"));
        Assert.True(net.RunUntil(() => net["alpha"].SpeedReports.Exists(report => report.State == "done"), TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void SpeedTest_no_refuses_but_the_node_may_test_others()
    {
        SimNetwork net = Line(7, 0, allows: false);
        net.RunFor(TimeSpan.FromSeconds(10));
        Assert.Equal("beta does not allow speed tests: SpeedTest = no in its tinc.conf", Run(net, "alpha", "beta").Error);
        Assert.Empty(net["beta"].SpeedOrders);
        Assert.Equal("done", Run(net, "beta", "alpha").State);
    }

    [Fact]
    public void A_node_that_vanishes_ends_the_test_at_both_ends()
    {
        SimNetwork net = Line(8, 0);
        net.RunFor(TimeSpan.FromSeconds(10));
        Assert.Null(Start(net, "alpha", "beta"));
        net.RunFor(TimeSpan.FromSeconds(4));
        Assert.Single(net["beta"].SpeedOrders);
        net.Part("alpha");
        net.RunFor(TimeSpan.FromMinutes(2));
        Assert.Equal("failed", net["alpha"].SpeedReports[^1].State);
        Assert.Equal(SpeedTask.Stop, net["alpha"].SpeedOrders[^1].Task);
        Assert.Equal(SpeedTask.Stop, net["beta"].SpeedOrders[^1].Task);
    }

    [Fact]
    public void Tinc_nodes_unknown_ones_and_self_are_refused_with_what_is_possible_instead()
    {
        SimNetwork net = Line(9, 0);
        net.Add("delta", settings => settings with { Identity = null, ConnectTo = ["alpha"] }).Start();
        net.Add("epsilon", settings => settings with { Identity = SimKeys.Identity(190), SpeaksSptps = true, IsFastMesh = false, ConnectTo = ["alpha"] }).Start();
        net.RunFor(TimeSpan.FromSeconds(10));
        Assert.StartsWith("delta speaks tinc 1.0: a speed test needs a FastMesh", Start(net, "alpha", "delta"), StringComparison.Ordinal);
        Assert.Contains("`why delta`", Start(net, "alpha", "delta"), StringComparison.Ordinal);
        Assert.Equal("No node nobody is known", Start(net, "alpha", "nobody"));
        Assert.Equal("alpha is this node itself", Start(net, "alpha", "alpha"));
        net["beta"].Crash(silently: false);
        net.RunFor(TimeSpan.FromSeconds(3));
        Assert.StartsWith("beta is not reachable", Start(net, "alpha", "beta"), StringComparison.Ordinal);
    }

    private static void AssertMeasured(SpeedReport report)
    {
        Assert.Equal(new SpeedRoundTripTimes(10, 100, 200, 300), report.Idle);
        foreach (SpeedDirection? direction in (SpeedDirection?[])[report.There, report.Back])
        {
            Assert.Equal((1000L, 990L, 1.0), (direction!.PacketsSent, direction.PacketsReceived, direction.LossPercent));
            Assert.Equal((11.088, 990.0, 1.0), (direction.MegabitsPerSecond, direction.PacketsPerSecond, direction.Seconds)); // 1386000 bytes in a second
            Assert.Equal(200, direction.RoundTrip!.MeanMicroseconds);
        }
    }

    private static string? Start(SimNetwork net, string from, string to)
    {
        string? error = null;
        net[from].Do((mesh, now) => error = mesh.StartSpeedTest(to, s_five, now));
        return error;
    }

    private static SpeedReport Run(SimNetwork net, string from, string to)
    {
        SimNode node = net[from];
        node.SpeedReports.Clear();
        Assert.Null(Start(net, from, to));
        Assert.True(net.RunUntil(() => node.SpeedReports.Exists(report => report.State != "running"), TimeSpan.FromMinutes(1)), net.Trace);
        net.RunFor(TimeSpan.FromSeconds(1));
        return node.SpeedReports[^1];
    }

    /// <summary>alpha and perhaps gamma dial beta.</summary>
    private SimNetwork Line(int seed, double loss, bool third = false, bool allows = true)
    {
        SimNetwork net = new(seed) { Loss = loss };
        Add("alpha", "beta");
        Add("beta");
        if (third)
            Add("gamma", "beta");
        return net.StartAll();

        void Add(string name, params string[] dials) => net.Add(name, settings => settings with
        {
            Identity = SimKeys.Identity(150 + _identities++),
            ConnectTo = dials,
            SpeedTest = allows || name != "beta",
        });
    }
}
