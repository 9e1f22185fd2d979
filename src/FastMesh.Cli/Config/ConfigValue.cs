namespace FastMesh.Cli.Config;

/// <summary>The value types of the configuration language (tinc 1.0 reference, 2.2).</summary>
internal static class ConfigValue
{
    /// <summary>Only <c>yes</c> and <c>no</c>, in any case.</summary>
    public static bool TryParseBoolean(string text, out bool value)
    {
        value = text.Equals("yes", StringComparison.OrdinalIgnoreCase);
        return value || text.Equals("no", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// A number as C's <c>%d</c> scans it: leading white space, a sign, digits, and anything after them. Numbers out of range
    /// become the nearest one in range.
    /// </summary>
    public static bool TryParseInteger(ReadOnlySpan<char> text, out int value)
    {
        text = text.TrimStart(" \t\n\v\f\r");
        bool negative = text.StartsWith("-");
        text = negative || text.StartsWith("+") ? text[1..] : text;
        long magnitude = 0;
        int digits = 0;
        for (; digits < text.Length && char.IsAsciiDigit(text[digits]); digits++)
        {
            magnitude = Math.Min((magnitude * 10) + (text[digits] - '0'), 1L + int.MaxValue);
        }

        value = (int)(negative ? -magnitude : Math.Min(magnitude, int.MaxValue));
        return digits > 0;
    }
}
