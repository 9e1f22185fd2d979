using System.Globalization;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Views;

/// <summary>The screen of <c>status</c>: who am I, what is set up, how the peers are reached, what was dropped.</summary>
internal static class StatusScreen
{
    private const int Indent = 10, NodesPerDrop = 4;

    /// <summary>The lines of the screen.</summary>
    /// <param name="status">What to show.</param>
    /// <param name="width">Characters per line, at least 80.</param>
    /// <param name="style">Colours.</param>
    public static IEnumerable<string> Lines(DaemonStatus status, int width, Style style) =>
        [.. Head(status, width, style), "", .. Peers(status, width, style), .. Reasons(status, width, style), .. Drops(status, width, style)];

    private static IEnumerable<string> Head(DaemonStatus status, int width, Style style)
    {
        ProgramStatus daemon = status.Daemon;
        DeviceStatus device = status.Device;
        string net = daemon.Net is null ? "" : $" in net {daemon.Net}";
        yield return $"{style.Bold(daemon.Name)}{net}, FastMesh {daemon.Version}, pid {daemon.Pid}, up {Units.Span(TimeSpan.FromSeconds(daemon.UptimeSeconds))}";

        string mtu = device.MtuBytes is { } bytes ? $", MTU {bytes}" : "", offloads = device.Offloads.Count > 0 ? string.Join(' ', device.Offloads) : "none";
        yield return Fact("device", $"{(device.Interface.Length > 0 ? device.Interface : device.Device)} ({device.Kind}), {daemon.Mode} mode{mtu}");
        if (device.Provisioned.Count > 0)
            yield return Fact("set up", string.Join(", ", device.Provisioned));
        foreach (string line in Wrapped("subnets", status.Subnets.Where(subnet => subnet.Owner == daemon.Name).Select(subnet => subnet.Subnet), width))
            yield return line;
        foreach (string line in Wrapped("listens", status.Listeners.Select(Text), width))
            yield return line;
        string pinned = daemon.Cpus.Count > 0 ? $" on processors {string.Join(' ', daemon.Cpus)}" : "";
        yield return Fact("data path", $"{Counted(daemon.Workers, "thread")}{pinned}, {(daemon.Io == "uring" ? "io_uring" : "plain system calls")}, offloads: {offloads}");
        int reachable = status.Nodes.Count(node => node.Reachable), active = status.Connections.Count(connection => connection.State == "active");
        yield return Fact("mesh", $"{Counted(status.Nodes.Count, "node")}, {reachable} reachable; {Counted(active, "connection")}; {Counted(status.Subnets.Count, "subnet")}");

        static string Fact(string name, string text) => $"{name.PadRight(Indent)}{text}";
    }

    private static IEnumerable<string> Peers(DaemonStatus status, int width, Style style)
    {
        TextTable table = new(
            new("NODE", Least: 8), new("PATH", Least: 10), new("PROTOCOL"), new("SUITE", Least: 11), new("MTU", IsNumber: true), new("RTT", IsNumber: true),
            new("IN b/s", IsNumber: true), new("OUT b/s", IsNumber: true));
        foreach (NodeStatus node in status.Nodes.Where(node => !node.IsSelf))
        {
            TrafficStatus traffic = node.Traffic;
            if (node.Reachable)
            {
                table.Add(StyleOf(node, style), node.Name, Words.Of(node.Path), Words.Of(node.Protocol), node.Session is { } session ? Words.Short(session.Suite) : "-",
                    Mtu(node), RoundTripOf(node, status) is { } time ? Units.RoundTrip(time) : "-", Rate(traffic.BitsPerSecondIn), Rate(traffic.BitsPerSecondOut));
            }
            else
            {
                table.Add(style.Bad, node.Name, node.Since is { } since ? $"down {Units.Span(status.Time - since)}" : "never seen", "", "", "", "", "", "");
            }
        }

        return status.Nodes.Count > 1 ? table.Lines(width) : ["No other node is known."];
    }

    /// <summary>One line per node that packets do not go straight to by UDP.</summary>
    private static IEnumerable<string> Reasons(DaemonStatus status, int width, Style style)
    {
        NodeStatus[] indirect = [.. status.Nodes.Where(node => node.Path is { Kind: PathKind.Relay or PathKind.Tcp, Reason: not PathReason.None })];
        if (indirect.Length == 0)
            yield break;
        int longest = Math.Min(indirect.Max(node => node.Name.Length), 20);
        yield return "";
        yield return style.Bold("Not direct");
        foreach (NodeStatus node in indirect)
            yield return Cut($"  {node.Name.PadRight(longest)}  {Words.Of(node.Path.Reason)}", width);
    }

    private static IEnumerable<string> Drops(DaemonStatus status, int width, Style style)
    {
        KeyValuePair<string, long>[] drops = [.. status.Totals.DroppedPackets.Where(drop => drop.Value > 0).OrderByDescending(drop => drop.Value)];
        if (drops.Length == 0)
            yield break;
        yield return "";
        yield return style.Bold("Dropped packets since the start");
        int digits = drops.Max(drop => drop.Value.ToString(CultureInfo.InvariantCulture).Length);
        foreach ((string reason, long packets) in drops)
            yield return Cut($"  {packets.ToString(CultureInfo.InvariantCulture).PadLeft(digits)}  {Words.OfDrop(reason)}{Whose(reason)}", width);

        // Whose packets they were, as far as it is known: the node with the most first.
        string Whose(string reason)
        {
            (string Name, long Packets)[] nodes = [.. status.Nodes.Select(node => (node.Name, Packets: node.DroppedPackets.GetValueOrDefault(reason)))
                .Where(node => node.Packets > 0).OrderByDescending(node => node.Packets)];
            string more = nodes.Length > NodesPerDrop ? ", ..." : "";
            return nodes.Length == 0 ? "" : FormattableString.Invariant(
                $": {string.Join(", ", nodes.Take(NodesPerDrop).Select(node => FormattableString.Invariant($"{node.Name} {node.Packets}")))}{more}");
        }
    }

    /// <summary>The round trip by UDP, or else of a TCP connection.</summary>
    public static long? RoundTripOf(NodeStatus node, DaemonStatus status) => node.UdpRttMicroseconds
        ?? status.Connections.FirstOrDefault(connection => connection.Name == node.Name && connection.State == "active")?.RttMicroseconds;

    /// <summary>The longest IP packet that goes by UDP in one piece, with a plus sign while longer ones are being tried.</summary>
    private static string Mtu(NodeStatus node) => node.Path.PacketBytes is not { } bytes ? "-"
        : bytes.ToString(CultureInfo.InvariantCulture) + (node.Mtu.State == MtuState.Discovering ? "+" : "");

    private static string Rate(long bitsPerSecond) => bitsPerSecond == 0 ? "-" : Units.Count(bitsPerSecond);

    private static Func<string, string> StyleOf(NodeStatus node, Style style) => node.Path.Kind switch
    {
        PathKind.Direct => style.Good,
        PathKind.Idle => style.Dim,
        _ => style.Fair,
    };

    private static string Text(AddressStatus address) =>
        address.Address.Contains(':', StringComparison.Ordinal) ? $"[{address.Address}]:{address.Port}" : $"{address.Address}:{address.Port}";

    private static string Counted(int count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count} {what}{(count == 1 ? "" : "s")}");

    private static string Cut(string line, int width) => line.Length <= width ? line : line[..(width - 1)] + "…";

    /// <summary>A list over as many lines as it needs, none if it is empty.</summary>
    private static IEnumerable<string> Wrapped(string name, IEnumerable<string> items, int width)
    {
        string line = name.PadRight(Indent);
        bool isEmpty = true;
        foreach (string item in items)
        {
            if (!isEmpty && line.Length + 2 + item.Length > width)
            {
                yield return line + ",";
                (line, isEmpty) = (new string(' ', Indent), true);
            }

            line += isEmpty ? item : $", {item}";
            isEmpty = false;
        }

        if (!isEmpty)
            yield return line;
    }
}
