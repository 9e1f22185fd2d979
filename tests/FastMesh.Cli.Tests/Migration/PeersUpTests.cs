using System.Net;
using FastMesh.Cli.Config;
using FastMesh.Cli.Migration;

namespace FastMesh.Cli.Tests.Migration;

/// <summary>Who is missing, by names where both daemons give them, else by addresses.</summary>
public class PeersUpTests
{
    [Fact]
    public void Names_count_where_both_know_them()
        => Assert.Equal(["c"], Missing(new(["b", "c"], [Peer("b", 2)]), new(["b"], [Peer("b", 9)])));

    [Fact]
    public void An_address_without_a_name_has_to_be_there_as_often_as_before()
    {
        PeersUp before = new(null, [Peer(null, 2), Peer(null, 2), Peer(null, 3)]);
        Assert.Empty(Missing(before, new(["x", "y", "z"], [Peer("x", 2), Peer("y", 2), Peer("z", 3)])));
        Assert.Equal(["192.0.2.2", "192.0.2.3"], Missing(before, new(["x"], [Peer("x", 2)])));
    }

    [Fact]
    public void A_named_peer_may_come_by_another_address_or_another_way()
    {
        PeersUp before = new(null, [Peer("b", 2), Peer("c", 3)]);
        Assert.Empty(Missing(before, new(["b", "c"], [Peer("b", 22)])));
        Assert.Equal(["c"], Missing(before, new(["b"], [Peer("b", 22)])));
    }

    [Fact]
    public void Going_back_a_name_is_found_by_the_addresses_of_its_host_file()
    {
        PeersUp before = new(["b", "c"], [Peer("b", 2), Peer("c", 77)]);
        Assert.Empty(Missing(before, new(null, [Peer(null, 22), Peer(null, 77)])));
        Assert.Equal(["b"], Missing(before, new(null, [Peer(null, 77)])));
    }

    private static IReadOnlyList<string> Missing(PeersUp before, PeersUp now)
    {
        using TemporaryDirectory net = new();
        net.Write("hosts/b", "Address = 192.0.2.2\nAddress = 192.0.2.22 655\n");
        return before.MissingIn(now, new PeerAddresses(new ConfigDirectory(net.Root, [])));
    }

    private static ConnectedPeer Peer(string? name, byte last) => new(name, new IPAddress([192, 0, 2, last]));
}
