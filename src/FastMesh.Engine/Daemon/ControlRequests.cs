using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>What control requests work on.</summary>
/// <param name="Mesh">The state machine.</param>
/// <param name="Plane">The shards.</param>
/// <param name="Sockets">For the descriptors of meta connections.</param>
/// <param name="Console">The debug level.</param>
/// <param name="Stop">Ends the daemon.</param>
/// <param name="PlanReload">Tells what a reload would change.</param>
/// <param name="Reload">Reads the configuration again and puts it into force.</param>
/// <param name="Status">Takes snapshots.</param>
internal sealed record ControlParts(
    Mesh Mesh, DataPlane Plane, MetaSockets Sockets, IDaemonConsole Console, Action Stop,
    Func<ReloadPlan> PlanReload, Func<ReloadPlan> Reload, StatusSource Status);

/// <summary>
/// Answers the requests of control clients that have shown the cookie (tinc 1.1 reference, 10.2). Like any input to the mesh, a request may
/// leave actions of the mesh behind, which the control loop drains.
/// </summary>
/// <param name="parts">What to work on.</param>
/// <param name="name">The daemon's node name.</param>
/// <param name="clients">All clients, for the list of connections.</param>
internal sealed class ControlRequests(ControlParts parts, string name, Func<IEnumerable<ControlSession>> clients)
{
    /// <summary>State of a speed test that goes on.</summary>
    public const string Running = "running";

    private const int DefaultSpeedTest = 5000; // ms
    private const int Done = 0, Refused = -1, NotConnected = -2;

    /// <summary>What tinc 1.1 delivers to everybody and lists among the subnets.</summary>
    private static readonly Subnet[] s_broadcast = [.. ((string[])["ff:ff:ff:ff:ff:ff", "255.255.255.255", "224.0.0.0/4", "ff00::/8"])
        .Select(text => Subnet.TryParse(text, out Subnet subnet) ? subnet : default)];

    private int _captureLength;
    private bool _speedWatched;

    /// <summary>What a client gets that has shown the cookie: our name, the protocol's version, our process number.</summary>
    public void Greet(ControlSession session)
    {
        session.Send($"{(int)MetaRequest.Id} {name} 17.7");
        session.Send(string.Create(CultureInfo.InvariantCulture, $"{(int)MetaRequest.Ack} 0 {Environment.ProcessId}"));
    }

    /// <summary>Handles <c>18 TYPE ARGUMENTS</c>. False if it is no such request: then the client is to be closed, as by tinc.</summary>
    public bool Handle(ControlSession session, string line)
    {
        string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 2 || NumberAt(fields, 0) != (int)MetaRequest.Control || NumberAt(fields, 1) is not { } number)
            return false;

        ControlRequest type = Enum.IsDefined((ControlRequest)number) ? (ControlRequest)number : ControlRequest.Unknown;
        switch (type)
        {
            case ControlRequest.DumpNodes or ControlRequest.DumpEdges or ControlRequest.DumpSubnets or ControlRequest.DumpConnections
                or ControlRequest.DumpTraffic:
                foreach (string row in Rows(type))
                    session.Send(row);
                session.Send(ControlText.End(type));
                return true;
            case ControlRequest.Log:
                Watch(session, fields);
                return true;
            case ControlRequest.Capture:
                session.CaptureLength = NumberAt(fields, 2) is > 0 and { } length ? length : int.MaxValue;
                return true;
            case ControlRequest.Status:
                session.SendLine($"{(int)MetaRequest.Control} {(int)type} ", ControlText.Status(parts.Status.Take(MonotonicClock.Now)));
                return true;
            case ControlRequest.SpeedTest:
                StartSpeedTest(session, fields);
                return true;
            case ControlRequest.PlanReload:
                session.Send(ControlText.Json(type, parts.PlanReload().ToJson()));
                return true;
            case ControlRequest.ApplyReload:
                session.Send(ControlText.Json(type, parts.Reload().ToJson()));
                return true;
            case ControlRequest.SetDebug when NumberAt(fields, 2) is null:
                return false;
            case ControlRequest.Unknown:
                session.Send($"{(int)MetaRequest.Control} {Refused}");
                return true;
            default:
                session.Send(ControlText.Prefix(type, Perform(session, type, fields)));
                return true;
        }
    }

    /// <summary>Ends the speed test if nobody waits for it any more.</summary>
    public void WatchSpeed(bool isWatched)
    {
        if (_speedWatched && !isWatched)
            parts.Mesh.StopSpeedTest();
        _speedWatched = isWatched;
    }

    /// <summary>The answer that says how the speed test goes.</summary>
    public static string SpeedLine(SpeedReport report) =>
        $"{(int)MetaRequest.Control} {(int)ControlRequest.SpeedTest} {JsonSerializer.Serialize(report, SpeedJson.Default.SpeedReport)}";

    /// <summary>Makes the shards report packets up to that many bytes; 0: none.</summary>
    public void Capture(int length)
    {
        if (length == _captureLength)
            return;
        _captureLength = length;
        parts.Plane.Capture(length);
    }

    private void StartSpeedTest(ControlSession session, string[] fields)
    {
        string name = fields.ElementAtOrDefault(2) ?? "";
        TimeSpan wanted = TimeSpan.FromMilliseconds(NumberAt(fields, 3) is > 0 and { } milliseconds ? milliseconds : DefaultSpeedTest);
        session.WatchesSpeed = true;
        if (parts.Mesh.StartSpeedTest(name, wanted, MonotonicClock.Now) is not { } error)
            return;
        session.WatchesSpeed = false;
        session.Send(SpeedLine(new SpeedReport { Node = name, State = "failed", Phase = "session", Error = error }));
    }

    private int Perform(ControlSession session, ControlRequest type, string[] fields)
    {
        Instant now = MonotonicClock.Now;
        switch (type)
        {
            case ControlRequest.Stop:
                session.AwaitsEnd = true;
                parts.Stop();
                return Done;
            case ControlRequest.Reload:
                return parts.Reload().Result == ReloadResult.Refused ? Errno.EINVAL : Done; // what tincd 1.1pre18 answers
            case ControlRequest.Purge:
                parts.Mesh.Purge(now);
                return Done;
            case ControlRequest.Retry:
                parts.Mesh.Retry(now);
                return Done;
            case ControlRequest.SetDebug:
                int before = parts.Console.DebugLevel;
                if (NumberAt(fields, 2) is >= 0 and { } level)
                    parts.Console.DebugLevel = level;
                return before;
            case ControlRequest.Disconnect when fields.Length > 2:
                return parts.Mesh.Disconnect(fields[2], now) ? Done : NotConnected;
            default:
                return Refused;
        }
    }

    private IEnumerable<string> Rows(ControlRequest type) => type switch
    {
        ControlRequest.DumpNodes => NodeRows(),
        ControlRequest.DumpEdges => parts.Mesh.EdgeRows().Select(ControlText.Edge),
        ControlRequest.DumpSubnets => SubnetRows(),
        ControlRequest.DumpConnections => parts.Mesh.ConnectionRows()
            .Select(row => ControlText.Connection(row, parts.Sockets.DescriptorOf(row.Id)))
            .Concat(clients().Select(ControlText.Connection)),
        _ => parts.Mesh.NodeRows().Select(row => ControlText.Traffic(row.Node, parts.Plane.TrafficOf(row.Node.Id))),
    };

    private IEnumerable<string> NodeRows()
    {
        (long unixTime, Instant now) = (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), MonotonicClock.Now);
        foreach (NodeRow row in parts.Mesh.NodeRows())
        {
            long flipped = row.Flipped is { } then ? (unixTime - (long)(now - then).TotalMilliseconds) / 1000 : 0;
            yield return ControlText.Node(row, flipped, parts.Plane.TrafficOf(row.Node.Id));
        }
    }

    private IEnumerable<string> SubnetRows() => parts.Mesh.SubnetRows()
        .Select(owned => (owned.Subnet, Owner: (Node?)owned.Owner))
        .Concat(s_broadcast.Select(subnet => (Subnet: subnet, Owner: (Node?)null)))
        .OrderBy(row => row.Subnet)
        .Select(row => ControlText.Subnet(row.Subnet, row.Owner));

    /// <summary><c>18 15 [LEVEL [COLOR]]</c>; only clients newer than 1.1pre18 send the last.</summary>
    private static void Watch(ControlSession session, string[] fields)
    {
        session.LogLevel = Math.Clamp(NumberAt(fields, 2) ?? -1, -1, 10);
        session.LogForm = NumberAt(fields, 3) switch
        {
            null => ControlLogForm.Plain,
            0 => ControlLogForm.Dated,
            _ => ControlLogForm.Coloured,
        };
    }

    private static int? NumberAt(string[] fields, int index) =>
        index < fields.Length && int.TryParse(fields[index], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;
}

/// <summary>JSON of speed tests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SpeedReport))]
public sealed partial class SpeedJson : JsonSerializerContext;
