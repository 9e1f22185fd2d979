using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>The rows of tinc 1.0 reference, 6.3, 6.4 and 6.10.</summary>
public class FrameRouterTests
{
    private readonly TestNetwork _network = new();

    public FrameRouterTests()
    {
        _network.Own(_network.Self, "10.1.0.0/16", "fd00:1::/32");
        Node b = _network.Neighbour("b", "10.2.0.0/16", "fd00:2::/32", "2:0:0:0:0:b");
        _network.Behind("far", b, TestNetwork.Usual | EdgeOptions.Indirect, "10.3.0.0/16", "fd00:3::/32", "2:0:0:0:0:f");
        _network.Neighbour("c", "10.4.0.0/16", "2:0:0:0:0:c");
        _network.Unreachable("gone", "10.9.0.0/16", "fd00:9::/32", "2:0:0:0:0:9");
        _network.Own(_network.Self, "2:0:0:0:0:a");
    }

    [Theory]
    [InlineData("10.2.0.1", "b")]
    [InlineData("10.3.0.1", "far")]
    [InlineData("10.4.0.1", "c")]
    public void Router_delivers_what_the_device_sends_to_the_owner(string destination, string owner)
    {
        RouteDecision decision = Decide(TestFrames.Udp4("10.1.0.1", destination, 10));
        Assert.Equal(RouteAction.Deliver, decision.Action);
        Assert.Equal(owner, decision.Owner!.Name);
    }

    [Fact]
    public void Path_mtu_of_an_indirect_owner_is_that_of_its_next_hop()
    {
        Assert.Equal("b", Decide(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 10)).Via!.Name);
        Assert.Equal("b", Decide(TestFrames.IPv6("fd00:1::1", "fd00:3::1", 17, 8)).Via!.Name);
    }

    [Fact]
    public void Router_delivers_what_a_node_sends_to_self()
    {
        RouteDecision decision = Decide(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10), "b");
        Assert.Equal(RouteAction.Deliver, decision.Action);
        Assert.True(decision.Owner!.IsSelf);
    }

    [Theory]
    [InlineData("192.0.2.77", IcmpProblem.UnknownDestination, DropReason.NoSubnet)]
    [InlineData("10.9.0.1", IcmpProblem.Unreachable, DropReason.Unreachable)]
    [InlineData("fd00:77::1", IcmpProblem.UnknownDestination, DropReason.NoSubnet)]
    [InlineData("fd00:9::1", IcmpProblem.Unreachable, DropReason.Unreachable)]
    public void Router_refuses_what_it_cannot_route(string destination, object problem, object reason)
    {
        RouteDecision decision = Decide(To(destination));
        Assert.Equal((RouteAction.Refuse, (IcmpProblem)problem, (DropReason)reason), (decision.Action, decision.Problem, decision.Reason));
    }

    [Theory]
    [InlineData("10.1.0.9", "self")]
    [InlineData("10.2.0.9", "b")]
    [InlineData("fd00:1::9", "self")]
    public void Router_drops_what_its_own_owner_sends(string destination, string source) =>
        AssertDrop(Decide(To(destination), source), DropReason.RoutingLoop);

    [Fact]
    public void Router_drops_what_would_go_back_to_the_hop_it_came_from() =>
        AssertDrop(Decide(TestFrames.Udp4("10.1.0.1", "10.3.0.1", 10), "b"), DropReason.RoutingLoop);

    [Theory]
    [InlineData("10.4.0.1")]
    [InlineData("fd00:3::1")]
    public void Forwarding_off_refuses_transit(string destination)
    {
        _network.Options = new() { Forwarding = ForwardingMode.Off };
        RouteDecision decision = Decide(To(destination), destination.Contains(':') ? "c" : "b");
        Assert.Equal((RouteAction.Refuse, IcmpProblem.Prohibited), (decision.Action, decision.Problem));
    }

    [Fact]
    public void Forwarding_off_lets_own_traffic_pass_both_ways()
    {
        _network.Options = new() { Forwarding = ForwardingMode.Off };
        Assert.Equal(RouteAction.Deliver, Decide(To("10.2.0.1")).Action);
        Assert.Equal(RouteAction.Deliver, Decide(To("10.1.0.1"), "b").Action);
    }

    [Fact]
    public void Forwarding_kernel_hands_everything_from_the_network_to_the_device()
    {
        _network.Options = new() { Forwarding = ForwardingMode.Kernel };
        Assert.Equal(RouteAction.ToKernel, Decide(To("10.4.0.1"), "b").Action);
        Assert.Equal(RouteAction.ToKernel, Decide([1, 2, 3], "b").Action);
        Assert.Equal(RouteAction.Deliver, Decide(To("10.4.0.1")).Action);
    }

    [Theory]
    [InlineData("10.3.0.1")]
    [InlineData("fd00:3::1")]
    public void Direct_only_refuses_to_use_a_relay(string destination)
    {
        _network.Options = new() { DirectOnly = true };
        RouteDecision decision = Decide(To(destination));
        Assert.Equal((RouteAction.Refuse, IcmpProblem.Prohibited), (decision.Action, decision.Problem));
        Assert.Equal(RouteAction.Deliver, Decide(To("10.2.0.1")).Action);
    }

    [Theory]
    [InlineData("self", "10.2.0.1", false)]
    [InlineData("b", "10.1.0.1", false)]
    [InlineData("b", "10.4.0.1", true)]
    public void Only_transit_counts_as_a_hop(string source, string destination, bool counts)
    {
        _network.Options = new() { DecrementTtl = true };
        Assert.Equal(counts, Decide(To(destination), source).CountsHop);
    }

    [Fact]
    public void A_hop_is_counted_before_the_loop_is_noticed()
    {
        _network.Options = new() { DecrementTtl = true };
        RouteDecision decision = Decide(To("10.3.0.1"), "b");
        Assert.Equal((RouteAction.Drop, true), (decision.Action, decision.CountsHop));
    }

    [Fact]
    public void Priority_is_inherited_only_if_asked_for()
    {
        byte[] v4 = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 10, tos: 0xb8);
        byte[] v6 = TestFrames.IPv6("fd00:1::1", "fd00:2::1", 17, 8, trafficClass: 0xb8);
        Assert.Equal(0, Decide(v4).TrafficClass);
        _network.Options = new() { PriorityInheritance = true };
        Assert.Equal(0xb8, Decide(v4).TrafficClass);
        Assert.Equal(0xb8, Decide(v6).TrafficClass);
    }

    [Theory]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.250")]
    [InlineData("255.255.255.255")]
    [InlineData("ff02::1")]
    public void Groups_are_broadcast_unless_broadcast_is_off(string destination)
    {
        Assert.Equal(RouteAction.Broadcast, Decide(To(destination)).Action);
        _network.Options = new() { Broadcast = BroadcastMode.No };
        Assert.Equal(DropReason.NoSubnet, Decide(To(destination)).Reason);
    }

    [Fact]
    public void Subnet_directed_broadcast_is_an_ordinary_address() =>
        Assert.Equal("b", Decide(To("10.2.255.255")).Owner!.Name);

    [Theory]
    [InlineData("10.2.255.255", "self", true)]
    [InlineData("10.2.255.255", "b", true)]
    [InlineData("10.2.254.1", "self", false)] // a longer prefix, of a node
    [InlineData("10.2.1.1", "self", false)]
    [InlineData("10.77.0.1", "self", true)]
    [InlineData("fd00:77::1", "c", true)]
    public void What_a_broadcast_subnet_is_the_longest_prefix_of_goes_to_everyone(string destination, string source, bool everyone)
    {
        _network.Own(SubnetTable.Everyone, "10.2.254.0/23", "10.77.0.0/16", "fd00:77::/32");
        _network.Neighbour("d", "10.2.254.0/24");
        foreach (BroadcastMode mode in Enum.GetValues<BroadcastMode>()) // the forwarder looks at the mode
        {
            _network.Options = new() { Broadcast = mode };
            Assert.Equal(everyone ? RouteAction.Broadcast : RouteAction.Deliver, Decide(To(destination), source).Action);
        }
    }

    [Fact]
    public void Switch_broadcasts_to_the_address_of_a_broadcast_subnet()
    {
        _network.Options = new() { Mode = RoutingMode.Switch };
        _network.Own(SubnetTable.Everyone, "3:0:0:0:0:1");
        Assert.Equal(RouteAction.Broadcast, Decide(TestFrames.Ethernet(0x0300_0000_0001, 1, 0x0800, 60)).Action);
    }

    [Theory]
    [InlineData(13, 0x0800, DropReason.TooShort)]
    [InlineData(33, 0x0800, DropReason.TooShort)]
    [InlineData(53, 0x86dd, DropReason.TooShort)]
    [InlineData(60, 0x8100, DropReason.UnknownType)]
    [InlineData(60, 0x88cc, DropReason.UnknownType)]
    public void Router_drops_short_frames_and_other_types(int length, int type, object reason)
    {
        byte[] frame = new byte[60];
        (frame[12], frame[13]) = ((byte)(type >> 8), (byte)type);
        frame[14] = (byte)(type == 0x86dd ? 0x60 : 0x45);
        AssertDrop(Decide(frame[..length]), (DropReason)reason);
    }

    [Fact]
    public void Neighbour_requests_are_answered_for_the_device_only()
    {
        byte[] arp = TestFrames.Ethernet(0xffff_ffff_ffff, 0x0200_0000_0001, 0x0806, 42);
        byte[] solicitation = TestFrames.IPv6("fd00:1::1", "ff02::1:ff00:1", 58, 24);
        solicitation[54] = 135;
        Assert.Equal(RouteAction.Neighbour, Decide(arp).Action);
        Assert.Equal(RouteAction.Neighbour, Decide(solicitation).Action);
        AssertDrop(Decide(arp, "b"), DropReason.Neighbour);
        AssertDrop(Decide(solicitation, "b"), DropReason.Neighbour);
    }

    [Fact]
    public void Hub_broadcasts_everything()
    {
        _network.Options = new() { Mode = RoutingMode.Hub };
        Assert.Equal(RouteAction.Broadcast, Decide(To("10.2.0.1")).Action);
        Assert.Equal(RouteAction.Broadcast, Decide(TestFrames.Ethernet(0x0200_0000_000c, 1, 0x88cc, 60), "b").Action);
    }

    [Theory]
    [InlineData(0x0200_0000_000b, "self", "b")]
    [InlineData(0x0200_0000_000c, "b", "c")]
    [InlineData(0x0200_0000_000a, "b", "self")]
    public void Switch_delivers_by_ethernet_address(ulong destination, string source, string owner)
    {
        _network.Options = new() { Mode = RoutingMode.Switch };
        Assert.Equal(owner, Decide(TestFrames.Ethernet(destination, 1, 0x0800, 60), source).Owner!.Name);
    }

    [Theory]
    [InlineData(0x0200_0000_0077)]
    [InlineData(0xffff_ffff_ffff)]
    [InlineData(0x0100_5e00_0001)]
    public void Switch_broadcasts_unknown_and_group_addresses(ulong destination)
    {
        _network.Options = new() { Mode = RoutingMode.Switch };
        Assert.Equal(RouteAction.Broadcast, Decide(TestFrames.Ethernet(destination, 1, 0x0800, 60)).Action);
    }

    [Theory]
    [InlineData(0x0200_0000_000b, "b", DropReason.RoutingLoop)]
    [InlineData(0x0200_0000_000f, "b", DropReason.RoutingLoop)]
    [InlineData(0x0200_0000_0009, "self", DropReason.Unreachable)]
    public void Switch_drops_loops_and_unreachable_owners_silently(ulong destination, string source, object reason)
    {
        _network.Options = new() { Mode = RoutingMode.Switch };
        AssertDrop(Decide(TestFrames.Ethernet(destination, 1, 0x0800, 60), source), (DropReason)reason);
    }

    [Fact]
    public void Switch_drops_forbidden_frames_silently()
    {
        byte[] transit = TestFrames.Ethernet(0x0200_0000_000c, 1, 0x0800, 60);
        _network.Options = new() { Mode = RoutingMode.Switch, Forwarding = ForwardingMode.Off };
        AssertDrop(Decide(transit, "b"), DropReason.Prohibited);
        _network.Options = new() { Mode = RoutingMode.Switch, DirectOnly = true };
        AssertDrop(Decide(TestFrames.Ethernet(0x0200_0000_000f, 1, 0x0800, 60)), DropReason.Prohibited);
    }

    [Fact]
    public void Switch_inherits_priority_of_tagged_and_untagged_ip()
    {
        _network.Options = new() { Mode = RoutingMode.Switch, PriorityInheritance = true };
        byte[] plain = TestFrames.Udp4("10.0.0.1", "10.0.0.2", 10, tos: 0x28).Between(1, 0x0200_0000_000b);
        byte[] tagged = [.. plain[..12], 0x81, 0x00, 0x00, 0x05, .. plain[12..]];
        Assert.Equal(0x28, Decide(plain).TrafficClass);
        Assert.Equal(0x28, Decide(tagged).TrafficClass);
        Assert.Equal(0, Decide(TestFrames.Ethernet(0x0200_0000_000b, 1, 0x88cc, 60)).TrafficClass);
    }

    private static byte[] To(string destination) => destination.Contains(':')
        ? TestFrames.IPv6("fd00:5::5", destination, 17, 8)
        : TestFrames.Udp4("10.5.0.5", destination, 10);

    private static void AssertDrop(in RouteDecision decision, DropReason reason) =>
        Assert.Equal((RouteAction.Drop, reason), (decision.Action, decision.Reason));

    private RouteDecision Decide(byte[] frame, string source = "self")
    {
        ForwardingTable table = _network.Build();
        PeerRoute from = source == "self" ? table.Self : table.Peers.Single(peer => peer.Name == source);
        return FrameRouter.Decide(frame, from, table);
    }
}
