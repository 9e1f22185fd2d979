using FastMesh.Cli;
using FastMesh.Cli.Commands;
using FastMesh.Cli.Config;

namespace FastMesh.Manual;

/// <summary>The completion for bash. It needs nothing but bash itself.</summary>
internal static class BashCompletion
{
    /// <summary>The script.</summary>
    public static string Script() => $$"""
        # bash completion for fastmesh(8). Written by "make docs" from the program's tables.

        # The directory of the net that the line names.
        _fastmesh_directory()
        {
            local i value directory=/etc/tinc${NETNAME:+/$NETNAME}
            for ((i = 1; i < COMP_CWORD; i++)); do
                value=${COMP_WORDS[i+1]}
                [[ $value == = ]] && value=${COMP_WORDS[i+2]}
                case ${COMP_WORDS[i]} in
                    -c|--config) directory=$value; break ;;
                    -n|--net) directory=/etc/tinc/$value ;;
                    -n?*) directory=/etc/tinc/${COMP_WORDS[i]#-n} ;;
                esac
            done
            printf '%s\n' "$directory"
        }

        # Names of the files PATTERN, cut by SUFFIX, that begin with what is typed: _fastmesh_names SUFFIX PATTERN...
        _fastmesh_names()
        {
            local suffix=$1 path
            for path in "${@:2}"; do
                path=${path%"$suffix"}
                path=${path##*/}
                [[ $path != \* && $path == "$cur"* && $path != *-up && $path != *-down ]] && COMPREPLY+=("$path")
            done
        }

        _fastmesh_words()
        {
            COMPREPLY+=($(compgen -W "$1" -- "$cur"))
            if [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
        }

        _fastmesh_argument()
        {
            case $1:$2 in{{string.Concat(CommandTable.Commands.SelectMany(Arguments))}}
            esac
        }

        # Completes the value of option $1; fails if it takes none.
        _fastmesh_value()
        {
            case $1 in{{string.Concat(OptionTable.Options.Where(o => o.Value != OptionValue.None).Select(Value))}}
                *) return 1 ;;
            esac
            return 0
        }

        # Completes what stands after a command, the word $1: options for commands, and its arguments.
        _fastmesh_command()
        {
            local i index=1
            for ((i = $1 + 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                    {{string.Join('|', ForCommands.Where(o => o.Value == OptionValue.Required).Select(o => $"--{o.Long}"))}})
                        [[ ${COMP_WORDS[i+1]} == = ]] && ((i++))
                        ((i++)) ;;
                    -*) ;;
                    *) ((index++)) ;;
                esac
            done
            if ((i > COMP_CWORD)); then
                _fastmesh_value "$prev"
            elif [[ $cur == -* ]]; then
                _fastmesh_words "{{string.Join(' ', ForCommands.SelectMany(Offered).Where(w => w.StartsWith("--", StringComparison.Ordinal)))}}"
            else
                _fastmesh_argument "${COMP_WORDS[$1]}" $index
            fi
        }

        _fastmesh()
        {
            local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i
            COMPREPLY=()

            # --option=VALUE reaches us as three words.
            if [[ $cur == = ]]; then
                cur=
            elif [[ $prev == = ]]; then
                prev=${COMP_WORDS[COMP_CWORD-2]}
            fi

            # A command ends the options of the daemon.
            for ((i = 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                    {{string.Join('|', OptionTable.Options.Where(o => o.Value == OptionValue.Required).SelectMany(Spellings))}})
                        [[ ${COMP_WORDS[i+1]} == = ]] && ((i++))
                        ((i++)) ;;
                    {{string.Join('|', CommandTable.Commands.Select(c => c.Name))}})
                        _fastmesh_command $i
                        return ;;
                esac
            done

            # The value of an option may be missing where an option follows.
            if _fastmesh_value "$prev" && [[ $cur != -* ]]; then
                return
            elif [[ $cur == -k* ]]; then
                COMPREPLY=($(compgen -P -k -W "{{string.Join(' ', OptionTable.Options.Single(o => o.Short == 'k').Values)}}" -- "${cur#-k}"))
            elif [[ $cur == -n* ]]; then
                cur=${cur#-n}
                _fastmesh_names /tinc.conf /etc/tinc/*/tinc.conf
                COMPREPLY=("${COMPREPLY[@]/#/-n}")
            elif [[ $cur == -* ]]; then
                _fastmesh_words "{{string.Join(' ', OptionTable.Options.SelectMany(Offered))}}"
            else
                _fastmesh_words "{{string.Join(' ', CommandTable.Commands.Select(c => c.Name))}}"
            fi
        }

        complete -F _fastmesh fastmesh

        """;

    private static IEnumerable<OptionSpec> ForCommands => OptionTable.Options.Where(o => o.IsForCommands);

    private static IEnumerable<string> Arguments(CommandSpec command)
        => Completion.Of(command).Select((c, i) => (Action: Action(c), Index: i + 1)).Where(a => a.Action != ":")
            .Select(a => $"\n        {command.Name}:{a.Index}) {a.Action} ;;");

    private static string Value(OptionSpec option) => $"\n        {string.Join('|', Spellings(option))}) {Action(Completion.Of(option))} ;;";

    private static string Action(Completion completion) => completion.Kind switch
    {
        CompletionKind.Words => $"_fastmesh_words \"{string.Join(' ', completion.Words)}\"",
        CompletionKind.Directory => "COMPREPLY+=($(compgen -d -- \"$cur\"))",
        CompletionKind.File => "COMPREPLY+=($(compgen -f -- \"$cur\"))",
        CompletionKind.Net => "_fastmesh_names /tinc.conf /etc/tinc/*/tinc.conf",
        CompletionKind.Node => "_fastmesh_names '' \"$(_fastmesh_directory)\"/hosts/*",
        CompletionKind.User => "COMPREPLY+=($(compgen -u -- \"$cur\"))",
        CompletionKind.Variable => $"_fastmesh_words \"{string.Join(' ', ConfigSchema.Variables.Select(v => v.Name + "="))}\"",
        _ => ":",
    };

    private static IEnumerable<string> Spellings(OptionSpec option) => option.Short == '\0' ? [$"--{option.Long}"] : [$"-{option.Short}", $"--{option.Long}"];

    private static IEnumerable<string> Offered(OptionSpec option)
        => Spellings(option).Select(s => option.Value == OptionValue.Required && s.StartsWith("--", StringComparison.Ordinal) ? s + "=" : s);
}
