using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>The table of the tinc 1.0 reference, 4.7, line by line.</summary>
public sealed class FloodedRequestTests
{
    private static readonly Subnet s_own = Parse("10.1.0.0/16");

    private readonly MeshHarness _mesh = new MeshHarness(settings => settings with { Subnets = [s_own] }).Start();

    [Fact]
    public void After_ack_everything_known_is_sent_and_the_own_edge_last()
    {
        ConnectionId first = _mesh.JoinReachable("beta");
        _mesh.Say(first, "10 1 beta 10.2.0.0/16", "12 2 beta gamma 192.0.2.9 655 c 5");
        ConnectionId second = _mesh.Join("delta", options: "8");
        Assert.Equal(
            [
                "0 self 17", "4 655 0 c",
                "10 N beta 10.2.0.0/16#10", "12 N beta gamma 192.0.2.9 655 c 5", "12 N beta self 192.0.2.1 655 c 10",
                "10 N self 10.1.0.0/16#10", "12 N self beta 192.0.2.2 655 c 5",
                "12 N self delta 192.0.2.2 655 8 5",
            ],
            _mesh.HeardWithoutNonces(second));
        Assert.Equal(["12 N self delta 192.0.2.2 655 8 5"], _mesh.HeardWithoutNonces(first).TakeLast(1));
    }

    [Fact]
    public void A_request_is_passed_on_byte_for_byte_once_and_not_back()
    {
        ConnectionId from = _mesh.JoinReachable("beta"), other = _mesh.JoinReachable("delta");
        _mesh.Heard(from);
        string[] lines =
        [
            "10 0a1B beta 10.2.0.0/16#10 extra", "12 3 beta gamma 192.0.2.9 655 700000c 5 192.168.0.1 655", "14 4 beta  ",
        ];
        _mesh.Say(from, lines);
        Assert.Equal(lines, _mesh.Heard(other));
        Assert.Empty(_mesh.Heard(from));

        _mesh.Say(other, lines);
        Assert.Empty(_mesh.Heard(from));
        Assert.Contains("beta to gamma at 192.0.2.9 port 655 options 700000c weight 5", _mesh.Edges);
    }

    [Fact]
    public void What_was_seen_is_forgotten_after_the_ping_interval()
    {
        ConnectionId from = _mesh.JoinReachable("beta"), other = _mesh.JoinReachable("delta");
        _mesh.Say(from, "14 1 beta", "14 1 beta");
        Assert.Equal(["14 1 beta"], _mesh.Heard(other));
        for (int i = 0; i < 7; i++)
        {
            _mesh.WaitSeconds(10);
            _mesh.Say(from, "9");
            _mesh.Say(other, "9");
        }

        _mesh.Heard(other);
        _mesh.Say(from, "14 1 beta");
        Assert.Equal(["14 1 beta"], _mesh.Heard(other));
    }

    [Fact]
    public void A_known_subnet_or_edge_is_not_passed_on_again()
    {
        ConnectionId from = _mesh.JoinReachable("beta"), other = _mesh.JoinReachable("delta");
        _mesh.Say(from, "10 1 beta 10.2.0.0/16", "12 2 beta gamma fd00::1 655 c 5");
        _mesh.Heard(other);
        _mesh.Say(from, "10 3 beta 10.2.0.0/16#10", "12 4 beta gamma fd00:0:0::1 655 c 5", "13 5 gamma beta", "11 6 beta 10.3.0.0/16",
            "11 7 nobody 10.3.0.0/16");
        Assert.Empty(_mesh.Heard(other));
        _mesh.Say(from, "12 8 beta gamma fd00::1 655 c 6");
        Assert.Equal(["12 8 beta gamma fd00::1 655 c 6"], _mesh.Heard(other));
    }

    [Fact]
    public void Wrong_statements_about_self_are_corrected_on_the_same_connection_only()
    {
        ConnectionId from = _mesh.JoinReachable("beta"), other = _mesh.JoinReachable("delta");
        _mesh.Heard(from);
        _mesh.Say(from, "10 1 self 10.9.0.0/16", "11 2 self 10.1.0.0/16", "11 3 self 10.8.0.0/16",
            "12 4 self beta 192.0.2.2 655 c 999", "12 5 self gamma 192.0.2.2 655 c 1", "13 6 self delta");
        Assert.Equal(
            [
                "11 N self 10.9.0.0/16#10", "10 N self 10.1.0.0/16#10",
                "12 N self beta 192.0.2.2 655 c 5", "13 N self gamma", "12 N self delta 192.0.2.2 655 c 5",
            ],
            _mesh.HeardWithoutNonces(from));
        Assert.Empty(_mesh.Heard(other));
        Assert.Equal(["10.1.0.0/16#10 owner self"], _mesh.Subnets);
    }

    [Fact]
    public void Losing_an_edge_removes_the_edge_to_self_of_a_node_that_became_unreachable()
    {
        ConnectionId from = _mesh.JoinReachable("beta"), other = _mesh.JoinReachable("delta");
        _mesh.Do((mesh, now) => mesh.HandleClosed(from, CloseReason.EndOfStream, "", now));
        Assert.Equal(["13 N self beta", "13 N beta self"], _mesh.HeardWithoutNonces(other));
        Assert.Equal(["delta to self at 192.0.2.1 port 655 options c weight 10", "self to delta at 192.0.2.2 port 655 options c weight 5"],
            _mesh.Edges.Order());
        Assert.Empty(_mesh.Taken<MeshAction.Close>());
    }

    [Fact]
    public void Del_edge_removes_the_opposite_edge_to_self_only_when_the_node_is_gone()
    {
        ConnectionId from = _mesh.JoinReachable("beta"), other = _mesh.JoinReachable("delta");
        _mesh.Say(from, "12 1 beta gamma 192.0.2.9 655 c 5", "12 2 gamma beta 192.0.2.1 655 c 5", "12 3 gamma self 192.0.2.1 655 c 5");
        Assert.NotNull(_mesh.Route("gamma"));
        _mesh.Heard(other);
        _mesh.Say(from, "13 4 beta gamma");
        Assert.Equal(["13 N beta gamma", "13 N gamma self"], _mesh.HeardWithoutNonces(other));
        Assert.False(_mesh.Route("gamma")!.Reachable);
    }

    [Theory]
    [InlineData("10 1 bad-name 10.0.0.0/8")]
    [InlineData("10 1 beta 10.0.0.0/33")]
    [InlineData("10 x beta 10.0.0.0/8")]
    [InlineData("11 1 beta")]
    [InlineData("12 1 beta beta 192.0.2.1 655 c 1")]
    [InlineData("12 1 beta gamma 192.0.2.1 655 c")]
    [InlineData("13 1 beta ../x")]
    [InlineData("14 1")]
    [InlineData("15 beta")]
    [InlineData("16 beta self 00 0 0 0")]
    [InlineData("17 x")]
    [InlineData("17 2177")]
    [InlineData("5 0 x")]
    [InlineData("6 0 x")]
    [InlineData("18 x")]
    [InlineData("-1")]
    [InlineData("0 beta 17")]
    [InlineData("4 655 1 c")]
    [InlineData("")]
    [InlineData("hello")]
    public void Bad_requests_end_the_connection_in_the_tarpit(string line)
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, line);
        Assert.True(_mesh.IsClosed(from, out bool tarpit));
        Assert.True(tarpit);
        Assert.DoesNotContain(_mesh.Table.Peers, peer => peer.Reachable);
    }

    [Theory]
    [InlineData("8 anything")]
    [InlineData("\t10  1\tbeta   10.4.0.0/16 \r")]
    [InlineData("12 0x1F beta gamma 192.0.2.1 655 0xC 1 192.168.0.1 655")]
    [InlineData("12 1 beta gamma not-an-address not-a-port ffffffff -5")]
    [InlineData("10 ffffffffffffffff beta fe80::1/64#-3")]
    [InlineData("17 0")]
    public void Lenient_forms_are_accepted(string line)
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, line, "8");
        Assert.False(_mesh.IsClosed(from, out _));
        Assert.Equal("9", _mesh.Heard(from)[^1]);
    }

    [Fact]
    public void An_edge_with_an_unusable_address_makes_its_node_reachable_with_address_unknown()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, "12 1 beta gamma nonsense http c 5", "12 2 gamma beta 192.0.2.1 655 c 5");
        Assert.True(_mesh.Route("gamma")!.Reachable);
        Assert.False(_mesh.Route("gamma")!.Address.IsSet);
        MeshAction.RunScript script = _mesh.Taken<MeshAction.RunScript>().Last(action => action.Name == "hosts/gamma-up");
        Assert.Equal([new("NODE", "gamma"), new("REMOTEADDRESS", ""), new("REMOTEPORT", "")], script.Variables);
        ConnectionId other = _mesh.Join("delta");
        Assert.Contains("12 N beta gamma nonsense http c 5", _mesh.HeardWithoutNonces(other));
    }

    [Fact]
    public void A_tcponly_edge_without_indirect_to_a_distant_node_leads_through_the_next_hop()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, "12 1 beta gamma 192.0.2.9 655 2 5", "12 2 gamma beta 192.0.2.1 655 2 5");
        Assert.Equal(("beta", "beta"), (_mesh.Route("gamma")!.NextHop.Name, _mesh.Route("gamma")!.Via.Name));
    }

    [Fact]
    public void A_name_clash_makes_the_daemon_quiet_for_a_while_and_then_puts_things_right()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Heard(from);
        for (int i = 0; i <= 100; i++)
            _mesh.Say(from, $"12 {i:x} self x{i} 192.0.2.9 655 c 1", $"13 {i:x} self beta");
        Assert.Equal(202, _mesh.Heard(from).Length);

        _mesh.WaitSeconds(5);
        Assert.Contains(_mesh.Log, line => line.StartsWith("Possible node with same Name as us! Quiet for 10 seconds", StringComparison.Ordinal));
        _mesh.Say(from, "12 5001 self gamma 192.0.2.9 655 c 1", "13 5002 self beta");
        Assert.Empty(_mesh.Heard(from));
        _mesh.Say(from, "8");
        Assert.Equal(["9"], _mesh.Heard(from));
        _mesh.WaitSeconds(10);
        Assert.Equal(
            ["12 N self beta 192.0.2.2 655 c 6", "12 N self gamma 0.0.0.0 0 0 1048576", "13 N self gamma", "10 N self 10.1.0.0/16#10"],
            _mesh.HeardWithoutNonces(from));
    }

    [Fact]
    public void A_corrected_edge_is_told_to_everyone_once_it_is_quiet_in_a_way_that_is_news_to_all()
    {
        ConnectionId from = _mesh.JoinReachable("beta"), other = _mesh.JoinReachable("delta");
        _mesh.Say(from, "13 1 self delta");
        _mesh.WaitSeconds(4);
        _mesh.Say(from, "12 2 self gamma 192.0.2.9 655 c 1"); // the time begins anew
        _mesh.Heard(other);
        _mesh.WaitSeconds(5);
        Assert.Empty(_mesh.Heard(other));
        _mesh.WaitSeconds(2);
        string[] everyone = ["12 N self delta 192.0.2.2 655 c 6", "12 N self gamma 0.0.0.0 0 0 1048576", "13 N self gamma"];
        Assert.Equal(everyone, _mesh.HeardWithoutNonces(other));
        Assert.Contains("self to delta at 192.0.2.2 port 655 options c weight 6", _mesh.Edges);

        _mesh.Say(from, "13 3 self delta"); // the weight goes up and down, and not away
        _mesh.Heard(other);
        _mesh.WaitSeconds(7);
        Assert.Equal(["12 N self delta 192.0.2.2 655 c 5"], _mesh.HeardWithoutNonces(other));
    }

    [Fact]
    public void An_edge_that_came_and_went_within_a_minute_is_denied_once_more()
    {
        ConnectionId young = _mesh.JoinReachable("beta"), other = _mesh.JoinReachable("delta");
        _mesh.Do((mesh, now) => mesh.HandleClosed(young, CloseReason.EndOfStream, "", now));
        Assert.Contains("13 N self beta", _mesh.HeardWithoutNonces(other));
        _mesh.WaitSeconds(7);
        Assert.Equal(["12 N self beta 0.0.0.0 0 0 1048576", "13 N self beta"], _mesh.HeardWithoutNonces(other));

        ConnectionId old = _mesh.JoinReachable("beta");
        for (int i = 0; i < 7; i++)
        {
            _mesh.WaitSeconds(10);
            _mesh.Say(old, "9");
            _mesh.Say(other, "9");
        }

        _mesh.Do((mesh, now) => mesh.HandleClosed(old, CloseReason.EndOfStream, "", now));
        _mesh.Heard(other);
        _mesh.WaitSeconds(7);
        Assert.Empty(_mesh.Heard(other));
    }

    private static Subnet Parse(string text)
    {
        Assert.True(Subnet.TryParse(text, out Subnet subnet), text);
        return subnet;
    }
}
