using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Two nodes out of all kinds, tinc 1.0 and 1.1 among them: who dials whom, both modes, and the session that the two end up with.</summary>
public sealed class GenerationPairTests
{
    /// <summary>Probes of this size fill a path of 1500 bytes well enough for the small pings of this test.</summary>
    private const int EnoughMtu = 500;

    private static readonly string[] s_kinds = [Programs.Tincd, Programs.Tinc11, Programs.FastMesh, Programs.FastMesh11];

    public static TheoryData<string, string> Pairs()
    {
        TheoryData<string, string> rows = [];
        foreach (string dialler in s_kinds)
        {
            foreach (string listener in s_kinds) rows.Add(dialler, listener);
        }

        return rows;
    }

    /// <summary>
    /// Both modes at once, because nearly all of the time is spent waiting for tincd's timers; one of them with DisableBuggyPeers, which no kind minds.
    /// </summary>
    [SkippableTheory, MemberData(nameof(Pairs))]
    public void A_pair_of_any_generation_carries_small_and_large_packets_by_udp(string dialler, string listener)
    {
        Programs.SkipUnlessUsable();
        Programs.SkipUnlessTinc11();
        Parallel.Invoke(() => Exercise(dialler, listener, "router"), () => Exercise(dialler, listener, "switch"));
    }

    private static void Exercise(string dialler, string listener, string mode)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", dialler), beta = network.AddNode("beta", listener);
        foreach (MeshNode node in network.Nodes) node.Settings.AddRange([$"Mode = {mode}", $"DisableBuggyPeers = {(mode == "switch" ? "yes" : "no")}"]);
        alpha.ConnectTo(beta);
        network.Start();
        alpha.WaitForConnection(beta);
        beta.WaitForConnection(alpha);

        network.Until(() => alpha.Host.CanPing(beta.Inner) && CarriesUdp(alpha, beta) && CarriesUdp(beta, alpha), $"UDP both ways in {mode} mode");
        foreach ((MeshNode from, MeshNode to) in new[] { (alpha, beta), (beta, alpha) })
        {
            long before = from.Host.UdpSent();
            Assert.Equal(0, from.Host.Ping(to.Inner, count: 10).Lost);
            Assert.Equal(0, from.Host.Ping(to.Inner6, count: 10).Lost);
            Assert.True(from.Host.UdpSent() - before >= 10, $"{from.Name} must send by UDP in {mode} mode");
            Assert.Equal(0, from.Host.Ping(to.Inner, count: 5, size: 1400).Lost);
            if (Programs.IsFastMesh(from.Kind)) from.WaitForSession(to, "direct");
        }

        Assert.Equal(0, alpha.Stop());
        Assert.Equal(0, beta.Stop());
    }

    private static bool CarriesUdp(MeshNode from, MeshNode to) =>
        StateDump.Of(from).Nodes.TryGetValue(to.Name, out NodeState? state) && state.MinMtu >= EnoughMtu;
}
