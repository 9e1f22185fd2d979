using FastMesh.Cli.Config;
using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Daemon;
using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Commands;

/// <summary>
/// Runs the daemon, in the order of the tinc 1.0 reference, 1.2, with one difference: in the background the starter returns only
/// when the daemon is up, and with the reason on standard error and a non-zero exit code if it cannot come up.
/// </summary>
internal static class RunCommand
{
    /// <summary>Runs until a signal ends the daemon, or starts it in the background.</summary>
    /// <param name="paths">Names and paths of the net.</param>
    /// <param name="commandLine">The parsed command line.</param>
    /// <param name="arguments">The same unparsed, for starting the background process.</param>
    /// <returns>The exit code (tinc 1.0 reference, 1.5).</returns>
    public static int Run(NetPaths paths, CommandLine commandLine, IReadOnlyList<string> arguments)
    {
        ProcessHost.TakeSignals();
        if (ProcessorBuild.Find(Environment.ProcessPath, ProcessorBuild.Features) is { } build)
            ProcessHost.Become(build, arguments);
        bool foreground = commandLine.Foreground | TakeListenPid();
        Action? reportReady = ProcessHost.JoinDetached();
        if (!foreground && reportReady is null)
        {
            return ProcessHost.StartDetached(arguments);
        }

        using DaemonLog console = OpenLog(paths, commandLine, foreground);
        using LoggerFactory factory = new([console], new LoggerFilterOptions { MinLevel = LogLevel.Trace });
        EngineLog log = new(factory);
        if (commandLine.ConfigDirectory is not null && commandLine.NetName is not null)
        {
            log.Always.BothNetAndDirectory();
        }

        ConfigLoader loader = new(paths, commandLine, log);
        if (loader.Load() is not { } options)
        {
            return 1;
        }

        console.DebugLevel = options.DebugLevel;
        console.HostNames = options.HostNames ? new HostNames() : null;
        PidFile pidFile = new(paths.PidFile);
        if (Claim(pidFile, paths) is { } problem)
        {
            log.Always.ConfigurationError(problem);
            return 1;
        }

        try
        {
            log.Always.Starting(ProcessorBuild.NameVersion(Usage.VersionNumber, Environment.ProcessPath), console.DebugLevel);
            options = options with
            {
                Detached = reportReady is not null,
                Control = new ControlSettings(paths.ControlSocket, pidFile.Announce),
                InterfaceRecord = paths.InterfaceRecord,
            };
            return new Daemon(options, log, console).Run(() =>
            {
                console.EndStart();
                reportReady?.Invoke();
            });
        }
        finally
        {
            pidFile.Remove();
        }
    }

    /// <summary>Whether systemd started us with sockets; the variable is removed from the environment.</summary>
    private static bool TakeListenPid()
    {
        string? listener = Environment.GetEnvironmentVariable("LISTEN_PID");
        Environment.SetEnvironmentVariable("LISTEN_PID", null);
        return listener is not null && ConfigValue.TryParseInteger(listener, out int process) && process == Environment.ProcessId;
    }

    private static DaemonLog OpenLog(NetPaths paths, CommandLine commandLine, bool foreground)
    {
        bool toJournal = commandLine.LogFormat == LogFormat.Journald;
        string reason = "";
        JournalSink? journal = toJournal ? JournalSink.TryOpen(JournalSink.DefaultPath, paths.Identity, paths.NetName, out reason) : null;
        LineStyle style = new(commandLine.LogFormat == LogFormat.Json, paths.NetName);
        LogSink sink = journal is not null ? journal
            : commandLine.LogToFile ? new FileSink(paths.LogFile, paths.Identity, style, commandLine.User)
            : foreground ? new ConsoleSink(Console.Error, style)
            : new SystemLogSink(paths.Identity, style);

        // Of a service, the journal gets what is written to standard error anyway.
        bool mirrors = sink is not ConsoleSink && (journal is null || Environment.GetEnvironmentVariable("JOURNAL_STREAM") is null);
        DaemonLog log = new(sink, mirrors ? new ConsoleSink(Console.Error) : null, commandLine.DebugLevel ?? 0);
        if (toJournal && journal is null)
            log.CreateLogger("").NoJournal(reason);
        return log;
    }

    private static string? Claim(PidFile pidFile, NetPaths paths)
    {
        string? problem = pidFile.Claim(out int running);
        return running == 0 ? problem : $"A fastmesh or tincd is already running{paths.ForNet} with pid {running}.";
    }
}
