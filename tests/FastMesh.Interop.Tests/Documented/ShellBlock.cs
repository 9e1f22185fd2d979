using System.Text.RegularExpressions;

namespace FastMesh.Interop.Tests.Documented;

/// <summary>A block of commands in a document.</summary>
/// <param name="Place">File and line, for messages.</param>
/// <param name="Machine">Where they run: the word after <c>sh</c>; empty for the machine of whoever reads.</param>
/// <param name="Commands">The commands without comments.</param>
internal sealed partial record ShellBlock(string Place, string Machine, IReadOnlyList<string> Commands)
{
    /// <summary>All blocks of a Markdown file that begin with <c>```sh</c>, <c>```sh MACHINE</c> or <c>```console</c>.</summary>
    public static IReadOnlyList<ShellBlock> OfMarkdown(string root, string file)
    {
        string text = File.ReadAllText(Path.Combine(root, file));
        return [.. Fence().Matches(text).Select(m => Of(file, text, m.Index, m.Groups[1].Value, m.Groups[2].Value.Split('\n')))];
    }

    /// <summary>The examples of a page in mdoc: lines of <c>.Dl</c> after a comment <c>.\" on MACHINE</c>.</summary>
    public static IReadOnlyList<ShellBlock> OfManual(string root, string file)
    {
        string text = File.ReadAllText(Path.Combine(root, file));
        return [.. Examples().Matches(text).Select(m => Of(file, text, m.Index, m.Groups[1].Value, m.Groups[2].Captures.Select(c => c.Value)))];
    }

    private static ShellBlock Of(string file, string text, int start, string machine, IEnumerable<string> lines)
        => new($"{file} line {text.AsSpan(0, start).Count('\n') + 1}", machine, [.. lines.Select(WithoutComment).Where(l => l.Length > 0)]);

    private static string WithoutComment(string line) => Comment().Replace(line, "").Trim();

    [GeneratedRegex(@"^```(?:sh|console)(?: (\w+))?\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^\.\\"" on (\w+)\n(?:\.Dl (.*)\n)+", RegexOptions.Multiline)]
    private static partial Regex Examples();

    [GeneratedRegex(@"(^|\s)#[^!].*$")]
    private static partial Regex Comment();
}
