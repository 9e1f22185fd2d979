using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Real transfers, byte for byte, over every port, offload, mode and kind of session, directly and through a relay.</summary>
public sealed class TransferTests
{
    private const int StreamBytes = 2_000_000, Datagrams = 160, LongestDatagram = 9000;

    private const string FastMesh = "fastmesh fastmesh fastmesh";

    /// <summary>Mode, what the FastMesh daemons are started with, and the kinds of the three nodes: FastMesh, SPTPS and tinc 1.0 sessions.</summary>
    public static TheoryData<string, string, string> Combinations() => new()
    {
        { "router", "", FastMesh },
        { "switch", "", FastMesh },
        { "router", "--no-offload", FastMesh },
        { "switch", "--no-offload", FastMesh },
        { "router", "--no-offload=gso,gro", FastMesh },
        { "switch", "--no-offload=vnet", FastMesh },
        { "router", "--workers 2", FastMesh },
        { "router", "--io uring", FastMesh },
        { "switch", "--io uring", FastMesh },
        { "switch", "--io uring --no-offload", FastMesh },
        { "router", "", "fastmesh11 fastmesh11 tinc11" },
        { "switch", "", "fastmesh fastmesh tincd" },
    };

    /// <remarks>
    /// <code>
    ///   alpha ──segment 0── beta ──segment 1── gamma
    /// </code>
    /// </remarks>
    [SkippableTheory, MemberData(nameof(Combinations))]
    public void Every_byte_arrives_as_it_was_sent(string mode, string arguments, string kinds)
    {
        using TestNetwork network = new();
        string[] kind = kinds.Split(' ');
        MeshNode alpha = network.AddNode("alpha", kind[0], 0), beta = network.AddNode("beta", kind[1], 0, 1), gamma = network.AddNode("gamma", kind[2], 1);
        foreach (MeshNode node in network.Nodes)
        {
            node.Settings.Add($"Mode = {mode}");
            if (Programs.IsFastMesh(node.Kind)) node.Arguments.AddRange(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        alpha.ConnectTo(beta);
        gamma.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(gamma.Inner) && gamma.Host.CanPing(alpha.Inner6), "the first pings through the relay");
        foreach (MeshNode node in (MeshNode[])[alpha, gamma])
        {
            node.WaitForUdp(beta);
            beta.WaitForUdp(node);
        }

        int seed = 1;
        long relayed = beta.Host.UdpSent();
        Transfer.Together(
            () => Transfer.Stream(alpha.Host, beta.Host, beta.Inner, StreamBytes, StreamBytes, seed),
            () => Transfer.Stream(alpha.Host, gamma.Host, gamma.Inner, StreamBytes, 0, seed + 2),
            () => Transfer.Stream(gamma.Host, alpha.Host, alpha.Inner6, StreamBytes, StreamBytes, seed + 4),
            () => Transfer.Datagrams(gamma.Host, beta.Host, beta.Inner6, Datagrams, LongestDatagram, seed + 6),
            () => Transfer.Datagrams(alpha.Host, gamma.Host, gamma.Inner, Datagrams, LongestDatagram, seed + 8));
        Assert.True(beta.Host.UdpSent() - relayed >= StreamBytes / 65536, "the relay must have sent by UDP");
        foreach (MeshNode node in network.Nodes.Where(node => Programs.IsFastMesh(node.Kind)))
        {
            DataCounters counters = DataCounters.Of(node);
            Assert.True(counters["BadOffload"] + counters["BadDatagram"] + counters["Truncated"] + counters["DeviceWrite"] == 0, $"{node.Name}: {counters}");
            bool merges = !arguments.Contains("no-offload", StringComparison.Ordinal) || arguments.Contains("gso", StringComparison.Ordinal);
            Assert.True(merges == counters.HasSuperpackets, $"{node.Name} with '{arguments}': {counters}");
        }
    }
}
