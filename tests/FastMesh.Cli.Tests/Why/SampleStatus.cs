using FastMesh.Cli.Why;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Cli.Tests.Why;

/// <summary>Snapshots made by hand: the node alpha, seen at noon, and others.</summary>
internal static class SampleStatus
{
    public static readonly DateTime Noon = new(2026, 1, 2, 12, 0, 0, DateTimeKind.Utc);

    public static NetFiles NoFiles { get; } = new() { Directory = new("/nowhere", []) };

    public static NodeStatus Node(string name, PathKind kind = PathKind.Direct, PathReason reason = PathReason.None, string? by = null) => PathExplainer.Absent(name) with
    {
        Reachable = kind != PathKind.Unreachable,
        IsSelf = kind == PathKind.Self,
        Since = Noon.AddMinutes(-10),
        Protocol = NodeProtocol.FastMesh,
        Path = new(kind, by, reason, kind is PathKind.Direct or PathKind.Relay ? 1435 : null),
        UdpAddress = new("192.0.2.7", "655"),
        Mtu = new(1435, 1421, 1421, MtuState.Confirmed),
        NextHop = by ?? name,
        Via = by ?? name,
        Distance = by is null ? 1 : 2,
        Options = 0x1000c,
        HasConnection = by is null,
        Session = new("AES-256-GCM, X25519", Noon.AddMinutes(-5), 1000, true) { Strength = new("AES-256-GCM", 256, 128, false) },
        Probes = new(Noon.AddSeconds(-4), Noon.AddSeconds(-4), null, 0),
    };

    public static DaemonStatus Of(params NodeStatus[] nodes) => new()
    {
        Time = Noon,
        Daemon = new()
        {
            Version = "1",
            Name = "alpha",
            ConfigDirectory = "/etc/tinc/net",
            Pid = 1,
            Started = Noon.AddHours(-1),
            UptimeSeconds = 3600,
            Mode = "router",
            Protocol = "17.7",
            DebugLevel = 0,
            Io = "mmsg",
            CryptoLibraries = "",
            Workers = 1,
            Cpus = [],
        },
        Device = new() { Kind = "tun", Device = "/dev/net/tun", Interface = "tun0", Offloads = ["vnet", "csum", "tso", "ecn", "gso", "gro"], Provisioned = [] },
        Listeners = [new("0.0.0.0", "6550")],
        Totals = Counters,
        ControlLoop = new([], 0, new Dictionary<string, long>()),
        Handshakes = [],
        Scripts = new Dictionary<string, long>(),
        Shards = [],
        Nodes = [Node("alpha", PathKind.Self), .. nodes],
        Edges = [],
        Subnets = [],
        Connections = [],
    };

    private static CounterStatus Counters => new()
    {
        DevicePacketsIn = 0,
        DeviceBytesIn = 0,
        DevicePacketsOut = 0,
        DeviceBytesOut = 0,
        DatagramsIn = 0,
        DatagramsOut = 0,
        TrainsRefused = 0,
        DroppedPackets = new Dictionary<string, long>(),
    };
}
