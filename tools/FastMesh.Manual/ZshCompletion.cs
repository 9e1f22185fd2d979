using FastMesh.Cli;
using FastMesh.Cli.Commands;
using FastMesh.Cli.Config;

namespace FastMesh.Manual;

/// <summary>The completion for zsh.</summary>
internal static class ZshCompletion
{
    /// <summary>The script, a function file for a directory of <c>$fpath</c>.</summary>
    public static string Script() => $$$"""
        #compdef fastmesh
        # zsh completion for fastmesh(8). Written by "make docs" from the program's tables.

        _fastmesh_nets() {
          local -a nets=(/etc/tinc/*/tinc.conf(N:h:t))
          _wanted nets expl net compadd -a nets
        }

        _fastmesh_nodes() {
          local -a nodes=($directory/hosts/*(N.:t))
          nodes=(${nodes:#*-(up|down)})
          _wanted nodes expl node compadd -a nodes
        }

        _fastmesh_variables() {
          local -a variables=({{{string.Join(' ', ConfigSchema.Variables.Select(v => v.Name))}}})
          _wanted variables expl variable compadd -S = -a variables
        }

        _fastmesh_commands() {
          local -a commands=({{{string.Concat(CommandTable.Commands.Select(c => $"\n    {Quoted($"{c.Name}:{c.Summary}")}"))}}}
          )
          _describe -t commands command commands
        }

        # What stands after a command. The nodes are those of the net that the line names.
        _fastmesh_arguments() {
          local net=${opt_args[-n]:-${opt_args[--net]:-$NETNAME}}
          local directory=/etc/tinc${net:+/$net}
          directory=${opt_args[-c]:-${opt_args[--config]:-$directory}}
          local -a flags=({{{string.Concat(OptionTable.Options.Where(o => o.IsForCommands).Select(o => $"\n    {Option(o with { Short = '\0' })}"))}}}
          )
          case $words[1] in{{{string.Concat(CommandTable.Commands.Select(Arguments))}}}
          esac
        }

        _fastmesh() {
          local curcontext=$curcontext
          typeset -A opt_args
          _arguments -s -A '-*' \{{{string.Concat(OptionTable.Options.Select(o => $"\n    {Option(o)} \\"))}}}
            '1:command:_fastmesh_commands' \
            '*::argument:_fastmesh_arguments'
        }

        _fastmesh "$@"

        """;

    private static string Option(OptionSpec option)
    {
        bool takesValue = option.Value != OptionValue.None;
        string repeats = option.Long is "option" or "debug" ? "*" : "";
        string names = option.Short == '\0'
            ? $"{Quoted(repeats)}--{option.Long}{(takesValue ? "=" : "")}"
            : (repeats.Length > 0 ? Quoted(repeats) : $"'(-{option.Short} --{option.Long})'")
                + $"{{-{option.Short}{(takesValue ? "+" : "")},--{option.Long}{(takesValue ? "=" : "")}}}";
        string value = option.Value switch
        {
            OptionValue.None => "",
            OptionValue.Required => $":{Escaped(option.ValueName)}:{Action(Completion.Of(option))}",
            _ => $"::{Escaped(option.ValueName)}:{Action(Completion.Of(option))}",
        };
        return names + Quoted($"[{Escaped(option.Summary)}]{value}");
    }

    private static string Arguments(CommandSpec command)
    {
        string[] names = command.Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return $"\n    {command.Name}) _arguments $flags{string.Concat(Completion.Of(command).Select((c, i) => $" {Quoted($"{i + 1}:{Escaped(names[i])}:{Action(c)}")}"))} ;;";
    }

    private static string Action(Completion completion) => completion.Kind switch
    {
        CompletionKind.Words => $"({string.Join(' ', completion.Words)})",
        CompletionKind.Directory => "_files -/",
        CompletionKind.File => "_files",
        CompletionKind.Net => "_fastmesh_nets",
        CompletionKind.Node => "_fastmesh_nodes",
        CompletionKind.User => "_users",
        CompletionKind.Variable => "_fastmesh_variables",
        _ => " ",
    };

    private static string Escaped(string text)
        => text.Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
