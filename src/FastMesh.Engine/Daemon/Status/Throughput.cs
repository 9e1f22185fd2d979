using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Daemon.Status;

/// <summary>Packets and bits per second with one node.</summary>
internal readonly record struct NodeRates(long BitsIn, long BitsOut, long PacketsIn, long PacketsOut);

/// <summary>
/// How fast counts per node grow: they are noted down every five seconds or a little later, whenever the control loop is awake anyway, and what has come
/// since the last but one note counts. So a rate is that of the last five to ten seconds, or of the time since the start.
/// </summary>
internal sealed class Throughput(Instant start)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    private Note _before = new(start), _last = new(start);

    /// <summary>Notes the counts down if it is time.</summary>
    /// <param name="nodes">Ids of nodes are below.</param>
    /// <param name="counters">The counts of a node.</param>
    /// <param name="now">Current time.</param>
    public void Tend(int nodes, Func<int, NodeCounters> counters, Instant now)
    {
        if (now - _last.Time < s_interval)
            return;
        (_before, _last) = (_last, _before);
        _last.Time = now;
        if (_last.Counters.Length < nodes)
            _last.Counters = new NodeCounters[2 * nodes];
        for (int node = 0; node < nodes; node++)
            _last.Counters[node] = counters(node);
    }

    /// <summary>The rates with a node now.</summary>
    public NodeRates RatesOf(int node, NodeCounters current, Instant now)
    {
        double seconds = Math.Max((now - _before.Time).TotalSeconds, 1);
        NodeCounters then = node < _before.Counters.Length ? _before.Counters[node] : default;
        return new(
            Rate(8 * (current.BytesIn - then.BytesIn)), Rate(8 * (current.BytesOut - then.BytesOut)),
            Rate(current.PacketsIn - then.PacketsIn), Rate(current.PacketsOut - then.PacketsOut));

        long Rate(long count) => (long)(Math.Max(0, count) / seconds);
    }

    private sealed class Note(Instant time)
    {
        public Instant Time { get; set; } = time;

        public NodeCounters[] Counters { get; set; } = [];
    }
}
