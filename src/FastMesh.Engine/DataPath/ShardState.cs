using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>What the parts of one shard share: who it is, and what holds for the present turn.</summary>
internal sealed class ShardState(int index, ForwardingTable table)
{
    private int _captureLength;
    private int _called, _answered; // written by the control thread; by the shard

    /// <summary>The shard's number; sessions name their owner by it.</summary>
    public int Index { get; } = index;

    /// <summary>The snapshot for this turn.</summary>
    public ForwardingTable Table { get; set; } = table;

    /// <summary>The time at the start of this turn.</summary>
    public Instant Now { get; set; }

    /// <summary>The shard's counters.</summary>
    public ShardCounters Counters { get; } = new();

    /// <summary>The shard's counts per node.</summary>
    public NodeTraffic Traffic { get; } = new();

    /// <summary>The shard's counts of the present speed test.</summary>
    public SpeedMeter Speed { get; } = new();

    /// <summary>Bytes of each routed frame to report, 0 to report none. Written by the control thread.</summary>
    public int CaptureLength
    {
        get => Volatile.Read(ref _captureLength);
        set => Volatile.Write(ref _captureLength, value);
    }

    /// <summary>Control thread: whether the shard has ended a turn since the last <see cref="CallRoll"/>.</summary>
    public bool HasAnswered => Volatile.Read(ref _answered) == _called;

    /// <summary>Control thread: asks for an answer.</summary>
    public void CallRoll() => Volatile.Write(ref _called, _called + 1);

    /// <summary>Shard, after each turn: answers if it was asked.</summary>
    public void Answer()
    {
        int called = Volatile.Read(ref _called);
        if (called != _answered)
            Volatile.Write(ref _answered, called);
    }
}
