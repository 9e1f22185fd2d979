namespace FastMesh.Cli.Config;

/// <summary>How much a finding matters, the worst first.</summary>
internal enum Severity
{
    /// <summary>The daemon does not start.</summary>
    Error,

    /// <summary>It starts, but something does not work, is not safe or is ignored.</summary>
    Warning,

    /// <summary>Worth knowing.</summary>
    Note,
}

/// <summary>One thing that is wrong or doubtful in a configuration.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="File">Path of the file or directory, or null for the command line or the whole configuration.</param>
/// <param name="Line">Line from 1, or 0 for the whole file.</param>
/// <param name="Problem">What is wrong, without the place.</param>
/// <param name="Fix">What mends it.</param>
internal sealed record Finding(Severity Severity, string? File, int Line, string Problem, string Fix)
{
    /// <summary>The line of the log, which names the place in words.</summary>
    public string Text { get; init; } = $"{(File is null ? "" : Line > 0 ? $"{File} line {Line}: " : $"{File}: ")}{Problem}; {Fix}";
}
