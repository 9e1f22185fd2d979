using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

/// <summary>Meshes that connect by themselves, and nodes that have moved (tinc 1.1 reference, 9.1, 9.2).</summary>
public sealed class AutoConnectTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(10), s_minute = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Nodes_that_know_each_others_host_files_become_one_mesh_and_stay_it(int seed)
    {
        SimNetwork net = Mesh(seed, 10);
        Assert.True(net.RunUntil(() => net.AllReachable, s_minute), net.Trace);
        net.RunFor(5 * s_minute);
        Assert.All(net.Nodes, node => Assert.True(Neighbours(node) >= 3, net.Trace)); // everyone sees to that for itself
        Assert.True(net.AllReachable, net.Trace);
        int[] dialled = [.. net.Nodes.Select(node => node.Dialled.Count)];
        net.RunFor(5 * s_minute);
        Assert.Equal(dialled, net.Nodes.Select(node => node.Dialled.Count)); // it has come to rest
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Parts_that_have_lost_each_other_find_together(int seed)
    {
        SimNetwork net = Mesh(seed, 10);
        net.RunFor(s_minute);
        net.Part([.. Enumerable.Range(0, 5).Select(SimNetwork.NameOf)]);
        net.RunFor(10 * s_minute);
        Assert.False(net.AllReachable);
        Assert.All(net.Nodes, node => Assert.Equal(5, node.ReachableNames.Count));

        net.Heal();
        Assert.True(net.RunUntil(() => net.AllReachable, 2 * s_minute), net.Trace); // each node of ten tries one of five every 11 s on average
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // tinc 1.0 reference, 4.10: the host file's address only
    public void A_node_that_has_moved_is_found_at_the_address_from_which_it_last_came(bool learns)
    {
        SimNetwork net = new(6);
        SimNode alpha = net.Add("alpha", settings => Sptps(settings, learns) with { IsFastMesh = false });
        SimNode beta = net.Add("beta", settings => Sptps(settings, learns) with { IsFastMesh = false, ConnectTo = ["alpha"] });
        beta.Address = Endpoint.FromIPv4(0x0a000063, 655); // alpha's host file says 10.0.0.2
        net.StartAll();
        Assert.True(net.RunUntil(() => net.AllReachable, s_soon), net.Trace);
        net.RunFor(s_minute);

        alpha.Crash(silently: false);
        beta.Crash(silently: false);
        alpha.Settings = alpha.Settings with { ConnectTo = ["beta"] };
        beta.Settings = beta.Settings with { ConnectTo = [] };
        net.StartAll().RunFor(s_soon);
        Assert.Equal(learns, net.AllReachable);
        Assert.Equal(learns ? "10.0.0.99 port 655" : "10.0.0.2 port 655", alpha.Dialled[0].Target.ToString());
    }

    private static SimNetwork Mesh(int seed, int count)
    {
        SimNetwork net = new(seed);
        for (int i = 0; i < count; i++)
            net.Add(SimNetwork.NameOf(i), settings => settings with { AutoConnect = true });
        return net.StartAll();
    }

    private static MeshSettings Sptps(MeshSettings settings, bool speaks) => settings with { Identity = SimKeys.Identity(settings.Name == "alpha" ? 200 : 201), SpeaksSptps = speaks };

    private static int Neighbours(SimNode node) => node.Table.Peers.Count(peer => peer.HasConnection);
}
