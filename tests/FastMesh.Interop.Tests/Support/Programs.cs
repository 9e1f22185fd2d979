using System.Reflection;

namespace FastMesh.Interop.Tests.Support;

/// <summary>The two daemons under test and what the suite needs from the machine.</summary>
/// <remarks>
/// FASTMESH_PROGRAM=/usr/sbin/tincd puts the reference daemon into both roles: that is how the suite proves
/// that it asks for nothing the reference does not do.
/// </remarks>
public static class Programs
{
    public const string FastMesh = "fastmesh", Tincd = "tincd";
    private const string TincdPath = "/usr/sbin/tincd";

    private static readonly string[] s_tools = ["ip", "nft", "nsenter", "ping", "iperf3", "tcpdump", "socat", "ifconfig"];
    private static readonly Lazy<string?> s_missing = new(FindMissing);

    /// <summary>The program that plays FastMesh.</summary>
    public static string FastMeshPath { get; } =
        Environment.GetEnvironmentVariable("FASTMESH_PROGRAM") is { Length: > 0 } given
            ? given
            : Path.Combine(RepositoryRoot(), "artifacts", "fastmesh", "fastmesh");

    /// <summary>The suite is running the reference daemon in both roles.</summary>
    public static bool IsReferenceOnly => Path.GetFileName(FastMeshPath) == "tincd";

    public static string PathOf(string kind) => kind switch
    {
        FastMesh => FastMeshPath,
        Tincd => TincdPath,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "fastmesh or tincd"),
    };

    /// <summary>Skips the test, with the reason, on a machine that cannot run it.</summary>
    public static void SkipUnlessUsable() => Skip.If(s_missing.Value is not null, s_missing.Value);

    private static string? FindMissing()
    {
        if (Environment.UserName != "root") return "needs root, for network namespaces";
        if (!File.Exists("/dev/net/tun")) return "needs root with /dev/net/tun";
        if (!File.Exists(FastMeshPath)) return $"needs the peer {FastMeshPath}: run make build";
        if (!File.Exists(TincdPath)) return "needs the peer tincd: apt-get install tinc";
        string version = Shell.Try(TincdPath, "--version").Output;
        if (!version.StartsWith("tinc version 1.0.36", StringComparison.Ordinal)) return "needs the peer tincd in version 1.0.36";
        string[] absent = [.. s_tools.Where(tool => Shell.Try("which", tool).ExitCode != 0)];
        return absent.Length == 0 ? null : $"needs root with the tools {string.Join(", ", absent)}";
    }

    private static string RepositoryRoot()
    {
        DirectoryInfo? folder = new FileInfo(Assembly.GetExecutingAssembly().Location).Directory;
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "FastMesh.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests must run from inside the repository.");
    }
}
