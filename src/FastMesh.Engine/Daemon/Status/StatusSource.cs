using System.Collections.ObjectModel;
using System.Globalization;
using System.Reflection;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon.Status;

/// <summary>
/// Takes snapshots of a daemon. Control thread only, because it owns the mesh; the shards' counters are read as they stand, which costs
/// the shards nothing.
/// </summary>
internal sealed class StatusSource
{
    private static readonly (HandshakeResult Result, string Kind, string Name)[] s_handshakes =
    [
        (HandshakeResult.MetaActivated, "meta", "activated"), (HandshakeResult.MetaRefused, "meta", "refused"),
        (HandshakeResult.MetaAborted, "meta", "aborted"), (HandshakeResult.MetaUnreachable, "meta", "unreachable"),
        (HandshakeResult.SessionEstablished, "session", "established"), (HandshakeResult.SessionRefused, "session", "refused"),
    ];

    private readonly Mesh _mesh;
    private readonly DataPlane _plane;
    private readonly VpnDevice _device;
    private readonly Provisioning _provisioning;
    private readonly Listeners _listeners;
    private readonly MetaSockets _sockets;
    private readonly IDaemonConsole _console;
    private readonly Func<DaemonOptions> _options;
    private readonly Throughput _throughput;
    private readonly Instant _started;
    private readonly DateTime _startedTime = DateTime.UtcNow;
    private readonly Func<int, NodeCounters> _counters;
    private readonly Scripts _scripts;
    private readonly TimeHistogram _turns;

    /// <summary>Prepares. The parts stay the caller's.</summary>
    /// <param name="parts">What is looked at.</param>
    /// <param name="sockets">The meta connections' streams.</param>
    /// <param name="console">The debug level.</param>
    /// <param name="options">The options in force.</param>
    /// <param name="turns">How long the control loop's turns took.</param>
    /// <param name="now">Current time: the daemon is ready.</param>
    public StatusSource(
        ControlLoopParts parts, MetaSockets sockets, IDaemonConsole console, Func<DaemonOptions> options, TimeHistogram turns, Instant now)
    {
        (_mesh, _plane, _device, _provisioning, _listeners) = (parts.Mesh, parts.Plane, parts.Device, parts.Provisioning, parts.Listeners);
        (_sockets, _console, _options, _started, _throughput) = (sockets, console, options, now, new(now));
        (_counters, _scripts, _turns) = (_plane.TrafficOf, parts.Scripts, turns);
    }

    /// <summary>FastMesh's version.</summary>
    public static string Version { get; } =
        typeof(StatusSource).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>To be called now and then, so that rates are those of the last seconds.</summary>
    public void Tend(Instant now) => _throughput.Tend(_mesh.NodeIdLimit, _counters, now);

    /// <summary>Takes a snapshot.</summary>
    public DaemonStatus Take(Instant now)
    {
        DateTime time = DateTime.UtcNow;
        return new()
        {
            Time = time,
            Daemon = TakeProgram(time, now),
            Device = TakeDevice(),
            Listeners = [.. _listeners.Udp.Select(listener => AddressOf(listener.Local)!)],
            Totals = CountersOf(_plane.Counters),
            Shards = [.. _plane.PerShard.Select((counters, index) => TakeShard(index, counters))],
            ControlLoop = TakeControlLoop(),
            Handshakes = [.. s_handshakes.Select(entry => new HandshakeStatus(entry.Kind, entry.Name, _mesh.Handshakes[entry.Result]))],
            Scripts = _scripts.Counts,
            Nodes = [.. _mesh.NodeRows().Select(row => TakeNode(row, time, now))],
            Edges = [.. _mesh.EdgeRows().Select(TakeEdge)],
            Subnets = [.. _mesh.SubnetRows().Select(owned => TakeSubnet(owned, now))],
            Dials = [.. _mesh.DialRows().Select(row => TakeDial(row, time, now))],
            Connections = [.. _mesh.ConnectionRows().Select(row => TakeConnection(row, time, now))],
        };
    }

    private ProgramStatus TakeProgram(DateTime time, Instant now)
    {
        DaemonOptions options = _options();
        return new()
        {
            Version = Version,
            Name = options.Mesh.Name,
            Net = options.NetName.Length == 0 ? null : options.NetName,
            ConfigDirectory = options.ConfigDirectory,
            Pid = Environment.ProcessId,
            Started = _startedTime,
            UptimeSeconds = (long)(now - _started).TotalSeconds,
            Mode = NameOf(options.Mesh.Forwarding.Mode),
            Protocol = VersionOf(options.Mesh.SpeaksSptps ? 7 : 0),
            DebugLevel = _console.DebugLevel,
            Io = _plane.UsesUring ? "uring" : "mmsg",
            CryptoLibraries = Encryption.Description,
            Workers = options.DataPlane.Shards,
            Cpus = options.DataPlane.Cpus,
            User = options.User,
        };
    }

    private DeviceStatus TakeDevice()
    {
        int mtu = _device.Kind is DeviceKind.Dummy || _device.Interface.Length == 0 ? 0 : NetworkInterface.Mtu(_device.Interface);
        return new()
        {
            Kind = NameOf(_device.Kind),
            Device = _device.Device,
            Interface = _device.Interface,
            MtuBytes = mtu > 0 ? mtu : null,
            Offloads = (_device.Offloads | _plane.SocketOffloads).Names(),
            Provisioned = [.. _provisioning.Done.Select(step => step.ToString())],
        };
    }

    private NodeStatus TakeNode(in NodeRow row, DateTime time, Instant now)
    {
        Node node = row.Node;
        bool isSelf = node == _mesh.OwnNode;
        Peer? details = _mesh.DetailsOf(node);
        NodePath path = _mesh.PathTo(node, now);
        return new()
        {
            Name = node.Name,
            Id = node.RelayId.ToString(),
            IsSelf = isSelf,
            Reachable = node.Reachable,
            Since = row.Flipped is { } flipped ? time - (now - flipped) : null,
            Protocol = !isSelf ? node.Protocol : _options().Mesh.Identity is null ? NodeProtocol.Legacy : NodeProtocol.FastMesh,
            MetaProtocol = VersionOf((int)((uint)row.Options >> 24)),
            Session = _mesh.SessionWith(node) is { } session
                ? new(session.Suite, session.Since is { } since ? time - (now - since) : null, session.PacketsSinceKey, node.Protocol != NodeProtocol.Legacy)
                {
                    Strength = _mesh.StrengthOf(node) is { } strength ? new(strength.Cipher, strength.KeyBits, strength.MacBits, strength.PostQuantum) : null,
                }
                : null,
            Path = new(path.Kind, path.By, path.Reason, LongestPacket(node, path)),
            UdpAddress = isSelf ? null : AddressOf(node.Address),
            Mtu = new(node.Mtu, node.MinMtu, node.MaxMtu, node.MinMtu == 0 ? MtuState.Unknown
                : node.MinMtu < node.MaxMtu ? MtuState.Discovering : MtuState.Confirmed),
            UdpRttMicroseconds = node.Rtt is { } roundTrip ? (long)roundTrip.TotalMicroseconds : null,
            RoundTrips = node.RoundTrips is { } trips ? new(trips.Counts, trips.Sum.TotalSeconds) : null,
            NextHop = node.NextHop?.Name,
            Via = node.Via?.Name,
            Distance = node.Distance,
            PathWeight = node.Reachable ? node.PathWeight : null,
            Options = (uint)row.Options,
            StatusBits = (uint)row.Status,
            HasConnection = node.HasConnection,
            TakesTrains = node.TakesTrains,
            TrainsRefused = details?.TrainsRefused is { } refusal ? new(TimeOf(refusal.At, time, now), Errno.Message(refusal.Errno)) : null,
            Probes = details is null || isSelf ? null : TakeProbes(details.Probes, time, now),
            SeenBy = details?.SeenBy,
            Traffic = TakeTraffic(node.Id, now),
            DroppedPackets = ByName(_plane.DropsOf(node.Id)),
        };
    }

    /// <summary>As <see cref="PeerSender"/> reckons it: a session's datagrams must fit the hop, frames of tinc 1.0 have to themselves.</summary>
    private int? LongestPacket(Node node, NodePath path)
    {
        string hopName = path.By ?? node.Name;
        if (path.Kind is not (PathKind.Direct or PathKind.Relay) || _plane.Find(node.Id) is not { } peer
            || _mesh.FindNode(hopName) is not { } hopNode || _plane.Find(hopNode.Id) is not { } hop)
            return null;
        bool isProven = (hop.Options & EdgeOptions.PmtuDiscovery) != 0;
        int frame = peer.HasIds && hop.HasIds ? hop.MaxDatagram - peer.Overhead : isProven ? hop.MinMtu : Node.MaxFrameLength;
        return Math.Clamp(frame, EthernetFrame.HeaderLength, Node.MaxFrameLength) - EthernetFrame.HeaderLength;
    }

    private static ProbeStatus TakeProbes(ProbeHistory probes, DateTime time, Instant now) => new(
        TimeOf(probes.Sent, time, now), TimeOf(probes.Answered, time, now), TimeOf(probes.UnansweredSince, time, now), probes.Unanswered);

    private static DialStatus TakeDial(DialRow row, DateTime time, Instant now) => new(
        row.Name, row.IsChosen, row.IsConnected, row.IsConnected ? null : TimeOf(row.NextAttempt, time, now),
        [.. row.Failures.Select(failure => new FailureStatus(failure.Address, TimeOf(failure.At, time, now), failure.Error))]);

    private static DateTime TimeOf(Instant at, DateTime time, Instant now) => time - (now - at);

    private static DateTime? TimeOf(Instant? at, DateTime time, Instant now) => at is { } known ? TimeOf(known, time, now) : null;

    private TrafficStatus TakeTraffic(int node, Instant now)
    {
        NodeCounters counters = _plane.TrafficOf(node);
        NodeRates rates = _throughput.RatesOf(node, counters, now);
        return new(
            counters.PacketsIn, counters.BytesIn, counters.PacketsOut, counters.BytesOut, rates.BitsIn, rates.BitsOut, rates.PacketsIn, rates.PacketsOut);
    }

    private static EdgeStatus TakeEdge(Edge edge) => new(
        edge.From.Name, edge.To.Name,
        edge.AddressText.Address is "unknown" or "unspec" ? null : new(edge.AddressText.Address, edge.AddressText.Port),
        AddressOf(edge.LocalAddress), (uint)edge.Options, edge.Weight);

    private SubnetStatus TakeSubnet(OwnedSubnet owned, Instant now) => new(
        owned.Subnet.NetworkText, owned.Owner.Name, owned.Subnet.Weight,
        _mesh.ExpiryOf(owned) is { } expiry ? Math.Max(0, (long)(expiry - now).TotalSeconds) : null);

    private ConnectionStatus TakeConnection(in ConnectionRow row, DateTime time, Instant now)
    {
        MetaConnection connection = row.Connection;
        MetaSocket? socket = _sockets.Find(row.Id);
        return new()
        {
            Name = row.Name,
            Remote = AddressOf(row.Remote) ?? new("unknown", "unknown"),
            State = connection.State switch
            {
                MetaState.Connecting or MetaState.Proxy => "connecting",
                MetaState.Active => "active",
                MetaState.Ending => "ending",
                _ => "handshake",
            },
            Outgoing = connection.Initiator,
            Since = time - (now - connection.Created),
            Protocol = connection.State > MetaState.Id ? VersionOf(connection.Minor) : null,
            IsSptps = connection.IsSptps,
            Options = (uint)row.Options,
            RttMicroseconds = socket?.RoundTripMicroseconds,
            AwaitsPong = connection.Pinged,
            BytesIn = socket?.BytesIn ?? 0,
            BytesOut = socket?.BytesOut ?? 0,
            PendingBytes = connection.PendingLength,
        };
    }

    private int? CpuOf(int shard) => _options().DataPlane.Cpus is { Count: > 0 } cpus ? cpus[shard % cpus.Count] : null;

    private static CounterStatus CountersOf(DataPlaneCounters counters) => new()
    {
        DevicePacketsIn = counters.DevicePacketsIn,
        DeviceBytesIn = counters.DeviceBytesIn,
        DevicePacketsOut = counters.DevicePacketsOut,
        DeviceBytesOut = counters.DeviceBytesOut,
        DatagramsIn = counters.DatagramsIn,
        DatagramsOut = counters.DatagramsOut,
        TrainsRefused = counters.TrainsRefused,
        DroppedPackets = ByName(counters.Drops),
    };

    private static IReadOnlyDictionary<string, long> ByName(IReadOnlyList<KeyValuePair<string, long>> drops) => drops.Count == 0
        ? ReadOnlyDictionary<string, long>.Empty
        : new SortedDictionary<string, long>(drops.ToDictionary(drop => CamelCase(drop.Key), drop => drop.Value), StringComparer.Ordinal);

    private ShardStatus TakeShard(int index, DataPlaneCounters counters) => new(index, CpuOf(index), CountersOf(counters), _plane.Turns[index],
        [.. Enum.GetValues<BatchKind>().Select(kind =>
        {
            (long[] counts, long sum) = _plane.BatchSizes(index, kind);
            return new BatchStatus(NameOf(kind), counts, sum);
        })]);

    private ControlLoopStatus TakeControlLoop() => new(_turns.Counts, _turns.Sum.TotalSeconds, CountersOf(_plane.ControlCounters).DroppedPackets);

    private static AddressStatus? AddressOf(Endpoint endpoint) =>
        endpoint.IsSet ? new(endpoint.AddressText, endpoint.Port.ToString(CultureInfo.InvariantCulture)) : null;

    private static string VersionOf(int minor) => string.Create(CultureInfo.InvariantCulture, $"17.{minor}");

    private static string NameOf<T>(T value)
        where T : struct, Enum => CamelCase(value.ToString());

    private static string CamelCase(string name) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(name);
}
