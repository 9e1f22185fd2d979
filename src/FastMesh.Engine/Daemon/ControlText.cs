using System.Globalization;
using System.Text;
using System.Text.Json;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Daemon;

/// <summary>The lines of answers to control clients (tinc 1.1 reference, 10.2); pure.</summary>
internal static class ControlText
{
    /// <summary><c>18 TYPE VALUE</c>: a result, or the length of what follows.</summary>
    public static string Prefix(ControlRequest type, int value) => Compose($"{(int)MetaRequest.Control} {(int)type} {value}");

    /// <summary><c>18 TYPE</c>: the end of a dump.</summary>
    public static string End(ControlRequest type) => Compose($"{(int)MetaRequest.Control} {(int)type}");

    /// <summary><c>18 TYPE JSON</c>, in one line.</summary>
    public static string Json(ControlRequest type, string json) => Compose($"{(int)MetaRequest.Control} {(int)type} {json}");

    /// <summary>A node. Session keys of SPTPS and FastMesh show as zeros, as tinc's do.</summary>
    /// <param name="row">The node.</param>
    /// <param name="flipped">When it became what it is, unix time in seconds; 0: never.</param>
    /// <param name="traffic">What was exchanged with it.</param>
    public static string Node(in NodeRow row, long flipped, NodeCounters traffic)
    {
        (Node node, Crypto.LegacySuite suite) = (row.Node, row.Suite);
        long roundTrip = node.Rtt is { } time ? (long)time.TotalMicroseconds : -1;
        return Compose($"18 3 {node.Name} {node.RelayId} {row.Address} {suite.Cipher} {suite.Digest} {suite.MacLength} {suite.Compression} ") +
            Compose($"{(uint)row.Options:x} {(uint)row.Status:x} {node.NextHop?.Name ?? "-"} {node.Via?.Name ?? "-"} {node.Distance} ") +
            Compose($"{node.Mtu} {node.MinMtu} {node.MaxMtu} {flipped} {roundTrip} ") + Counts(traffic);
    }

    /// <summary>An edge.</summary>
    public static string Edge(Edge edge)
    {
        string local = edge.LocalAddress.IsSet ? edge.LocalAddress.ToString() : "unspec port unspec";
        return Compose($"18 4 {edge.From.Name} {edge.To.Name} {Shown(edge.AddressText.Address)} port {Shown(edge.AddressText.Port)} {local} ") +
            Compose($"{(uint)edge.Options:x} {edge.Weight}");
    }

    /// <summary>A subnet of a node, or one for everybody.</summary>
    public static string Subnet(Subnet subnet, Node? owner) => Compose($"18 5 {subnet.ShortText} {owner?.Name ?? "(broadcast)"}");

    /// <summary>A meta connection.</summary>
    /// <param name="row">The connection.</param>
    /// <param name="socket">Its descriptor.</param>
    public static string Connection(in ConnectionRow row, int socket) =>
        Compose($"18 6 {row.Name ?? "<unknown>"} {row.Remote} {(uint)row.Options:x} {socket} {(uint)row.Status:x}");

    /// <summary>A control client.</summary>
    public static string Connection(ControlSession session)
    {
        ConnectionStatusBits status = (session.Trusted ? ConnectionStatusBits.Control : 0)
            | (session.CaptureLength > 0 ? ConnectionStatusBits.Capture : 0)
            | (session.LogLevel is not null ? ConnectionStatusBits.Log : 0)
            | (session.LogForm == ControlLogForm.Coloured ? ConnectionStatusBits.LogColor : 0);
        return Compose($"18 6 {(session.Trusted ? "<control>" : "<unknown>")} localhost port unix 0 {session.Descriptor} {(uint)status:x}");
    }

    /// <summary>The JSON of <c>18 100 JSON</c>, as bytes: for a thousand nodes it is more than a megabyte.</summary>
    public static byte[] Status(DaemonStatus status) => JsonSerializer.SerializeToUtf8Bytes(status, StatusJson.Default.DaemonStatus);

    /// <summary>What was exchanged with a node.</summary>
    public static string Traffic(Node node, NodeCounters traffic) => Compose($"18 13 {node.Name} ") + Counts(traffic);

    /// <summary>A log line in the form a client wants.</summary>
    public static byte[] Log(in LogLine line, ControlLogForm form)
    {
        if (form == ControlLogForm.Plain)
            return Encoding.UTF8.GetBytes(line.Message);
        (string severity, int colour) = line.Severity switch
        {
            LogLevel.Critical => ("CRITICAL", 31),
            LogLevel.Error => ("ERROR", 31),
            LogLevel.Warning => ("WARNING", 33),
            LogLevel.Information => ("INFO", 32),
            _ => ("DEBUG", 36),
        };
        string padded = severity.PadRight(7);
        if (form == ControlLogForm.Coloured)
            padded = Compose($"\e[{colour}m{padded}\e[0m");
        return Encoding.UTF8.GetBytes(Compose($"{line.Time:yyyy-MM-dd HH:mm:ss} {padded} {line.Message}"));
    }

    /// <summary>Text of another node, which must not command the operator's terminal.</summary>
    private static string Shown(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));

    private static string Counts(NodeCounters traffic) =>
        Compose($"{traffic.PacketsIn} {traffic.BytesIn} {traffic.PacketsOut} {traffic.BytesOut}");

    private static string Compose(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
