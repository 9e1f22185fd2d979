using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>How the shards run.</summary>
public sealed record DataPlaneSettings
{
    /// <summary>Number of shards (<c>--workers</c>).</summary>
    public int Shards { get; init; } = 1;

    /// <summary>CPUs to pin shards to, in turn (<c>--cpus</c>); empty: not pinned.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [];
}

/// <summary>
/// All shards of the daemon, seen from the control loop. Everything here is called by the control thread only; it talks to the
/// shards by one published table and bounded rings, and never waits for them.
/// </summary>
public sealed class DataPlane : IDisposable
{
    /// <summary>Prepares the shards. The device and the listeners stay the caller's.</summary>
    /// <param name="settings">How many, where.</param>
    /// <param name="device">The device, with one queue per shard or one in all.</param>
    /// <param name="listeners">The UDP listeners; a listener's index is the socket index in routes and reports.</param>
    /// <param name="clock">The monotonic clock; called once per turn.</param>
    /// <param name="log">For start-up facts and failures.</param>
    public DataPlane(
        DataPlaneSettings settings, VpnDevice device, IReadOnlyList<UdpListener> listeners, Func<Instant> clock, EngineLog log) =>
        throw new NotSupportedException();

    /// <summary>A descriptor that is readable while reports wait.</summary>
    public int ReportDescriptor => throw new NotSupportedException();

    /// <summary>Starts the threads with the first table.</summary>
    public void Start(ForwardingTable table) => throw new NotSupportedException();

    /// <summary>Makes a new table the current one for turns that start from now on.</summary>
    public void Publish(ForwardingTable table) => throw new NotSupportedException();

    /// <summary>Takes the next report; false when none waits (and then the descriptor is no longer readable).</summary>
    public bool TryTakeReport(out ShardReport report) => throw new NotSupportedException();

    /// <summary>Routes a frame that arrived by TCP from node <paramref name="from"/>. Dropped and counted if the ring is full.</summary>
    public void RouteFrame(int from, ReadOnlySpan<byte> frame, bool byTcp) => throw new NotSupportedException();

    /// <summary>Seals a frame for a node and sends it by UDP whatever routing says, to another address if one is given.</summary>
    public void SendProbe(int node, ReadOnlySpan<byte> frame, Endpoint destination) => throw new NotSupportedException();

    /// <summary>Opens a datagram as coming from <paramref name="node"/>.</summary>
    public void OpenDatagram(int node, ReadOnlySpan<byte> datagram) => throw new NotSupportedException();

    /// <summary>Sums of all shards' counters at this moment.</summary>
    public DataPlaneCounters Counters => throw new NotSupportedException();

    /// <summary>Stops and joins the threads.</summary>
    public void Dispose() => throw new NotSupportedException();
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

    /// <summary>Packets dropped, for every reason; the log at level 5 on USR2 lists the reasons.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> Drops { get; init; }
}
