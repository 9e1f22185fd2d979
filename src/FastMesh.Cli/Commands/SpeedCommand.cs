using System.Globalization;
using System.Text.Json;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Commands;

/// <summary><c>speed NODE [SECONDS]</c>: throughput, loss and latency under load to another FastMesh node, measured by both daemons.</summary>
internal static class SpeedCommand
{
    private const int MaxSeconds = 10;

    /// <summary>Runs a test; the course of it goes to the error output, the result to the output.</summary>
    public static int Run(CommandContext context)
    {
        string node = context.Arguments[0];
        int seconds = 5;
        if (context.Arguments.Count > 1 && (!int.TryParse(context.Arguments[1], NumberStyles.None, CultureInfo.InvariantCulture, out seconds) || seconds is < 1 or > MaxSeconds))
            return context.Misuse($"speed takes seconds from 1 to {MaxSeconds}, not `{context.Arguments[1]}'.");
        return context.WithDaemon(client =>
        {
            foreach (SpeedReport report in client.TestSpeed(node, seconds))
            {
                if (report.State == "running")
                    Tell(context, report);
                else
                    return Conclude(context, report);
            }

            return context.Fail("The daemon ended the test without a word.");
        });
    }

    private static void Tell(CommandContext context, SpeedReport report)
    {
        if (context.Line.Json)
            return;
        string what = report.Phase switch
        {
            "session" => "looking for the way",
            "request" => "asking",
            "idle" => "measuring round trips",
            "there" => $"there: {Rate(report.There)}",
            _ => $"back: {Rate(report.Back)}",
        };
        context.Note($"{report.Node}: {what}");
    }

    private static int Conclude(CommandContext context, SpeedReport report)
    {
        if (context.Line.Json)
            context.Output.WriteLine(JsonSerializer.Serialize(report, SpeedJson.Default.SpeedReport));
        if (report.State != "done")
            return context.Line.Json ? 1 : context.Fail(report.Error ?? "The test failed.");
        if (!context.Line.Json)
            context.Output.Write(Describe(report));
        return 0;
    }

    /// <summary>The result as a table.</summary>
    internal static string Describe(SpeedReport report) => string.Create(CultureInfo.InvariantCulture, $"""
        Speed to {report.Node}, {report.Path}:
                        Mbit/s   packets/s     loss   round trip (min / mean / max)
          idle                                         {Times(report.Idle)}
          there  {Row(report.There)}
          back   {Row(report.Back)}

        """);

    private static string Row(SpeedDirection? direction) => direction is null
        ? "nothing arrived"
        : string.Create(CultureInfo.InvariantCulture, $"{direction.MegabitsPerSecond,13:F1} {direction.PacketsPerSecond,11:F0} {direction.LossPercent,7:F2}%   {Times(direction.RoundTrip)}");

    private static string Rate(SpeedDirection? direction) => direction is { PacketsReceived: > 0 }
        ? string.Create(CultureInfo.InvariantCulture, $"{direction.MegabitsPerSecond:F1} Mbit/s, {direction.PacketsPerSecond:F0} packets/s")
        : "nothing has arrived yet";

    private static string Times(SpeedRoundTripTimes? times) => times is null
        ? "not measured"
        : $"{Milliseconds(times.MinimumMicroseconds)} / {Milliseconds(times.MeanMicroseconds)} / {Milliseconds(times.MaximumMicroseconds)} ms";

    private static string Milliseconds(long microseconds) => (microseconds / 1000.0).ToString("F2", CultureInfo.InvariantCulture);
}
