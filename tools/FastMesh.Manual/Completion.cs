using FastMesh.Cli;
using FastMesh.Cli.Commands;

namespace FastMesh.Manual;

/// <summary>What a shell can complete in place of a value.</summary>
internal enum CompletionKind
{
    /// <summary>Nothing.</summary>
    Nothing,

    /// <summary>One word of a list.</summary>
    Words,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A file.</summary>
    File,

    /// <summary>A net: a directory of /etc/tinc with a tinc.conf.</summary>
    Net,

    /// <summary>A node: a file of hosts/ of the net that the line names.</summary>
    Node,

    /// <summary>A user of the system.</summary>
    User,

    /// <summary>A configuration variable and an equals sign.</summary>
    Variable,
}

/// <summary>What completes a value: the shells' scripts agree because both are made from this.</summary>
/// <param name="Kind">What.</param>
/// <param name="Words">The list of <see cref="CompletionKind.Words"/>.</param>
internal sealed record Completion(CompletionKind Kind, IReadOnlyList<string> Words)
{
    /// <summary>Of an option's value.</summary>
    public static Completion Of(OptionSpec option) => option.Values.Count > 0 ? new(CompletionKind.Words, option.Values) : OfName(option.ValueName);

    /// <summary>Of each argument of a command.</summary>
    public static IReadOnlyList<Completion> Of(CommandSpec command)
        => [.. command.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(a => OfName(a.Trim('[', ']')))];

    private static Completion OfName(string name) => name switch
    {
        "DIR" => new(CompletionKind.Directory, []),
        "FILE" => new(CompletionKind.File, []),
        "NET" => new(CompletionKind.Net, []),
        "NODE" or "NODE|SUBNET|ADDRESS" => new(CompletionKind.Node, []),
        "USER" => new(CompletionKind.User, []),
        "BITS" => new(CompletionKind.Words, ["2048", "3072", "4096", "8192"]),
        _ when name.Contains("KEY=", StringComparison.Ordinal) => new(CompletionKind.Variable, []),
        _ when name.Split('|') is var words && words.All(w => w.Length > 0 && w.All(char.IsAsciiLetterLower)) => new(CompletionKind.Words, words),
        _ => new(CompletionKind.Nothing, []),
    };
}
