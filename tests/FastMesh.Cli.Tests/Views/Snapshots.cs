using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Cli.Tests.Views;

/// <summary>A snapshot made by hand: a mesh of every generation, each node in another state.</summary>
internal static class Snapshots
{
    private static readonly DateTime s_time = new(2026, 11, 22, 12, 0, 0, DateTimeKind.Utc);

    public static DaemonStatus Mesh => new()
    {
        Time = s_time,
        Daemon = new()
        {
            Version = "0.1.0",
            Name = "alpha",
            Net = "demo",
            ConfigDirectory = "/etc/tinc/demo",
            Pid = 4711,
            Started = s_time.AddSeconds(-11_520),
            UptimeSeconds = 11_520,
            Mode = "router",
            Protocol = "17.7",
            DebugLevel = 0,
            Io = "mmsg",
            CryptoLibraries = "OpenSSL",
            Workers = 1,
            Cpus = [],
        },
        Device = new()
        {
            Kind = "tun",
            Device = "/dev/net/tun",
            Interface = "demo",
            MtuBytes = 1500,
            Offloads = ["vnet", "csum", "tso", "gso", "gro"],
            Provisioned = ["address 10.20.1.1/16", "mtu 1500"],
        },
        Listeners = [new("0.0.0.0", "655"), new("::", "655")],
        Totals = Counters(("noSubnet", 12), ("sendFailed", 3), ("noKey", 0)),
        Shards = [new(0, null, Counters(), 0, [])],
        ControlLoop = new([], 0, new Dictionary<string, long>()),
        Handshakes = [],
        Scripts = new Dictionary<string, long>(),
        Nodes =
        [
            Node("alpha", new(PathKind.Self, null, PathReason.None, null), NodeProtocol.FastMesh) with { IsSelf = true, Traffic = Traffic(2000, 3000) },
            Node("beta", new(PathKind.Direct, null, PathReason.None, 1435), NodeProtocol.FastMesh) with
            {
                Session = new("AES-256-GCM, X25519 + ML-KEM-768", s_time, 99, true), UdpRttMicroseconds = 412, Traffic = Traffic(1_234_567_890, 56_789),
                DroppedPackets = new Dictionary<string, long> { ["sendFailed"] = 1 },
            },
            Node("delta", new(PathKind.Relay, "beta", PathReason.NoReply, 1400), NodeProtocol.Sptps) with
            {
                Session = new("ChaCha20-Poly1305", s_time, 1, true), Traffic = Traffic(800, 0),
                Mtu = new(1518, 1400, 1518, MtuState.Discovering), DroppedPackets = new Dictionary<string, long> { ["sendFailed"] = 2 },
            },
            Node("epsilon", new(PathKind.Unreachable, null, PathReason.None, null), NodeProtocol.Legacy) with { Reachable = false, Since = s_time.AddMinutes(-3) },
            Node("gamma", new(PathKind.Tcp, null, PathReason.TcpOnlyThere, null), NodeProtocol.Legacy) with { Session = new("AES-256-CBC with SHA-256/4", s_time, 1, false) },
            Node("zeta", new(PathKind.Idle, null, PathReason.NoSession, null), NodeProtocol.FastMesh),
        ],
        Edges =
        [
            new("alpha", "beta", new("192.0.2.2", "655"), null, 0xc, 30), new("beta", "alpha", new("192.0.2.1", "655"), null, 0xc, 30),
            new("beta", "delta", new("192.0.2.4", "655"), null, 0xc, 100), new("delta", "beta", null, null, 0xc, 120),
            new("beta", "zeta", null, null, 0xc, 7),
        ],
        Subnets = [new("10.20.1.0/24", "alpha", 10, null), new("10.20.2.0/24", "beta", 10, null)],
        Connections =
        [
            new()
            {
                Name = "gamma", Remote = new("192.0.2.3", "655"), State = "active", Outgoing = true, Since = s_time, IsSptps = false, Options = 0xc,
                RttMicroseconds = 12_345, AwaitsPong = false, BytesIn = 1, BytesOut = 2, PendingBytes = 0,
            },
        ],
    };

    private static CounterStatus Counters(params (string Reason, long Count)[] drops) => new()
    {
        DevicePacketsIn = 1,
        DeviceBytesIn = 2,
        DevicePacketsOut = 3,
        DeviceBytesOut = 4,
        DatagramsIn = 5,
        DatagramsOut = 6,
        TrainsRefused = 0,
        DroppedPackets = drops.ToDictionary(drop => drop.Reason, drop => drop.Count),
    };

    private static NodeStatus Node(string name, PathStatus path, NodeProtocol protocol) => new()
    {
        Name = name,
        Id = "000000000000",
        IsSelf = false,
        Reachable = true,
        Protocol = protocol,
        MetaProtocol = "17.7",
        Path = path,
        Mtu = new(1435, 1435, 1435, MtuState.Confirmed),
        Distance = 1,
        Options = 0xc,
        StatusBits = 0,
        HasConnection = false,
        TakesTrains = true,
        Traffic = Traffic(0, 0),
    };

    private static TrafficStatus Traffic(long bitsIn, long bitsOut) => new(10, bitsIn, 20, bitsOut, bitsIn, bitsOut, bitsIn / 1000, bitsOut / 1000);
}
