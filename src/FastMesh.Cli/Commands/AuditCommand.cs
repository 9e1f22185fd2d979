using System.Text.Json;
using FastMesh.Cli.Views;
using FastMesh.Cli.Why;
using FastMesh.Engine.Daemon.Status;

namespace FastMesh.Cli.Commands;

/// <summary>
/// <c>audit</c>: how this node and each other protect what they exchange, what is weak about it and how to mend that. The exit code is 1 if something is
/// weak.
/// </summary>
internal static class AuditCommand
{
    private static readonly string[] s_columns = ["NODE", "PROTOCOL", "CIPHER", "KEY", "MAC", "KEY AGE", "OPENED BY", "PQ", "KEY BELIEVED BY"];

    /// <summary>Audits and prints.</summary>
    public static int Run(CommandContext context)
    {
        DaemonStatus? status = TakeStatus(context);
        NetFiles files = NetFiles.Read(context.Paths, context.Line);
        if (status is null && files.Name is null)
        {
            context.Fail($"No daemon runs here and no configuration can be read in {files.Directory.Root}.");
            return CommandContext.NothingToTalkTo;
        }

        AuditReport report = new Audit(files, status).Run();
        if (context.Line.Json)
            context.Output.WriteLine(JsonSerializer.Serialize(report, WhyJson.Default.AuditReport));
        else
            Print(context, report);
        return report.Weak > 0 ? 1 : 0;
    }

    private static DaemonStatus? TakeStatus(CommandContext context)
    {
        try
        {
            using ControlClient client = ControlClient.Open(context.Paths);
            return client.Status();
        }
        catch (ControlException)
        {
            return null; // the files are looked at instead, and the first line says so
        }
    }

    private static void Print(CommandContext context, AuditReport report)
    {
        TextWriter output = context.Output;
        output.WriteLine(CommandContext.Printable(report.IsLive
            ? $"{report.Node}: what its running daemon has agreed on with each node"
            : $"{report.Node}: no daemon runs here; this is what the files promise"));
        TextTable table = new([.. s_columns.Select(title => new TextColumn(title))]);
        foreach (AuditPair pair in report.Pairs)
            table.Add(static line => line, Row(pair));
        foreach (string line in table.Lines(int.MaxValue))
            output.WriteLine(CommandContext.Printable(line));
        foreach (AuditFinding finding in report.Own.Concat(report.Pairs.SelectMany(pair => pair.Findings)).OrderByDescending(one => one.Level == AuditFinding.Weak))
            output.WriteLine(CommandContext.Printable($"{finding.Level}: {finding.Problem}. Fix: {finding.Fix}."));
        output.WriteLine($"{report.Weak} weak, {report.Notes} to note.");
    }

    private static string[] Row(AuditPair pair) =>
    [
        pair.Node,
        pair.Protocol switch { "fastMesh" => "FastMesh", "sptps" => "tinc 1.1", "legacy" => "tinc 1.0", _ => pair.Reachable == false ? "not reachable" : "-" },
        pair.Cipher ?? "-",
        pair.KeyBits is { } key ? $"{key} bits" : "-",
        pair.MacBits is { } mac ? $"{mac} bits" : "-",
        pair.KeyAgeSeconds is { } age ? Times.Words(TimeSpan.FromSeconds(age)) : "-",
        pair.EndToEnd switch { true => "the node", false => "every hop", _ => "-" },
        pair.PostQuantum switch { true => "yes", false => "no", _ => "-" },
        KeyTrustWords.Short(Enum.Parse<KeyBelief>(pair.KeyTrust, ignoreCase: true)),
    ];
}
