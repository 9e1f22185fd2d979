using System.Globalization;

namespace FastMesh.Cli.Views;

/// <summary>Numbers for people: at most three digits that count, and the unit.</summary>
internal static class Units
{
    private static readonly string[] s_prefixes = ["", "k", "M", "G", "T", "P"];

    /// <summary>A count with its decimal prefix: <c>12.3 k</c>.</summary>
    public static string Count(long count)
    {
        double scaled = count;
        int prefix = 0;
        for (; scaled >= 999.5 && prefix < s_prefixes.Length - 1; prefix++)
            scaled /= 1000;
        return prefix == 0 ? count.ToString(CultureInfo.InvariantCulture) : $"{Short(scaled)} {s_prefixes[prefix]}";
    }

    /// <summary>A round trip: <c>0.34 ms</c>, or <c>1.2 s</c>.</summary>
    public static string RoundTrip(long microseconds) => microseconds >= 1_000_000
        ? $"{Short(microseconds / 1e6)} s" : $"{Short(microseconds / 1e3)} ms";

    /// <summary>A time span by its largest two units: <c>3 h 12 min</c>.</summary>
    public static string Span(TimeSpan span)
    {
        long seconds = Math.Max(0, (long)span.TotalSeconds);
        (long big, string unit, long small, string rest) = seconds switch
        {
            < 60 => (seconds, "s", 0, ""),
            < 3600 => (seconds / 60, "min", seconds < 600 ? seconds % 60 : 0, "s"),
            < 86_400 => (seconds / 3600, "h", seconds % 3600 / 60, "min"),
            _ => (seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{big} {unit}{(small > 0 ? $" {small} {rest}" : "")}");
    }

    private static string Short(double value) =>
        value.ToString(value < 9.95 ? "0.##" : value < 99.95 ? "0.#" : "0", CultureInfo.InvariantCulture);
}
