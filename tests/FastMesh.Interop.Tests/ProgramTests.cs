using System.Globalization;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>The program from outside: exit codes, detaching, pid file, -k, -U, -R, -L.</summary>
public sealed class ProgramTests
{
    public static TheoryData<string, string, int> ExitCodes() => new()
    {
        { Programs.FastMesh, "--help", 0 }, { Programs.Tincd, "--help", 0 },
        { Programs.FastMesh, "--version", 0 }, { Programs.Tincd, "--version", 0 },
        { Programs.FastMesh, "--no-such-option", 1 }, { Programs.Tincd, "--no-such-option", 1 },
        { Programs.FastMesh, "--vers --no-such-option", 1 }, { Programs.Tincd, "--vers --no-such-option", 1 },
        { Programs.FastMesh, "-n a -n b", 1 }, { Programs.Tincd, "-n a -n b", 1 },
        { Programs.FastMesh, "-c /tmp -c /tmp", 1 }, { Programs.Tincd, "-c /tmp -c /tmp", 1 },
        { Programs.FastMesh, "left over", 1 }, { Programs.Tincd, "left over", 1 },
        { Programs.FastMesh, "-c /nonexistent -D", 1 }, { Programs.Tincd, "-c /nonexistent -D", 1 },
        { Programs.FastMesh, "-c /nonexistent", 1 }, { Programs.Tincd, "-c /nonexistent", 1 },
        { Programs.FastMesh, "--pidfile=/nonexistent/pid -k", 1 }, { Programs.Tincd, "--pidfile=/nonexistent/pid -k", 1 },
        { Programs.FastMesh, "-kNOSUCH", 1 }, { Programs.Tincd, "-kNOSUCH", 1 },
        { Programs.FastMesh, "-K 100", 1 }, { Programs.Tincd, "-K 100", 1 },
    };

    [SkippableTheory, MemberData(nameof(ExitCodes))]
    public void The_exit_code_is_the_references(string kind, string arguments, int expected)
    {
        Programs.SkipUnlessUsable();
        Assert.Equal(expected, Shell.Try([Programs.PathOf(kind), .. arguments.Split(' ')]).ExitCode);
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void It_detaches_writes_its_pid_and_ends_by_k(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("alone", kind);
        node.WriteConfiguration();
        string log = Path.Combine(node.Directory, "log");
        ShellResult start = node.Host.Try([.. node.Command, "-d2", $"--logfile={log}"]);
        Assert.Equal(0, start.ExitCode);
        int pid = PidOf(node);
        Poll.Until(() => File.ReadAllText(log).Contains("Ready", StringComparison.Ordinal), () => File.ReadAllText(log));
        Assert.Matches($@"(?m)^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d tinc\.mesh\[{pid}\]: Ready$", File.ReadAllText(log));
        Assert.Equal("/", File.ResolveLinkTarget($"/proc/{pid}/cwd", returnFinalTarget: false)!.FullName);

        ShellResult second = node.Host.Try([.. node.Command, "-D"]);
        Assert.Equal(1, second.ExitCode);
        Assert.Equal(0, node.Host.Try([.. node.Command, "-kUSR1"]).ExitCode);
        Poll.Until(() => File.ReadAllText(log).Contains("End of connections.", StringComparison.Ordinal), () => File.ReadAllText(log));
        Assert.Equal(0, node.Host.Try([.. node.Command, "-k"]).ExitCode);
        Poll.Until(() => !Directory.Exists($"/proc/{pid}"), () => "the daemon did not end");
        Assert.False(File.Exists(node.PidFile));
        Assert.EndsWith("Terminating", File.ReadAllText(log).TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(1, node.Host.Try([.. node.Command, "-k"]).ExitCode);
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void A_stale_pid_file_is_removed_by_k_and_overwritten_by_a_start(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("alone", kind);
        const string Stale = "4194304\n"; // One above the largest pid that Linux can give.
        File.WriteAllText(node.PidFile, Stale);
        ShellResult kill = node.Host.Try([.. node.Command, "-k"]);
        Assert.True(kill.ExitCode == 0, kill.Error);
        Assert.False(File.Exists(node.PidFile));

        File.WriteAllText(node.PidFile, Stale);
        node.Start();
        Assert.Equal(node.ProcessId, PidOf(node));
        Assert.Equal(0, node.Stop());
    }

    /// <summary>The reference says 0 as soon as it has detached; FastMesh waits until the daemon is really up.</summary>
    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void A_start_that_fails_after_detaching_leaves_no_pid_file(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("alone", kind);
        node.WriteConfiguration();
        File.Delete(Path.Combine(node.Directory, "rsa_key.priv"));
        ShellResult start = node.Host.Try([.. node.Command, $"--logfile={node.Directory}/log"]);
        bool isReference = kind == Programs.Tincd || Programs.IsReferenceOnly;
        Assert.Equal(isReference ? 0 : 1, start.ExitCode);
        if (!isReference) Assert.Contains("rsa_key.priv", start.Error, StringComparison.Ordinal);
        Poll.Until(() => !File.Exists(node.PidFile), () => "the pid file stays");
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void U_and_R_show_in_proc(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("alone", kind);
        node.Arguments.AddRange(["-U", "nobody", "-R"]);
        node.Start();
        string nobody = Shell.Run("id", "-u", "nobody").Trim(), group = Shell.Run("id", "-g", "nobody").Trim();
        Poll.Until(() => Status(node, "Uid").StartsWith(nobody, StringComparison.Ordinal), () => $"Uid: {Status(node, "Uid")}");
        Assert.All(Status(node, "Uid").Split('\t'), uid => Assert.Equal(nobody, uid));
        Assert.All(Status(node, "Gid").Split('\t'), gid => Assert.Equal(group, gid));
        Assert.Equal(node.Directory, File.ResolveLinkTarget($"/proc/{node.ProcessId}/root", returnFinalTarget: false)!.FullName);
    }

    /// <summary>Without -U: FastMesh refuses the two together where the limit of locked memory would end it later.</summary>
    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void L_shows_in_proc(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("alone", kind);
        node.Arguments.Add("-L");
        node.Start();
        Assert.DoesNotMatch("^0 kB", Status(node, "VmLck"));
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void An_unprivileged_daemon_in_a_chroot_still_carries_packets(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("caged", kind), peer = network.AddNode("peer", Programs.Tincd);
        node.Arguments.AddRange(["-U", "nobody", "-R"]);
        peer.ConnectTo(node);
        network.Start();
        network.Until(() => node.Host.CanPing(peer.Inner), "the first ping");
        peer.WaitForUdp(node);
        Assert.Equal(0, peer.Host.Ping(node.Inner, count: 10, size: 8).Lost);
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void Int_toggles_the_debug_level_and_the_daemon_lives_on(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("alone", kind);
        node.WriteConfiguration();
        node.StartWith("-D", "-d1");
        node.WaitForLog("^Ready$");
        node.Signal("INT");
        node.WaitForLog("^Temporarily setting debug level to 5");
        node.Signal("INT");
        node.WaitForLog("^Reverting to old debug level");
        Assert.True(node.IsRunning);
        node.Signal("QUIT");
        Assert.Equal(0, node.WaitForExit());
    }

    /// <summary>As nohup does with HUP, a shell with INT and QUIT of what it runs in the background, and systemd with PIPE.</summary>
    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void Signals_that_its_starter_ignores_reach_the_daemon_and_its_scripts_all_the_same(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("alone", kind);
        node.Launcher.AddRange(["sh", "-c", "trap '' HUP INT QUIT PIPE USR1 TTIN; exec \"$@\"", "sh"]);
        node.WriteScript("tinc-up", "grep SigIgn: /proc/self/status >\"$0.ignored\"");
        node.Start();
        ulong ignored = ulong.Parse(File.ReadAllText(Path.Combine(node.Directory, "tinc-up.ignored")).Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        Assert.Equal(0UL, ignored & 0x7fffffff); // without those of real time, of which the C library keeps some
        node.Signal("HUP");
        node.WaitForLog("^Got HUP signal");
        node.Signal("QUIT");
        Assert.Equal(0, node.WaitForExit());
    }

    private static string Status(MeshNode node, string field) =>
        File.ReadLines($"/proc/{node.ProcessId}/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal))[(field.Length + 1)..].Trim();

    /// <summary>The first line of the pid file, which may be locked.</summary>
    private static int PidOf(MeshNode node)
    {
        Assert.True(File.Exists(node.PidFile), "no pid file");
        using StreamReader reader = new(File.Open(node.PidFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return int.Parse(reader.ReadLine()!, CultureInfo.InvariantCulture);
    }
}
