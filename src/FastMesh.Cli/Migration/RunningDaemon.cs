using System.Text;
using FastMesh.Engine.Daemon;

namespace FastMesh.Cli.Migration;

/// <summary>The daemon that the pid file of a net names, ours or tinc's.</summary>
/// <param name="Process">Its number.</param>
/// <param name="Program">The program's path.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Directory">Its working directory.</param>
internal sealed record RunningDaemon(int Process, string Program, IReadOnlyList<string> Arguments, string Directory)
{
    /// <summary>How long an orderly end may take; scripts run meanwhile.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Whether it is tincd, of any version.</summary>
    public bool IsTinc => Path.GetFileName(Program) == "tincd";

    /// <summary>Whether it is this program.</summary>
    public bool IsFastMesh => Path.GetFileName(Program) == CommandLine.Program || Program == Environment.ProcessPath;

    /// <summary>Finds it.</summary>
    /// <exception cref="IOException">It is not ours to look at.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static RunningDaemon? Find(NetPaths paths)
    {
        int process = new PidFile(paths.PidFile).Read();
        if (process == 0 || !IsAlive(process))
            return null;
        string place = $"/proc/{process}";
        string program = Link($"{place}/exe");
        if (Link($"{place}/ns/net") != Link("/proc/self/ns/net"))
            throw new IOException($"process {process} runs in another network namespace");
        const string Deleted = " (deleted)"; // after an upgrade
        return new RunningDaemon(
            process,
            program.EndsWith(Deleted, StringComparison.Ordinal) ? program[..^Deleted.Length] : program,
            [.. Strings($"{place}/cmdline").Skip(1)],
            Link($"{place}/cwd"));
    }

    /// <summary>How to start it again just as it was.</summary>
    /// <param name="unitPrefix">tinc or fastmesh.</param>
    /// <param name="net">Net name, or null.</param>
    public DaemonLaunch ToLaunch(string unitPrefix, string? net)
    {
        string? unit = net is null ? null : $"{unitPrefix}@{net}.service";
        bool isUnit = unit is not null && Command.Run("systemctl", "show", "--property=MainPID", "--value", unit).Output.Trim() == $"{Process}";
        string output = Link($"/proc/{Process}/fd/2");
        return new DaemonLaunch(
            isUnit ? unit! : Path.GetFileName(Program),
            isUnit ? unit : null,
            isUnit && Command.Run("systemctl", "is-enabled", "--quiet", unit!).Succeeded,
            Program,
            Arguments,
            Directory,
            Strings($"/proc/{Process}/environ"),
            File.Exists(output) ? output : null,
            Detaches: !IsInForeground);
    }

    /// <summary>
    /// Whether the process exists and has not just ended without its parent's notice. While any thread is left, its sockets and its device are not free, even
    /// if the first thread, which /proc/PID/stat speaks of, has ended.
    /// </summary>
    public static bool IsAlive(int process)
    {
        try
        {
            string status = File.ReadAllText($"/proc/{process}/stat");
            bool firstHasEnded = status[(status.LastIndexOf(')') + 2)..][0] is 'Z' or 'X';
            return !firstHasEnded || System.IO.Directory.GetDirectories($"/proc/{process}/task").Length > 1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Ends a process in order, or in the end by force.</summary>
    public static bool End(int process)
    {
        const int Term = 15, Kill = 9;
        ProcessHost.SendSignal(process, Term);
        if (WaitUntil(() => !IsAlive(process), s_patience, default))
            return true;
        ProcessHost.SendSignal(process, Kill);
        return WaitUntil(() => !IsAlive(process), s_patience, default);
    }

    /// <summary>Asks again and again until a condition is true, the time is over or somebody wants an end.</summary>
    public static bool WaitUntil(Func<bool> condition, TimeSpan limit, CancellationToken interrupted)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (interrupted.IsCancellationRequested || TimeProvider.System.GetElapsedTime(start) > limit)
                return false;
            Thread.Sleep(s_pause);
        }

        return true;
    }

    private bool IsInForeground
        => LaunchOptions.Parse(Arguments, out List<(OptionSpec Option, string? Value)> options) is null && options.Any(o => o.Option.Long == "no-detach");

    private static string Link(string path) => new FileInfo(path).LinkTarget ?? throw new IOException($"{path} cannot be read: run as root");

    private static string[] Strings(string path) => Encoding.UTF8.GetString(File.ReadAllBytes(path)).Split('\0', StringSplitOptions.RemoveEmptyEntries);
}
