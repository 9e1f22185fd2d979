using Markdig;
using Markdig.Parsers.Inlines;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace FastMesh.Manual;

/// <summary>The sections of a Markdown file in docs/manual: a heading of the second level names what the blocks after it are about.</summary>
internal static class ManualTexts
{
    private static readonly MarkdownPipeline s_plain = WithoutLinks();

    /// <summary>Reads a file whose sections must be those of a table of the program.</summary>
    /// <param name="path">The file.</param>
    /// <param name="names">Names of the table.</param>
    /// <returns>The blocks of each section.</returns>
    /// <exception cref="InvalidDataException">Sections and names are not the same.</exception>
    public static IReadOnlyDictionary<string, IReadOnlyList<Block>> Read(string path, IEnumerable<string> names)
    {
        Dictionary<string, IReadOnlyList<Block>> sections = [];
        List<Block> section = [];
        foreach (Block block in Markdown.Parse(File.ReadAllText(path), s_plain))
        {
            if (block is HeadingBlock { Level: 2 } heading)
                sections.Add(((LiteralInline)heading.Inline!.FirstChild!).Content.ToString(), section = []);
            else
                section.Add(block);
        }

        string file = Path.GetFileName(path);
        string[] missing = [.. names.Where(n => !sections.TryGetValue(n, out IReadOnlyList<Block>? text) || text.Count == 0)];
        if (missing.Length > 0)
            throw new InvalidDataException($"docs/manual/{file} needs a section with a text: ## {string.Join(", ## ", missing)}");
        string[] stray = [.. sections.Keys.Except(names)];
        return stray.Length == 0 ? sections : throw new InvalidDataException($"docs/manual/{file} describes what does not exist: {string.Join(", ", stray)}");
    }

    /// <summary>In these texts brackets say that something may be left out.</summary>
    private static MarkdownPipeline WithoutLinks()
    {
        MarkdownPipelineBuilder builder = new();
        builder.InlineParsers.TryRemove<LinkInlineParser>();
        return builder.Build();
    }
}
