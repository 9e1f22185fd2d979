using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>What an administrator installs: Debian packages, systemd units, containers.</summary>
public sealed partial class InstallationTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("fastmesh-units-");

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>The steps, and what must be true after each, are in the script.</summary>
    [SkippableTheory, InlineData("bookworm"), InlineData("trixie")]
    public void Packages_install_run_upgrade_and_go_under_a_real_systemd_and_leave_the_nets_alone(string suite)
    {
        Programs.SkipUnlessUsable();
        Skip.If(Programs.IsReferenceOnly, "packages hold FastMesh");
        ShellResult result = Shell.TryWithin(TimeSpan.FromMinutes(4), FileOf("scripts/deb-test.sh"), suite);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
    }

    /// <summary>systemd-analyze says nothing about a unit that it understands whole, and exits 0 also if it ignores a line.</summary>
    [SkippableFact]
    public void Systemd_understands_every_line_of_the_units()
    {
        SkipUnless("systemd-analyze");
        string root = _directory.FullName, units = Directory.CreateDirectory(Path.Combine(root, "usr/lib/systemd/system")).FullName;
        foreach (string program in new[] { "usr/sbin/fastmesh", "bin/sh", "bin/true" })
        {
            string stub = Path.Combine(root, program);
            Directory.CreateDirectory(Path.GetDirectoryName(stub)!);
            File.WriteAllText(stub, "");
            File.SetUnixFileMode(stub, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        foreach (string unit in (string[])[.. Directory.GetFiles(FileOf("dist"), "*.service"), .. Directory.GetFiles("/lib/systemd/system", "*.target")])
            File.Copy(unit, Path.Combine(units, Path.GetFileName(unit)));
        ShellResult result = Shell.Try("systemd-analyze", "verify", "--man=no", $"--root={root}", "fastmesh@office.service", "fastmesh.service");
        Assert.Equal("", result.Output + result.Error);
        Assert.Equal(0, result.ExitCode);
    }

    /// <summary>systemd's measure of what a service may do, from 0 (nothing) to 10; plain services have 9.6.</summary>
    [SkippableFact]
    public void A_net_is_locked_down()
    {
        SkipUnless("systemd-analyze");
        ShellResult result = Shell.Try("systemd-analyze", "security", "--offline=yes", "--threshold=40", FileOf("dist/fastmesh@.service"));
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
    }

    [SkippableFact]
    public void Compose_understands_the_mesh_of_three_nodes()
    {
        SkipUnless("docker-compose");
        string compose = FileOf("contrib/docker/compose.yaml");
        Assert.Equal(["alpha", "beta", "gamma"], Shell.Run("docker-compose", "-f", compose, "config", "--services").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        Shell.Run("sh", "-n", FileOf("contrib/docker/entrypoint.sh"));
    }

    /// <summary>No engine is asked: the grammar is that of docs.docker.com's Dockerfile reference, "INSTRUCTION arguments" with \ at the end of lines that go on.</summary>
    [Fact]
    public void The_Dockerfile_has_known_instructions_and_copies_files_that_are_there()
    {
        string text = File.ReadAllText(FileOf("contrib/docker/Dockerfile")).Replace("\\\n", " ", StringComparison.Ordinal);
        string[] lines = [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#')];
        Assert.StartsWith("FROM debian:", lines[0], StringComparison.Ordinal);
        Assert.All(lines, line => Assert.Matches(Instruction(), line));
        string ignored = File.ReadAllText(FileOf(".dockerignore"));
        foreach (string source in lines.Where(line => line.StartsWith("COPY ", StringComparison.Ordinal)).Select(line => line.Split(' ')[1]))
        {
            Assert.Contains($"!{source}\n", ignored, StringComparison.Ordinal);
            if (!source.StartsWith("artifacts/", StringComparison.Ordinal))
                Assert.True(File.Exists(FileOf(source)), source);
        }
    }

    /// <summary>A name that the compiler does not know it leaves out without a word: then the path of a packet has changed, and perf-scripts/layout.sh is to be run.</summary>
    [SkippableFact]
    public void Methods_of_a_packets_path_stand_next_to_each_other()
    {
        SkipUnless("nm");
        string symbols = Path.Combine(Path.GetDirectoryName(Programs.FastMeshPath)!, "x86-64-v4", ".debug", "fastmesh.dbg"); // the build that the list comes from
        Skip.IfNot(File.Exists(symbols), "the program is not native");
        HashSet<string> wanted = [.. File.ReadAllLines(FileOf("src/FastMesh.Cli/layout.txt"))];
        string[] methods = [.. Shell.Run("nm", "-n", "--defined-only", symbols).Split('\n').Where(l => l.Contains(" t ", StringComparison.OrdinalIgnoreCase)).Select(l => l[19..])];
        int[] places = [.. methods.Index().Where(m => wanted.Contains(m.Item)).Select(m => m.Index)];

        Assert.True(places.Length > 100, "the list is short");
        string[] unknown = [.. wanted.Except(methods)];
        Assert.True(unknown.Length * 20 <= wanted.Count, $"not in the program: {string.Join(' ', unknown)}");
        Assert.True(places[^1] - places[0] < places.Length * 11 / 10, $"{places.Length} methods lie among {places[^1] - places[0]}");
    }

    private static string FileOf(string path) => Path.Combine(Programs.RepositoryRoot(), path);

    private static void SkipUnless(string program) =>
        Skip.If(Shell.Try("sh", "-c", $"command -v {program}").ExitCode != 0, $"needs {program}: run scripts/install-packages.sh");

    [GeneratedRegex(@"^(FROM|RUN|CMD|LABEL|EXPOSE|ENV|ADD|COPY|ENTRYPOINT|VOLUME|USER|WORKDIR|ARG|ONBUILD|STOPSIGNAL|HEALTHCHECK|SHELL) \S")]
    private static partial Regex Instruction();
}
