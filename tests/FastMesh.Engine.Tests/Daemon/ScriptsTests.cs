using System.Diagnostics;
using FastMesh.Engine.Daemon;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>Expected texts and variables: tinc 1.0 reference, chapter 3 and 1.8, and runs of tincd 1.0.36.</summary>
public sealed class ScriptsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly LogRecorder _log = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_step_of_the_daemon_waits_for_the_scripts_before_it()
    {
        _directory.WriteScript("slow", $"sleep 0.2; echo slow >>'{_directory["order"]}'");
        using Scripts scripts = Make();
        scripts.Enqueue("slow", []);
        scripts.Enqueue(() => File.AppendAllText(_directory["order"], "step\n"));
        scripts.WaitUntilIdle();
        Assert.Equal("slow\nstep\n", File.ReadAllText(_directory["order"]));
    }

    [Fact]
    public void A_script_gets_the_inherited_environment_and_the_variables_empty_ones_too()
    {
        _directory.WriteScript("host-up", $"env > '{_directory["out"]}'");
        using Scripts scripts = Make(new("NETNAME", ""), new("NAME", "alpha"), new("DEVICE", "/dev/net/tun"), new("INTERFACE", "tun7"));
        scripts.Enqueue("host-up", [new("NODE", "beta"), new("REMOTEADDRESS", "192.0.2.1"), new("REMOTEPORT", "655")]);
        scripts.WaitUntilIdle();

        string[] seen = File.ReadAllLines(_directory["out"]);
        Assert.Superset(
            new HashSet<string>
            {
                "NETNAME=", "NAME=alpha", "DEVICE=/dev/net/tun", "INTERFACE=tun7", "NODE=beta", "REMOTEADDRESS=192.0.2.1", "REMOTEPORT=655",
                "PATH=" + Environment.GetEnvironmentVariable("PATH"),
            },
            seen.ToHashSet());
        Assert.DoesNotContain(seen, line => line.StartsWith("SUBNET=", StringComparison.Ordinal));
        Assert.Equal(["Executing script host-up"], _log.Lines);
    }

    [Fact]
    public void Scripts_run_one_after_the_other_in_the_order_asked_for()
    {
        _directory.WriteScript("tinc-up", $"sleep 0.2; echo up >> '{_directory["out"]}'");
        _directory.WriteScript("hosts/beta-up", $"echo beta >> '{_directory["out"]}'");
        using Scripts scripts = Make();
        scripts.Enqueue("tinc-up", []);
        scripts.Enqueue("hosts/beta-up", []);
        scripts.Enqueue("tinc-up", []);
        scripts.WaitUntilIdle();
        Assert.Equal(["up", "beta", "up"], File.ReadAllLines(_directory["out"]));
    }

    [Fact]
    public void An_extension_belongs_to_the_file_name_only()
    {
        _directory.WriteScript("hosts/beta-up.sh", $"echo with >> '{_directory["out"]}'");
        _directory.WriteScript("hosts/beta-up", $"echo without >> '{_directory["out"]}'");
        using Scripts scripts = Make();
        scripts.Extension = ".sh";
        scripts.Enqueue("hosts/beta-up", []);
        scripts.WaitUntilIdle();
        Assert.Equal(["with"], File.ReadAllLines(_directory["out"]));
        Assert.Equal(["Executing script hosts/beta-up"], _log.Lines);
    }

    [Fact]
    public void A_missing_script_is_no_event()
    {
        using Scripts scripts = Make();
        scripts.Enqueue("subnet-up", []);
        scripts.WaitUntilIdle();
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData("exit 3", 3)]
    [InlineData("kill -9 $$", 137)]
    public void A_failing_script_is_reported_with_the_status_of_the_shell(string body, int status)
    {
        _directory.WriteScript("tinc-up", body);
        using Scripts scripts = Make();
        scripts.Enqueue("tinc-up", []);
        scripts.WaitUntilIdle();
        Assert.Equal(["Executing script tinc-up", $"Script tinc-up exited with non-zero status {status}"], _log.Lines);
    }

    [Fact]
    public void A_script_that_may_not_be_executed_exits_with_126()
    {
        File.WriteAllText(_directory["subnet-down"], "hi");
        using Scripts scripts = Make();
        scripts.Enqueue("subnet-down", []);
        scripts.WaitUntilIdle();
        Assert.Equal(["Executing script subnet-down", "Script subnet-down exited with non-zero status 126"], _log.Lines);
    }

    [Fact]
    public void An_interpreter_is_given_the_path()
    {
        File.WriteAllText(_directory["tinc-up"], $"echo $0 $NAME > '{_directory["out"]}'");
        using Scripts scripts = Make(new KeyValuePair<string, string>("NAME", "alpha"));
        scripts.Interpreter = "/bin/sh -e";
        scripts.Enqueue("tinc-up", []);
        scripts.WaitUntilIdle();
        Assert.Equal($"{_directory["tinc-up"]} alpha", File.ReadAllText(_directory["out"]).TrimEnd());
    }

    [Fact]
    public void Standard_input_is_empty()
    {
        _directory.WriteScript("tinc-up", "cat");
        using Scripts scripts = Make();
        scripts.Enqueue("tinc-up", []);
        scripts.WaitUntilIdle();
        Assert.Equal(["Executing script tinc-up"], _log.Lines);
    }

    [Fact]
    public void A_hanging_script_is_named_then_killed_with_its_children_and_the_next_one_runs()
    {
        _directory.WriteScript("host-up", $"sleep 1000 & echo $! > '{_directory["child"]}'; wait");
        _directory.WriteScript("host-down", $"echo ran > '{_directory["out"]}'");
        ScriptLimits limits = new(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4));
        using Scripts scripts = new(_directory.Path, [], _log.Engine, limits);
        scripts.Enqueue("host-up", []);
        scripts.Enqueue("host-down", []);
        scripts.WaitUntilIdle();

        Assert.Equal(
            [
                "Executing script host-up",
                "Script host-up is still running after 3 seconds; later scripts wait for it",
                "Script host-up did not end within 4 seconds: killed",
                "Executing script host-down",
            ],
            _log.Lines);
        Assert.Equal("ran", File.ReadAllText(_directory["out"]).TrimEnd());
        int child = int.Parse(File.ReadAllText(_directory["child"]), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(SpinWait.SpinUntil(() => !IsAlive(child), TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public void Nobody_waits_who_only_asks()
    {
        Assert.Equal(0, Process.Start("mkfifo", [_directory["gate"]])!.WaitForExitCode());
        _directory.WriteScript("host-up", $"read line < '{_directory["gate"]}'; exit $line");
        using Scripts scripts = Make();
        scripts.Enqueue("host-up", []); // returns although the script cannot end before the next line
        File.WriteAllText(_directory["gate"], "7\n");
        scripts.WaitUntilIdle();
        Assert.Contains("Script host-up exited with non-zero status 7", _log.Lines);
    }

    private Scripts Make(params KeyValuePair<string, string>[] variables) => new(_directory.Path, variables, _log.Engine);

    private static bool IsAlive(int process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal); // a zombie is dead too
        }
        catch (IOException)
        {
            return false;
        }
    }
}

internal static class ProcessExtensions
{
    /// <summary>Waits and gives the exit code.</summary>
    public static int WaitForExitCode(this Process process)
    {
        using (process)
        {
            process.WaitForExit();
            return process.ExitCode;
        }
    }
}
