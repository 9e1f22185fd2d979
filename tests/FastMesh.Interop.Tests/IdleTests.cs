using System.Globalization;
using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>What a daemon costs that has nothing to do.</summary>
public sealed class IdleTests
{
    private const int MostMemory = 80 * 1024; // KiB

    [SkippableTheory]
    [InlineData("router")]
    [InlineData("switch")]
    public void A_node_of_a_pair_stays_below_80_megabytes(string mode)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh), beta = network.AddNode("beta", Programs.FastMesh);
        foreach (MeshNode node in network.Nodes)
            node.Settings.Add($"Mode = {mode}");
        alpha.ConnectTo(beta);
        network.Start();
        alpha.WaitForConnection(beta);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 5).Lost);
        Skip.If(Programs.IsReferenceOnly, "This is about FastMesh.");
        Assert.All(network.Nodes, node => Assert.InRange(ResidentMemory(node.ProcessId), 1, MostMemory));
    }

    /// <summary>KiB, libraries that other programs share included.</summary>
    private static int ResidentMemory(int process) => int.Parse(
        Regex.Match(File.ReadAllText($"/proc/{process}/status"), @"VmRSS:\s+(\d+) kB").Groups[1].ValueSpan, CultureInfo.InvariantCulture);
}
