using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>More than two nodes: relays in the middle, hubs with spokes, full meshes.</summary>
public sealed class TopologyTests
{
    [SkippableTheory]
    [InlineData("router", Programs.Tincd, Programs.FastMesh, Programs.Tincd)]
    [InlineData("router", Programs.FastMesh, Programs.Tincd, Programs.FastMesh)]
    [InlineData("router", Programs.FastMesh, Programs.FastMesh, Programs.Tincd)]
    [InlineData("switch", Programs.Tincd, Programs.FastMesh, Programs.Tincd)]
    [InlineData("switch", Programs.FastMesh, Programs.Tincd, Programs.FastMesh)]
    [InlineData("switch", Programs.FastMesh, Programs.FastMesh, Programs.FastMesh)]
    public void The_middle_of_a_line_relays_between_networks_that_cannot_see_each_other(string mode, string left, string middle, string right)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", left, 0), beta = network.AddNode("beta", middle, 0, 1), gamma = network.AddNode("gamma", right, 1);
        foreach (MeshNode node in network.Nodes) node.Settings.Add($"Mode = {mode}");
        alpha.ConnectTo(beta);
        gamma.ConnectTo(beta);
        network.Start();

        network.Until(() => alpha.Host.CanPing(gamma.Inner), "the first ping through the relay");
        alpha.WaitForUdp(beta);
        gamma.WaitForUdp(beta);

        // What two FastMesh nodes tell each other is sealed end to end, and tinc 1.0 passes that on by TCP only.
        bool byUdp = middle != Programs.Tincd || !Programs.IsFastMesh(left) || !Programs.IsFastMesh(right);
        foreach (MeshNode end in byUdp ? [alpha, gamma] : Array.Empty<MeshNode>())
            beta.WaitForUdp(end);
        long before = beta.Host.UdpSent();
        Assert.Equal(0, alpha.Host.Ping(gamma.Inner, count: 20, size: 8).Lost);
        Assert.Equal(0, gamma.Host.Ping(alpha.Inner6, count: 20, size: 0).Lost);
        Assert.True(!byUdp || beta.Host.UdpSent() - before >= 40, "the relay must forward both ways by UDP");
        Assert.Equal(0, alpha.Host.Ping(gamma.Inner, count: 3, size: 1400).Lost);
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd, "router")]
    [InlineData(Programs.Tincd, Programs.FastMesh, "router")]
    [InlineData(Programs.FastMesh, Programs.Tincd, "switch")]
    [InlineData(Programs.Tincd, Programs.FastMesh, "switch")]
    public void All_spokes_of_a_hub_reach_each_other(string hubKind, string spokeKind, string mode)
    {
        using TestNetwork network = new();
        MeshNode hub = network.AddNode("hub", hubKind);
        MeshNode[] spokes = [network.AddNode("one", spokeKind), network.AddNode("two", Programs.Tincd), network.AddNode("three", Programs.FastMesh)];
        foreach (MeshNode spoke in spokes) spoke.ConnectTo(hub);
        foreach (MeshNode node in network.Nodes)
        {
            node.Settings.Add($"Mode = {mode}");
            node.Settings.Add("AddressFamily = ipv4");
        }

        network.Start();
        AssertAllPairsPing(network);
    }

    /// <summary>
    /// Keys expire soon: when keys for one node cross on two ways, tincd keeps the older one until the next expiry.
    /// </summary>
    [SkippableFact]
    public void A_mesh_of_four_in_which_everyone_dials_everyone_settles()
    {
        using TestNetwork network = new();
        string[] kinds = [Programs.FastMesh, Programs.Tincd, Programs.FastMesh, Programs.Tincd];
        MeshNode[] nodes = [.. kinds.Select((kind, i) => network.AddNode($"node{i + 1}", kind))];
        foreach (MeshNode node in nodes)
        {
            node.ConnectTo([.. nodes.Where(other => other != node)]);
            node.Settings.Add("KeyExpire = 4");
        }

        network.Start();
        foreach (MeshNode from in nodes)
        {
            foreach (MeshNode to in nodes) network.Until(() => from.Host.CanPing(to.Inner), $"a ping from {from.Name} to {to.Name}");
        }

        foreach (MeshNode node in nodes)
        {
            network.Until(() => StateDump.Of(node) is { Edges.Count: 12, Nodes.Count: 4 }, $"twelve edges at {node.Name}");
        }
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.Tincd, Programs.FastMesh)]
    public void Every_node_lists_the_same_edges_and_subnets(string hubKind, string spokeKind)
    {
        using TestNetwork network = new();
        MeshNode hub = network.AddNode("hub", hubKind);
        MeshNode[] spokes = [network.AddNode("one", spokeKind), network.AddNode("two", spokeKind)];
        spokes[0].HostSettings.Add("Subnet = 10.30.0.0/16#7");
        spokes[1].HostSettings.Add("Subnet = 2:0:5e:10:0:ff");
        foreach (MeshNode spoke in spokes) spoke.ConnectTo(hub);
        network.Start();
        foreach (MeshNode node in network.Nodes) network.Until(() => StateDump.Of(node) is { Edges.Count: 4, Subnets.Count: 8 }, $"the whole graph at {node.Name}");

        StateDump[] dumps = [.. network.Nodes.Select(StateDump.Of)];
        Assert.All(dumps, dump => Assert.Equal(dumps[0].Edges, dump.Edges));
        Assert.All(dumps, dump => Assert.Equal(dumps[0].Subnets, dump.Subnets));
        Assert.Equal(["2:0:5e:10:0:ff#10", "10.20.3.0/24#10", "fd20:0:0:3:0:0:0:0/64#10"], dumps[0].SubnetsOf(spokes[1]));
        Assert.Contains("10.30.0.0/16#7", dumps[0].SubnetsOf(spokes[0]));
    }

    private static void AssertAllPairsPing(TestNetwork network)
    {
        foreach (MeshNode from in network.Nodes)
        {
            foreach (MeshNode to in network.Nodes.Where(node => node != from))
            {
                network.Until(() => from.Host.CanPing(to.Inner), $"a ping from {from.Name} to {to.Name}");
                Assert.Equal(0, from.Host.Ping(to.Inner, count: 5).Lost);
                Assert.Equal(0, from.Host.Ping(to.Inner6, count: 2).Lost);
            }
        }
    }
}
