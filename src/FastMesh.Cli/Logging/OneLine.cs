namespace FastMesh.Cli.Logging;

/// <summary>Makes text of broken files and strange peers fit for a log.</summary>
internal static class OneLine
{
    /// <summary>The text with a question mark for each control character: it must neither end the line nor command the terminal.</summary>
    public static string Of(string text) => text.Any(char.IsControl)
        ? string.Create(text.Length, text, static (result, from) =>
        {
            for (int i = 0; i < result.Length; i++)
                result[i] = char.IsControl(from[i]) ? '?' : from[i];
        })
        : text;
}
