namespace FastMesh.Cli.Config;

/// <summary>One value of one variable and where it was written.</summary>
/// <param name="Variable">The name as written; comparisons ignore case. Empty for a line that begins with a blank.</param>
/// <param name="Value">The value: never empty, no blanks at its ends.</param>
/// <param name="File">Path of the file, or null for a command line option.</param>
/// <param name="Line">Line number from 1, or the number of the <c>-o</c> option; 0 for the whole file.</param>
internal sealed record ConfigEntry(string Variable, string Value, string? File, int Line)
{
    /// <summary>The place in words, as used in every message: <c>/etc/tinc/x/tinc.conf line 3</c>.</summary>
    public string Place => File is null ? $"command line option {Line}" : Line == 0 ? File : $"{File} line {Line}";

    /// <summary>Parses one line or <c>-o</c> argument: name, blanks, an optional equals sign, blanks, value (tinc 1.0 reference, 2.2).</summary>
    /// <returns>False if there is no value; then only <paramref name="variable"/> is set.</returns>
    public static bool TrySplit(string text, out string variable, out string value)
    {
        ReadOnlySpan<char> line = text.AsSpan().TrimEnd(" \t");
        int end = line.IndexOfAny(" \t=");
        variable = (end < 0 ? line : line[..end]).ToString();
        ReadOnlySpan<char> rest = end < 0 ? default : line[end..].TrimStart(" \t");
        if (rest.StartsWith("="))
        {
            rest = rest[1..].TrimStart(" \t");
        }

        value = rest.ToString();
        return value.Length > 0;
    }
}

/// <summary>Orders the values of one variable: command line first, then line number, then file name byte by byte (tinc 1.0 reference, 2.2).</summary>
internal sealed class ConfigEntryOrder : IComparer<ConfigEntry>
{
    public static readonly ConfigEntryOrder Instance = new();

    public int Compare(ConfigEntry? x, ConfigEntry? y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        int order = (x.File is not null).CompareTo(y.File is not null);
        order = order != 0 ? order : x.Line.CompareTo(y.Line);
        return order != 0 ? order : string.CompareOrdinal(x.File, y.File);
    }
}
