using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>What the parts of one shard share: who it is, and what holds for the present turn.</summary>
internal sealed class ShardState
{
    private ForwardingTable _table;
    private int _captureLength;

    /// <summary>What shard <paramref name="index"/> starts with.</summary>
    public ShardState(int index, ForwardingTable table)
    {
        (Index, _table) = (index, table);
        Traffic.Reserve(table.IdLimit);
    }

    /// <summary>The shard's number; sessions name their owner by it.</summary>
    public int Index { get; }

    /// <summary>The snapshot for this turn.</summary>
    public ForwardingTable Table
    {
        get => _table;
        set
        {
            if (_table == value) // nearly always the same: the garbage collector need not hear of it
                return;
            _table = value;
            Traffic.Reserve(value.IdLimit);
        }
    }

    /// <summary>The time at the start of this turn.</summary>
    public Instant Now { get; set; }

    /// <summary>The shard's counters.</summary>
    public ShardCounters Counters { get; } = new();

    /// <summary>The shard's counts per node.</summary>
    public NodeTraffic Traffic { get; } = new();

    /// <summary>Counts dropped packets.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="node">Whom they came from or were for, or -1 if nobody can tell.</param>
    /// <param name="packets">How many.</param>
    public void Drop(DropReason reason, int node, int packets = 1)
    {
        Counters.Drop(reason, packets);
        Traffic.CountDrop(node, reason, packets);
    }

    /// <summary>The shard's counts of the present speed test.</summary>
    public SpeedMeter Speed { get; } = new();

    /// <summary>Bytes of each routed frame to report, 0 to report none. Written by the control thread.</summary>
    public int CaptureLength
    {
        get => Volatile.Read(ref _captureLength);
        set => Volatile.Write(ref _captureLength, value);
    }
}
