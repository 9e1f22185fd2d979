namespace FastMesh.Cli.Config;

/// <summary>What was found wrong while reading a configuration: errors stop the start, warnings do not.</summary>
internal sealed class ConfigReport
{
    private readonly List<string> _errors = [];
    private readonly List<string> _warnings = [];

    /// <summary>Reasons not to start, in the order found, each once.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Everything else worth telling, in the order found, each once.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Adds an error in full words.</summary>
    public void Fail(string message)
    {
        if (!_errors.Contains(message))
            _errors.Add(message);
    }

    /// <summary>Adds an error about one value: what is wrong, where, and what would be right.</summary>
    public void Fail(ConfigEntry entry, string problem, string remedy)
        => Fail(Describe(entry, problem, remedy));

    /// <summary>The words for one wrong value.</summary>
    public static string Describe(ConfigEntry entry, string problem, string remedy)
        => $"{problem} for configuration variable {entry.Variable} in {entry.Place}; {remedy}";

    /// <summary>Adds a warning unless it has been given already.</summary>
    public void Warn(string message)
    {
        if (!_warnings.Contains(message))
        {
            _warnings.Add(message);
        }
    }
}
