using System.Globalization;
using System.Text.Json.Serialization;
using FastMesh.Engine.Daemon.Status;

namespace FastMesh.Cli.Why;

/// <summary>The answer to a question why (docs/schemas/why.json).</summary>
internal sealed record WhyReport
{
    /// <summary>What was asked: a node, an address or a subnet.</summary>
    public required string Question { get; init; }

    /// <summary>The node that it comes down to, or null if there is none.</summary>
    public string? Node { get; init; }

    /// <summary>The kind of path: self, unreachable, idle, direct, relay or tcp; null without a node.</summary>
    public string? Path { get; init; }

    /// <summary>The answer in one sentence.</summary>
    public required string Summary { get; init; }

    /// <summary>What is known, in the order of the decision.</summary>
    public required IReadOnlyList<WhyFact> Facts { get; init; }

    /// <summary>What to do about it; empty if all is well.</summary>
    public required IReadOnlyList<string> Advice { get; init; }
}

/// <summary>One thing that is known.</summary>
/// <param name="Topic">subnet, mesh, udp, mtu, session, key, offloads or connection.</param>
/// <param name="Text">A sentence or two.</param>
internal sealed record WhyFact(string Topic, string Text);

/// <summary>Times in words.</summary>
internal static class Times
{
    /// <summary>Such as <c>35 s</c>, <c>12 min</c>, <c>3 h</c> or <c>5 days</c>.</summary>
    public static string Words(TimeSpan span) => span.TotalSeconds switch
    {
        < 0 => "0 s",
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:F0} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:F0} min"),
        < 172800 => string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:F0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:F0} days"),
    };

    /// <summary>How long before a snapshot something was.</summary>
    public static string Since(this DaemonStatus status, DateTime then) => Words(status.Time - then);
}

/// <summary>Writes answers and audits without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WhyReport))]
[JsonSerializable(typeof(AuditReport))]
internal sealed partial class WhyJson : JsonSerializerContext;
