using System.Text.Json;
using FastMesh.Cli.Views;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Daemon.Status;

namespace FastMesh.Cli.Commands;

/// <summary><c>top</c>: the nodes' traffic, live on a terminal, else as one table.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    /// <summary>Shows it until the user quits.</summary>
    public static int Run(CommandContext context) => context.WithDaemon(daemon =>
    {
        if (context.Line.Json)
            PrintJson(context, daemon);
        else if (context.Line.Batch || Console.IsOutputRedirected || Console.IsInputRedirected)
            TopScreen.Lines(daemon.Status(), null, TopOrder.Total, cumulative: false, StatusCommand.Width, Style.OfOutput).ToList().ForEach(context.Output.WriteLine);
        else
            ShowLive(context, daemon);
        return 0;
    });

    private static void ShowLive(CommandContext context, ControlClient daemon)
    {
        using FullScreen screen = new(context.Output);
        (TopOrder order, bool cumulative, Style style) = (TopOrder.Total, false, Style.OfOutput);
        (DaemonStatus now, DaemonStatus? before) = (daemon.Status(), null);
        while (true)
        {
            screen.Show([
                .. TopScreen.Lines(now, before, order, cumulative, StatusCommand.Width, style),
                "", style.Dim("sort: t total, i in, o out, r round trip, n name   c totals or rates   q quit")]);
            char? key = screen.WaitForKey(s_interval);
            if (key == FullScreen.Quit)
                return;
            if (key is { } pressed && TopScreen.Keys.TryGetValue(pressed, out TopOrder chosen))
                order = chosen;
            else if (key == 'c')
                cumulative = !cumulative;
            if (key is null)
                (now, before) = (daemon.Status(), now);
        }
    }

    /// <summary>The nodes as in the snapshot, the busiest of the last seconds first.</summary>
    private static void PrintJson(CommandContext context, ControlClient daemon)
    {
        using JsonDocument status = JsonDocument.Parse(daemon.Ask(ControlRequest.Status));
        JsonOutput.Print(context.Output, writer =>
        {
            writer.WriteStartArray();
            foreach (JsonElement node in status.RootElement.GetProperty("nodes").EnumerateArray().OrderByDescending(Rate))
                node.WriteTo(writer);
            writer.WriteEndArray();
        });

        static long Rate(JsonElement node)
        {
            JsonElement traffic = node.GetProperty("traffic");
            return traffic.GetProperty("bitsPerSecondIn").GetInt64() + traffic.GetProperty("bitsPerSecondOut").GetInt64();
        }
    }
}
