using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>UDP_INFO and MTU_INFO (tinc 1.1 reference, 7.5). "hub" is the neighbour, "far" and "away" are nodes behind it.</summary>
public sealed class PathInfoTests : IDisposable
{
    private const string Modern = "701000c", Old = "c"; // options of a FastMesh node with SPTPS, and of tinc 1.0

    private readonly MeshHarness _self = new(settings => settings with
    {
        Identity = Ed25519Identity.FromSeed([.. Enumerable.Range(0, 32).Select(value => (byte)value)]),
        SpeaksSptps = true,
    });

    public PathInfoTests() => _self.Start();

    public void Dispose() => ((IDisposable)_self).Dispose();

    [Fact]
    public void An_address_of_a_far_node_is_taken_and_passed_on_as_we_see_it()
    {
        ConnectionId hub = Hub();
        Far(hub, "far", "192.0.2.9");
        ConnectionId other = _self.JoinReachable("other", Modern);
        Heard(hub);
        _self.Say(hub, "22 far other 203.0.113.7 4711");
        Assert.Equal("203.0.113.7 port 4711", _self.Route("far")!.Address.ToString());
        Assert.Equal(["22 far other 203.0.113.7 4711"], Heard(other));
        Assert.Empty(Heard(hub));
    }

    [Fact]
    public void Every_hop_puts_its_own_view_in_place_of_what_it_was_told_of_a_neighbour()
    {
        ConnectionId hub = Hub();
        ConnectionId other = _self.JoinReachable("other", Modern);
        _self.Say(hub, "22 hub other 203.0.113.7 4711");
        Assert.Equal("192.0.2.2 port 655", _self.Route("hub")!.Address.ToString());
        Assert.Equal(["22 hub other 192.0.2.2 655"], Heard(other));
    }

    [Theory]
    [InlineData("22 far self unspec unspec")]
    [InlineData("22 far self 203.0.113.7 0")]
    [InlineData("22 self far 203.0.113.7 4711")]
    [InlineData("22 nobody self 203.0.113.7 4711")]
    [InlineData("22 far nobody 203.0.113.7 4711")]
    public void What_says_nothing_is_ignored(string line)
    {
        ConnectionId hub = Hub();
        Far(hub, "far", "192.0.2.9");
        _self.Say(hub, line);
        Assert.Equal("192.0.2.9 port 655", _self.Route("far")!.Address.ToString());
        Assert.False(_self.IsClosed(hub, out _));
        Assert.Empty(Heard(hub));
    }

    [Theory]
    [InlineData("22 far self 203.0.113.7")]
    [InlineData("22 f/r self 203.0.113.7 4711")]
    [InlineData("23 far self")]
    [InlineData("23 far self 511")]
    [InlineData("23 far self many")]
    public void What_tincd_finds_fatal_ends_the_connection(string line)
    {
        ConnectionId hub = Hub();
        _self.Say(hub, line);
        Assert.True(_self.IsClosed(hub, out _));
    }

    [Fact]
    public void A_node_that_is_not_to_be_reached_directly_keeps_its_address()
    {
        ConnectionId hub = Hub();
        Far(hub, "far", "192.0.2.9", options: "701000d"); // INDIRECT
        string before = _self.Route("far")!.Address.ToString();
        _self.Say(hub, "22 far self 203.0.113.7 4711");
        Assert.Equal(before, _self.Route("far")!.Address.ToString());
    }

    [Theory]
    [InlineData(1300, 1300)]
    [InlineData(9000, Node.MaxFrameLength)]
    public void A_provisional_mtu_is_taken_and_passed_on(int told, int taken)
    {
        ConnectionId hub = Hub();
        Far(hub, "far", "192.0.2.9");
        ConnectionId other = _self.JoinReachable("other", Modern);
        _self.Say(hub, $"23 far other {told}");
        Assert.Equal(["23 far other " + taken], Heard(other));
        _self.Say(hub, "23 far self 1200");
        Assert.Equal(1200 + 14, _self.Route("far")!.Mtu); // routing counts the Ethernet header that does not travel
    }

    [Fact]
    public void Neither_goes_to_a_next_hop_of_tinc_1_0()
    {
        ConnectionId hub = Hub();
        Far(hub, "far", "192.0.2.9");
        ConnectionId old = _self.JoinReachable("old", Old);
        Far(old, "away", "192.0.2.8", neighbour: "old");
        Heard(old);
        _self.Say(hub, "22 far away 203.0.113.7 4711", "23 far away 1300", "22 far old 203.0.113.7 4711");
        Assert.Empty(Heard(old));
        _self.Do((mesh, now) => mesh.HandleRelayed(_self.Route("away")!.Id, _self.Route("old")!.Id, now));
        Assert.DoesNotContain(Heard(old), line => line.StartsWith('2'));
    }

    [Fact]
    public void Traffic_that_came_by_a_detour_is_answered_with_both_at_most_every_five_seconds()
    {
        ConnectionId hub = Hub();
        Far(hub, "far", "192.0.2.9");
        Far(hub, "third", "192.0.2.10");
        Heard(hub);
        int far = _self.Route("far")!.Id, third = _self.Route("third")!.Id;
        _self.Do((mesh, now) => mesh.HandleRelayed(far, third, now));
        Assert.Equal(["22 self far 192.0.2.1 655", "23 self far 1518"], Infos(hub)); // our address as the hub announced it
        _self.WaitSeconds(4.9);
        _self.Do((mesh, now) => mesh.HandleRelayed(far, third, now));
        Assert.Empty(Infos(hub));
        _self.WaitSeconds(0.1);
        _self.Do((mesh, now) => mesh.HandleRelayed(far, third, now));
        Assert.Equal(2, Infos(hub).Length);
    }

    [Fact]
    public void By_way_of_its_static_relay_traffic_is_expected_to_come()
    {
        ConnectionId hub = Hub();
        Far(hub, "far", "192.0.2.9", options: "701000d"); // INDIRECT: the hub is its static relay
        Heard(hub);
        _self.Do((mesh, now) => mesh.HandleRelayed(_self.Route("far")!.Id, _self.Route("hub")!.Id, now));
        Assert.Equal(["23 self far 1518"], Infos(hub));
    }

    [Fact]
    public void A_neighbour_is_told_nothing_of_ourselves()
    {
        ConnectionId hub = Hub();
        Far(hub, "far", "192.0.2.9");
        _self.Do((mesh, now) => mesh.HandleRelayed(_self.Route("hub")!.Id, _self.Route("far")!.Id, now));
        Assert.Empty(Infos(hub));
    }

    private ConnectionId Hub() => _self.JoinReachable("hub", Modern);

    private void Far(ConnectionId by, string name, string address, string options = Modern, string neighbour = "hub")
    {
        _self.Say(by, $"12 {name.Sum(letter => letter):x} {neighbour} {name} {address} 655 {options} 10",
            $"12 {0x10000 + name.Sum(letter => letter):x} {name} {neighbour} 192.0.2.3 655 {options} 10");
        Heard(by);
    }

    private string[] Infos(ConnectionId id) => [.. Heard(id).Where(line => line.StartsWith("22 ", StringComparison.Ordinal)
        || line.StartsWith("23 ", StringComparison.Ordinal))];

    /// <summary>Without the requests for sessions.</summary>
    private string[] Heard(ConnectionId id) => [.. _self.Heard(id).Where(line => !line.StartsWith("15 ", StringComparison.Ordinal)
        && !line.StartsWith("12 ", StringComparison.Ordinal))];
}
