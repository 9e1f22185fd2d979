using System.Text.Json;
using System.Text.Json.Serialization;
using FastMesh.Cli.Check;
using FastMesh.Cli.Config;

namespace FastMesh.Cli.Commands;

/// <summary>
/// <c>check</c>: everything wrong or doubtful in a configuration, a line each in the form of compilers, or as JSON (docs/schemas/check.json). The
/// exit code is 1 if there is an error, with <c>--strict</c> also if there is a warning.
/// </summary>
internal static class CheckCommand
{
    /// <summary>Checks and prints.</summary>
    public static int Run(CommandContext context)
    {
        CheckReport report = CheckReport.Of(context.Paths, ConfigCheck.Run(context.Paths, context.Line, looksOutside: true));
        if (context.Line.Json)
        {
            context.Output.WriteLine(JsonSerializer.Serialize(report, CheckJson.Default.CheckReport));
        }
        else
        {
            foreach (CheckFinding finding in report.Findings)
                context.Output.WriteLine(CommandContext.Printable(finding.ToString()));
            context.Output.WriteLine($"{Count(report.Errors, "error")}, {Count(report.Warnings, "warning")}, {Count(report.Notes, "note")} in {CommandContext.Printable(report.Directory)}");
        }

        return report.Errors > 0 || context.Line.Strict && report.Warnings > 0 ? 1 : 0;
    }

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";
}

/// <summary>What <c>check --json</c> prints.</summary>
/// <param name="Net">Net name, or null.</param>
/// <param name="Directory">The configuration directory.</param>
/// <param name="Errors">How many findings stand against a start.</param>
/// <param name="Warnings">How many findings something does not work for, or is not safe.</param>
/// <param name="Notes">How many other findings there are.</param>
/// <param name="Findings">The worst first, then by file and line.</param>
internal sealed record CheckReport(string? Net, string Directory, int Errors, int Warnings, int Notes, IReadOnlyList<CheckFinding> Findings)
{
    /// <summary>Counts findings; those about no file are given the directory.</summary>
    public static CheckReport Of(NetPaths paths, IReadOnlyList<Finding> findings) => new(
        paths.NetName,
        paths.ConfigDirectory,
        findings.Count(f => f.Severity == Severity.Error),
        findings.Count(f => f.Severity == Severity.Warning),
        findings.Count(f => f.Severity == Severity.Note),
        [.. findings.Select(f => new CheckFinding(f.Severity.ToString().ToLowerInvariant(), f.File ?? paths.ConfigDirectory, f.Line > 0 ? f.Line : null, f.Problem, f.Fix))]);
}

/// <summary>One of the findings.</summary>
/// <param name="Severity">error, warning or note.</param>
/// <param name="File">Path of the file or directory.</param>
/// <param name="Line">Line from 1, or null for the whole file.</param>
/// <param name="Problem">What is wrong.</param>
/// <param name="Fix">What mends it.</param>
internal sealed record CheckFinding(string Severity, string File, int? Line, string Problem, string Fix)
{
    /// <summary>As compilers print it, so that editors find the place.</summary>
    public override string ToString() => $"{File}:{(Line is null ? "" : $"{Line}:")} {Severity}: {Problem}{(Problem[^1] is '.' or '!' or '?' ? "" : ".")} Fix: {Fix}.";
}

/// <summary>Writes the report without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CheckReport))]
internal sealed partial class CheckJson : JsonSerializerContext;
