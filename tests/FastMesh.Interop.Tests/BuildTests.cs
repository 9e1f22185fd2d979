using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>The native program's builds for levels of processors, as far as this processor can run them.</summary>
public sealed partial class BuildTests
{
    private const string Portable = "portable";
    private const int StreamBytes = 500_000, EnoughMtu = 500;

    /// <summary>The C library prints the levels that it takes libraries for, the highest first: "  x86-64-v4 (supported, searched)".</summary>
    private static readonly Lazy<string[]> s_levels = new(() =>
        [.. SupportedLevel().Matches(Shell.Try("/lib64/ld-linux-x86-64.so.2", "--help").Output).Select(match => match.Groups[1].Value)]);

    [SkippableFact]
    public void The_daemon_goes_on_as_the_highest_build_that_the_C_library_calls_supported()
    {
        SkipUnlessBuilt();
        using TestNetwork network = new();
        MeshNode node = network.AddNode("alone", Programs.FastMesh);
        node.Start();
        AssertRuns(node, s_levels.Value.FirstOrDefault(level => File.Exists(FileOf(level))) ?? Portable, directory: null);
    }

    /// <summary>One node of each build, tinc 1.1 and tinc 1.0, each connected to each: their own AEAD, and tinc's of both generations.</summary>
    [SkippableFact]
    public void Builds_for_all_levels_and_both_tincs_exchange_every_byte_in_one_mesh()
    {
        SkipUnlessBuilt();
        using TestNetwork network = new();
        string[] builds = [Portable, .. s_levels.Value.Where(level => File.Exists(FileOf(level))).Order()];
        foreach (string build in builds)
            network.AddNode(build.Replace("x86-64-", "", StringComparison.Ordinal), Programs.FastMesh11).Program = Install(network, build);
        MeshNode[] ours = [.. network.Nodes];
        network.AddNode("modern", Programs.Tinc11);
        network.AddNode("old", Programs.Tincd);
        for (int i = 1; i < network.Nodes.Count; i++)
            network.Nodes[i].ConnectTo([.. network.Nodes.Take(i)]);
        network.Start();
        foreach ((MeshNode node, string build) in ours.Zip(builds))
            AssertRuns(node, build, Path.Combine(network.Directory, "builds"));

        (MeshNode From, MeshNode To)[] pairs = [.. ours.SelectMany(node => network.Nodes.Where(peer => peer != node), (from, to) => (from, to))];
        network.Until(() => pairs.All(pair => pair.From.Host.CanPing(pair.To.Inner) && CarriesUdp(pair.From, pair.To)), "UDP between all pairs");
        foreach ((MeshNode from, MeshNode to) in pairs)
        {
            from.WaitForSession(to, "direct");
            Assert.Equal(0, from.Host.Ping(to.Inner, count: 3).Lost);
            Assert.Equal(0, from.Host.Ping(to.Inner6, count: 3, size: 1200).Lost);
        }

        Transfer.Together([.. pairs.Select((pair, i) =>
            new Action(() => Transfer.Stream(pair.From.Host, pair.To.Host, pair.To.Inner, StreamBytes, StreamBytes, seed: i)))]);
        foreach (MeshNode node in ours)
        {
            DataCounters counters = DataCounters.Of(node);
            Assert.True(counters["BadDatagram"] + counters["SealFailed"] == 0, $"{node.Name}: {counters}");
            Assert.Equal(0, node.Stop());
        }
    }

    private static void SkipUnlessBuilt()
    {
        Programs.SkipUnlessUsable();
        Programs.SkipUnlessTinc11();
        Skip.If(Programs.IsReferenceOnly || !File.Exists(FileOf("x86-64-v3")), "the program was not built for levels: only a native one for x86-64 is");
    }

    /// <summary>The file of a build, where the program is built.</summary>
    private static string FileOf(string build) =>
        Path.Combine(Path.GetDirectoryName(Programs.FastMeshPath)!, build == Portable ? "." : build, Path.GetFileName(Programs.FastMeshPath));

    /// <summary>A copy of a build with no other one beside it, so that it goes on as itself.</summary>
    private static string Install(TestNetwork network, string build)
    {
        string program = Path.Combine(Directory.CreateDirectory(Path.Combine(network.Directory, "builds", build)).FullName, "fastmesh");
        Shell.Run("cp", FileOf(build), program);
        return program;
    }

    /// <summary>The process has that build's file open as its program, and its log says so and with which instructions it encrypts itself: none, AVX2, AVX-512.</summary>
    private static void AssertRuns(MeshNode node, string build, string? directory)
    {
        string expected = directory is null ? Path.GetFullPath(FileOf(build)) : Path.Combine(directory, build, "fastmesh");
        Assert.Equal(expected, File.ResolveLinkTarget($"/proc/{node.ProcessId}/exe", returnFinalTarget: false)!.FullName);
        node.WaitForLog(build == Portable ? @"^fastmesh [^ +]+ starting, debug level 5$" : $@"^fastmesh [^ +]+\+{build} starting, debug level 5$");
        string own = build switch { Portable => "OpenSSL", "x86-64-v3" => @"FastMesh \(AVX2\)", _ => @"FastMesh \(AVX-512\)" };
        node.WaitForLog($"^Encryption: AES-256-GCM.* by .*tinc 1.1's ChaCha20(, .*)? by {own}");
    }

    private static bool CarriesUdp(MeshNode from, MeshNode to) =>
        StateDump.Of(from).Nodes.TryGetValue(to.Name, out NodeState? state) && state.MinMtu >= EnoughMtu;

    [GeneratedRegex(@"(?m)^  (x86-64-v[34]) \(supported, searched\)$")]
    private static partial Regex SupportedLevel();
}
