using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FastMesh.Cli.Tests.Config;

namespace FastMesh.Cli.Tests;

/// <summary>The built program from outside: exit codes, standard output and standard error (tinc 1.0 reference, 1.1 to 1.5).</summary>
public sealed class ProgramTests : IDisposable
{
    private const int NoSuchProcess = 4194304; // PID_MAX_LIMIT: never given out

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly LoaderFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Version_is_one_line_for_scripts_and_wins_over_help()
    {
        Result result = Run("--help", "--version");
        Assert.Equal((0, ""), (result.Code, result.Error));
        Assert.Matches(@"\Afastmesh \d+\.\d+\.\d+ \(tinc 1\.0\.36 compatible, protocol 17\.0 and 17\.7\)\n", result.Output);
    }

    [Fact]
    public void Help_lists_every_option_of_tincd()
    {
        Result result = Run("--he");
        Assert.Equal((0, ""), (result.Code, result.Error));
        foreach (string option in "-c -D -d -k -n -K -L --logfile -o -R -U --pidfile --help --version --workers --cpus --no-offload --crypto".Split(' '))
            Assert.Contains($" {option}", result.Output);
    }

    [Theory]
    [InlineData("--foo", "fastmesh: unrecognized option '--foo'")]
    [InlineData("-k FOO", "Invalid argument `FOO'; SIGNAL must be a number or one of HUP, TERM, KILL, USR1, USR2, WINCH, INT or ALRM.")]
    public void A_wrong_option_gives_two_lines_and_exit_code_1(string line, string message)
        => Assert.Equal(new Result(1, "", $"{message}\nTry `fastmesh --help' for more information.\n"), Run(line.Split(' ')));

    [Fact]
    public void A_broken_file_cannot_command_the_terminal()
    {
        _fixture.Net.Write("tinc.conf", "Name = x\n\u001b[2Jevil\u0007");
        Result result = Run("-c", _fixture.Net.Root, "-D", "--pidfile", _fixture.Net["pid"]);
        Assert.Equal(1, result.Code);
        Assert.Contains("line 2", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(result.Error, c => char.IsControl(c) && c != '\n');
    }

    [Theory]
    [InlineData("-n", "fastmesh-test-none", " for net `fastmesh-test-none'")]
    [InlineData("-n", ".", "")]
    public void A_signal_without_a_pid_file_fails(string flag, string net, string forNet)
        => Assert.Equal(
            new Result(1, "", $"No other fastmesh or tincd is running{forNet}.\n"),
            Run(flag, net, "-kHUP", $"--pidfile={_fixture.Net["none"]}"));

    [Theory]
    [InlineData("")]
    [InlineData("garbage\n")]
    [InlineData("0\n")]
    public void A_pid_file_without_a_number_names_no_daemon(string text)
    {
        string path = _fixture.Net.Write("pid", text);
        Assert.Equal(1, Run("-k", "--pidfile", path).Code);
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void A_stale_pid_file_is_removed_and_that_is_success()
    {
        string path = _fixture.Net.Write("pid", $"{NoSuchProcess}\n");
        Assert.Equal(new Result(0, "", "The daemon is no longer running. Removing stale lock file.\n"), Run("-k", "--pidfile", path));
        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData("\n55\n")]
    [InlineData("\n816EE0BD 127.0.0.1 port655\n")]
    [InlineData(" 816EE0BD 127.0.0.1 port 655\n")] // tincd 1.1
    public void A_signal_reaches_the_process_whose_number_comes_first_in_the_file(string rest)
    {
        using Process sleeper = Process.Start("sleep", "60");
        string path = _fixture.Net.Write("pid", string.Create(CultureInfo.InvariantCulture, $"{sleeper.Id}{rest}"));
        Assert.Equal(new Result(0, "", ""), Run("-kTERM", "--pidfile", path));
        Assert.True(sleeper.WaitForExit(s_patience));
        Assert.Equal(128 + 15, sleeper.ExitCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Bad_configuration_ends_the_start_with_the_reason_on_standard_error(bool foreground)
    {
        _fixture.Net.Write("tinc.conf", "Name = a\nMode = x\n");
        Result result = Run(["-c", _fixture.Net.Root, "--pidfile", _fixture.Net["pid"], "--logfile", _fixture.Net["log"], .. Foreground(foreground)]);
        string message = $"Invalid routing mode \"x\" for configuration variable Mode in {_fixture.Net["tinc.conf"]} line 2; it is one of router, switch, hub";
        Assert.Equal(new Result(1, "", message + "\n"), result);
        Assert.Matches($@"\A\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d tinc\[\d+\]: Invalid routing mode", _fixture.Net.Read("log"));
        Assert.False(File.Exists(_fixture.Net["pid"]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_running_daemon_stands_in_the_way(bool foreground)
    {
        string path = _fixture.Net.Write("pid", string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n"));
        Result result = Run(["-c", _fixture.Net.Root, "--pidfile", path, "--logfile", _fixture.Net["log"], .. Foreground(foreground)]);
        Assert.Equal(new Result(1, "", $"A fastmesh or tincd is already running with pid {Environment.ProcessId}.\n"), result);
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void An_impossible_pid_file_is_an_error()
    {
        Result result = Run("-c", _fixture.Net.Root, "--pidfile=/nonexistent/pid", "-D");
        Assert.Equal(new Result(1, "", "Couldn't write pid file /nonexistent/pid: No such file or directory\n"), result);
    }

    [Fact]
    public void Keys_of_the_wrong_size_are_refused_before_anything_is_written()
    {
        Assert.Equal(1, Run("-c", _fixture.Net.Root, "-K", "511").Code);
        Assert.Equal(LoaderFixture.PrivatePem, _fixture.Net.Read("rsa_key.priv"));
    }

    [SkippableFact]
    public void A_real_tincd_starts_with_our_keys()
    {
        const string Tincd = "/usr/sbin/tincd";
        Skip.IfNot(File.Exists(Tincd), "Debian's tinc is not installed");
        File.Delete(_fixture.Net["rsa_key.priv"]);
        UseDummyDevice();
        Assert.Equal(0, Run("-c", _fixture.Net.Root, "-K1024").Code);
        using Process tincd = Start(Tincd, ["-c", _fixture.Net.Root, "--pidfile", _fixture.Net["pid"], "-D"]);
        List<string> lines = [];
        while (tincd.StandardError.ReadLine() is { } line && line != "Ready")
            lines.Add(line);
        bool ready = !tincd.HasExited;
        Run("-k", "--pidfile", _fixture.Net["pid"]);
        Assert.True(tincd.WaitForExit(s_patience) && ready, string.Join('\n', lines));
        Assert.DoesNotContain(lines, l => l.Contains("key", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void A_detached_start_returns_when_the_daemon_is_up_and_lets_go_of_its_output()
    {
        UseDummyDevice();
        string pid = _fixture.Net["pid"], log = _fixture.Net["log"];

        // Run reads both outputs to their end, which comes only if the daemon holds neither of them.
        Assert.Equal(new Result(0, "", ""), Run("-c", _fixture.Net.Root, "--pidfile", pid, "--logfile", log, "-d1"));
        Assert.Matches(@"tinc\[\d+\]: fastmesh \S+ starting, debug level 1\n(.*\n)*.*: Ready\n", _fixture.Net.Read("log"));
        using Process daemon = Process.GetProcessById(int.Parse(File.ReadLines(pid).First(), CultureInfo.InvariantCulture));
        Assert.Equal("/", new FileInfo($"/proc/{daemon.Id}/cwd").ResolveLinkTarget(false)!.FullName);

        Assert.Equal(new Result(0, "", ""), Run("-k", "--pidfile", pid));
        Assert.True(daemon.WaitForExit(s_patience));
        Assert.EndsWith(": Terminating\n", _fixture.Net.Read("log"));
        Assert.False(File.Exists(pid));
    }

    [Fact]
    public void A_relative_directory_and_log_file_work_although_the_daemon_leaves_the_directory()
    {
        UseDummyDevice();
        ProcessStartInfo start = new("/bin/sh", ["-c", "\"$0\" -c . --pidfile=pid --logfile=log && \"$0\" -c . --pidfile=pid -k", Program])
        {
            WorkingDirectory = _fixture.Net.Root,
        };
        using Process shell = Process.Start(start)!;
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
        Assert.Contains(": Ready\n", _fixture.Net.Read("log"));
    }

    [SkippableTheory]
    [InlineData("-R -U nobody", 65534, false)]
    [InlineData("-L -R", 0, true)]
    public void Root_user_and_locked_memory_take_effect(string flags, int user, bool locked)
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root");
        UseDummyDevice();
        File.SetUnixFileMode(_fixture.Net.Root, (UnixFileMode)0b111_101_101);
        string pid = _fixture.Net["pid"], log = _fixture.Net["log"];
        Assert.Equal(new Result(0, "", ""), Run(["-c", _fixture.Net.Root, "--pidfile", pid, "--logfile", log, .. flags.Split(' ')]));

        using Process daemon = Process.GetProcessById(int.Parse(File.ReadLines(pid).First(), CultureInfo.InvariantCulture));
        string status = File.ReadAllText($"/proc/{daemon.Id}/status");
        Assert.Equal(_fixture.Net.Root, new FileInfo($"/proc/{daemon.Id}/root").ResolveLinkTarget(false)!.FullName);
        Assert.Matches($@"\nUid:\t{user}\t{user}\t{user}\t{user}\n", status);
        Assert.Equal(locked, !status.Contains("VmLck:\t       0 kB"));
        Run("-kHUP", "--pidfile", pid);
        Run("-k", "--pidfile", pid);
        Assert.True(daemon.WaitForExit(s_patience));
        Assert.DoesNotContain("Unable to reread", File.ReadAllText(log));
    }

    [Fact]
    public void A_log_of_JSON_has_an_object_a_line()
    {
        UseDummyDevice();
        string pid = _fixture.Net["pid"], log = _fixture.Net["log"];
        Assert.Equal(new Result(0, "", ""), Run("-c", _fixture.Net.Root, "--pidfile", pid, "--logfile", log, "--log-format=json"));
        StopDaemon(pid);
        string[] events = [.. File.ReadLines(log).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event").GetString()!)];
        Assert.Equal("Starting", events[0]);
        Assert.Contains("Ready", events);
        Assert.Equal("Terminating", events[^1]);
    }

    [Theory]
    [InlineData("--log-format=xml", "Invalid argument `xml'; --log-format takes text, json or journald.")]
    [InlineData("--log-format=journald --logfile", "--log-format=journald and --logfile exclude each other.")]
    public void A_log_that_cannot_be_is_refused(string line, string message)
        => Assert.Equal(new Result(1, "", $"{message}\nTry `fastmesh --help' for more information.\n"), Run(line.Split(' ')));

    [SkippableTheory]
    [InlineData("", false)]
    [InlineData("-R", false)]
    [InlineData("-U nobody", true)]
    [InlineData("-R -U nobody", true)]
    public void HUP_opens_a_log_file_that_logrotate_moved(string flags, bool loggerCreates)
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root");
        UseDummyDevice();
        File.SetUnixFileMode(_fixture.Net.Root, (UnixFileMode)0b111_101_101);
        using TemporaryDirectory logs = new();
        File.SetUnixFileMode(logs.Root, (UnixFileMode)0b111_101_101);
        string pid = _fixture.Net["pid"], log = logs["log"];
        string[] arguments = ["-c", _fixture.Net.Root, "--pidfile", pid, "--logfile", log, .. flags.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        Assert.Equal(new Result(0, "", ""), Run(arguments));
        File.Move(log, $"{log}.1");
        if (loggerCreates) // as its "create" does, with the owner of the one before
            Assert.Equal(0, Shell($"install -o nobody /dev/null '{log}'"));
        Assert.Equal(0, Run("-kHUP", "--pidfile", pid).Code);
        StopDaemon(pid);
        Assert.Contains(": Got HUP signal\n", logs.Read("log.1"));
        Assert.DoesNotContain("Could not open", logs.Read("log.1"));
        Assert.EndsWith(": Terminating\n", logs.Read("log"));
    }

    private static Process Daemon(string pidFile) => Process.GetProcessById(int.Parse(File.ReadLines(pidFile).First(), CultureInfo.InvariantCulture));

    private static void StopDaemon(string pidFile)
    {
        using Process daemon = Daemon(pidFile);
        Assert.Equal(new Result(0, "", ""), Run("-k", "--pidfile", pidFile));
        Assert.True(daemon.WaitForExit(s_patience));
    }

    private static int Shell(string command)
    {
        using Process shell = Process.Start("/bin/sh", ["-c", command]);
        shell.WaitForExit();
        return shell.ExitCode;
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "fastmesh");

    private void UseDummyDevice()
    {
        _fixture.Net.Write("tinc.conf", "Name = a\nDeviceType = dummy\nPort = 0\nAddressFamily = ipv4\nBindToAddress = 127.0.0.1\n");
        _fixture.Net.Write("hosts/a", "");
    }

    private static string[] Foreground(bool foreground) => foreground ? ["-D"] : [];

    private static Result Run(params string[] arguments)
    {
        using Process process = Start(Program, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output.Result, error);
    }

    private static Process Start(string program, string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        Process process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private sealed record Result(int Code, string Output, string Error);
}
