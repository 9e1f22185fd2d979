using FastMesh.Cli.Config;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Check;

/// <summary>What all parts of the check look at.</summary>
/// <param name="Directory">The files.</param>
/// <param name="Line">Options of the command line, which count like lines of tinc.conf.</param>
/// <param name="Reading">What a start would make of them.</param>
/// <param name="Peers">The other nodes that have a host file, by name.</param>
/// <param name="Report">Where findings go.</param>
internal sealed record CheckedNet(
    ConfigDirectory Directory, CommandLine Line, ConfigReading Reading, IReadOnlyDictionary<string, CheckedPeer> Peers, ConfigReport Report)
{
    /// <summary>Everything that counts for this node.</summary>
    public ConfigTree Server => Reading.Server;

    /// <summary>Adds a warning about one value.</summary>
    public void Warn(ConfigEntry entry, string problem, string fix) => Report.Add(new(Severity.Warning, entry.File, LineOf(entry), problem, fix));

    /// <summary>Adds a warning about a file.</summary>
    public void Warn(string? file, string problem, string fix) => Report.Add(new(Severity.Warning, file, 0, problem, fix));

    /// <summary>Adds a note about one value.</summary>
    public void Note(ConfigEntry entry, string problem, string fix) => Report.Add(new(Severity.Note, entry.File, LineOf(entry), problem, fix));

    /// <summary>Adds a note about a file.</summary>
    public void Note(string? file, string problem, string fix) => Report.Add(new(Severity.Note, file, 0, problem, fix));

    private static int LineOf(ConfigEntry entry) => entry.File is null ? 0 : entry.Line;
}

/// <summary>Another node.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Tree">Its host file.</param>
/// <param name="Settings">What the daemon makes of it, or null if it can make nothing.</param>
internal sealed record CheckedPeer(string Name, ConfigTree Tree, PeerSettings? Settings);

/// <summary>A subnet as a file has it.</summary>
/// <param name="Subnet">The subnet.</param>
/// <param name="Owner">The node whose it is.</param>
/// <param name="Entry">Where it is written.</param>
internal sealed record WrittenSubnet(Subnet Subnet, string Owner, ConfigEntry Entry);
