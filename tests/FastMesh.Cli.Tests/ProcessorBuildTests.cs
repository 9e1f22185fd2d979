namespace FastMesh.Cli.Tests;

/// <summary>Which build runs on which processor; levels as the x86-64 psABI defines them, flags in the kernel's spelling.</summary>
public sealed class ProcessorBuildTests : IDisposable
{
    private const string Nehalem = "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3";
    private const string Haswell = $"{Nehalem} avx avx2 bmi1 bmi2 f16c fma abm movbe xsave";
    private const string KnightsLanding = $"{Haswell} avx512f avx512cd avx512er avx512pf";
    private const string SkylakeServer = $"{Haswell} avx512f avx512bw avx512cd avx512dq avx512vl";

    private readonly TemporaryDirectory _directory = new();

    [Theory]
    [InlineData(Nehalem, null)]
    [InlineData(Haswell, "x86-64-v3")]
    [InlineData(KnightsLanding, "x86-64-v3")]
    [InlineData(SkylakeServer, "x86-64-v4")]
    [InlineData("avx512f avx512bw avx512cd avx512dq avx512vl", null)]
    [InlineData("", null)]
    public void The_highest_level_that_the_processor_has_whole_is_taken(string flags, string? level)
    {
        string program = Install("", "x86-64-v3", "x86-64-v4");
        Assert.Equal(level is null ? null : Path.Combine(_directory.Root, level, "fastmesh"), ProcessorBuild.Find(program, flags.Split(' ').ToHashSet()));
    }

    [Fact]
    public void A_build_that_is_not_installed_is_not_taken()
        => Assert.Null(ProcessorBuild.Find(Install(""), SkylakeServer.Split(' ').ToHashSet()));

    [Fact]
    public void A_build_for_a_processor_goes_on_as_itself()
    {
        Install("", "x86-64-v3", "x86-64-v4");
        Assert.Null(ProcessorBuild.Find(Path.Combine(_directory.Root, "x86-64-v4", "fastmesh"), SkylakeServer.Split(' ').ToHashSet()));
    }

    [Theory]
    [InlineData("/usr/lib/fastmesh/fastmesh", "1.2.3")]
    [InlineData("/usr/lib/fastmesh/x86-64-v3/fastmesh", "1.2.3+x86-64-v3")]
    [InlineData("/usr/lib/fastmesh/x86-64-v4/fastmesh", "1.2.3+x86-64-v4")]
    [InlineData("/fastmesh", "1.2.3")]
    [InlineData(null, "1.2.3")]
    public void The_log_names_the_build(string? program, string version) => Assert.Equal(version, ProcessorBuild.NameVersion("1.2.3", program));

    public void Dispose() => _directory.Dispose();

    private string Install(params string[] levels)
    {
        foreach (string level in levels)
        {
            Directory.CreateDirectory(Path.Combine(_directory.Root, level));
            File.WriteAllText(Path.Combine(_directory.Root, level, "fastmesh"), string.Empty);
        }

        return Path.Combine(_directory.Root, "fastmesh");
    }
}
