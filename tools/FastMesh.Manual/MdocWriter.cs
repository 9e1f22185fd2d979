using System.Text;
using System.Text.RegularExpressions;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace FastMesh.Manual;

/// <summary>
/// Writes Markdown as mdoc(7): code becomes a flag, a path or a literal, emphasis an argument, and what looks like <c>name(8)</c> a reference.
/// Lines end with sentences and have at most 78 characters, as mandoc's lint wants.
/// </summary>
internal sealed partial class MdocWriter
{
    private const int Width = 78;
    private const string Delimiters = ".,:;)]?!|";

    private readonly StringBuilder _lines = new();

    /// <summary>The lines written so far.</summary>
    public override string ToString() => _lines.ToString();

    /// <summary>Writes a line as it is.</summary>
    public void Line(string line) => _lines.Append(line).Append('\n');

    /// <summary>Writes blocks with paragraph breaks between them.</summary>
    public void Blocks(IEnumerable<Block> blocks)
    {
        bool first = true;
        foreach (Block block in blocks)
        {
            if (!first && block is not (ListBlock or FencedCodeBlock))
                Line(".Pp");
            first = false;
            switch (block)
            {
                case ParagraphBlock paragraph: Inlines(paragraph.Inline!); break;
                case ListBlock list: List(list); break;
                case FencedCodeBlock code: Code(code); break;
                default: throw new InvalidDataException($"no mdoc for {block.GetType().Name} in line {block.Line + 1}");
            }
        }
    }

    /// <summary>Wraps the text lines of a template, whose macro lines stay.</summary>
    public void Template(string text)
    {
        StringBuilder plain = new();
        foreach (string line in text.Split('\n'))
        {
            if (!line.StartsWith('.'))
            {
                plain.Append(line).Append(' ');
                continue;
            }

            Wrap(plain);
            Line(line);
        }

        Wrap(plain);
    }

    /// <summary>The mdoc of something typed, without a dot in front.</summary>
    public static string Macro(string code) => code switch
    {
        _ when Flag().IsMatch(code) => $"Fl {code[1..]}",
        _ when PathName().IsMatch(code) => $"Pa {Argument(code)}",
        _ => $"Li {Argument(code)}",
    };

    /// <summary>A word or words as one argument of a macro.</summary>
    private static string Argument(string text)
    {
        string escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("\"", "\\(dq", StringComparison.Ordinal);
        bool special = escaped.Length <= 3 && char.IsAsciiLetterUpper(escaped[0]);
        return escaped.Contains(' ', StringComparison.Ordinal) ? $"\"{escaped}\"" : special || escaped.Length == 1 && Delimiters.Contains(escaped[0], StringComparison.Ordinal) ? $"\\&{escaped}" : escaped;
    }

    private void List(ListBlock list)
    {
        Line(".Bl -tag -width Ds");
        foreach (ListItemBlock item in list.Cast<ListItemBlock>())
        {
            ContainerInline inline = ((ParagraphBlock)item[0]).Inline!;
            StringBuilder term = new();
            Inline? next = inline.FirstChild;
            for (; next is CodeInline || (next is LiteralInline between && !between.Content.Match(": ")); next = next.NextSibling)
                term.Append(next is CodeInline code ? Macro(code.Content) : next.ToString() is ", " ? " , " : $" No {next.ToString()!.Trim()} ");

            if (next is not LiteralInline text || term.Length == 0)
                throw new InvalidDataException($"a list item must look like - `word`: text, which line {item.Line + 1} does not");
            Line($".It {term}");
            text.Content.Start += 2;
            Inlines(text);
        }

        Line(".El");
    }

    private void Code(FencedCodeBlock code)
    {
        Line(".Bd -literal -offset indent");
        foreach (string line in code.Lines.ToString().Split('\n'))
            Line(line.Replace("\\", "\\e", StringComparison.Ordinal) is var text && text.StartsWith('.') ? $"\\&{text}" : text);
        Line(".Ed");
    }

    private void Inlines(ContainerInline container) => Inlines(container.FirstChild);

    /// <summary>Writes an inline and its following siblings. Pieces without a blank between them belong to one word.</summary>
    private void Inlines(Inline? first)
    {
        StringBuilder plain = new();
        List<(string Text, string? Macro)> word = [];
        for (Inline? inline = first; inline is not null; inline = inline.NextSibling)
        {
            switch (inline)
            {
                case CodeInline code: word.Add((code.Content, Macro(code.Content))); break;
                case EmphasisInline emphasis: word.Add(("", $"Ar {((LiteralInline)emphasis.FirstChild!).Content}")); break;
                case LineBreakInline: EndWord(plain, word); break;
                case LiteralInline literal:
                    string[] parts = literal.Content.ToString().Split(' ');
                    for (int i = 0; i < parts.Length; i++)
                    {
                        if (i > 0)
                            EndWord(plain, word);
                        if (parts[i].Length > 0)
                            word.Add((parts[i], null));
                    }

                    break;
                default: throw new InvalidDataException($"no mdoc for {inline.GetType().Name} in line {inline.Line + 1}");
            }
        }

        EndWord(plain, word);
        Wrap(plain);
    }

    private void EndWord(StringBuilder plain, List<(string Text, string? Macro)> word)
    {
        if (word.Count == 1 && word[0].Macro is null && Reference().Match(word[0].Text) is { Success: true } reference)
            word[0] = ("", $"Xr {reference.Groups[1]} {reference.Groups[2]}{Apart(reference.Groups[3].Value)}");
        if (word.All(p => p.Macro is null))
        {
            plain.AppendJoin("", word.Select(p => p.Text)).Append(word.Count > 0 ? " " : "");
        }
        else
        {
            Wrap(plain);
            Line(MacroLine(word));
        }

        word.Clear();
    }

    /// <summary>One word of pieces, such as <c>.Pa /etc/tinc/ Ns Ar NET ,</c>.</summary>
    private static string MacroLine(List<(string Text, string? Macro)> word)
    {
        StringBuilder line = new(".");
        for (int i = 0; i < word.Count; i++)
        {
            (string text, string? macro) = word[i];
            bool last = i == word.Count - 1;
            if (macro is not null)
                line.Append(line.Length > 1 && line[^1] != '(' ? " Ns " : "").Append(macro);
            else if (last && text.All(c => Delimiters.Contains(c, StringComparison.Ordinal)))
                line.Append(Apart(text));
            else
                line.Append(line.Length > 1 ? " Ns No " : "No ").Append(text is "." or "," or "/" or "[" or "]" or "(" ? $"\\&{text}" : text);
        }

        return line.ToString();
    }

    /// <summary>Closing punctuation as arguments of its own.</summary>
    private static string Apart(string punctuation) => string.Concat(punctuation.Select(c => $" {c}"));

    private void Wrap(StringBuilder plain)
    {
        StringBuilder line = new();
        foreach (string word in plain.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > Width)
                Flush(line);
            line.Append(line.Length > 0 ? " " : "").Append(line.Length == 0 && word[0] is '.' or '\'' ? $"\\&{word}" : word);
            if (SentenceEnd().IsMatch(word))
                Flush(line);
        }

        Flush(line);
        plain.Clear();
    }

    private void Flush(StringBuilder line)
    {
        if (line.Length > 0)
            Line(line.ToString());
        line.Clear();
    }

    [GeneratedRegex(@"^--?[A-Za-z][\w-]*$")]
    private static partial Regex Flag();

    [GeneratedRegex(@"^[\w.-]*/|^[\w-]+\.(conf|priv|pub|invitation|boot|service|log)$|^(tinc|host|subnet|invitation)-(up|down|created|accepted)$|^invitations$")]
    private static partial Regex PathName();

    [GeneratedRegex(@"^([a-z][\w.-]*)\((\d)\)([.,:;]*)$")]
    private static partial Regex Reference();

    [GeneratedRegex(@"[.!?]\)?$")]
    private static partial Regex SentenceEnd();
}
