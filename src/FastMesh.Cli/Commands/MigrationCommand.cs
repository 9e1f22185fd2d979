using System.Runtime.InteropServices;
using System.Text.Json;
using FastMesh.Cli.Check;
using FastMesh.Cli.Config;
using FastMesh.Cli.Migration;
using FastMesh.Engine;
using FastMesh.Engine.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastMesh.Cli.Commands;

/// <summary>
/// <c>adopt</c>: puts FastMesh in place of the running tincd; <c>revert</c>: the other way round. Both take it back if the peers that were up do not come
/// up again within <c>--timeout</c>. Steps go to standard error, with <c>--json</c> the result to standard output (docs/schemas/migration.json).
/// </summary>
internal sealed class MigrationCommand(CommandContext context) : IDisposable
{
    private readonly CancellationTokenSource _interrupted = new();
    private readonly List<string> _steps = [];

    /// <summary>Takes over.</summary>
    public static int Adopt(CommandContext context) => Run(context, command => command.Adopt());

    /// <summary>Goes back.</summary>
    public static int Revert(CommandContext context) => Run(context, command => command.Revert());

    /// <inheritdoc/>
    public void Dispose() => _interrupted.Dispose();

    private static int Run(CommandContext context, Func<MigrationCommand, int> body)
    {
        using MigrationCommand command = new(context);
        using (command.TakeBackOn(PosixSignal.SIGINT))
        using (command.TakeBackOn(PosixSignal.SIGTERM))
        using (command.TakeBackOn(PosixSignal.SIGHUP))
        {
            try
            {
                return Environment.IsPrivilegedProcess ? body(command) : command.Refuse("only root can stop one daemon and start another", 2);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return command.Refuse(e.Message, 1);
            }
        }
    }

    private int Adopt()
    {
        RunningDaemon? running = RunningDaemon.Find(context.Paths);
        if (running is null)
            return Refuse($"no tincd is running{context.Paths.ForNet}: {context.Paths.PidFile} names no process (--pidfile=FILE if it has another file)", CommandContext.NothingToTalkTo);
        if (running.IsFastMesh)
            return Nothing($"FastMesh is running already, process {running.Process}");
        if (!running.IsTinc)
            return Refuse($"process {running.Process} of {context.Paths.PidFile} is {running.Program}, not tincd", CommandContext.NothingToTalkTo);
        if (Understand(running, out CommandLine line, out List<string> arguments) is { } problem)
            return Refuse(problem, 1);

        NetPaths paths = NetPaths.From(line);
        if (!Check(paths, line))
            return Refuse("the configuration has errors; nothing has been changed", 1);
        DaemonLaunch old = running.ToLaunch("tinc", paths.NetName);
        DaemonLaunch next = old with { Title = "FastMesh", Unit = null, Program = Environment.ProcessPath!, Arguments = arguments, Directory = "/", Environment = null, Detaches = true };
        if (old.Unit is not null)
        {
            next = next with { Unit = $"fastmesh@{paths.NetName}.service" };
            if (!Command.Run("systemctl", "cat", next.Unit).Succeeded)
                return Refuse($"tincd runs as {old.Unit}, but systemd has no {next.Unit}; install the unit, or stop that one and start tincd without it", 1);
        }

        AdoptionRecord record = new(new ConfigDirectory(paths.ConfigDirectory, []));
        record.Write(old);
        int code = HandOver(running.Process, old, next, paths, line);
        if (code != 0)
            record.Remove();
        return code;
    }

    private int Revert()
    {
        RunningDaemon? running = RunningDaemon.Find(context.Paths);
        (NetPaths paths, CommandLine line) = (context.Paths, context.Line);
        if (running is { IsFastMesh: true } && Understand(running, out line, out _) is null)
            paths = NetPaths.From(line);
        ConfigDirectory directory = new(paths.ConfigDirectory, []);
        AdoptionRecord record = new(directory);
        if (running is { IsTinc: true })
        {
            record.Remove();
            return Nothing($"tincd is running already, process {running.Process}");
        }

        if (record.Read() is not { } next)
            return Refuse($"adopt has left no record in {directory.StateDirectory}: stop FastMesh and start tincd as you are used to", running is null ? CommandContext.NothingToTalkTo : 1);
        if (running is { IsFastMesh: false })
            return Refuse($"process {running.Process} of {paths.PidFile} is {running.Program}, not FastMesh", CommandContext.NothingToTalkTo);
        if (running is null)
            return StartAlone(next, paths, record);

        DaemonLaunch old = running.ToLaunch("fastmesh", paths.NetName);
        old = old with { Title = "FastMesh", Environment = null, IsEnabled = next.IsEnabled };
        int code = HandOver(running.Process, old, next, paths, line);
        if (code == 0)
            record.Remove();
        return code;
    }

    /// <summary>After an adoption that was cut off, or when FastMesh has been stopped by hand.</summary>
    private int StartAlone(DaemonLaunch tincd, NetPaths paths, AdoptionRecord record)
    {
        if (tincd.Start() is { } failure)
            return Refuse(failure, 1);
        bool runs = RunningDaemon.WaitUntil(() => RunningDaemon.Find(paths) is not null, context.Line.Timeout, _interrupted.Token);
        if (!runs)
            return Refuse($"{tincd.Title} did not start", 1);
        record.Remove();
        Say($"Started {tincd.Title}");
        return Report(MigrationReport.Done, [], [], paths, 0);
    }

    /// <summary>
    /// How long tincd may keep a connection whose handshake does not end (tinc 1.0 reference, 4.4): it looks every PingTimeout for those that are at least
    /// that old; and a second, in which it counts.
    /// </summary>
    internal static TimeSpan HandshakeLimit(NetPaths paths, CommandLine line)
    {
        ConfigReading reading = new ConfigLoader(paths, line, new EngineLog(NullLoggerFactory.Instance)).Inspect(new ConfigReport());
        MeshSettings mesh = reading.Options?.Mesh ?? new MeshSettings { Name = string.Empty };
        return (2 * mesh.PingTimeout) + TimeSpan.FromSeconds(1);
    }

    private int HandOver(int process, DaemonLaunch old, DaemonLaunch next, NetPaths paths, CommandLine line)
    {
        PeerAddresses addresses = new(new ConfigDirectory(paths.ConfigDirectory, []));
        Handover handover = new(old, next, paths, addresses, Say) { HandshakeLimit = HandshakeLimit(paths, line) };
        string result = handover.Run(process, context.Line.Timeout, _interrupted.Token);
        if (result == MigrationReport.Done && old.IsEnabled)
        {
            old.Enable(false);
            next.Enable(true);
            Say($"{next.Unit} starts at boot, {old.Unit} no longer does");
        }

        return Report(result, handover.Before, handover.Missing, paths, result == MigrationReport.Done ? 0 : 1);
    }

    /// <summary>What the running daemon was started with, plus what our own command line says.</summary>
    private string? Understand(RunningDaemon running, out CommandLine line, out List<string> arguments)
    {
        (line, arguments) = (context.Line, []);
        if (LaunchOptions.Parse(running.Arguments, out List<(OptionSpec Option, string? Value)> options) is { } problem)
            return $"the options of process {running.Process} are not understood: {problem}";
        arguments = LaunchOptions.Join(options, running.Directory, context.Line.Given);
        return CommandLine.TryParse(arguments, out line);
    }

    private bool Check(NetPaths paths, CommandLine line)
    {
        CheckReport report = CheckReport.Of(paths, ConfigCheck.Run(paths, line, looksOutside: true));
        foreach (CheckFinding error in report.Findings.Where(f => f.Severity == "error"))
            context.Note(error.ToString());
        Say($"Checked {report.Directory}: {report.Errors} errors, {report.Warnings} warnings (fastmesh check shows them)");
        return report.Errors == 0;
    }

    private void Say(string step)
    {
        _steps.Add(step);
        context.Note(step);
    }

    private int Nothing(string why)
    {
        Say(why);
        return Report(MigrationReport.Nothing, [], [], context.Paths, 0);
    }

    private int Refuse(string why, int code)
    {
        Say($"{char.ToUpperInvariant(why[0])}{why[1..]}");
        return Report(MigrationReport.Failed, [], [], context.Paths, code);
    }

    private int Report(string result, IReadOnlyList<string> before, IReadOnlyList<string> missing, NetPaths paths, int code)
    {
        if (context.Line.Json)
        {
            int process = new PidFile(paths.PidFile).Read();
            MigrationReport report = new(paths.NetName, result, _steps, before, missing, process != 0 && RunningDaemon.IsAlive(process) ? process : null);
            context.Output.WriteLine(JsonSerializer.Serialize(report, MigrationJson.Default.MigrationReport));
        }

        return code;
    }

    private PosixSignalRegistration TakeBackOn(PosixSignal signal) => PosixSignalRegistration.Create(signal, notice =>
    {
        notice.Cancel = true;
        _interrupted.Cancel();
    });
}
