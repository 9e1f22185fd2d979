namespace FastMesh.Cli;

/// <summary>
/// Builds of the program for newer processors, in directories beside it that are named as the levels of the x86-64 psABI (scripts/publish.sh
/// makes them). The native compiler decides at build time which vector instructions there are, so the program runs anywhere and
/// the daemon goes on as the build that the processor is good for.
/// </summary>
internal static class ProcessorBuild
{
    private const string CpuInfo = "/proc/cpuinfo";

    /// <summary>The levels, the highest first, with the flags of /proc/cpuinfo that each adds.</summary>
    private static readonly (string Level, string[] Flags)[] s_levels =
    [
        ("x86-64-v4", ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]),
        ("x86-64-v3", ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"]),
    ];

    /// <summary>The processor's flags, as far as the kernel lets programs use them; none where it tells none.</summary>
    public static IReadOnlySet<string> Features
    {
        get
        {
            try
            {
                string? line = File.ReadLines(CpuInfo).FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal));
                return line?[(line.IndexOf(':') + 1)..].Split(' ').ToHashSet() ?? [];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return new HashSet<string>();
            }
        }
    }

    /// <summary>The version of a program, with the level that it is built for, if any, as build metadata (SemVer 2.0.0, 10): 1.0.0+x86-64-v4.</summary>
    public static string NameVersion(string version, string? program)
    {
        string? directory = Path.GetFileName(Path.GetDirectoryName(program));
        return s_levels.Any(level => level.Level == directory) ? $"{version}+{directory}" : version;
    }

    /// <summary>The build beside a program that a processor with these flags runs best, or null if that is the program itself.</summary>
    public static string? Find(string? program, IReadOnlySet<string> features)
    {
        if (Path.GetDirectoryName(program) is not { } directory)
            return null;
        for (int i = 0; i < s_levels.Length; i++)
        {
            string build = Path.Combine(directory, s_levels[i].Level, Path.GetFileName(program)!);
            if (s_levels[i..].All(level => level.Flags.All(features.Contains)) && File.Exists(build))
                return build;
        }

        return null;
    }
}
