using System.Text.Json;
using FastMesh.Cli.Why;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Commands;

/// <summary><c>why NODE|ADDRESS|SUBNET</c>: how packets travel there, in words: what was tried, what failed, and what to do about it.</summary>
internal static class WhyCommand
{
    /// <summary>Asks the daemon and explains. The exit code is 1 if there is no such node.</summary>
    public static int Run(CommandContext context) => context.WithDaemon(client =>
    {
        string question = context.Arguments[0];
        DaemonStatus status = client.Status();
        NetFiles files = NetFiles.Read(context.Paths, context.Line);
        WhyReport report;
        if (status.Nodes.FirstOrDefault(node => node.Name == question) is { } node)
            report = new PathExplainer(status, files, node).Explain(question);
        else if (Subnet.TryParse(question, out Subnet subnet))
            report = SubnetExplainer.Explain(status, files, question, subnet);
        else if (files.Names.Contains(question) || status.Dials.Any(dial => dial.Node == question))
            report = new PathExplainer(status, files, PathExplainer.Absent(question)).Explain(question);
        else
            return context.Fail($"No node, address or subnet {question} is known.");

        if (context.Line.Json)
            context.Output.WriteLine(JsonSerializer.Serialize(report, WhyJson.Default.WhyReport));
        else
            Print(context, report);
        return 0;
    });

    private static void Print(CommandContext context, WhyReport report)
    {
        context.Output.WriteLine(CommandContext.Printable(report.Summary));
        foreach (WhyFact fact in report.Facts)
            context.Output.WriteLine(CommandContext.Printable($"  {fact.Topic,-10} {fact.Text}"));
        if (report.Advice.Count > 0)
            context.Output.WriteLine("What to do:");
        foreach (string advice in report.Advice)
            context.Output.WriteLine(CommandContext.Printable($"  - {advice}"));
    }
}
