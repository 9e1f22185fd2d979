using System.Reflection;
using FastMesh.Cli.Commands;

namespace FastMesh.Cli;

/// <summary>What <c>--help</c> and <c>--version</c> print.</summary>
internal static class Usage
{
    /// <summary>The usage text.</summary>
    public static string Help => $"""
        Usage: fastmesh [option]...
               fastmesh [option]... command [argument]...

        Options:{Table(OptionTable.Options.Select(o => (OptionSpelling(o), o.Summary)))}

        Commands:{Table(CommandTable.Commands.Select(c => ($"{c.Name} {c.Arguments}", c.Summary)))}

        The manual pages fastmesh(8) and fastmesh.conf(5) say more.
        """;

    private static string OptionSpelling(OptionSpec option)
    {
        string value = option.Value switch { OptionValue.None => string.Empty, OptionValue.Required => $"={option.ValueName}", _ => $"[={option.ValueName}]" };
        return $"{(option.Short == '\0' ? "   " : $"-{option.Short},")} --{option.Long}{value}";
    }

    private static string Table(IEnumerable<(string Left, string Right)> rows) => string.Concat(rows.Select(r => $"\n  {r.Left,-32} {r.Right}"));

    /// <summary>The program's version.</summary>
    public static string VersionNumber { get; } =
        typeof(Usage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>The version text; its first line names the tinc that this program stands in for, which scripts look for.</summary>
    public static string Version => $"""
        fastmesh {VersionNumber} (tinc 1.0.36 compatible, protocol 17.0 and 17.7)
        Copyright (C) The FastMesh developers, MIT license.
        """;
}
