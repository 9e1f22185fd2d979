using System.Globalization;

namespace FastMesh.Cli.Views;

/// <summary>A row of request 3 (tinc 1.1 reference, 10.2).</summary>
internal sealed record NodeRow(string[] Fields)
{
    /// <summary>Bits of the status.</summary>
    public const uint ValidKey = 0x2, Visited = 0x8, Reachable = 0x10, Indirect = 0x20, Sptps = 0x40, UdpConfirmed = 0x80;

    private const int Count = 23;

    public string Name => Fields[0];

    public string Id => Fields[1];

    /// <summary>Host, <c>port</c> and port.</summary>
    public string At => $"{Fields[2]} port {Fields[4]}";

    public bool IsSelf => Fields[2] == "MYSELF";

    public uint Options { get; } = Hex(Fields[9]);

    public uint Status { get; } = Hex(Fields[10]);

    public string NextHop => Fields[11];

    public string Via => Fields[12];

    public string Distance => Fields[13];

    public string Mtu => Fields[14];

    public string MinMtu => Fields[15];

    public string MaxMtu => Fields[16];

    /// <summary>When it became reachable or unreachable, unix time in seconds; 0: never.</summary>
    public long Changed => Number(Fields[17]);

    /// <summary>Microseconds, or -1.</summary>
    public long RoundTrip => Number(Fields[18]);

    /// <summary>Packets and bytes in, packets and bytes out.</summary>
    public string[] Traffic => Fields[19..23];

    /// <summary>Reads a row.</summary>
    /// <exception cref="ControlException">It has too few fields.</exception>
    public static NodeRow Of(string[] fields) => fields.Length >= Count ? new(fields) : throw new ControlException("The daemon has sent a list of another format.");

    /// <summary>Whether a bit of the status is set.</summary>
    public bool Is(uint bit) => (Status & bit) != 0;

    private static uint Hex(string text) => uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value) ? value : 0;

    private static long Number(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : 0;
}

/// <summary>A row of request 4 (tinc 1.1 reference, 10.2).</summary>
internal sealed record EdgeRow(string From, string To, string At, string LocalAt, string Options, string Weight)
{
    private const int Count = 10;

    /// <summary>Reads a row.</summary>
    /// <exception cref="ControlException">It has too few fields.</exception>
    public static EdgeRow Of(string[] fields) => fields.Length >= Count
        ? new(fields[0], fields[1], $"{fields[2]} port {fields[4]}", $"{fields[5]} port {fields[7]}", fields[8], fields[9])
        : throw new ControlException("The daemon has sent a list of another format.");
}

/// <summary>The lines of the program <c>tinc</c> (tinc 1.1 reference, 10.3).</summary>
internal static class TincText
{
    private const int LabelWidth = 14;

    private static readonly (uint Bit, string Word)[] s_status =
    [
        (NodeRow.ValidKey, "validkey"), (NodeRow.Visited, "visited"), (NodeRow.Reachable, "reachable"), (NodeRow.Indirect, "indirect"),
        (NodeRow.Sptps, "sptps"), (NodeRow.UdpConfirmed, "udp_confirmed"),
    ];

    private static readonly (uint Bit, string Word)[] s_options = [(1, "indirect"), (2, "tcponly"), (4, "pmtu_discovery"), (8, "clamp_mss")];

    /// <summary>A line of <c>dump nodes</c>.</summary>
    public static string Node(NodeRow node)
    {
        string[] fields = node.Fields, traffic = node.Traffic;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{node.Name} id {node.Id} at {node.At} cipher {fields[5]} digest {fields[6]} maclength {fields[7]} compression {fields[8]} ")
            + string.Create(CultureInfo.InvariantCulture, $"options {node.Options:x} status {node.Status:x4} nexthop {node.NextHop} via {node.Via} ")
            + $"distance {node.Distance} pmtu {node.Mtu} (min {node.MinMtu} max {node.MaxMtu}) rx {traffic[0]} {traffic[1]} tx {traffic[2]} {traffic[3]}"
            + (node.RoundTrip < 0 ? "" : $" rtt {RoundTrip(node)}");
    }

    /// <summary>A line of <c>dump edges</c>.</summary>
    public static string Edge(EdgeRow edge) => $"{edge.From} to {edge.To} at {edge.At} local {edge.LocalAt} options {edge.Options} weight {edge.Weight}";

    /// <summary>A line of <c>dump connections</c> from a row of request 6.</summary>
    /// <exception cref="ControlException">It has too few fields.</exception>
    public static string Connection(string[] row) => row.Length >= 7
        ? $"{row[0]} at {row[1]} port {row[3]} options {row[4]} socket {row[5]} status {row[6]}"
        : throw new ControlException("The daemon has sent a list of another format.");

    /// <summary>The lines of <c>dump graph</c>, each edge once, or <c>dump digraph</c>, each direction.</summary>
    public static IEnumerable<string> Graph(IEnumerable<NodeRow> nodes, IEnumerable<EdgeRow> edges, bool directed)
    {
        yield return directed ? "digraph {" : "graph {";
        foreach (NodeRow node in nodes)
        {
            string colour = node.IsSelf ? "green\", style = \"filled" : !node.Is(NodeRow.Reachable) ? "red" : node.Via != node.Name ? "orange"
                : !node.Is(NodeRow.ValidKey) || node.MinMtu == "0" ? "black" : "green";
            yield return $" \"{node.Name}\" [label = \"{node.Name}\", color = \"{colour}\"];";
        }

        foreach (EdgeRow edge in edges.Where(edge => directed || string.CompareOrdinal(edge.From, edge.To) > 0))
        {
            // In single precision, as tinc computes it.
            float weight = int.TryParse(edge.Weight, CultureInfo.InvariantCulture, out int given) && given != 0 ? 1 + (65536f / given) : float.PositiveInfinity;
            string text = float.IsInfinity(weight) ? "inf" : ((double)weight).ToString("F6", CultureInfo.InvariantCulture);
            yield return $" \"{edge.From}\" {(directed ? "->" : "--")} \"{edge.To}\" [w = {text}, weight = {text}];";
        }

        yield return "}";
    }

    /// <summary>The lines of <c>info NODE</c>.</summary>
    /// <param name="node">The node.</param>
    /// <param name="edges">All edges.</param>
    /// <param name="subnets">All rows of request 5.</param>
    public static IEnumerable<string> Info(NodeRow node, IEnumerable<EdgeRow> edges, IEnumerable<string[]> subnets)
    {
        bool reachable = node.Is(NodeRow.Reachable);
        yield return Label("Node", node.Name);
        yield return Label("Node ID", node.Id);
        yield return Label("Address", node.At);
        yield return Label(reachable ? "Online since" : "Last seen", node.Changed == 0 ? "never"
            : DateTimeOffset.FromUnixTimeSeconds(node.Changed).ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));
        yield return Label("Status", Words(node.Status, s_status));
        yield return Label("Options", Words(node.Options, s_options));
        yield return Label("Protocol", $"17.{node.Options >> 24}");
        bool direct = !node.IsSelf && reachable && node.Via == node.Name && node.Is(NodeRow.ValidKey) && node.MinMtu != "0";
        yield return Label("Reachability", node.IsSelf ? "can reach itself" : !reachable ? "unreachable"
            : node.Via != node.Name ? $"indirectly via {node.Via}"
            : !node.Is(NodeRow.ValidKey) ? "unknown"
            : direct ? "directly with UDP"
            : node.NextHop == node.Name ? "directly with TCP"
            : $"none, forwarded via {node.NextHop}");
        if (direct)
            yield return Label("PMTU", node.Mtu);
        if (direct && node.RoundTrip >= 0)
            yield return Label("RTT", RoundTrip(node));
        string[] traffic = node.Traffic;
        yield return Label("RX", $"{traffic[0]} packets  {traffic[1]} bytes");
        yield return Label("TX", $"{traffic[2]} packets  {traffic[3]} bytes");
        yield return Label("Edges", string.Join(' ', edges.Where(edge => edge.From == node.Name).Select(edge => edge.To)));
        yield return Label("Subnets", string.Join(' ', subnets.Where(row => row[1] == node.Name).Select(row => row[0])));
    }

    private static string Label(string label, string text) => $"{(label + ":").PadRight(LabelWidth)}{text}";

    private static string Words(uint bits, (uint Bit, string Word)[] words) =>
        string.Join(' ', words.Where(word => (bits & word.Bit) != 0).Select(word => word.Word));

    private static string RoundTrip(NodeRow node) =>
        string.Create(CultureInfo.InvariantCulture, $"{node.RoundTrip / 1000}.{node.RoundTrip % 1000:000}");
}
