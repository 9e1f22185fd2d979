using System.Text;

namespace FastMesh.Cli.Config;

/// <summary>
/// The contents of one configuration file: its entries in file order up to the first error, and that error.
/// Any sequence of bytes can be read; nothing here throws for what a file contains.
/// </summary>
/// <param name="Path">Path of the file as it appears in messages.</param>
/// <param name="Entries">Entries before the error, or all.</param>
/// <param name="Error">Why reading stopped, with file and line, or null.</param>
/// <param name="ErrorLine">The line at which it stopped, or 0 if the file could not be read at all.</param>
/// <param name="Missing">The file does not exist or cannot be read at all; <paramref name="Error"/> says why.</param>
internal sealed record ConfigFile(string Path, IReadOnlyList<ConfigEntry> Entries, string? Error, int ErrorLine = 0, bool Missing = false)
{
    /// <summary>The text of the blocks from BEGIN to END lines, with which keys are written; nothing if there are none.</summary>
    public string Blocks { get; init; } = string.Empty;

    /// <summary>tinc reads lines through a buffer of this many bytes, line feed included; a longer line counts as several.</summary>
    public const int MaxLineLength = 2048;

    private const string Form = "write it as NAME = VALUE";

    /// <summary>Reads and parses the file. A file that cannot be read gives no entries and an error.</summary>
    public static ConfigFile Read(string path)
    {
        try
        {
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return new ConfigFile(path, [], $"Cannot open config file {path}: {FileError.Describe(e, path)}", Missing: true);
        }
    }

    /// <summary>Parses the bytes of a file (tinc 1.0 reference, 2.2).</summary>
    public static ConfigFile Parse(ReadOnlySpan<byte> bytes, string path)
    {
        List<ConfigEntry> entries = [];
        StringBuilder blocks = new();
        bool insideBlock = false;
        for (int number = 1; bytes.Length > 0; number++)
        {
            ReadOnlySpan<byte> line = TakeLine(ref bytes, out bool split);
            if (insideBlock)
            {
                insideBlock = !line.StartsWith("-----END"u8);
                blocks.AppendLine(Encoding.Latin1.GetString(line));
            }
            else if (line.StartsWith("-----BEGIN"u8))
            {
                insideBlock = true;
                blocks.AppendLine(Encoding.Latin1.GetString(line));
            }
            else if (!line.StartsWith("#"u8) && line.ContainsAnyExcept(" \t"u8))
            {
                if (!ConfigEntry.TrySplit(Encoding.UTF8.GetString(line), out string variable, out string value))
                {
                    return new ConfigFile(path, entries, NoValue(variable, path, number, split), number);
                }

                entries.Add(new ConfigEntry(variable, value, path, number));
            }
        }

        return new ConfigFile(path, entries, Error: null) { Blocks = blocks.ToString() };
    }

    /// <summary>
    /// Cuts the next line off: up to a line feed or <see cref="MaxLineLength"/> bytes, whichever comes first. One carriage
    /// return before the line feed goes too, and whatever follows a zero byte.
    /// </summary>
    private static ReadOnlySpan<byte> TakeLine(ref ReadOnlySpan<byte> bytes, out bool split)
    {
        ReadOnlySpan<byte> window = bytes[..Math.Min(bytes.Length, MaxLineLength)];
        int end = window.IndexOf((byte)'\n');
        split = end < 0 && bytes.Length > window.Length;
        ReadOnlySpan<byte> line = end < 0 ? window : window[..end];
        bytes = bytes[(end < 0 ? line.Length : end + 1)..];
        if (end > 0 && line[^1] == '\r')
        {
            line = line[..^1];
        }

        int zero = line.IndexOf((byte)0);
        return zero < 0 ? line : line[..zero];
    }

    /// <summary>Tells a report of the error, if there is one.</summary>
    /// <param name="report">Where to.</param>
    /// <param name="severity">Whether it stops the start.</param>
    public void Report(ConfigReport report, Severity severity)
    {
        if (Error is null)
            return;
        string fix = Error.EndsWith(Form, StringComparison.Ordinal) ? Form : Missing ? "make it readable, or write one" : "make the line shorter";
        if (severity == Severity.Error)
            report.Fail(Error, Path, ErrorLine, fix);
        else
            report.Warn(Error, Path, ErrorLine, fix);
    }

    private static string NoValue(string variable, string path, int number, bool split)
    {
        string error = $"No value for variable `{variable}' on line {number} while reading config file {path}";
        string hint = split ? $" (lines longer than {MaxLineLength} bytes are read as several lines)" : $"; {Form}";
        return error + hint;
    }
}
