using System.Globalization;

namespace FastMesh.Cli.Migration;

/// <summary>How <c>adopt</c> or <c>revert</c> ended.</summary>
/// <param name="Net">Net name, or null.</param>
/// <param name="Result">One of the constants.</param>
/// <param name="Steps">What was done, in order.</param>
/// <param name="PeersBefore">Who was up before.</param>
/// <param name="PeersMissing">Who of those did not come up again.</param>
/// <param name="Process">The daemon that runs now, or null.</param>
internal sealed record MigrationReport(
    string? Net, string Result, IReadOnlyList<string> Steps, IReadOnlyList<string> PeersBefore, IReadOnlyList<string> PeersMissing, int? Process)
{
    /// <summary>Values of <see cref="Result"/>.</summary>
    public const string Done = "done", Nothing = "nothing", Failed = "failed", RolledBack = "rolledBack";
}

/// <summary>
/// Puts one daemon in place of another, on the same configuration, and takes that back if the peers that were up do not come up again. At the end, however
/// it comes, one of the two runs.
/// </summary>
/// <param name="from">The daemon that runs.</param>
/// <param name="to">The one that is to run.</param>
/// <param name="paths">Pid file and control socket, which both use.</param>
/// <param name="addresses">Where nodes are.</param>
/// <param name="say">Gets each step in a line.</param>
internal sealed class Handover(DaemonLaunch from, DaemonLaunch to, NetPaths paths, PeerAddresses addresses, Action<string> say)
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(15);

    /// <summary>How long the daemon that runs may keep a connection that never says who it is.</summary>
    public required TimeSpan HandshakeLimit { get; init; }

    /// <summary>Who was up before.</summary>
    public IReadOnlyList<string> Before { get; private set; } = [];

    /// <summary>Who of those did not come up.</summary>
    public IReadOnlyList<string> Missing { get; private set; } = [];

    /// <summary>Does it.</summary>
    /// <param name="process">The running daemon.</param>
    /// <param name="limit">How long peers may take.</param>
    /// <param name="interrupted">Somebody wants an end: what has begun is taken back.</param>
    /// <returns>One of the results of <see cref="MigrationReport"/>.</returns>
    public string Run(int process, TimeSpan limit, CancellationToken interrupted)
    {
        PeersUp before = PeersUp.Of(paths, process, addresses);
        if (before.Nodes is null)
            before = Settled(before, process, interrupted);
        Before = before.Names;
        say($"Up by {from.Title}, process {process}: {List(Before)}");
        if (interrupted.IsCancellationRequested)
        {
            say("Interrupted; nothing has been changed");
            return MigrationReport.Failed;
        }

        string? failure = from.Stop(process);
        if (failure is not null && Current() == process)
        {
            say(failure);
            return MigrationReport.Failed;
        }

        say($"Stopped {from.Title}");
        failure = Start(to) ?? AwaitPeers(before, limit, interrupted);
        if (failure is null)
            return MigrationReport.Done;
        say(failure);
        Return();
        return MigrationReport.RolledBack;
    }

    /// <summary>The number of the daemon that the pid file names, if it runs; else 0.</summary>
    private int Current()
    {
        int process = new PidFile(paths.PidFile).Read();
        return process != 0 && RunningDaemon.IsAlive(process) ? process : 0;
    }

    /// <summary>Without a control socket a connection of a stranger looks like any other; but it does not last.</summary>
    private PeersUp Settled(PeersUp first, int process, CancellationToken interrupted)
    {
        RunningDaemon.WaitUntil(() => false, first.Connected.Any(c => c.Name is null) ? HandshakeLimit : TimeSpan.Zero, interrupted);
        PeersUp now = PeersUp.Of(paths, process, addresses);
        return now with { Connected = [.. first.Connected.Where(now.Connected.Contains)] };
    }

    private string? Start(DaemonLaunch daemon)
    {
        if (daemon.Start() is { } failure)
            return failure;
        if (!RunningDaemon.WaitUntil(() => Current() != 0, s_startLimit, default))
            return $"{daemon.Title} did not start: no process writes its number into {paths.PidFile}";
        say(string.Create(CultureInfo.InvariantCulture, $"Started {daemon.Title}, process {Current()}"));
        return null;
    }

    private string? AwaitPeers(PeersUp before, TimeSpan limit, CancellationToken interrupted)
    {
        long start = TimeProvider.System.GetTimestamp();
        bool hasEnded = false;
        bool AreUp()
        {
            int process = Current();
            hasEnded = process == 0;
            Missing = hasEnded ? before.Names : before.MissingIn(PeersUp.Of(paths, process, addresses), addresses);
            return hasEnded || Missing.Count == 0;
        }

        bool happened = RunningDaemon.WaitUntil(AreUp, limit, interrupted);
        if (hasEnded)
            return $"{to.Title} has ended by itself";
        if (interrupted.IsCancellationRequested)
            return "Interrupted";
        if (!happened)
            return $"Not up after {limit.TotalSeconds} seconds: {List(Missing)}";
        say(string.Create(CultureInfo.InvariantCulture, $"Up by {to.Title} after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:F1} seconds: {List(before.Names)}"));
        return null;
    }

    private void Return()
    {
        int process = Current();
        if (process != 0 || to.Unit is not null)
            say(to.Stop(process) ?? $"Stopped {to.Title}");

        if (Start(from) is { } failure)
            say(failure);
    }

    private static string List(IReadOnlyList<string> names) => names.Count == 0 ? "no other node" : string.Join(", ", names);
}
