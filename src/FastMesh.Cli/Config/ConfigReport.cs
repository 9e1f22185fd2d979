namespace FastMesh.Cli.Config;

/// <summary>What was found wrong while reading a configuration: errors stop the start, the rest does not.</summary>
internal sealed class ConfigReport
{
    private readonly List<Finding> _findings = [];
    private readonly HashSet<string> _texts = [];

    /// <summary>Everything, in the order found, each once.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>The log lines of the reasons not to start.</summary>
    public IReadOnlyList<string> Errors => Texts(Severity.Error);

    /// <summary>The log lines of what else is worth telling.</summary>
    public IReadOnlyList<string> Warnings => Texts(Severity.Warning);

    /// <summary>Adds an error about one value: what is wrong, where, and what would be right.</summary>
    public void Fail(ConfigEntry entry, string problem, string remedy)
        => Add(Severity.Error, Describe(entry, problem, remedy), entry.File, entry.Line, remedy);

    /// <summary>Adds an error.</summary>
    /// <param name="text">The log line.</param>
    /// <param name="file">Which file, or null.</param>
    /// <param name="line">Its line, or 0.</param>
    /// <param name="fix">What mends it; if the log line ends with it, that is where it comes from.</param>
    public void Fail(string text, string? file, int line, string fix) => Add(Severity.Error, text, file, line, fix);

    /// <summary>Adds a warning; parameters as for <see cref="Fail(string, string?, int, string)"/>.</summary>
    public void Warn(string text, string? file, int line, string fix) => Add(Severity.Warning, text, file, line, fix);

    /// <summary>Adds a warning about one value.</summary>
    public void Warn(string text, ConfigEntry entry, string fix) => Add(Severity.Warning, text, entry.File, entry.Line, fix);

    /// <summary>Adds a finding unless it is there already.</summary>
    public void Add(Finding finding)
    {
        if (_texts.Add(finding.Text))
            _findings.Add(finding);
    }

    /// <summary>The words for one wrong value.</summary>
    public static string Describe(ConfigEntry entry, string problem, string remedy)
        => $"{problem} for configuration variable {entry.Variable} in {entry.Place}; {remedy}";

    private string[] Texts(Severity severity) => [.. _findings.Where(f => f.Severity == severity).Select(f => f.Text)];

    private void Add(Severity severity, string text, string? file, int line, string fix)
        => Add(new Finding(severity, file, file is null ? 0 : line, WithoutPlace(text, file, line, fix), fix) { Text = text });

    /// <summary>Logs name the place and the remedy in words, in tincd's order; a finding has them apart.</summary>
    private static string WithoutPlace(string text, string? file, int line, string fix)
    {
        const string Prefix = "Warning: ";
        string place = new ConfigEntry("", "", file, line).Place;
        string[] wordings = [$" in {place}", $" ({place})", $" on line {line} while reading config file {file}"];
        foreach (string words in wordings)
            text = text.Replace(words, string.Empty, StringComparison.Ordinal);
        text = text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..] : text;
        return text.EndsWith($"; {fix}", StringComparison.Ordinal) ? text[..^(fix.Length + 2)] : text;
    }
}
