namespace FastMesh.Cli.Migration;

/// <summary>Turns the arguments of a running tincd into those of this program for the same net.</summary>
internal static class LaunchOptions
{
    /// <summary>What goes on in the background, and what concerns commands.</summary>
    private static readonly string[] s_dropped =
        ["no-detach", "syslog", "kill", "generate-keys", "help", "version", "batch", "force", "json", "strict", "timeout"];

    private static readonly string[] s_repeatable = ["option", "debug"];

    private static readonly string[] s_paths = ["config", "pidfile", "logfile"];

    /// <summary>Reads the arguments of tincd 1.0 or 1.1, or our own.</summary>
    /// <returns>Null, or what is not understood.</returns>
    public static string? Parse(IReadOnlyList<string> arguments, out List<(OptionSpec Option, string? Value)> options)
    {
        OptionSpec syslog = new("syslog", 's', OptionValue.None, "", ""); // tinc 1.1's; it is what we do without a log file
        return GetOpt.Parse("tincd", [.. OptionTable.Options, syslog], arguments, _ => false, out options, out _);
    }

    /// <summary>Joins a daemon's options with those of the command line, which have precedence.</summary>
    /// <param name="daemon">Options of the running daemon.</param>
    /// <param name="directory">Its working directory, from which its relative paths count.</param>
    /// <param name="given">Options of the command line.</param>
    public static List<string> Join(
        IEnumerable<(OptionSpec Option, string? Value)> daemon, string directory, IReadOnlyList<(OptionSpec Option, string? Value)> given)
    {
        string[] ours = [.. given.Select(g => g.Option.Long).Except(s_repeatable)];
        return
        [
            .. daemon.Where(o => !ours.Contains(o.Option.Long) && !s_dropped.Contains(o.Option.Long)).Select(o => Spell(o, directory)),
            .. given.Where(o => !s_dropped.Contains(o.Option.Long)).Select(o => Spell(o, Environment.CurrentDirectory)),
        ];
    }

    private static string Spell((OptionSpec Option, string? Value) option, string directory)
    {
        if (option.Value is not { } value)
            return $"--{option.Option.Long}";
        return $"--{option.Option.Long}={(s_paths.Contains(option.Option.Long) && value.Length > 0 ? Path.GetFullPath(value, directory) : value)}";
    }
}
