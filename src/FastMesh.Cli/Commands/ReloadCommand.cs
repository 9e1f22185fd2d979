using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Commands;

/// <summary>
/// <c>plan</c> and <c>reload</c>: the running daemon reads the configuration and tells what would change, or what changed. It is the one that
/// has to be able to read the files, so it is the one that is asked.
/// </summary>
internal static class ReloadCommand
{
    /// <summary>Shows what a reload would change. 0: shown; 1: the configuration is broken; 2: no daemon to ask.</summary>
    public static int Plan(CommandContext context) => context.WithDaemon(client => Show(context, client.PlanReload()));

    /// <summary>Reloads and shows what changed. 0: done; 1: refused, nothing changed; 2: no daemon to ask.</summary>
    public static int Reload(CommandContext context) => context.WithDaemon(client => Show(context, client.Reload()));

    private static int Show(CommandContext context, ReloadPlan plan)
    {
        int exitCode = plan.Result == ReloadResult.Refused ? 1 : 0;
        if (context.Line.Json)
        {
            context.Output.WriteLine(plan.ToJson());
            return exitCode;
        }

        foreach (string warning in plan.Warnings)
            context.Note($"Warning: {warning}");
        if (plan.Result == ReloadResult.Refused)
        {
            context.Note("The configuration is broken; the daemon goes on with the one it has:");
            foreach (string error in plan.Errors)
                context.Note($"  {error}");
            return exitCode;
        }

        context.Output.WriteLine(plan.Result switch
        {
            ReloadResult.Nothing => "Nothing to change: the daemon runs with what the files say.",
            ReloadResult.Applied => "Reloaded:",
            _ => "A reload would change:",
        });
        foreach (string line in Lines(plan))
            context.Output.WriteLine(CommandContext.Printable(line));
        return exitCode;
    }

    private static IEnumerable<string> Lines(ReloadPlan plan) =>
    [
        .. Section("values", plan.Variables.Select(Describe)),
        .. Section("host files", plan.Hosts.Select(Describe)),
        .. Section("connections", plan.Connections.Select(Describe)),
        .. Section("subnets", plan.Subnets.Select(change => $"{(change.Announced ? '+' : '-')} {change.Subnet} of {change.Owner}")),
    ];

    private static IEnumerable<string> Section(string title, IEnumerable<string> rows)
    {
        List<string> lines = [.. rows.Select(row => $"    {row}")];
        return lines.Count == 0 ? [] : [$"  {title}", .. lines];
    }

    private static string Describe(VariableChange change)
    {
        string name = change.Host is null ? change.Variable : $"{change.Host}.{change.Variable}";
        string what = (change.Old, change.New) switch
        {
            (null, { } added) => $"+ {name} = {added.Text} ({added.Place})",
            ({ } removed, null) => $"- {name} = {removed.Text} (was {removed.Place})",
            var (old, now) => $"~ {name} = {now!.Text}, was {old!.Text} ({now.Place})",
        };
        return $"{what}: {Describe(change.Effect)}";
    }

    private static string Describe(ChangeEffect effect) => effect switch
    {
        ChangeEffect.Reload => "at the reload",
        ChangeEffect.NextConnection => "with the next connection",
        ChangeEffect.NextUse => "with the next session, script or dump",
        ChangeEffect.Restart => "only at a restart of the daemon",
        _ => "no effect",
    };

    private static string Describe(HostChange change) => change.Change switch
    {
        HostFileChange.Added => $"+ {change.File}",
        HostFileChange.Removed => $"- {change.File}",
        _ => $"~ {change.File}: another key",
    };

    private static string Describe(ConnectionChange change)
    {
        string what = change.Step switch
        {
            ConnectionStep.Close => "closed",
            ConnectionStep.Reconnect => "closed and dialled again",
            ConnectionStep.Dial => "dialled",
            _ => "no longer dialled, but not closed",
        };
        string behind = change.Behind.Count == 0 ? string.Empty : $"; reached by way of it: {string.Join(", ", change.Behind)}";
        return $"{change.Node}: {what}, because {change.Reason}{behind}";
    }
}
