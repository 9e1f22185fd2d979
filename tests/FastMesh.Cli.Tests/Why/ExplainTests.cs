using FastMesh.Cli.Why;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Tests.Why;

/// <summary>The words of <c>why</c> for what a snapshot can hold.</summary>
public sealed class ExplainTests
{
    [Theory]
    [InlineData(PathReason.TcpOnlyHere, "remove TCPOnly = yes from tinc.conf or hosts/alpha here")]
    [InlineData(PathReason.TcpOnlyThere, "remove TCPOnly = yes at beta")]
    [InlineData(PathReason.Indirect, "remove IndirectData = yes at beta")]
    [InlineData(PathReason.NoAddress, "give hosts/beta an Address")]
    public void Each_reason_that_a_setting_mends_has_its_advice(PathReason reason, string advice)
    {
        WhyReport why = Explain(SampleStatus.Node("beta", PathKind.Tcp, reason));
        Assert.Equal("Packets to beta go by TCP, on the connection with it.", why.Summary);
        Assert.Contains(why.Advice, one => one.StartsWith(advice, StringComparison.Ordinal));
    }

    [Fact]
    public void Silence_by_udp_says_since_when_and_which_ports_to_let_in()
    {
        WhyReport why = Explain(SampleStatus.Node("beta", PathKind.Tcp, PathReason.NoReply) with { Probes = new(SampleStatus.Noon, null, SampleStatus.Noon.AddSeconds(-30), 15) });
        Assert.Contains(new WhyFact("udp", "15 probes by UDP to 192.0.2.7 port 655 have had no answer for 30 s."), why.Facts);
        Assert.StartsWith("no UDP answer from 192.0.2.7 port 655 since 30 s: let UDP port 655 in at beta, and UDP port 6550 in here", Assert.Single(why.Advice), StringComparison.Ordinal);
    }

    [Fact]
    public void A_good_direct_path_needs_no_advice() => Assert.Empty(Explain(SampleStatus.Node("beta")).Advice);

    [Fact]
    public void What_was_dropped_of_its_packets_is_told_with_the_reasons_and_nothing_if_nothing_was()
    {
        NodeStatus beta = SampleStatus.Node("beta");
        WhyReport why = Explain(beta with { DroppedPackets = new Dictionary<string, long> { ["noKey"] = 2, ["replayed"] = 17 } });
        Assert.Contains(new WhyFact("dropped", "Of packets from and for it, dropped here since the start: 17 (datagrams too late, or twice), 2 (there were no keys yet)."), why.Facts);
        Assert.DoesNotContain(Explain(beta).Facts, fact => fact.Topic == "dropped");
    }

    [Fact]
    public void Round_trips_are_told_finer_than_a_millisecond() =>
        Assert.Contains(new WhyFact("udp", "It answered by UDP from 192.0.2.7 port 655 4 s ago, after 0.09 ms."), Explain(SampleStatus.Node("beta") with { UdpRttMicroseconds = 87 }).Facts);

    [Fact]
    public void Refused_and_lost_trains_are_told_apart()
    {
        NodeStatus beta = SampleStatus.Node("beta");
        WhyReport refused = Explain(beta with { TrainsRefused = new(SampleStatus.Noon.AddSeconds(-9), "Input/output error") }), lost = Explain(beta with { TakesTrains = false });
        Assert.Contains(refused.Facts, fact => fact.Text.StartsWith("The kernel refused to cut trains of datagrams to it 9 s ago (Input/output error)", StringComparison.Ordinal));
        Assert.Contains(lost.Facts, fact => fact.Text.StartsWith("Datagrams sent to it as a train get lost on the way", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Connection refused", "nothing listens at 192.0.2.7 port 655")]
    [InlineData("No route to host", "there is no way to 192.0.2.7 port 655")]
    [InlineData("nothing answered within PingTimeout", "let TCP port 655 in at beta")]
    [InlineData("the handshake failed; the log says why", "compare the keys")]
    [InlineData("the name cannot be resolved", "correct the name in the Address of hosts/beta")]
    [InlineData("hosts/beta has no Address", "write Address = HOST into hosts/beta")]
    [InlineData("strange", "look in the logs of both nodes")]
    public void Each_failed_attempt_to_connect_has_its_remedy(string error, string advice)
    {
        NodeStatus beta = SampleStatus.Node("beta", PathKind.Unreachable) with { SeenBy = "gamma", Session = null };
        DaemonStatus status = SampleStatus.Of(beta) with
        {
            Dials = [new("beta", false, false, SampleStatus.Noon.AddSeconds(20), [new("192.0.2.7 port 655", SampleStatus.Noon.AddSeconds(-3), error)])],
        };
        WhyReport why = new PathExplainer(status, SampleStatus.NoFiles, beta).Explain("beta");
        Assert.Equal("beta cannot be reached: packets to it are dropped, and their senders told.", why.Summary);
        Assert.Contains(new WhyFact("mesh", "It has not been reachable for 10 min; gamma was the last to have a connection with it."), why.Facts);
        Assert.Contains(new WhyFact("connection", $"Connecting to 192.0.2.7 port 655 failed 3 s ago: {error}."), why.Facts);
        Assert.Contains(why.Advice, one => one.StartsWith(advice, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, "This node is to connect to it (ConnectTo), and no attempt has failed yet.")]
    [InlineData(true, "This node is to connect to it (AutoConnect), and no attempt has failed yet.")]
    public void Who_wants_a_connection_is_said(bool isChosen, string fact)
    {
        NodeStatus beta = SampleStatus.Node("beta", PathKind.Unreachable) with { Session = null };
        DaemonStatus status = SampleStatus.Of(beta) with { Dials = [new("beta", isChosen, false, null, [])] };
        Assert.Contains(new WhyFact("connection", fact), new PathExplainer(status, SampleStatus.NoFiles, beta).Explain("beta").Facts);
    }

    [Theory]
    [InlineData("10.1.2.3", "gamma", "10.1.2.0/24", "10.1.0.0/16 of beta has a shorter prefix (16 bits instead of 24).")]
    [InlineData("10.5.0.1", "beta", "10.5.0.0/16", "10.5.0.0/16 of gamma has a higher weight (20 instead of 10).")]
    [InlineData("10.6.0.1", "gamma", "10.6.0.0/16", "10.6.0.0/24 of delta does not count, because that node cannot be reached.")]
    public void The_subnet_that_wins_is_named_with_the_reason_why_others_do_not(string address, string owner, string subnet, string loser)
    {
        DaemonStatus status = SampleStatus.Of(SampleStatus.Node("beta"), SampleStatus.Node("gamma"), SampleStatus.Node("delta", PathKind.Unreachable)) with
        {
            Subnets =
            [
                new("10.1.2.0/24", "gamma", 10, null), new("10.6.0.0/24", "delta", 10, null), new("10.1.0.0/16", "beta", 10, null),
                new("10.5.0.0/16", "beta", 10, null), new("10.5.0.0/16", "gamma", 20, null), new("10.6.0.0/16", "gamma", 10, null),
            ],
        };
        Assert.True(Subnet.TryParse(address, out Subnet wanted));
        WhyReport why = SubnetExplainer.Explain(status, SampleStatus.NoFiles, address, wanted);
        Assert.Equal(owner, why.Node);
        Assert.StartsWith($"It is in {subnet} of {owner}, which wins over 1 more:", why.Facts[0].Text, StringComparison.Ordinal);
        Assert.Equal(loser, why.Facts[1].Text);
    }

    [Fact]
    public void A_broadcast_subnet_belongs_to_every_node()
    {
        DaemonStatus status = SampleStatus.Of(SampleStatus.Node("beta")) with { Subnets = [new("10.1.255.0/24", "(broadcast)", 10, null), new("10.1.0.0/16", "beta", 10, null)] };
        Assert.True(Subnet.TryParse("10.1.255.1", out Subnet wanted));
        WhyReport why = SubnetExplainer.Explain(status, SampleStatus.NoFiles, "10.1.255.1", wanted);
        Assert.Equal("Packets to 10.1.255.1 go to every node: 10.1.255.0/24 is a BroadcastSubnet here.", why.Summary);
        Assert.Equal("10.1.0.0/16 of beta has a shorter prefix (16 bits instead of 24).", Assert.Single(why.Facts).Text);
        Assert.Null(why.Node);
    }

    private static WhyReport Explain(NodeStatus node) => new PathExplainer(SampleStatus.Of(node), SampleStatus.NoFiles, node).Explain(node.Name);
}
