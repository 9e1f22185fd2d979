using System.Globalization;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Routing;

public sealed class ForwardingTableTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 30)];

    /// <summary>The walk of the tinc 1.0 reference, 6.2, over all subnets, against the table's lookup.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Lookups_find_what_a_walk_over_all_subnets_finds(int seed)
    {
        Random random = new(seed);
        Graph graph = new("self");
        SubnetTable subnets = new();
        for (int i = 0; i < 8; i++)
        {
            Node node = graph.GetOrAdd($"n{i}");
            if (random.Next(3) > 0)
            {
                graph.SetEdge(graph.Self, node, ("192.0.2.1", "655"), EdgeOptions.None, 1);
                graph.SetEdge(node, graph.Self, ("192.0.2.1", "655"), EdgeOptions.None, 1);
            }
        }

        graph.Recompute([], []);
        Node[] owners = [.. graph.Nodes];
        for (int i = 0; i < 60; i++)
            subnets.Add(owners[random.Next(owners.Length)], RandomSubnet(random));

        ForwardingTable table = new(new ForwardingOptions(), graph, subnets, []);
        for (int i = 0; i < 500; i++)
        {
            uint ipv4 = 0x0a000000u | (uint)random.Next(1 << 12);
            UInt128 ipv6 = ((UInt128)0xfd00 << 112) | (UInt128)random.Next(1 << 12);
            MacAddress mac = new((ulong)random.Next(8));
            Assert.True(Walk(subnets, SubnetKind.IPv4, ipv4)?.Name == table.FindOwner(ipv4)?.Name, $"seed {seed} ipv4 {ipv4:x}");
            Assert.True(Walk(subnets, SubnetKind.IPv6, ipv6)?.Name == table.FindOwner(ipv6)?.Name, $"seed {seed} ipv6 {(ulong)ipv6:x}");
            Assert.True(Walk(subnets, SubnetKind.Mac, mac.Value)?.Name == table.FindOwner(mac)?.Name, $"seed {seed} mac {mac}");
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_table_stays_as_it_was_while_subnets_come_and_go(int seed)
    {
        Random random = new(seed);
        Graph graph = new("self");
        Node[] owners = [graph.Self, .. Enumerable.Range(0, 4).Select(i => graph.GetOrAdd($"n{i}"))];
        graph.SetEdge(graph.Self, owners[1], ("192.0.2.1", "655"), EdgeOptions.None, 1);
        graph.SetEdge(owners[1], graph.Self, ("192.0.2.1", "655"), EdgeOptions.None, 1);
        graph.Recompute([], []);
        SubnetTable subnets = new();
        HashSet<(Subnet Subnet, Node Owner)> model = [];
        List<(ForwardingTable Table, uint Address, string? Owner)> answers = [];
        for (int i = 0; i < 600; i++)
        {
            (Subnet Subnet, Node Owner) entry = (RandomSubnet(random), owners[random.Next(owners.Length)]);
            if (random.Next(3) == 0 && model.Count > 0)
                entry = model.ElementAt(random.Next(model.Count));
            Assert.Equal(model.Add(entry), subnets.Add(entry.Owner, entry.Subnet));
            if (random.Next(2) == 0)
                Assert.True(model.Remove(entry) && subnets.Remove(entry.Owner, entry.Subnet));
            if (random.Next(4) > 0)
                continue;
            uint address = 0x0a000000u | (uint)random.Next(1 << 12);
            answers.Add((new(new ForwardingOptions(), graph, subnets, []), address, Walk(subnets, SubnetKind.IPv4, address)?.Name));
        }

        Assert.Equal(model.OrderBy(entry => entry.Subnet).ThenBy(entry => entry.Owner.Name, StringComparer.Ordinal).Select(entry => new OwnedSubnet(entry.Subnet, entry.Owner)), subnets.All);
        Assert.All(answers, answer => Assert.True(answer.Owner == answer.Table.FindOwner(answer.Address)?.Name, $"seed {seed} address {answer.Address:x}"));
        Assert.Contains(answers, answer => answer.Owner is not null);
    }

    [Fact]
    public void Of_nodes_with_the_same_address_the_first_by_name_is_found()
    {
        Graph graph = new("m");
        Assert.True(Endpoint.TryParse("192.0.2.1", "655", out Endpoint address));
        foreach (string name in new[] { "z", "b", "k" })
            graph.GetOrAdd(name).Address = address;
        graph.Self.Address = address;
        ForwardingTable table = new(new ForwardingOptions(), graph, new SubnetTable(), []);
        Assert.True(table.TryFindByAddress(address, out PeerRoute? found));
        Assert.Equal("b", found.Name);
    }

    [Fact]
    public void Neighbouring_addresses_have_their_shards_in_turn_whatever_the_port()
    {
        for (uint host = 1; host < 250; host++)
        {
            Endpoint one = Endpoint.FromIPv4(0x0a000000 + host, 655), next = Endpoint.FromIPv4(0x0a000001 + host, 4711);
            int shard = ForwardingTable.OwnerShard(one, 0, 4);
            Assert.Equal((shard + 1) % 4, ForwardingTable.OwnerShard(next, 0, 4));
            Assert.Equal(shard, ForwardingTable.OwnerShard(one.WithPort(1), 9, 4));
        }

        Assert.Equal([0, 1, 2, 0], Enumerable.Range(0, 4).Select(id => ForwardingTable.OwnerShard(default, id, 3)));
    }

    [Fact]
    public void A_learned_address_is_shared_with_the_control_plane()
    {
        LearnedMac learned = new(new MacAddress(42), new Instant(1));
        ForwardingTable table = new(new ForwardingOptions(), new Graph("a"), new SubnetTable(), [learned]);
        Assert.True(table.TryFindLearned(new MacAddress(42), out LearnedMac? found));
        found.Touch(new Instant(99));
        Assert.Equal(99, learned.LastSeen.Milliseconds);
        Assert.False(table.TryFindLearned(new MacAddress(43), out _));
    }

    [Fact]
    public void Subnets_are_told_apart_by_weight_and_owner()
    {
        Graph graph = new("a");
        Node b = graph.GetOrAdd("b");
        SubnetTable subnets = new();
        Assert.True(Subnet.TryParse("10.0.0.0/8#5", out Subnet light));
        Assert.True(Subnet.TryParse("10.0.0.0/8", out Subnet normal));
        Assert.True(subnets.Add(b, light));
        Assert.False(subnets.Add(b, light));
        Assert.True(subnets.Add(b, normal) && subnets.Add(graph.Self, light));
        Assert.Equal(["10.0.0.0/8#5 a", "10.0.0.0/8#5 b", "10.0.0.0/8#10 b"], subnets.All.Select(owned => $"{owned.Subnet} {owned.Owner}"));
        Assert.True(subnets.Remove(b, light));
        Assert.False(subnets.Remove(b, light));
        Assert.False(subnets.Contains(b, light));
        Assert.Equal([normal], subnets.Of(b));
    }

    private static Node? Walk(SubnetTable subnets, SubnetKind kind, UInt128 address)
    {
        Node? last = null;
        foreach ((Subnet subnet, Node owner) in subnets.All)
        {
            if (subnet.Kind != kind || !subnet.Contains(address))
                continue;
            last = owner;
            if (owner.Reachable)
                return owner;
        }

        // Several unreachable owners: the table may name any of them, all are reported as unreachable.
        return last is null ? null : subnets.All.First(owned => owned.Subnet.Kind == kind && owned.Subnet.Contains(address)).Owner;
    }

    [Fact]
    public void Nodes_are_found_by_id_and_confirmed_ones_first_by_address()
    {
        Graph graph = new("self");
        Node a = graph.GetOrAdd("a"), b = graph.GetOrAdd("b"), c = graph.GetOrAdd("c");
        a.Address = b.Address = c.Address = Endpoint.FromIPv4(0xc0000201, 655);
        ForwardingTable before = new(new(), graph, new(), []);
        b.UdpConfirmed = true;
        ForwardingTable after = new(new(), graph, new(), []);
        Assert.True(before.TryFindByAddress(a.Address, out PeerRoute? first) && after.TryFindByAddress(a.Address, out PeerRoute? confirmed)
            && (first.Name, confirmed.Name) == ("a", "b"));
        Assert.All(graph.Nodes, node => Assert.True(after.TryFindById(NodeId.Of(node.Name), out PeerRoute? peer) && peer.Id == node.Id));
        Assert.False(after.TryFindById(default, out _));
        Assert.False(after.TryFindById(NodeId.Of("d"), out _));
    }

    /// <summary>Probes travel whole, packets in router mode without their Ethernet header: tinc 1.1 reference, 6.2 and chapter 7.</summary>
    [Theory]
    [InlineData(NodeProtocol.Legacy, RoutingMode.Router, 1300, 1300, 0)]
    [InlineData(NodeProtocol.Sptps, RoutingMode.Router, 1300, 1314, 1333)]
    [InlineData(NodeProtocol.Sptps, RoutingMode.Switch, 1300, 1300, 1333)]
    [InlineData(NodeProtocol.FastMesh, RoutingMode.Router, 1300, 1314, 1337)]
    [InlineData(NodeProtocol.FastMesh, RoutingMode.Hub, 1300, 1300, 1337)]
    [InlineData(NodeProtocol.Sptps, RoutingMode.Router, 1518, 1518, 1551)]
    [InlineData(NodeProtocol.Sptps, RoutingMode.Router, 0, 0, 0)]
    public void A_proven_path_lets_frames_through_whose_datagrams_are_no_longer_than_the_probe(
        NodeProtocol protocol, RoutingMode mode, int probe, int frame, int datagram)
    {
        Graph graph = new("self");
        Node node = graph.GetOrAdd("b");
        graph.SetEdge(graph.Self, node, ("192.0.2.1", "655"), EdgeOptions.PmtuDiscovery, 1);
        graph.SetEdge(node, graph.Self, ("192.0.2.2", "655"), EdgeOptions.PmtuDiscovery, 1);
        graph.Recompute([], []);
        (node.Protocol, node.Mtu, node.MinMtu) = (protocol, probe, probe);
        PeerRoute peer = new ForwardingTable(new() { Mode = mode }, graph, new(), []).Find(node.Id)!;
        Assert.Equal((frame, datagram), (peer.MinMtu, peer.MaxDatagram));
        if (probe > 0)
            Assert.Equal(frame, peer.Mtu);
    }

    private static Subnet RandomSubnet(Random random)
    {
        string text = random.Next(3) switch
        {
            0 => string.Create(CultureInfo.InvariantCulture, $"0:0:0:0:0:{random.Next(8)}"),
            1 => string.Create(CultureInfo.InvariantCulture, $"10.0.{random.Next(16)}.{random.Next(256)}/{8 + random.Next(25)}#{random.Next(3)}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"fd00::{random.Next(1 << 12):x}/{100 + random.Next(29)}#{random.Next(3)}"),
        };
        Assert.True(Subnet.TryParse(text, out Subnet subnet), text);
        return subnet;
    }
}
