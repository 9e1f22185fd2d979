namespace FastMesh.Engine.Daemon.Status;

/// <summary>
/// All that there is to see of a running daemon at one moment. Taken by <see cref="StatusSource"/>, carried by the control socket as JSON
/// (docs/schemas/status.json); everything that shows the daemon's state is a view of it. Units are in the names; counts go on from the start.
/// </summary>
public sealed record DaemonStatus
{
    /// <summary>When it was taken.</summary>
    public required DateTime Time { get; init; }

    /// <summary>The daemon as a program.</summary>
    public required ProgramStatus Daemon { get; init; }

    /// <summary>The virtual network device.</summary>
    public required DeviceStatus Device { get; init; }

    /// <summary>Where it listens, TCP and UDP on the same port.</summary>
    public required IReadOnlyList<AddressStatus> Listeners { get; init; }

    /// <summary>Sums of all shards and the control loop.</summary>
    public required CounterStatus Totals { get; init; }

    /// <summary>Each shard's own counters.</summary>
    public required IReadOnlyList<ShardStatus> Shards { get; init; }

    /// <summary>What the control loop counts.</summary>
    public required ControlLoopStatus ControlLoop { get; init; }

    /// <summary>Handshakes since the start, by result.</summary>
    public required IReadOnlyList<HandshakeStatus> Handshakes { get; init; }

    /// <summary>Scripts since the start, by how they ended.</summary>
    public required IReadOnlyDictionary<string, long> Scripts { get; init; }

    /// <summary>All nodes by name, the own one among them.</summary>
    public required IReadOnlyList<NodeStatus> Nodes { get; init; }

    /// <summary>All edges by the names of both ends.</summary>
    public required IReadOnlyList<EdgeStatus> Edges { get; init; }

    /// <summary>All subnets in the order in which they are looked up.</summary>
    public required IReadOnlyList<SubnetStatus> Subnets { get; init; }

    /// <summary>The nodes that this one is to be connected with, by ConnectTo or AutoConnect.</summary>
    public IReadOnlyList<DialStatus> Dials { get; init; } = [];

    /// <summary>All meta connections, the oldest first.</summary>
    public required IReadOnlyList<ConnectionStatus> Connections { get; init; }
}

/// <summary>The daemon as a program.</summary>
public sealed record ProgramStatus
{
    /// <summary>FastMesh's version.</summary>
    public required string Version { get; init; }

    /// <summary>Own node name.</summary>
    public required string Name { get; init; }

    /// <summary>Net name, or null without one.</summary>
    public string? Net { get; init; }

    /// <summary>Where the configuration is.</summary>
    public required string ConfigDirectory { get; init; }

    /// <summary>Process number.</summary>
    public required int Pid { get; init; }

    /// <summary>When it was ready.</summary>
    public required DateTime Started { get; init; }

    /// <summary>Seconds since then.</summary>
    public required long UptimeSeconds { get; init; }

    /// <summary>How frames find their way: router, switch or hub.</summary>
    public required string Mode { get; init; }

    /// <summary>The meta protocol's version that peers are offered: 17.7, or 17.0 without an Ed25519 key.</summary>
    public required string Protocol { get; init; }

    /// <summary>Debug level, 0 to 5.</summary>
    public required int DebugLevel { get; init; }

    /// <summary>How packets are moved: mmsg or uring.</summary>
    public required string Io { get; init; }

    /// <summary>Which library computes what, in one line.</summary>
    public required string CryptoLibraries { get; init; }

    /// <summary>Data path threads.</summary>
    public required int Workers { get; init; }

    /// <summary>Processors that these are pinned to; empty: not pinned.</summary>
    public required IReadOnlyList<int> Cpus { get; init; }

    /// <summary>The user it became at the start, or null.</summary>
    public string? User { get; init; }
}

/// <summary>The virtual network device.</summary>
public sealed record DeviceStatus
{
    /// <summary>tun, tap, dummy, fd, rawSocket or multicast.</summary>
    public required string Kind { get; init; }

    /// <summary>The device, such as /dev/net/tun.</summary>
    public required string Device { get; init; }

    /// <summary>The interface's name, or empty if there is none.</summary>
    public required string Interface { get; init; }

    /// <summary>The interface's MTU now, or null if it has none.</summary>
    public int? MtuBytes { get; init; }

    /// <summary>What the kernel does for many packets at once, in the words of --no-offload: of the device vnet, csum, tso, ecn, uso; of sockets gso, gro.</summary>
    public required IReadOnlyList<string> Offloads { get; init; }

    /// <summary>What the daemon itself has set up, each as one would write it: "address 10.0.0.1/24", "route 10.1.0.0/16", "mtu 1400".</summary>
    public required IReadOnlyList<string> Provisioned { get; init; }
}

/// <summary>An address and a port.</summary>
/// <param name="Address">Numeric address, or what a peer has sent as one.</param>
/// <param name="Port">Port number, as text because peers may send any.</param>
public sealed record AddressStatus(string Address, string Port);

/// <summary>Counters of the data path.</summary>
public sealed record CounterStatus
{
    /// <summary>Packets read from the device; a super-packet counts once.</summary>
    public required long DevicePacketsIn { get; init; }

    /// <summary>Bytes read from the device.</summary>
    public required long DeviceBytesIn { get; init; }

    /// <summary>Packets written to the device; a super-packet counts once.</summary>
    public required long DevicePacketsOut { get; init; }

    /// <summary>Bytes written to the device.</summary>
    public required long DeviceBytesOut { get; init; }

    /// <summary>Datagrams received.</summary>
    public required long DatagramsIn { get; init; }

    /// <summary>Datagrams sent.</summary>
    public required long DatagramsOut { get; init; }

    /// <summary>Trains that the kernel refused and that were sent as single datagrams instead.</summary>
    public required long TrainsRefused { get; init; }

    /// <summary>Packets dropped, by every reason there is.</summary>
    public required IReadOnlyDictionary<string, long> DroppedPackets { get; init; }
}

/// <summary>One shard.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Cpu">The processor it is pinned to, or null.</param>
/// <param name="Counters">What it has counted.</param>
/// <param name="Turns">Times that it has looked for work.</param>
/// <param name="Batches">How many packets it handled together.</param>
public sealed record ShardStatus(int Index, int? Cpu, CounterStatus Counters, long Turns, IReadOnlyList<BatchStatus> Batches);

/// <summary>How many packets a shard handled together.</summary>
/// <param name="Kind">deviceRead: read from the device in one turn; receive: received in one look at a socket; send: given to a socket at once.</param>
/// <param name="Counts">Batches of up to 1, 2, 4 ... 512 packets, and of more; not added up.</param>
/// <param name="Packets">The packets of all batches.</param>
public sealed record BatchStatus(string Kind, IReadOnlyList<long> Counts, long Packets);

/// <summary>What the control loop counts.</summary>
/// <param name="TurnCounts">Turns that took up to 125 microseconds, twice that ... 2.048 seconds, and longer; not added up.</param>
/// <param name="BusySeconds">The time of all turns together.</param>
/// <param name="DroppedPackets">Packets that it could not hand to a shard, by reason.</param>
public sealed record ControlLoopStatus(IReadOnlyList<long> TurnCounts, double BusySeconds, IReadOnlyDictionary<string, long> DroppedPackets);

/// <summary>Handshakes with one result.</summary>
/// <param name="Kind">meta: of a meta connection; session: of keys for packets to a node.</param>
/// <param name="Result">Of meta: activated, refused, aborted or unreachable; of session: established or refused.</param>
/// <param name="Count">How many.</param>
public sealed record HandshakeStatus(string Kind, string Result, long Count);

/// <summary>An edge: the statement of a node that it has a connection to another.</summary>
/// <param name="From">Who says so.</param>
/// <param name="To">The other end.</param>
/// <param name="Address">Where From sees To, or null if it does not say.</param>
/// <param name="LocalAddress">From's own address on the connection, or null if it does not say.</param>
/// <param name="Options">Option bits.</param>
/// <param name="Weight">Milliseconds, or as configured; lower is nearer.</param>
public sealed record EdgeStatus(string From, string To, AddressStatus? Address, AddressStatus? LocalAddress, uint Options, int Weight);

/// <summary>A subnet.</summary>
/// <param name="Subnet">In tinc's form, without weight.</param>
/// <param name="Owner">The node it belongs to.</param>
/// <param name="Weight">Lower is preferred.</param>
/// <param name="ExpiresSeconds">When a learned address of the own node will be forgotten unless it is seen again, or null.</param>
public sealed record SubnetStatus(string Subnet, string Owner, int Weight, long? ExpiresSeconds);

/// <summary>A meta connection.</summary>
public sealed record ConnectionStatus
{
    /// <summary>The peer's name, or null while it is not known.</summary>
    public string? Name { get; init; }

    /// <summary>The other end.</summary>
    public required AddressStatus Remote { get; init; }

    /// <summary>How far it is: connecting, handshake, active or ending.</summary>
    public required string State { get; init; }

    /// <summary>Whether this node opened it.</summary>
    public required bool Outgoing { get; init; }

    /// <summary>When it was made or begun.</summary>
    public required DateTime Since { get; init; }

    /// <summary>Version of the meta protocol that counts on it: 17.0 or higher; null before the peer has said its own.</summary>
    public string? Protocol { get; init; }

    /// <summary>Whether requests travel in SPTPS records; otherwise in tinc 1.0's cipher.</summary>
    public required bool IsSptps { get; init; }

    /// <summary>Option bits agreed on.</summary>
    public required uint Options { get; init; }

    /// <summary>The kernel's smoothed round trip time of the TCP connection, or null if it has measured none.</summary>
    public long? RttMicroseconds { get; init; }

    /// <summary>Whether a PING waits for its PONG.</summary>
    public required bool AwaitsPong { get; init; }

    /// <summary>Bytes received.</summary>
    public required long BytesIn { get; init; }

    /// <summary>Bytes sent.</summary>
    public required long BytesOut { get; init; }

    /// <summary>Bytes that wait to be sent.</summary>
    public required int PendingBytes { get; init; }
}
