using System.Text;
using FastMesh.Cli.Config;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Commands;

/// <summary>What an invitation asks of the joining node, as far as it is let (tinc 1.1 reference, 9.4, 9.7).</summary>
internal sealed class JoinPlan
{
    private readonly StringBuilder _serverLines = new(), _hostLines = new();
    private readonly Dictionary<string, StringBuilder> _hosts = [];

    private JoinPlan(string name) => Name = name;

    /// <summary>Name of the new node.</summary>
    public string Name { get; }

    /// <summary>The net's name, as the inviter calls it, or null.</summary>
    public string? NetName { get; private set; }

    /// <summary>Lines for tinc.conf.</summary>
    public string ServerLines => $"Name = {Name}\n{_serverLines}";

    /// <summary>Lines for the own host file.</summary>
    public string HostLines => _hostLines.ToString();

    /// <summary>Host files of other nodes.</summary>
    public IEnumerable<KeyValuePair<string, string>> Hosts => _hosts.Select(h => KeyValuePair.Create(h.Key, h.Value.ToString()));

    /// <summary>What is to become of the interface.</summary>
    public InterfaceScript Script { get; } = new();

    /// <summary>Whether a net's name may be used as the name of a directory that somebody else chose.</summary>
    public static bool IsStrictNetName(string name)
        => name.Length is > 0 and <= 64 && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');

    /// <summary>Reads an invitation.</summary>
    /// <param name="text">The file.</param>
    /// <param name="force">Take variables that can do harm, too.</param>
    /// <param name="note">Gets a line for each thing that is left out.</param>
    /// <exception cref="InvalidDataException">It is no invitation.</exception>
    public static JoinPlan Parse(string text, bool force, Action<string> note)
    {
        string[] lines = text.Split('\n');
        if (!TryReadName(lines[0], out string name) || !NodeName.IsValid(name))
            throw new InvalidDataException("the invitation does not begin with the name of a node");

        JoinPlan plan = new(name);
        StringBuilder? host = null;
        for (int i = 1; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd('\r');
            if (TryReadName(line, out string other) && (host is not null || other != name))
                host = plan.AddHost(other);
            else if (host is null)
                plan.Take(line, force, note);
            else if (line != InviteCommand.Separator && !(i == lines.Length - 1 && line.Length == 0))
                host.Append(line).Append('\n');
        }

        return plan;
    }

    private static bool TryReadName(string line, out string name)
        => ConfigEntry.TrySplit(line.TrimEnd('\r'), out string variable, out name) && variable.Equals("Name", StringComparison.OrdinalIgnoreCase);

    private StringBuilder AddHost(string name)
    {
        if (!NodeName.IsValid(name) || name == Name || _hosts.ContainsKey(name))
            throw new InvalidDataException("the invitation has a host file that it must not have");
        return _hosts[name] = new StringBuilder();
    }

    private void Take(string line, bool force, Action<string> note)
    {
        if (line.StartsWith('#') || !ConfigEntry.TrySplit(line, out string variable, out string value) || variable.Length == 0)
            return;
        switch (variable.ToLowerInvariant())
        {
            case "name":
                return;
            case "netname":
                NetName = IsStrictNetName(value) ? value : null;
                return;
            case "ifconfig":
                Note(Script.TryAddIfconfig(value));
                return;
            case "route":
                Note(Script.TryAddRoute(value));
                return;
        }

        if (ConfigSchema.Find(variable) is not { } known)
            note($"Ignoring unknown variable '{variable}' in invitation.");
        else if (!InvitationVariables.IsSafe(known.Name) && !force)
            note($"Ignoring unsafe variable '{variable}' in invitation.");
        else
            (InvitationVariables.IsForHostFile(known.Name) ? _hostLines : _serverLines).Append($"{known.Name} = {value}\n");

        void Note(bool understood)
        {
            if (!understood)
                note($"Ignoring '{variable} = {value}' in invitation: it cannot be understood.");
        }
    }
}
