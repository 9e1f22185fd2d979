namespace FastMesh.Cli.Config;

/// <summary>
/// All values that count for one node, sorted by <see cref="ConfigEntryOrder"/>, with typed look-ups. A value of the
/// wrong type is reported in <see cref="Report"/> and counts as not set (tinc 1.0 reference, 2.2).
/// </summary>
internal sealed class ConfigTree
{
    private readonly List<ConfigEntry> _entries;

    public ConfigTree(IEnumerable<ConfigEntry> entries, ConfigReport report)
    {
        _entries = [.. entries.Order(ConfigEntryOrder.Instance)];
        Report = report;
    }

    /// <summary>Where look-ups put what they find wrong.</summary>
    public ConfigReport Report { get; }

    /// <summary>Every entry in order of precedence.</summary>
    public IReadOnlyList<ConfigEntry> Entries => _entries;

    /// <summary>All values of a variable, the one that counts first.</summary>
    public IEnumerable<ConfigEntry> All(string variable)
        => _entries.Where(e => e.Variable.Equals(variable, StringComparison.OrdinalIgnoreCase));

    /// <summary>The value that counts, or null.</summary>
    public ConfigEntry? First(string variable) => All(variable).FirstOrDefault();

    /// <summary>The text of the value that counts, or null.</summary>
    public string? Text(string variable) => First(variable)?.Value;

    /// <summary>The value as yes or no, or null if not set or neither.</summary>
    public bool? Boolean(string variable)
    {
        if (First(variable) is not { } entry)
        {
            return null;
        }

        if (ConfigValue.TryParseBoolean(entry.Value, out bool value))
        {
            return value;
        }

        Report.Warn($"\"yes\" or \"no\" expected for configuration variable {variable} in {entry.Place}, not \"{entry.Value}\"; ignored", entry, "write yes or no");
        return null;
    }

    /// <summary>The value as a whole number, or null if not set or not a number.</summary>
    public int? Integer(string variable)
    {
        if (First(variable) is not { } entry)
        {
            return null;
        }

        if (ConfigValue.TryParseInteger(entry.Value, out int value))
        {
            return value;
        }

        Report.Warn($"Integer expected for configuration variable {variable} in {entry.Place}, not \"{entry.Value}\"; ignored", entry, "write a whole number");
        return null;
    }

    /// <summary>The value that <paramref name="choices"/> gives for the variable's word; any other word is an error.</summary>
    /// <param name="variable">Variable to look up.</param>
    /// <param name="what">Words for the message, such as "routing mode".</param>
    /// <param name="preset">Value if not set or wrong.</param>
    /// <param name="choices">Accepted words in lower case.</param>
    public T Choice<T>(string variable, string what, T preset, params (string Word, T Value)[] choices)
        => First(variable) is { } entry ? Choice(entry, what, preset, choices) : preset;

    /// <summary>As above for an entry at hand.</summary>
    public T Choice<T>(ConfigEntry entry, string what, T preset, params (string Word, T Value)[] choices)
    {
        foreach ((string word, T value) in choices)
        {
            if (word.Equals(entry.Value, StringComparison.OrdinalIgnoreCase))
                return value;
        }

        Report.Fail(entry, $"Invalid {what} \"{entry.Value}\"", $"it is one of {string.Join(", ", choices.Select(c => c.Word))}");
        return preset;
    }
}
