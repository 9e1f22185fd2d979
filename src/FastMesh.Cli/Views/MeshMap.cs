using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Views;

/// <summary>A node of a drawing.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">How this daemon reaches it.</param>
/// <param name="Caption">That in words, with the protocol.</param>
internal sealed record MapNode(string Name, PathKind Kind, string Caption);

/// <summary>A connection between two nodes: both directions of an edge in one.</summary>
/// <param name="From">The name that sorts lower.</param>
/// <param name="To">The other.</param>
/// <param name="Weight">The higher of both weights.</param>
/// <param name="IsConfirmed">Whether both ends know of it; otherwise nothing is sent that way.</param>
internal sealed record MapLink(string From, string To, int Weight, bool IsConfirmed);

/// <summary>What is drawn of a mesh.</summary>
/// <param name="Nodes">By name.</param>
/// <param name="Links">By names.</param>
internal sealed record MeshMap(IReadOnlyList<MapNode> Nodes, IReadOnlyList<MapLink> Links)
{
    /// <summary>Takes it from a snapshot.</summary>
    public static MeshMap Of(DaemonStatus status) => new(
        [.. status.Nodes.Select(node => new MapNode(
            node.Name, node.Path.Kind, node.Path.Kind is PathKind.Self or PathKind.Unreachable ? Words.Of(node.Path) : $"{Words.Of(node.Path)}, {Words.Of(node.Protocol)}"))],
        [.. status.Edges.GroupBy(edge => string.CompareOrdinal(edge.From, edge.To) < 0 ? (From: edge.From, To: edge.To) : (From: edge.To, To: edge.From))
            .OrderBy(pair => pair.Key.From, StringComparer.Ordinal).ThenBy(pair => pair.Key.To, StringComparer.Ordinal)
            .Select(pair => new MapLink(pair.Key.From, pair.Key.To, pair.Max(edge => edge.Weight), pair.Count() > 1))]);

    /// <summary>The colour of a node, as on every drawing.</summary>
    public static string ColourOf(PathKind kind) => kind switch
    {
        PathKind.Self => "#2563eb",
        PathKind.Direct => "#16a34a",
        PathKind.Relay => "#ca8a04",
        PathKind.Tcp => "#ea580c",
        PathKind.Idle => "#6b7280",
        _ => "#dc2626",
    };

    /// <summary>The map in the language of graphviz.</summary>
    public IEnumerable<string> Dot()
    {
        yield return "graph mesh {";
        yield return "  node [style = filled, fontcolor = white, fontname = \"sans-serif\"];";
        foreach (MapNode node in Nodes)
            yield return $"  \"{node.Name}\" [fillcolor = \"{ColourOf(node.Kind)}\", tooltip = \"{node.Caption}\"];";
        foreach (MapLink link in Links)
            yield return FormattableString.Invariant($"  \"{link.From}\" -- \"{link.To}\" [label = \"{link.Weight}\"{(link.IsConfirmed ? "" : ", style = dashed")}];");
        yield return "}";
    }
}
