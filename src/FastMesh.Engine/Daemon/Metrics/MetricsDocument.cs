using System.Buffers;
using System.Globalization;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Engine.Daemon.Metrics;

/// <summary>
/// Every metric there is, in the order in which they are written, and where its value comes from. docs/METRICS.md lists the same, and a test compares both. What
/// is told per node grows with the mesh; nothing else does.
/// </summary>
internal static class MetricsDocument
{
    private const MetricType Gauge = MetricType.Gauge, Counter = MetricType.Counter, Histogram = MetricType.Histogram, Info = MetricType.Info;
    private const string Seconds = "seconds", Bytes = "bytes";

    private static readonly double[] s_batchBounds = [.. Enumerable.Range(0, ShardCounters.BatchBuckets - 1).Select(i => (double)(1 << i))];
    private static readonly double[] s_turnBounds = TimeHistogram.Bounds(ControlLoop.ShortestTurn), s_rttBounds = TimeHistogram.Bounds(Node.ShortestRoundTrip);
    private static readonly string[] s_offloads = Offloads.All.Names();
    private static readonly (PathKind Kind, string Name)[] s_paths =
        [(PathKind.Direct, "direct"), (PathKind.Relay, "relay"), (PathKind.Tcp, "tcp"), (PathKind.Idle, "idle"), (PathKind.Unreachable, "unreachable")];

    private static readonly (MetricFamily Family, Action<DaemonStatus, OpenMetricsWriter> Write)[] s_table =
    [
        One("fastmesh_build", Info, "", "version,runtime", "The program.",
            static (status, to) => to.Sample(1, status.Daemon.Version, Environment.Version.ToString())),
        One("fastmesh_daemon", Info, "", "node,net,mode,protocol,io", "Who runs here, and how.",
            static (status, to) => to.Sample(
                1, status.Daemon.Name, status.Daemon.Net ?? "", status.Daemon.Mode, status.Daemon.Protocol, status.Daemon.Io)),
        One("fastmesh_start_time", Gauge, Seconds, "", "When the daemon was ready, in Unix time.",
            static (status, to) => to.Sample(UnixTime(status.Daemon.Started))),
        One("process_cpu", Counter, Seconds, "", "Processor time, of the user and of the system.",
            static (status, to) => to.Sample(Environment.CpuUsage.TotalTime.TotalSeconds)),
        One("process_resident_memory", Gauge, Bytes, "", "Memory in use; absent where /proc is out of reach.", static (status, to) =>
        {
            if (Environment.WorkingSet is > 0 and { } bytes)
                to.Sample(bytes);
        }),
        One("fastmesh_gc_pause", Counter, Seconds, "", "Time for which all threads stood still while memory was cleaned up.",
            static (status, to) => to.Sample(GC.GetTotalPauseDuration().TotalSeconds)),

        One("fastmesh_device", Info, "", "interface,kind", "The virtual network device.",
            static (status, to) => to.Sample(1, status.Device.Interface, status.Device.Kind)),
        One("fastmesh_device_mtu", Gauge, Bytes, "", "MTU of the interface; absent if there is none.", static (status, to) =>
        {
            if (status.Device.MtuBytes is { } mtu)
                to.Sample(mtu);
        }),
        One("fastmesh_offload_enabled", Gauge, "", "offload", "Whether the kernel does this for many packets at once, in the words of --no-offload.",
            static (status, to) =>
            {
                foreach (string offload in s_offloads)
                    to.Sample(status.Device.Offloads.Contains(offload) ? 1 : 0, offload);
            }),

        PerShard("fastmesh_shard_turns", Counter, "", "", "Turns: times that the shard has looked for work.",
            static (shard, name, to) => to.Sample(shard.Turns, name)),
        PerShard("fastmesh_shard_device_packets", Counter, "", "direction", "Packets read from and written to the device; a super-packet counts once.",
            static (shard, name, to) => Both(to, name, ("read", shard.Counters.DevicePacketsIn), ("written", shard.Counters.DevicePacketsOut))),
        PerShard("fastmesh_shard_device", Counter, Bytes, "direction", "Bytes read from and written to the device.",
            static (shard, name, to) => Both(to, name, ("read", shard.Counters.DeviceBytesIn), ("written", shard.Counters.DeviceBytesOut))),
        PerShard("fastmesh_shard_datagrams", Counter, "", "direction", "UDP datagrams.",
            static (shard, name, to) => Both(to, name, ("received", shard.Counters.DatagramsIn), ("sent", shard.Counters.DatagramsOut))),
        PerShard("fastmesh_shard_refused_trains", Counter, "", "", "Trains of datagrams that the kernel refused and that were sent one by one.",
            static (shard, name, to) => to.Sample(shard.Counters.TrainsRefused, name)),
        PerShard("fastmesh_shard_dropped_packets", Counter, "", "reason", "Packets dropped, by reason.",
            static (shard, name, to) =>
            {
                foreach ((string reason, long count) in shard.Counters.DroppedPackets)
                    to.Sample(count, name, reason);
            }),
        PerShard("fastmesh_shard_batch_packets", Histogram, "", "batch",
            "Packets handled together: read from the device in one turn, received in one look at a socket, given to a socket at once.",
            static (shard, name, to) =>
            {
                foreach (BatchStatus batch in shard.Batches)
                    to.Histogram([.. batch.Counts], s_batchBounds, batch.Packets, name, batch.Kind);
            }),

        One("fastmesh_control_loop_turn", Histogram, Seconds, "", "How long turns of the control loop took: for so long others had to wait for it.",
            static (status, to) => to.Histogram([.. status.ControlLoop.TurnCounts], s_turnBounds, status.ControlLoop.BusySeconds)),
        One("fastmesh_control_loop_dropped_packets", Counter, "", "", "Packets that the control loop could not hand to a shard.",
            static (status, to) => to.Sample(status.ControlLoop.DroppedPackets.Values.Sum())),
        One("fastmesh_scripts", Counter, "", "result", "Scripts run, by how they ended.", static (status, to) =>
        {
            foreach ((string result, long count) in status.Scripts)
                to.Sample(count, result);
        }),
        One("fastmesh_handshakes", Counter, "", "kind,result",
            "Handshakes: of meta connections, and of data sessions with nodes, by result.", static (status, to) =>
            {
                foreach (HandshakeStatus handshake in status.Handshakes)
                    to.Sample(handshake.Count, handshake.Kind, handshake.Result);
            }),

        One("fastmesh_nodes", Gauge, "", "", "Nodes of the mesh, this one among them.", static (status, to) => to.Sample(status.Nodes.Count)),
        One("fastmesh_edges", Gauge, "", "", "Statements of nodes that they have a connection to another; two per connection.",
            static (status, to) => to.Sample(status.Edges.Count)),
        One("fastmesh_subnets", Gauge, "", "", "Subnets of all nodes.", static (status, to) => to.Sample(status.Subnets.Count)),
        One("fastmesh_meta_connections", Gauge, "", "state", "Meta connections by state.", static (status, to) =>
        {
            foreach (string state in (ReadOnlySpan<string>)["connecting", "handshake", "active", "ending"])
                to.Sample(status.Connections.Count(connection => connection.State == state), state);
        }),
        PerConnection("fastmesh_meta", Counter, Bytes, "direction", "Bytes on the active meta connection with a node; from 0 with each new one.",
            static (connection, to) => Both(to, connection.Name!, ("received", connection.BytesIn), ("sent", connection.BytesOut))),
        PerConnection("fastmesh_meta_pending", Gauge, Bytes, "", "Bytes that wait to be sent on the meta connection.",
            static (connection, to) => to.Sample(connection.PendingBytes, connection.Name!)),
        PerConnection("fastmesh_meta_rtt", Gauge, Seconds, "", "Round-trip time of the meta connection as the kernel's TCP has smoothed it.",
            static (connection, to) =>
            {
                if (connection.RttMicroseconds is { } time)
                    to.Sample(time / 1e6, connection.Name!);
            }),

        PerNode("fastmesh_node_reachable", Gauge, "", "", "Whether a path of connections leads to the node.",
            static (node, status, to) => to.Sample(node.Reachable ? 1 : 0, node.Name)),
        PerNode("fastmesh_node_state_age", Gauge, Seconds, "", "Time since the node became reachable or unreachable; absent if it never was reachable.",
            static (node, status, to) => Age(to, node.Since, status, node.Name)),
        PerNode("fastmesh_node_path", Gauge, "", "path", "How packets to the node travel: 1 for the one path of direct, relay, tcp, idle, unreachable.",
            static (node, status, to) =>
            {
                foreach ((PathKind kind, string name) in s_paths)
                    to.Sample(node.Path.Kind == kind ? 1 : 0, node.Name, name);
            }),
        PerNode("fastmesh_node_hops", Gauge, "", "", "Connections on the path to the node; absent while there is none.", static (node, status, to) =>
        {
            if (node.Distance >= 0)
                to.Sample(node.Distance, node.Name);
        }),
        PerNode("fastmesh_node_session", Info, "", "protocol,suite,scope",
            "What protects packets to the node: end-to-end, or hop by hop; absent while there is no key.", static (node, status, to) =>
            {
                if (node.Session is { } session)
                    to.Sample(1, node.Name, node.Protocol.ToString(), session.Suite, session.EndToEnd ? "end-to-end" : "hop");
            }),
        PerNode("fastmesh_node_key_age", Gauge, Seconds, "", "Age of the key for packets to the node; absent while there is none.",
            static (node, status, to) => Age(to, node.Session?.Since, status, node.Name)),
        PerNode("fastmesh_node_mtu", Gauge, Bytes, "", "Longest packet proven to reach the node by UDP, without Ethernet header; 0: none.",
            static (node, status, to) => to.Sample(Math.Max(0, node.Mtu.MinBytes - EthernetHeader), node.Name)),
        PerNode("fastmesh_node_takes_trains", Gauge, "", "", "Whether datagrams that are given to the kernel together arrive at the node.",
            static (node, status, to) => to.Sample(node.TakesTrains ? 1 : 0, node.Name)),
        PerNode("fastmesh_node_packets", Counter, "", "direction", "Frames from and for the node.",
            static (node, status, to) => Both(to, node.Name, ("received", node.Traffic.PacketsIn), ("sent", node.Traffic.PacketsOut))),
        PerNode("fastmesh_node", Counter, Bytes, "direction", "Bytes of these, with their Ethernet header of 14 bytes.",
            static (node, status, to) => Both(to, node.Name, ("received", node.Traffic.BytesIn), ("sent", node.Traffic.BytesOut))),
        PerNode("fastmesh_node_dropped_packets", Counter, "", "reason",
            "Packets from and for the node that were dropped here, by reason; only reasons that there were. Not all drops can be told whose they are.",
            static (node, status, to) =>
            {
                foreach ((string reason, long count) in node.DroppedPackets)
                    to.Sample(count, node.Name, reason);
            }),
        PerNode("fastmesh_node_rtt", Histogram, Seconds, "", "Round-trip times of answered UDP probes; nodes of tinc 1.0 have none.",
            static (node, status, to) =>
            {
                if (node.RoundTrips is { } trips)
                    to.Histogram([.. trips.Counts], s_rttBounds, trips.SumSeconds, node.Name);
            }),
    ];

    private const int EthernetHeader = 14;

    /// <summary>All families.</summary>
    public static IEnumerable<MetricFamily> Families => s_table.Select(static entry => entry.Family);

    /// <summary>Writes everything.</summary>
    public static void Write(DaemonStatus status, IBufferWriter<byte> output, MetricFormat format)
    {
        OpenMetricsWriter writer = new(output, format);
        foreach ((MetricFamily family, Action<DaemonStatus, OpenMetricsWriter> write) in s_table)
        {
            writer.Begin(family);
            write(status, writer);
        }

        writer.End();
    }

    private static (MetricFamily, Action<DaemonStatus, OpenMetricsWriter>) One(
        string name, MetricType type, string unit, string labels, string help, Action<DaemonStatus, OpenMetricsWriter> write) =>
        (new(unit.Length == 0 ? name : $"{name}_{unit}", type, unit, labels, help), write);

    private static (MetricFamily, Action<DaemonStatus, OpenMetricsWriter>) PerShard(
        string name, MetricType type, string unit, string labels, string help, Action<ShardStatus, string, OpenMetricsWriter> write) =>
        One(name, type, unit, $"shard,{labels}", help, (status, to) =>
        {
            foreach (ShardStatus shard in status.Shards)
                write(shard, shard.Index.ToString(CultureInfo.InvariantCulture), to);
        });

    private static (MetricFamily, Action<DaemonStatus, OpenMetricsWriter>) PerNode(
        string name, MetricType type, string unit, string labels, string help, Action<NodeStatus, DaemonStatus, OpenMetricsWriter> write) =>
        One(name, type, unit, $"node,{labels}", help, (status, to) =>
        {
            foreach (NodeStatus node in status.Nodes)
            {
                if (!node.IsSelf)
                    write(node, status, to);
            }
        });

    private static (MetricFamily, Action<DaemonStatus, OpenMetricsWriter>) PerConnection(
        string name, MetricType type, string unit, string labels, string help, Action<ConnectionStatus, OpenMetricsWriter> write) =>
        One(name, type, unit, $"node,{labels}", help, (status, to) =>
        {
            foreach (ConnectionStatus connection in status.Connections)
            {
                if (connection is { State: "active", Name: not null })
                    write(connection, to);
            }
        });

    private static void Both(OpenMetricsWriter to, string label, (string Direction, long Count) one, (string Direction, long Count) other)
    {
        to.Sample(one.Count, label, one.Direction);
        to.Sample(other.Count, label, other.Direction);
    }

    private static void Age(OpenMetricsWriter to, DateTime? since, DaemonStatus status, string label)
    {
        if (since is { } start)
            to.Sample(Math.Max(0, (status.Time - start).TotalSeconds), label);
    }

    private static double UnixTime(DateTime time) => (time - DateTime.UnixEpoch).TotalSeconds;
}
