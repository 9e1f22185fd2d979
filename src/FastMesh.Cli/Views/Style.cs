namespace FastMesh.Cli.Views;

/// <summary>Colours of a terminal, or none.</summary>
/// <param name="on">Whether there are any.</param>
internal sealed class Style(bool on)
{
    /// <summary>No colours.</summary>
    public static readonly Style Plain = new(false);

    /// <summary>Colours if standard output is a terminal that knows them and NO_COLOR is not set (no-color.org).</summary>
    public static Style OfOutput => new(!Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb");

    /// <summary>What stands out.</summary>
    public string Bold(string text) => Wrap("1", text);

    /// <summary>What is well.</summary>
    public string Good(string text) => Wrap("32", text);

    /// <summary>What works but could be better.</summary>
    public string Fair(string text) => Wrap("33", text);

    /// <summary>What does not work.</summary>
    public string Bad(string text) => Wrap("31", text);

    /// <summary>What is of little interest.</summary>
    public string Dim(string text) => Wrap("2", text);

    private string Wrap(string code, string text) => on ? $"\e[{code}m{text}\e[0m" : text;
}
