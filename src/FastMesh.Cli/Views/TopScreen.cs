using System.Globalization;
using FastMesh.Engine.Daemon.Status;

namespace FastMesh.Cli.Views;

/// <summary>What <c>top</c> is sorted by.</summary>
internal enum TopOrder
{
    Total,
    Name,
    In,
    Out,
    RoundTrip,
}

/// <summary>The table of <c>top</c>: nodes and their traffic, the busiest first.</summary>
internal static class TopScreen
{
    /// <summary>The keys that choose an order.</summary>
    public static IReadOnlyDictionary<char, TopOrder> Keys { get; } = new Dictionary<char, TopOrder>
    {
        ['t'] = TopOrder.Total,
        ['n'] = TopOrder.Name,
        ['i'] = TopOrder.In,
        ['o'] = TopOrder.Out,
        ['r'] = TopOrder.RoundTrip,
    };

    /// <summary>The lines of the table.</summary>
    /// <param name="now">What to show.</param>
    /// <param name="before">A snapshot before it, to take rates from; null: the rates of the last seconds that the daemon knows.</param>
    /// <param name="order">What to sort by.</param>
    /// <param name="cumulative">Totals since the start instead of rates.</param>
    /// <param name="width">Characters per line.</param>
    /// <param name="style">Colours.</param>
    public static IEnumerable<string> Lines(DaemonStatus now, DaemonStatus? before, TopOrder order, bool cumulative, int width, Style style)
    {
        string net = now.Daemon.Net is null ? "" : $" in net {now.Daemon.Net}";
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{now.Daemon.Name}{net}: {now.Nodes.Count} nodes, {now.Nodes.Count(node => node.Reachable)} reachable; {(cumulative ? "totals since the start" : "rates")}, sorted by {Name(order)}");
        string per = cumulative ? "" : "/s";
        TextTable table = new(
            new("NODE", Least: 8), new("PATH", Least: 8), new("RTT", IsNumber: true), new($"IN pkt{per}", IsNumber: true),
            new(cumulative ? "IN bytes" : "IN bit/s", IsNumber: true), new($"OUT pkt{per}", IsNumber: true), new(cumulative ? "OUT bytes" : "OUT bit/s", IsNumber: true));
        foreach ((NodeStatus node, Load load, long? roundTrip) in Sorted(now, before, order, cumulative))
        {
            table.Add(
                node.IsSelf ? style.Bold : node.Reachable ? static line => line : style.Dim, node.Name, Words.Of(node.Path),
                roundTrip is { } time ? Units.RoundTrip(time) : "-", Units.Count(load.PacketsIn), Units.Count(load.DataIn), Units.Count(load.PacketsOut), Units.Count(load.DataOut));
        }

        foreach (string line in table.Lines(width))
            yield return line;
    }

    private static IEnumerable<(NodeStatus Node, Load Load, long? RoundTrip)> Sorted(DaemonStatus now, DaemonStatus? before, TopOrder order, bool cumulative)
    {
        Dictionary<string, TrafficStatus> earlier = before?.Nodes.ToDictionary(node => node.Name, node => node.Traffic, StringComparer.Ordinal) ?? [];
        double seconds = Math.Max(0.001, before is null ? 1 : (now.Time - before.Time).TotalSeconds);
        IEnumerable<(NodeStatus Node, Load Load, long? RoundTrip)> rows = now.Nodes.Select(node => (
            node, cumulative ? Load.Total(node.Traffic) : earlier.TryGetValue(node.Name, out TrafficStatus? then) ? Load.Between(then, node.Traffic, seconds) : Load.Known(node.Traffic),
            StatusScreen.RoundTripOf(node, now)));
        rows = rows.OrderBy(row => row.Node.Name, StringComparer.Ordinal);
        return order switch
        {
            TopOrder.Name => rows,
            TopOrder.In => rows.OrderByDescending(row => row.Load.DataIn),
            TopOrder.Out => rows.OrderByDescending(row => row.Load.DataOut),
            TopOrder.RoundTrip => rows.OrderByDescending(row => row.RoundTrip ?? -1),
            _ => rows.OrderByDescending(row => row.Load.DataIn + row.Load.DataOut),
        };
    }

    private static string Name(TopOrder order) => order == TopOrder.RoundTrip ? "round trip" : order.ToString().ToLowerInvariant();

    /// <summary>Packets and data of a node: bits per second, or bytes in all.</summary>
    private readonly record struct Load(long PacketsIn, long DataIn, long PacketsOut, long DataOut)
    {
        public static Load Total(TrafficStatus traffic) => new(traffic.PacketsIn, traffic.BytesIn, traffic.PacketsOut, traffic.BytesOut);

        public static Load Known(TrafficStatus traffic) =>
            new(traffic.PacketsPerSecondIn, traffic.BitsPerSecondIn, traffic.PacketsPerSecondOut, traffic.BitsPerSecondOut);

        public static Load Between(TrafficStatus then, TrafficStatus now, double seconds) => new(
            (long)((now.PacketsIn - then.PacketsIn) / seconds), (long)(8 * (now.BytesIn - then.BytesIn) / seconds),
            (long)((now.PacketsOut - then.PacketsOut) / seconds), (long)(8 * (now.BytesOut - then.BytesOut) / seconds));
    }
}
