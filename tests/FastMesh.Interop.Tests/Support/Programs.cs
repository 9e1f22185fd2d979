using System.Reflection;

namespace FastMesh.Interop.Tests.Support;

/// <summary>The daemons under test and what the suite needs from the machine.</summary>
/// <remarks>
/// FASTMESH_PROGRAM=/usr/sbin/tincd puts the reference daemons into all roles (with a directory of tinc 1.1 that is tinc
/// 1.1): that is how the suite proves that it asks for nothing the reference does not do.
/// </remarks>
public static class Programs
{
    /// <summary>A kind of node is a program with a configuration directory: a tinc 1.0 one, which has RSA keys only, unless it ends with 11.</summary>
    public const string FastMesh = "fastmesh", FastMesh11 = "fastmesh11", Tincd = "tincd", Tinc11 = "tinc11";
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

    /// <summary>The program <c>tinc</c> of tinc 1.1, which makes keys and asks a running daemon.</summary>
    public static string Tinc11ControlPath { get; } = Tinc11Path("tinc");

    /// <summary>The kind has a configuration directory of tinc 1.1: Ed25519 keys as well as RSA keys.</summary>
    public static bool HasEd25519Keys(string kind) => kind is Tinc11 or FastMesh11;

    /// <summary>The kind is run by tinc 1.1, which answers its control socket where the others answer USR2.</summary>
    public static bool IsTinc11(string kind) => kind == Tinc11 || (kind == FastMesh11 && IsReferenceOnly);

    public static bool IsFastMesh(string kind) => kind is FastMesh or FastMesh11 && !IsReferenceOnly;

    public static string PathOf(string kind) => kind switch
    {
        Tincd => TincdPath,
        _ when IsTinc11(kind) => Tinc11Path("tincd"),
        FastMesh or FastMesh11 => FastMeshPath,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no kind of node"),
    };

    /// <summary>Skips the test, with the reason, on a machine that cannot run it.</summary>
    public static void SkipUnlessUsable() => Skip.If(s_missing.Value is not null, s_missing.Value);

    /// <summary>Skips the test where tinc 1.1 is not installed.</summary>
    public static void SkipUnlessTinc11() => Skip.IfNot(File.Exists(Tinc11ControlPath), "needs the peer tinc 1.1: run scripts/install-tinc11.sh");

    /// <summary>Prometheus' own checker of metrics and rules.</summary>
    public static string PromtoolPath { get; } = "/opt/prometheus/bin/promtool";

    /// <summary>The top of the repository.</summary>
    public static string Root => RepositoryRoot();

    /// <summary>Skips the test where there is no UPnP router or no libminiupnpc to ask it with.</summary>
    public static void SkipUnlessUpnp() => Skip.IfNot(
        File.Exists("/usr/sbin/miniupnpd") && UpnpRouter.Libraries.Length > 0, "needs miniupnpd and libminiupnpc: run scripts/install-packages.sh");

    /// <summary>Skips the test where promtool is not installed.</summary>
    public static void SkipUnlessPromtool() => Skip.IfNot(File.Exists(PromtoolPath), "needs promtool: run scripts/install-promtool.sh");

    /// <summary>Skips the test where Chromium is not installed.</summary>
    public static void SkipUnlessChromium() => Skip.IfNot(File.Exists("/usr/bin/chromium"), "needs the package chromium: apt-get install chromium");

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

    private static string Tinc11Path(string program) =>
        Path.Combine(Environment.GetEnvironmentVariable("TINC11_PREFIX") is { Length: > 0 } given ? given : "/opt/tinc-1.1", "sbin", program);

    internal static string RepositoryRoot()
    {
        DirectoryInfo? folder = new FileInfo(Assembly.GetExecutingAssembly().Location).Directory;
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "FastMesh.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests must run from inside the repository.");
    }
}
