using System.Runtime.InteropServices;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>How the shards run.</summary>
public sealed record DataPlaneSettings
{
    /// <summary>
    /// Number of shards (<c>--workers</c>). They share the traffic with each FastMesh node that has several too (<see cref="Crypto.Lanes"/>), and the nodes of
    /// other kinds. One busy flow is the fastest with one: with more, the kernel hashes each packet to find its queue.
    /// </summary>
    public int Shards { get; init; } = 1;

    /// <summary>CPUs to pin shards to, in turn (<c>--cpus</c>); empty: not pinned.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [];

    /// <summary>What the kernel may do for many packets at once (<c>--no-offload</c> leaves out).</summary>
    public Offloads Offloads { get; init; } = Offloads.All;

    /// <summary>How packets are read and written (<c>--io</c>).</summary>
    public PacketIo Io { get; init; }

    /// <summary>
    /// Shards for <c>--workers auto</c>: one per two processors, because each packet that a shard moves costs the kernel and whoever sends or
    /// receives it as much again, on other processors if there are any; so two processors get one shard. No more than eight: between any two
    /// there is a ring of 4 MB.
    /// </summary>
    /// <param name="processors">Processors that the daemon may use.</param>
    public static int ShardsFor(int processors) => Math.Clamp(processors / 2, 1, 8);
}

/// <summary>
/// All shards of the daemon, seen from the control loop. Everything here is called by the control thread only; it talks to the
/// shards by one published table and bounded rings, and never waits for them.
/// </summary>
public sealed class DataPlane : IDisposable
{
    // Reports: a megabyte, some milliseconds of TCP fallback at full speed. Orders: four, because a relay hands over all that one shard reads for a
    // session of another, and that one may have to wait for its processor.
    private const int OrderCapacity = 2048, ReportCapacity = 512;
    private const int ControlSender = 0;

    private readonly DataPlaneSettings _settings;
    private readonly VpnDevice _device;
    private readonly IReadOnlyList<UdpListener> _listeners;
    private readonly Func<Instant> _clock;
    private readonly EngineLog _log;
    private readonly ShardMailbox<ReportHeader> _reports;
    private readonly ShardMailbox<ShardOrder>[] _orders;
    private readonly Shard[] _shards;
    private readonly Thread[] _threads;
    private readonly UringPoller[] _rings; // one per shard, or none
    private readonly ShardCounters _control = new(); // what the control thread itself drops
    private readonly NodeTraffic _controlTraffic = new();
    private NodeTraffic[] _traffic = []; // of all threads
    private ForwardingTable? _table;
    private long[] _turnsSeen = []; // by the last roll call

    /// <summary>
    /// Prepares the shards. The device and the listeners stay the caller's. Throws <see cref="IOException"/> if the settings want rings and there are none.
    /// </summary>
    /// <param name="settings">How many, where.</param>
    /// <param name="device">The device, with one queue per shard or one in all.</param>
    /// <param name="listeners">The UDP listeners; a listener's index is the socket index in routes and reports.</param>
    /// <param name="clock">The monotonic clock; called once per turn.</param>
    /// <param name="log">For start-up facts and failures.</param>
    public DataPlane(
        DataPlaneSettings settings, VpnDevice device, IReadOnlyList<UdpListener> listeners, Func<Instant> clock, EngineLog log)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(listeners);
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.Shards, 1, nameof(settings));
        (_settings, _device, _listeners, _clock, _log) = (settings, device, listeners, clock, log);
        _reports = new(settings.Shards, ReportCapacity);
        _orders = [.. Enumerable.Range(0, settings.Shards).Select(_ => new ShardMailbox<ShardOrder>(1 + settings.Shards, OrderCapacity))];
        _shards = new Shard[settings.Shards];
        _threads = new Thread[settings.Shards];
        _rings = settings.Io == PacketIo.Uring ? MakeRings(settings.Shards, listeners.Count + 2) : [];
    }

    /// <summary>A descriptor that is readable while reports wait.</summary>
    public int ReportDescriptor => _reports.Descriptor;

    /// <summary>Starts the threads with the first table.</summary>
    public void Start(ForwardingTable table)
    {
        Publish(table);
        DeviceTraits traits = _device.Traits(table.Options.Mode);
        for (int i = 0; i < _shards.Length; i++)
            _shards[i] = MakeShard(i, table, traits);
        _traffic = [.. _shards.Select(shard => shard.State.Traffic), _controlTraffic];
        for (int i = 0; i < _shards.Length; i++)
        {
            int index = i;
            _threads[i] = new Thread(() => Run(index)) { IsBackground = true, Name = $"fastmesh/{i}" };
            _threads[i].Start();
        }

        _log.Always.PacketIo(_rings.Length > 0 ? "io_uring" : "plain system calls");
    }

    /// <summary>Makes a new table the current one for turns that start from now on.</summary>
    public void Publish(ForwardingTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        _controlTraffic.Reserve(table.IdLimit);
        Volatile.Write(ref _table, table);
    }

    /// <summary>A node as the shards see it, or null.</summary>
    internal PeerRoute? Find(int node) => _table?.Find(node);

    /// <summary>Takes the next report; false when none waits (and then the descriptor is no longer readable).</summary>
    public bool TryTakeReport(out ShardReport report)
    {
        do
        {
            if (_reports.TryTake(out ReportHeader header, out Span<byte> bytes))
            {
                report = new ShardReport
                {
                    Kind = header.Kind,
                    Node = header.Node,
                    KeyNeededFor = header.KeyNeededFor,
                    Socket = header.Socket,
                    Length = header.Length,
                    Source = header.Source,
                    Bytes = bytes,
                };
                return true;
            }
        }
        while (!_reports.TryRest());

        report = default;
        return false;
    }

    /// <summary>Routes a frame that arrived by TCP from node <paramref name="from"/>. Dropped and counted if the ring is full.</summary>
    public void RouteFrame(int from, ReadOnlySpan<byte> frame, bool byTcp) =>
        Order(0, new(OrderKind.Route, from) { ByTcp = byTcp }, frame);

    /// <summary>
    /// Seals a probe for a node and sends it by UDP whatever routing says, to another address if one is given: several copies as a train, a single one alone.
    /// </summary>
    public void SendProbe(int node, ReadOnlySpan<byte> frame, Endpoint destination, int copies = 1) =>
        Order(_table?.Find(node)?.Sealer?.Owner ?? 0, new(OrderKind.Probe, node) { Endpoint = destination, Copies = (byte)copies }, frame);

    /// <summary>Sends a datagram that is sealed already by UDP to a node.</summary>
    public void SendDatagram(int node, ReadOnlySpan<byte> datagram) =>
        Order(_table?.Find(node)?.Sealer?.Owner ?? 0, new(OrderKind.SendSealed, node), datagram);

    /// <summary>Opens a datagram as coming from <paramref name="node"/>, straight by UDP or <paramref name="byTcp"/>.</summary>
    public void OpenDatagram(int node, ReadOnlySpan<byte> datagram, bool byTcp) =>
        Order(_table?.Find(node)?.Opener?.Of(datagram).Owner ?? 0, new(OrderKind.Open, node) { ByTcp = byTcp }, datagram);

    /// <summary>Sends a record of a speed test to a node, as packets travel.</summary>
    public void SendSpeedRecord(int node, ReadOnlySpan<byte> record) => Order(_table?.Find(node)?.Sealer?.Owner ?? 0, new(OrderKind.SendTest, node), record);

    /// <summary>Gives an order about a speed test with a node: all shards listen, the one that owns the session sends.</summary>
    public void OrderSpeed(int node, SpeedOrder order)
    {
        int sender = _table?.Find(node)?.Sealer?.Owner ?? 0;
        for (int shard = 0; shard < _shards.Length; shard++)
        {
            SpeedOrder own = shard != sender && order.Task > SpeedTask.Listen ? order with { Task = SpeedTask.Listen } : order;
            Order(shard, new(OrderKind.Speed, node), MemoryMarshal.AsBytes(new ReadOnlySpan<SpeedOrder>(ref own)));
        }
    }

    /// <summary>What the shards have counted of a speed test.</summary>
    public SpeedCounts SpeedCounts(uint test) => SpeedMeter.Sum(_shards.Select(shard => shard.State.Speed), test);

    /// <summary>Begins to report every routed frame as <see cref="ShardReportKind.Captured"/>, as far as there is room for reports; 0 ends it.</summary>
    /// <param name="snapLength">Bytes of each frame to report at most.</param>
    public void Capture(int snapLength)
    {
        foreach (Shard shard in _shards)
            shard.State.CaptureLength = Math.Min(snapLength, FrameRing<ReportHeader>.MaxBytes);
    }

    /// <summary>What was exchanged with a node so far; with the daemon's own node: through the device.</summary>
    /// <param name="node">Its <see cref="Node.Id"/>.</param>
    public NodeCounters TrafficOf(int node)
    {
        if (_table?.Self.Id != node)
            return NodeTraffic.Sum(_traffic, node);
        DataPlaneCounters all = Counters;
        return new(all.DevicePacketsIn, all.DeviceBytesIn, all.DevicePacketsOut, all.DeviceBytesOut);
    }

    /// <summary>Packets from and for a node that were dropped here so far, by reason; reasons without any are left out.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> DropsOf(int node) => NodeTraffic.Drops(_traffic, node);

    /// <summary>Each shard's counters at this moment, in the order of shards.</summary>
    public IReadOnlyList<DataPlaneCounters> PerShard => [.. _shards.Where(shard => shard is not null).Select(shard => ShardCounters.Sum([shard.Counters]))];

    /// <summary>Turns of each shard so far. May be called by any thread once the shards are started.</summary>
    internal long[] Turns => [.. _shards.Select(shard => shard.Counters[ShardCounter.Turns])];

    /// <summary>Makes each shard take a turn soon, to see whether it does. May be called by any thread once the shards are started.</summary>
    internal void Poke() => Array.ForEach(_shards, static shard => shard.Poke());

    /// <summary>How many packets a shard handled together.</summary>
    internal (long[] Counts, long Sum) BatchSizes(int shard, BatchKind kind) => _shards[shard].Counters.BatchSizes(kind);

    /// <summary>What the control loop itself has counted: packets that it could not hand to a shard.</summary>
    public DataPlaneCounters ControlCounters => ShardCounters.Sum([_control]);

    /// <summary>What sockets do for many packets at once: of <see cref="Offloads"/> those of sockets that the kernel has.</summary>
    public Offloads SocketOffloads => _settings.Offloads
        & ((UdpSocket.HasSegmentation ? Offloads.Gso : 0) | (UdpSocket.HasReceiveOffload ? Offloads.Gro : 0));

    /// <summary>Whether packets are moved by io_uring.</summary>
    public bool UsesUring => _rings.Length > 0;

    /// <summary>Sums of all shards' counters at this moment.</summary>
    public DataPlaneCounters Counters =>
        ShardCounters.Sum([.. _shards.Where(shard => shard is not null).Select(shard => shard.Counters), _control]);

    /// <summary>Whether every shard has ended a turn since the last call, which is true of the first one. Then wakes all for the next one.</summary>
    public bool HaveTurned()
    {
        long[] before = _turnsSeen;
        _turnsSeen = Turns;
        Poke();
        return !before.Where((turns, shard) => turns == _turnsSeen[shard]).Any();
    }

    /// <summary>Stops and joins the threads.</summary>
    public void Dispose()
    {
        foreach (Shard shard in _shards)
            shard?.Stop();
        foreach (Thread thread in _threads)
            thread?.Join();
        foreach (Shard shard in _shards)
            shard?.Dispose();
        Array.ForEach(_rings, static ring => ring.Dispose()); // if no shard owned them yet
        Array.ForEach(_orders, static mailbox => mailbox.Dispose());
        _reports.Dispose();
    }

    private Shard MakeShard(int index, ForwardingTable table, DeviceTraits traits)
    {
        ShardState state = new(index, table);
        MmsgPort[] sockets = [.. _listeners.Select(listener =>
            new MmsgPort(listener.Socket(index), listener.Local.IsIPv6, _settings.Offloads.HasFlag(Offloads.Gso) && UdpSocket.HasSegmentation, state.Counters))];
        ShardPorts ports = new(
            _device.OpenPort(index), traits, sockets, [.. _listeners.Select(listener => listener.Local.IsIPv6)], _orders[index]);
        if (_rings.Length > 0)
            ports = _rings[index].Adopt(ports, sockets, state.Counters);
        return new Shard(state, ports, new ShardMail(state, _reports, _orders), () => Volatile.Read(ref _table)!, _clock);
    }

    private static UringPoller[] MakeRings(int shards, int sources)
    {
        List<UringPoller> rings = [];
        try
        {
            while (rings.Count < shards)
                rings.Add(UringPoller.Create(sources));
            return [.. rings];
        }
        catch (IOException)
        {
            rings.ForEach(static ring => ring.Dispose());
            throw;
        }
    }

    private void Run(int index)
    {
        if (_settings.Cpus is { Count: > 0 } cpus)
        {
            int cpu = cpus[index % cpus.Count], error = CpuAffinity.Pin(cpu);
            if (error < 0)
                _log.Always.CannotPin(index, cpu, Errno.Message(error));
        }

        _shards[index].Run();
    }

    private void Order(int shard, in ShardOrder order, ReadOnlySpan<byte> bytes)
    {
        if ((uint)shard < (uint)_orders.Length && _orders[shard].TryAdd(ControlSender, order, bytes))
        {
            _orders[shard].Wake();
            return;
        }

        _control.Drop(DropReason.RingFull);
        _controlTraffic.CountDrop(order.Node, DropReason.RingFull, 1);
    }
}

/// <summary>Packet and byte counts since the start; the names say what was counted.</summary>
public readonly record struct DataPlaneCounters
{
    /// <summary>Bytes read from the device.</summary>
    public long DeviceBytesIn { get; init; }

    /// <summary>Bytes written to the device.</summary>
    public long DeviceBytesOut { get; init; }

    /// <summary>Packets read from the device; a super-packet counts once.</summary>
    public long DevicePacketsIn { get; init; }

    /// <summary>Packets written to the device; a super-packet counts once.</summary>
    public long DevicePacketsOut { get; init; }

    /// <summary>Datagrams received.</summary>
    public long DatagramsIn { get; init; }

    /// <summary>Datagrams sent.</summary>
    public long DatagramsOut { get; init; }

    /// <summary>Trains that the kernel refused and that were sent as single datagrams instead.</summary>
    public long TrainsRefused { get; init; }

    /// <summary>Packets dropped, for every reason; the log at level 5 on USR2 lists the reasons.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> Drops { get; init; }
}
