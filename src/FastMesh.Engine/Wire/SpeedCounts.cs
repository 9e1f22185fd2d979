namespace FastMesh.Engine.Wire;

/// <summary>What a node has counted of a speed test so far.</summary>
/// <param name="Run">Number of the last order to send that was obeyed; 0: none.</param>
/// <param name="IsSending">Whether that still goes on.</param>
/// <param name="SentPackets">Records of load that it sent.</param>
/// <param name="SentBytes">Their bytes, as of IP packets.</param>
/// <param name="SentMicroseconds">How long that took.</param>
/// <param name="ReceivedPackets">Records of load that arrived.</param>
/// <param name="ReceivedBytes">Their bytes.</param>
/// <param name="ReceivedMicroseconds">Time from the first to the last of them.</param>
/// <param name="RoundTrips">Round trips of the load it sent.</param>
public readonly record struct SpeedCounts(
    long Run, bool IsSending, long SentPackets, long SentBytes, long SentMicroseconds, long ReceivedPackets, long ReceivedBytes,
    long ReceivedMicroseconds, SpeedRoundTrips RoundTrips)
{
    /// <summary>Numbers that a report consists of.</summary>
    public const int Fields = 12;

    /// <summary>As the fields of a report.</summary>
    public long[] ToFields() =>
    [
        Run, IsSending ? 1 : 0, SentPackets, SentBytes, SentMicroseconds, ReceivedPackets, ReceivedBytes, ReceivedMicroseconds,
        RoundTrips.Count, RoundTrips.SumMicroseconds, RoundTrips.MinMicroseconds, RoundTrips.MaxMicroseconds,
    ];

    /// <summary>Takes a report. What a peer says cannot be negative.</summary>
    public static SpeedCounts Read(SpeedRecord report)
    {
        Span<long> f = stackalloc long[Fields];
        for (int i = 0; i < Fields; i++)
            f[i] = Math.Max(0, report[i]);
        return new(f[0], f[1] != 0, f[2], f[3], f[4], f[5], f[6], f[7], new(f[8], f[9], f[10], f[11]));
    }
}

/// <summary>Round trips, microseconds.</summary>
/// <param name="Count">How many.</param>
/// <param name="SumMicroseconds">Their sum.</param>
/// <param name="MinMicroseconds">The shortest.</param>
/// <param name="MaxMicroseconds">The longest.</param>
public readonly record struct SpeedRoundTrips(long Count, long SumMicroseconds, long MinMicroseconds, long MaxMicroseconds)
{
    /// <summary>With one more.</summary>
    public SpeedRoundTrips With(long microseconds) => new(
        Count + 1, SumMicroseconds + microseconds, Count == 0 ? microseconds : Math.Min(MinMicroseconds, microseconds), Math.Max(MaxMicroseconds, microseconds));
}

/// <summary>What a shard is to do for a speed test.</summary>
public enum SpeedTask : byte
{
    /// <summary>Forget the test.</summary>
    Stop,

    /// <summary>Forget what was counted of another test, and count load that the node sends.</summary>
    Listen,

    /// <summary>Besides, send single short records, to measure round trips.</summary>
    Ping,

    /// <summary>Besides, send as much as gets through.</summary>
    Load,
}

/// <summary>An order about a speed test.</summary>
/// <param name="Task">What.</param>
/// <param name="Test">Which test.</param>
/// <param name="Run">Number of the order, from 1; only of those that send.</param>
/// <param name="Milliseconds">How long to send.</param>
/// <param name="Bytes">How much to send at most.</param>
public readonly record struct SpeedOrder(SpeedTask Task, uint Test, int Run = 0, int Milliseconds = 0, long Bytes = 0);
