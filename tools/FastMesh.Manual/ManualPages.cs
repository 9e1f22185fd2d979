using System.Text.RegularExpressions;
using FastMesh.Cli;
using FastMesh.Cli.Commands;
using FastMesh.Cli.Config;
using Markdig.Syntax;

namespace FastMesh.Manual;

/// <summary>fastmesh(8) and fastmesh.conf(5): templates in docs/manual, with the lists made from the program's tables and the texts beside them.</summary>
internal static partial class ManualPages
{
    /// <summary>fastmesh(8).</summary>
    public static string Program(string root) => Fill(root, "fastmesh.8.in", page =>
    {
        IReadOnlyDictionary<string, IReadOnlyList<Block>> options = Texts(root, "options.md", OptionTable.Options.Select(o => o.Long));
        IReadOnlyDictionary<string, IReadOnlyList<Block>> commands = Texts(root, "commands.md", CommandTable.Commands.Select(c => c.Name));
        return new()
        {
            ["@OPTIONS@"] = () => Items(page, OptionTable.Options, Spelling, o => options[o.Long]),
            ["@COMMANDS@"] = () => Items(page, CommandTable.Commands, c => $"Cm {c.Name}{Arguments(c.Arguments)}", c => commands[c.Name]),
        };
    });

    /// <summary>fastmesh.conf(5).</summary>
    public static string Configuration(string root) => Fill(root, "fastmesh.conf.5.in", page =>
    {
        IReadOnlyDictionary<string, IReadOnlyList<Block>> texts = Texts(root, "variables.md", ConfigSchema.Variables.Select(v => v.Name));
        IEnumerable<ConfigVariable> sorted = ConfigSchema.Variables.OrderBy(v => v.Name, StringComparer.OrdinalIgnoreCase);
        return new()
        {
            ["@VARIABLES@"] = () => Items(page, sorted, v => $"Va {v.Name} No = Ar {Kind(v.Type)} Pq {Preset(v.Default)}", v => texts[v.Name], Facts),
        };
    });

    private static IReadOnlyDictionary<string, IReadOnlyList<Block>> Texts(string root, string file, IEnumerable<string> names)
        => ManualTexts.Read(Path.Combine(root, "docs", "manual", file), names);

    private static string Fill(string root, string template, Func<MdocWriter, Dictionary<string, Action>> placeholders)
    {
        MdocWriter page = new();
        Dictionary<string, Action> lists = placeholders(page);
        string text = File.ReadAllText(Path.Combine(root, "docs", "manual", template));
        foreach (string part in Placeholder().Split(text))
        {
            if (lists.TryGetValue(part.Trim(), out Action? list))
                list();
            else
                page.Template(part);
        }

        return page.ToString();
    }

    private static void Items<T>(MdocWriter page, IEnumerable<T> rows, Func<T, string> head, Func<T, IReadOnlyList<Block>> text, Func<T, string>? facts = null)
    {
        page.Line(".Bl -tag -width Ds");
        foreach (T row in rows)
        {
            page.Line($".It {head(row)}");
            page.Blocks(text(row));
            if (facts is not null)
                page.Template(facts(row));
        }

        page.Line(".El");
    }

    private static string Spelling(OptionSpec option)
    {
        string name = option.Short == '\0' ? $"Fl -{option.Long}" : $"Fl {option.Short} , -{option.Long}";
        return option.Value switch
        {
            OptionValue.None => name,
            OptionValue.Required => $"{name} Ns = Ns {Value(option.ValueName)}",
            _ => $"{name} Ns Oo = Ns {Value(option.ValueName)} Oc",
        };
    }

    /// <summary>The name of a value such as <c>[HOST.]KEY=VALUE</c>.</summary>
    private static string Value(string name) => string.Join(" Ns ", ValuePart().Matches(name).Select(m => m.Value switch
    {
        "[" => "Oo",
        "]" => "Oc",
        "|" or "." or "=" or "," => $"No \\&{m.Value}",
        _ when char.IsAsciiLetterUpper(m.Value[0]) => $"Ar {m.Value}",
        _ => $"Cm {m.Value}",
    })).Replace("Oo Ns ", "Oo ", StringComparison.Ordinal).Replace(" Ns Oc", " Oc", StringComparison.Ordinal);

    private static string Arguments(string arguments)
        => string.Concat(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(a => $" {Value(a)}"));

    private static string Kind(ConfigType type) => type switch
    {
        ConfigType.Boolean => "yes|no",
        ConfigType.Integer => "NUMBER",
        ConfigType.Choice => "WORD",
        ConfigType.Subnet => "SUBNET",
        ConfigType.Address => "ADDRESS",
        ConfigType.NodeName => "NODE",
        ConfigType.File => "FILE",
        ConfigType.Key => "KEY",
        _ => "TEXT",
    };

    private static string Preset(string preset) => preset == "none" ? "no preset" : preset;

    /// <summary>What the schema knows beyond type and preset, as a paragraph.</summary>
    private static string Facts(ConfigVariable variable)
    {
        string files = variable.Scope switch
        {
            ConfigScope.Server => "In\n.Pa tinc.conf .\n",
            ConfigScope.Peer => "In host files.\n",
            _ => "In\n.Pa tinc.conf\nand host files.\n",
        };
        string several = variable.Multiple ? "May be given several times.\n" : "";
        string effect = variable.Reload switch
        {
            ConfigReload.Start => "A change counts from the next start.\n",
            ConfigReload.Reload => "A change counts from the next reload.\n",
            ConfigReload.Connection when variable.OwnReload == ConfigReload.Start =>
                "A change counts from the next connection, of this node's own value from the next start.\n",
            ConfigReload.Connection => "A change counts from the next connection.\n",
            _ => "A change counts from the next use after a reload.\n",
        };
        string newer = variable.NewerThanTinc10 ? "Ignored by tinc 1.0.\n" : "";
        return variable.Support == ConfigSupport.NotBuilt ? $".Em \\&No effect .\n{newer}" : files + several + effect + newer;
    }

    [GeneratedRegex(@"^(@[A-Z]+@\n)", RegexOptions.Multiline)]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"[\[\]|.=,]|[A-Za-z0-9_/-]+")]
    private static partial Regex ValuePart();
}
