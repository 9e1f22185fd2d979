using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;
using FastMesh.Tests;
using Xunit.Abstractions;

namespace FastMesh.Interop.Tests;

/// <summary><c>adopt</c> and <c>revert</c> on a node of a mesh of real tincd.</summary>
public sealed class MigrationTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [InlineData(Programs.Tincd)]
    [InlineData(Programs.Tinc11)]
    public void FastMesh_takes_over_from_a_running_tincd_and_gives_back(string kind)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Start(network, kind);
        Daemons daemons = new(alpha);
        string[] before = Files(alpha);
        using PingLoad load = new([(beta.Host, alpha.Inner)]);

        ShellResult adopted = Run(alpha, "--json", "adopt");
        Assert.True(adopted.ExitCode == 0, network.LogTails());
        JsonSchemaCheck.Validate("migration.json", adopted.Output);
        JsonElement report = JsonDocument.Parse(adopted.Output).RootElement;
        Assert.Equal(("done", daemons.Current), (report.GetProperty("result").GetString(), report.GetProperty("process").GetInt32()));
        Assert.Equal(["beta"], report.GetProperty("peersBefore").EnumerateArray().Select(e => e.GetString()));
        Assert.Equal("fastmesh", daemons.Program);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping after the adoption");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Record(alpha)));
        Assert.Equal(0, Run(alpha, "adopt").ExitCode);

        Assert.Equal(0, Run(alpha, "revert").ExitCode);
        Assert.Equal("tincd", daemons.Program);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping after the return");
        Assert.False(File.Exists(Record(alpha)));
        Assert.Equal(0, Run(alpha, "revert").ExitCode);
        Assert.Equal(before, Files(alpha));
        output.WriteLine($"{kind}: {load.Stop()}");
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Where_peers_do_not_come_up_again_or_somebody_interrupts_tincd_comes_back(bool interrupts)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Start(network, Programs.Tincd, CutOffSecondStart);
        Daemons daemons = new(alpha);

        using Process adoption = Process.Start(Shell.StartInfo(alpha.Host.Inside(Command(alpha, interrupts ? "--timeout=60" : "--timeout=3", "adopt"))))!;
        string? line = adoption.StandardError.ReadLine();
        for (; line is not null && !line.StartsWith("Started FastMesh", StringComparison.Ordinal); line = adoption.StandardError.ReadLine())
            output.WriteLine(line);
        Assert.NotNull(line);
        if (interrupts)
        {
            network.Until(() => File.ReadAllLines(Path.Combine(alpha.Directory, "starts")).Length == 2, "the second tinc-up"); // the third is to be tincd's
            Shell.Run("kill", "-INT", $"{adoption.Id}");
        }

        string rest = adoption.StandardError.ReadToEnd();
        adoption.WaitForExit();
        output.WriteLine(rest);

        Assert.Equal(1, adoption.ExitCode);
        Assert.StartsWith(interrupts ? "Interrupted\n" : "Not up after 3 seconds: beta\n", rest, StringComparison.Ordinal);
        Assert.Equal("tincd", daemons.Program);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping after the way back");
        Assert.False(File.Exists(Record(alpha)));
    }

    [SkippableFact]
    public void What_FastMesh_would_refuse_leaves_tincd_alone()
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Start(network, Programs.Tincd, settings: "Sandbox = high"); // which tincd does not know
        Daemons daemons = new(alpha);
        int process = daemons.Current;

        ShellResult result = Run(alpha, "adopt");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("error: Invalid sandbox level", result.Error, StringComparison.Ordinal);
        Assert.Equal(process, daemons.Current);
        Assert.True(alpha.Host.CanPing(beta.Inner));
        Assert.False(Directory.Exists(Path.Combine(alpha.Directory, "fastmesh")));
    }

    [SkippableFact]
    public void Units_of_systemd_are_stopped_started_and_enabled()
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.Tincd), beta = network.AddNode("beta", Programs.Tincd);
        Daemons daemons = new(alpha);
        beta.Settings.Add("MaxTimeout = 1");
        beta.ConnectTo(alpha);
        network.ExchangeHostFiles();
        alpha.WriteConfiguration();
        beta.Start();
        string units = Directory.CreateDirectory(Path.Combine(network.Directory, "systemd")).FullName;
        ExecutableFile.Write(Path.Combine(units, "systemctl"), Systemctl(alpha, units));
        alpha.Host.Run(Path.Combine(units, "systemctl"), "start", "tinc@mesh.service");
        File.WriteAllText(Path.Combine(units, "tinc@mesh.service.enabled"), "");
        network.Until(() => beta.Host.CanPing(alpha.Inner), "a ping to the unit");
        string path = $"PATH={units}:{Environment.GetEnvironmentVariable("PATH")}";

        ShellResult adopted = alpha.Host.Try(["env", path, .. Command(alpha, "adopt")]);
        output.WriteLine(adopted.Error);
        Assert.Equal((0, "fastmesh"), (adopted.ExitCode, daemons.Program));
        Assert.Equal(["fastmesh@mesh.service.active", "fastmesh@mesh.service.enabled"], UnitState(units));

        ShellResult reverted = alpha.Host.Try(["env", path, .. Command(alpha, "revert")]);
        output.WriteLine(reverted.Error);
        Assert.Equal((0, "tincd"), (reverted.ExitCode, daemons.Program));
        Assert.Equal(["tinc@mesh.service.active", "tinc@mesh.service.enabled"], UnitState(units));
    }

    [SkippableFact]
    public void Without_a_running_tincd_there_is_one_line_and_exit_code_2()
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.Tincd);
        foreach (string command in new[] { "adopt", "revert" })
        {
            ShellResult result = Run(alpha, command);
            Assert.Equal((2, 1), (result.ExitCode, result.Error.Count(c => c == '\n')));
        }
    }

    /// <summary>The tinc-up of the second daemon to start closes the node's outer network, that of the third opens it again.</summary>
    private const string CutOffSecondStart = """
        echo x >>starts
        case $(wc -l <starts) in
        2) nft 'add table inet cut; add chain inet cut in { type filter hook input priority 0; policy drop; }' ;;
        3) nft delete table inet cut ;;
        esac

        """;

    private static (MeshNode Alpha, MeshNode Beta) Start(TestNetwork network, string kind, string tincUp = "", string? settings = null)
    {
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", kind);
        foreach (MeshNode node in network.Nodes) node.Settings.Add("MaxTimeout = 1");
        if (settings is not null) alpha.Settings.Add(settings);
        alpha.WriteScript("tinc-up", $"cd {alpha.Directory}\n{tincUp}{alpha.TincUp()}");
        beta.ConnectTo(alpha);
        network.Start();
        long started = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping");

        // A tincd that is started twice in a second numbers its requests alike, and its peers ignore those of the second one (tinc 1.0 reference, 4.7).
        network.Until(() => DateTimeOffset.UtcNow.ToUnixTimeSeconds() > started, "the next second");
        return (alpha, beta);
    }

    private static string[] Command(MeshNode node, params ReadOnlySpan<string> arguments) =>
        [Programs.FastMeshPath, "-n", "mesh", "-c", node.Directory, $"--pidfile={node.PidFile}", .. arguments];

    private ShellResult Run(MeshNode node, params string[] arguments)
    {
        ShellResult result = node.Host.Try(Command(node, arguments));
        output.WriteLine($"{string.Join(' ', arguments)}: {result.ExitCode}\n{result.Error}");
        return result;
    }

    private static string Record(MeshNode node) => Path.Combine(node.Directory, "fastmesh", "adopted.json");

    private static string[] Files(MeshNode node) =>
        [.. Directory.GetFiles(node.Directory, "*", SearchOption.AllDirectories).Where(f => !f.Contains("/fastmesh/", StringComparison.Ordinal) && !f.StartsWith(node.PidFile, StringComparison.Ordinal))
            .Order().Select(f => $"{f}\n{File.ReadAllText(f)}")];

    private static string[] UnitState(string units) => [.. Directory.GetFiles(units, "*.service.*").Select(f => Path.GetFileName(f)).Order()];

    /// <summary>What of systemctl the commands use, for the units of one node.</summary>
    private static string Systemctl(MeshNode node, string units) => $$"""
        #!/bin/sh
        set -e
        for unit; do :; done
        active={{units}}/$unit.active enabled={{units}}/$unit.enabled
        case "$1 $unit" in
        "start tinc@mesh.service") setsid -f {{Programs.PathOf(Programs.Tincd)}} -n mesh -c {{node.Directory}} --pidfile={{node.PidFile}} -D </dev/null >/dev/null 2>&1; touch $active
            until test -s {{node.PidFile}}; do sleep 0.1; done ;;
        "start fastmesh@mesh.service") {{Programs.FastMeshPath}} -n mesh -c {{node.Directory}} --pidfile={{node.PidFile}}; touch $active ;;
        stop*) kill $(head -1 {{node.PidFile}}); while test -e {{node.PidFile}}; do sleep 0.1; done; rm $active ;;
        show*) if test -e $active; then head -1 {{node.PidFile}}; else echo 0; fi ;;
        is-enabled*) test -e $enabled ;;
        enable*) touch $enabled ;;
        disable*) rm $enabled ;;
        cat*) ;;
        *) exit 1 ;;
        esac

        """;

    /// <summary>The daemon that a node's pid file names.</summary>
    private sealed class Daemons(MeshNode node)
    {
        public int Current => int.Parse(Regex.Match(File.ReadAllText(node.PidFile), @"\d+").Value, CultureInfo.InvariantCulture);

        public string Program => Path.GetFileName(new FileInfo($"/proc/{Current}/exe").LinkTarget!);
    }
}
