using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Two nodes, one of each kind: both dialling directions, both modes, both address families outside and inside.</summary>
public sealed class PairTests
{
    public static TheoryData<string, string, string, string> Matrix()
    {
        TheoryData<string, string, string, string> rows = [];
        foreach (string mode in new[] { "router", "switch" })
        {
            foreach (string family in new[] { "ipv4", "ipv6" })
            {
                rows.Add(Programs.FastMesh, Programs.Tincd, mode, family);
                rows.Add(Programs.Tincd, Programs.FastMesh, mode, family);
                rows.Add(Programs.FastMesh, Programs.FastMesh, mode, family);
            }
        }

        return rows;
    }

    [SkippableTheory, MemberData(nameof(Matrix))]
    public void A_pair_carries_ipv4_and_ipv6_both_ways(string dialler, string listener, string mode, string family)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", dialler), beta = network.AddNode("beta", listener);
        foreach (MeshNode node in network.Nodes)
        {
            node.Settings.Add($"Mode = {mode}");
            node.Addresses = [family == "ipv4" ? node.Host.Address() : node.Host.Address6()];
        }

        alpha.ConnectTo(beta);
        network.Start();
        alpha.WaitForConnection(beta);
        beta.WaitForConnection(alpha);

        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 5).Lost);
        Assert.Equal(0, beta.Host.Ping(alpha.Inner, count: 5).Lost);
        Assert.Equal(0, alpha.Host.Ping(beta.Inner6, count: 5).Lost);
        Assert.Equal(0, beta.Host.Ping(alpha.Inner6, count: 5).Lost);
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 3, size: 4000).Lost);
        Assert.Equal(0, alpha.Stop());
        Assert.Equal(0, beta.Stop());
    }
}
