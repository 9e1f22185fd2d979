using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Path MTU discovery of tinc 1.1 (tinc 1.1 reference, 7.3), on a path that drops what is too long.</summary>
public sealed class PathMtuTests
{
    private const int Overhead = 20 + 8 + 33;

    private readonly Node _node = new Graph("self").GetOrAdd("peer");
    private readonly MeshSettings _settings = new() { Name = "self" };
    private readonly PathMtu _mtu;
    private readonly List<int> _sent = [];
    private Instant _now = new(1_000_000);
    private int? _settledAfter;

    public PathMtuTests() => _mtu = new PathMtu(_node);

    [Fact]
    public void Probe_lengths_without_replies_are_those_of_the_reference() =>
        Assert.Equal([1330, 826, 632, 558, 530, 519, 515, 513, 1330], Enumerable.Range(0, 9).Select(phase => PathMtu.LengthOf(0, 1518, phase)));

    [Fact]
    public void The_first_probe_is_as_long_as_the_kernel_allows_and_one_round_trip_settles_it()
    {
        Assert.True(_mtu.TryAsk(Overhead, _now));
        Assert.False(_mtu.TryAsk(Overhead, _now));
        _mtu.HandleEstimate(1500, _now);
        Assert.Equal([1439], Step()); // the reference's value for links of 1500 bytes
        _mtu.HandleReply(1439, _now);
        Assert.Empty(Step());
        Assert.Equal((1439, 1439, 1439, 1), (_node.MinMtu, _node.MaxMtu, _node.Mtu, _settledAfter));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(572)] // 511 bytes: unusable
    public void Without_a_usable_estimate_probing_begins_as_in_the_reference(int ipMtu)
    {
        _mtu.TryAsk(Overhead, _now);
        _mtu.HandleEstimate(ipMtu, _now);
        Assert.Equal([1330], Step());
    }

    [Fact]
    public void Unanswered_probes_come_every_third_of_a_second_and_common_lengths_twice()
    {
        _mtu.TryAsk(Overhead, _now);
        _mtu.HandleEstimate(1500, _now);
        Assert.Equal([1439], Step());
        Assert.Empty(Step());
        _now += TimeSpan.FromMilliseconds(333);
        List<int> burst = Step();
        Assert.Equal(861, burst[0]); // 512 + 927^(6/7)
        Assert.Contains(1280 - Overhead, burst);
        Assert.Contains(1400 - Overhead, burst);
        Assert.All(burst, length => Assert.InRange(length, 512, 1438));
        _now += TimeSpan.FromMilliseconds(332);
        Assert.Empty(Step());
        _now += TimeSpan.FromMilliseconds(1);
        Assert.Equal(burst[1..], Step()[1..]);
        _now += TimeSpan.FromMilliseconds(333);
        Assert.Single(Step());
    }

    [Theory]
    [InlineData(1500)]
    [InlineData(1492)]
    [InlineData(1420)]
    [InlineData(1400)]
    [InlineData(1280)]
    [InlineData(576)]
    public void Paths_of_common_links_are_found_exactly(int ipMtu)
    {
        Run(ipMtu, seconds: 8, kernel: 1500);
        Assert.Equal((ipMtu - Overhead, ipMtu - Overhead), (_node.Mtu, _node.MinMtu));
    }

    [Fact]
    public void Any_other_path_is_found_within_a_few_bytes_and_improves()
    {
        foreach (int ipMtu in (int[])[1497, 1433, 1391, 1313, 1250, 1111, 777])
        {
            _mtu.Reset();
            Run(ipMtu, seconds: 8, kernel: 1500);
            Assert.InRange(_node.MinMtu, ipMtu - Overhead - 40, ipMtu - Overhead);
            Run(ipMtu, seconds: 300, kernel: 1500);
            Assert.InRange(_node.MinMtu, ipMtu - Overhead - 4, ipMtu - Overhead);
        }
    }

    [Fact]
    public void A_path_that_shrinks_silently_is_noticed_under_traffic_within_three_seconds()
    {
        Run(1500, seconds: 30);
        Instant before = _now;
        while (_node.MinMtu > 1400 - Overhead)
            Run(1400, seconds: 0.01);
        Assert.InRange((_now - before).TotalSeconds, 0.1, 3);
        Run(1400, seconds: 0.5); // by then routing is told
        Assert.Equal((1400 - Overhead, 1400 - Overhead), (_node.MinMtu, _node.Mtu));
        Run(1400, seconds: 10);
        Assert.Equal(1400 - Overhead, _node.Mtu);
    }

    [Fact]
    public void A_path_that_grows_is_found_within_a_ping_interval()
    {
        Run(1300, seconds: 30, kernel: 1300);
        Assert.Equal(1300 - Overhead, _node.Mtu);
        Run(1500, seconds: 61);
        Assert.Equal((1439, 1439), (_node.Mtu, _node.MinMtu));
    }

    [Fact]
    public void What_the_kernel_refuses_is_never_tried_again_and_its_mtu_is_taken()
    {
        Run(1500, seconds: 10);
        _mtu.HandleTooBig(1400, _now); // an ICMP message came in; a data frame of 1400 bytes met it
        Assert.Equal((1399, 1399), (_node.Mtu, _node.MinMtu));
        Assert.True(_mtu.TryAsk(Overhead, _now));
        _mtu.HandleEstimate(1420, _now);
        Assert.Equal((1420 - Overhead, 1420 - Overhead), (_node.Mtu, _node.MinMtu));
        Assert.Equal(1420 - Overhead, Assert.Single(Step())); // checked at once
        _mtu.HandleTooBig(1400, _now); // another one of the same burst
        Assert.Equal(1420 - Overhead, _node.MinMtu);
    }

    [Fact]
    public void Three_lost_checks_begin_a_new_discovery_and_one_answer_ends_the_doubt()
    {
        Run(1500, seconds: 10);
        _sent.Clear();
        Wait(2);
        Assert.Equal([1439], Step());
        Wait(1);
        Assert.Equal([1439, 1439], Step());
        _mtu.HandleReply(1439, _now);
        Assert.Equal(1439, _node.MinMtu);
        Wait(2);
        Assert.Equal([1439], Step());
        for (int i = 0; i < 2; i++)
        {
            Wait(1);
            Assert.Equal([1439, 1439], Step());
        }

        Wait(1);
        Assert.Empty(Step());
        Assert.Equal((0, 1518, 1439), (_node.MinMtu, _node.MaxMtu, _node.Mtu)); // by TCP until something is proven
    }

    [Fact]
    public void Where_only_short_datagrams_pass_udp_is_left_alone_and_routing_is_not_told()
    {
        _mtu.HandleReply(18, _now); // the discovery probe
        Run(400, seconds: 20);
        Assert.Equal((18, 18, 1518), (_node.MinMtu, _node.MaxMtu, _node.Mtu));
        Assert.True(_mtu.IsSettled);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(65535)]
    public void A_reply_that_claims_more_than_can_be_sent_counts_as_the_longest(int length)
    {
        _mtu.HandleReply(length, _now);
        Assert.Equal((1518, 1518), (_node.MinMtu, _node.MaxMtu));
    }

    private void Wait(double seconds) => _now += TimeSpan.FromSeconds(seconds);

    private List<int> Step()
    {
        _mtu.Step(_settings, _now, out int? settled);
        _settledAfter = settled ?? _settledAfter;
        _sent.AddRange(_mtu.Probes);
        return [.. _mtu.Probes];
    }

    /// <summary>Time passes in steps of 10 ms, which is also the round trip.</summary>
    private void Run(int ipMtu, double seconds, int? kernel = null)
    {
        _node.Rtt = TimeSpan.FromMilliseconds(10);
        for (double t = 0; t < seconds; t += 0.01)
        {
            if (_mtu.TryAsk(Overhead, _now))
                _mtu.HandleEstimate(kernel ?? 1500, _now);
            List<int> probes = Step();
            Wait(0.01);
            foreach (int length in probes.Where(length => length + Overhead <= ipMtu))
                _mtu.HandleReply(length, _now);
        }
    }
}
