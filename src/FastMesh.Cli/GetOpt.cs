namespace FastMesh.Cli;

/// <summary>Whether an option takes a value.</summary>
internal enum OptionValue
{
    /// <summary>Never.</summary>
    None,

    /// <summary>Always: attached or the next argument, whatever it looks like.</summary>
    Required,

    /// <summary>Attached, or the next argument unless that begins with a dash.</summary>
    Optional,
}

/// <summary>One option of a program.</summary>
/// <param name="Long">Long name without dashes; also what callers know it by.</param>
/// <param name="Short">Letter, or '\0' if it has none.</param>
/// <param name="Value">Whether it takes a value.</param>
/// <param name="ValueName">What the usage text calls the value; empty without one.</param>
/// <param name="Summary">What it does, in one line.</param>
/// <param name="IsOwn">Whether tincd does not have it: then it takes no abbreviation away from tincd's options.</param>
internal sealed record OptionSpec(string Long, char Short, OptionValue Value, string ValueName, string Summary, bool IsOwn = false)
{
    /// <summary>Values that a shell can complete; empty if there is no list of them.</summary>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>It tells commands how to go about it, and may stand after one too.</summary>
    public bool IsForCommands { get; init; }
}

/// <summary>
/// Splits arguments the way GNU getopt_long does for tincd: clusters (<c>-DLd3</c>), attached values (<c>-nmaster</c>,
/// <c>--net=master</c>), unambiguous prefixes of long names, options after arguments, <c>--</c>; and, as tincd adds, an
/// optional value may be the next argument. A command ends the options; what comes after it is the command's, but for the options that are
/// for commands, spelled out. System.CommandLine 2.0 was tried and cannot stand in: it knows no prefixes
/// (<c>--ne master</c>), takes <c>-d:5</c> and <c>-n=master</c> for a value after a delimiter, forgets how often an option came
/// (<c>-d -d5</c>), and refuses a required value that looks like an option (<c>-o -D=1</c>).
/// </summary>
internal static class GetOpt
{
    /// <summary>Reads all arguments.</summary>
    /// <param name="program">Name that errors begin with.</param>
    /// <param name="specs">Known options.</param>
    /// <param name="arguments">Arguments after the program's name.</param>
    /// <param name="isCommand">Whether an argument that is no option is a command.</param>
    /// <param name="options">Options in order with their values; null where none was given.</param>
    /// <param name="rest">The command and its arguments, or nothing.</param>
    /// <returns>Null, or the reason in getopt's words.</returns>
    public static string? Parse(
        string program,
        IReadOnlyList<OptionSpec> specs,
        IReadOnlyList<string> arguments,
        Predicate<string> isCommand,
        out List<(OptionSpec Option, string? Value)> options,
        out IReadOnlyList<string> rest)
    {
        (options, rest) = ([], []);
        string? stray = null;
        string? error = null;
        int next = 0;
        while (error is null && next < arguments.Count)
        {
            string argument = arguments[next++];
            if (argument == "--")
            {
                stray ??= next < arguments.Count ? arguments[next] : null;
                break;
            }

            if (argument.StartsWith("--", StringComparison.Ordinal))
            {
                error = ParseLong(specs, argument[2..], arguments, ref next, options);
            }
            else if (argument.Length > 1 && argument[0] == '-')
            {
                error = ParseCluster(specs, argument, arguments, ref next, options);
            }
            else if (stray is null && isCommand(argument))
            {
                rest = TakeCommand(argument, [.. specs.Where(s => s.IsForCommands)], arguments, ref next, options, out error);
            }
            else
            {
                stray ??= argument;
            }
        }

        error ??= stray is null ? null : $"unrecognized argument '{stray}'";
        return error is null ? null : $"{program}: {error}";
    }

    /// <summary>Takes a command with everything after it.</summary>
    private static List<string> TakeCommand(
        string command, OptionSpec[] specs, IReadOnlyList<string> arguments, ref int next, List<(OptionSpec Option, string? Value)> options, out string? error)
    {
        List<string> rest = [command];
        error = null;
        while (error is null && next < arguments.Count)
        {
            string argument = arguments[next++];
            if (specs.Any(s => argument == $"--{s.Long}" || argument.StartsWith($"--{s.Long}=", StringComparison.Ordinal)))
                error = ParseLong(specs, argument[2..], arguments, ref next, options);
            else
                rest.Add(argument);
        }

        return rest;
    }

    private static string? ParseLong(
        IReadOnlyList<OptionSpec> specs, string text, IReadOnlyList<string> arguments, ref int next, List<(OptionSpec Option, string? Value)> options)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        string name = equals < 0 ? text : text[..equals];
        string? value = equals < 0 ? null : text[(equals + 1)..];
        OptionSpec[] exact = [.. specs.Where(s => s.Long == name)];
        OptionSpec[] matches = exact.Length > 0 ? exact : [.. specs.Where(s => s.Long.StartsWith(name, StringComparison.Ordinal))];
        if (matches.Any(s => !s.IsOwn))
        {
            matches = [.. matches.Where(s => !s.IsOwn)];
        }

        if (matches.Length != 1)
        {
            return matches.Length == 0
                ? $"unrecognized option '--{text}'"
                : $"option '--{text}' is ambiguous; possibilities: {string.Join(' ', matches.Select(m => $"'--{m.Long}'"))}";
        }

        OptionSpec option = matches[0];
        if (value is not null && option.Value == OptionValue.None)
        {
            return $"option '--{option.Long}' doesn't allow an argument";
        }

        value ??= TakeNext(option.Value, arguments, ref next);
        if (value is null && option.Value == OptionValue.Required)
        {
            return $"option '--{option.Long}' requires an argument";
        }

        options.Add((option, value));
        return null;
    }

    private static string? ParseCluster(
        IReadOnlyList<OptionSpec> specs, string cluster, IReadOnlyList<string> arguments, ref int next, List<(OptionSpec Option, string? Value)> options)
    {
        for (int i = 1; i < cluster.Length; i++)
        {
            char letter = cluster[i];
            OptionSpec? option = specs.FirstOrDefault(s => s.Short == letter && letter != '\0');
            if (option is null)
            {
                return $"invalid option -- '{letter}'";
            }

            if (option.Value == OptionValue.None)
            {
                options.Add((option, null));
                continue;
            }

            string? value = i + 1 < cluster.Length ? cluster[(i + 1)..] : TakeNext(option.Value, arguments, ref next);
            if (value is null && option.Value == OptionValue.Required)
            {
                return $"option requires an argument -- '{letter}'";
            }

            options.Add((option, value));
            break;
        }

        return null;
    }

    private static string? TakeNext(OptionValue kind, IReadOnlyList<string> arguments, ref int next)
    {
        bool take = next < arguments.Count
            && (kind == OptionValue.Required || (kind == OptionValue.Optional && !arguments[next].StartsWith('-')));
        return take ? arguments[next++] : null;
    }
}
