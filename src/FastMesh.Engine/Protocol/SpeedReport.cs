namespace FastMesh.Engine.Protocol;

/// <summary>How a speed test goes, or went. What is not known yet is null.</summary>
public sealed record SpeedReport
{
    /// <summary>The other node.</summary>
    public required string Node { get; init; }

    /// <summary><c>running</c>, <c>done</c> or <c>failed</c>.</summary>
    public required string State { get; init; }

    /// <summary>What is being done: <c>session</c>, <c>request</c>, <c>idle</c>, <c>there</c> or <c>back</c>.</summary>
    public required string Phase { get; init; }

    /// <summary>The way packets take: <c>direct</c>, <c>over TCP</c> or <c>via NODE</c>.</summary>
    public string? Path { get; init; }

    /// <summary>Why it failed, and what to do.</summary>
    public string? Error { get; init; }

    /// <summary>Round trips before the load.</summary>
    public SpeedRoundTripTimes? Idle { get; init; }

    /// <summary>From here to the other node.</summary>
    public SpeedDirection? There { get; init; }

    /// <summary>From the other node to here.</summary>
    public SpeedDirection? Back { get; init; }
}

/// <summary>Round-trip times, microseconds.</summary>
/// <param name="Count">How many were measured.</param>
/// <param name="MinimumMicroseconds">The shortest.</param>
/// <param name="MeanMicroseconds">Their mean.</param>
/// <param name="MaximumMicroseconds">The longest.</param>
public sealed record SpeedRoundTripTimes(long Count, long MinimumMicroseconds, long MeanMicroseconds, long MaximumMicroseconds)
{
    /// <summary>Of counts; null if there were none.</summary>
    internal static SpeedRoundTripTimes? Of(Wire.SpeedRoundTrips trips) => trips.Count <= 0
        ? null
        : new(trips.Count, trips.MinMicroseconds, trips.SumMicroseconds / trips.Count, trips.MaxMicroseconds);
}

/// <summary>One direction of a speed test.</summary>
public sealed record SpeedDirection
{
    /// <summary>What arrived, megabits (10^6) of IP packets a second.</summary>
    public required double MegabitsPerSecond { get; init; }

    /// <summary>What arrived, packets a second.</summary>
    public required double PacketsPerSecond { get; init; }

    /// <summary>Packets sent.</summary>
    public required long PacketsSent { get; init; }

    /// <summary>Packets that arrived.</summary>
    public required long PacketsReceived { get; init; }

    /// <summary>Bytes that arrived.</summary>
    public required long BytesReceived { get; init; }

    /// <summary>Share of the packets that did not arrive, percent.</summary>
    public required double LossPercent { get; init; }

    /// <summary>How long they took to arrive, seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Round trips under the load.</summary>
    public SpeedRoundTripTimes? RoundTrip { get; init; }

    /// <summary>Puts together what both ends have counted.</summary>
    /// <param name="sent">By the sender.</param>
    /// <param name="received">By the receiver.</param>
    /// <param name="isFinal">Whether nothing is under way any more, so that what has not arrived is lost.</param>
    internal static SpeedDirection Of(in Wire.SpeedCounts sent, in Wire.SpeedCounts received, bool isFinal)
    {
        double seconds = received.ReceivedMicroseconds / 1e6, perSecond = seconds > 0 ? 1 / seconds : 0;
        long lost = Math.Max(0, sent.SentPackets - received.ReceivedPackets);
        return new()
        {
            MegabitsPerSecond = Math.Round(received.ReceivedBytes * 8 * perSecond / 1e6, 3),
            PacketsPerSecond = Math.Round(received.ReceivedPackets * perSecond),
            PacketsSent = sent.SentPackets,
            PacketsReceived = received.ReceivedPackets,
            BytesReceived = received.ReceivedBytes,
            LossPercent = isFinal && sent.SentPackets > 0 ? Math.Round(100.0 * lost / sent.SentPackets, 3) : 0,
            Seconds = Math.Round(seconds, 3),
            RoundTrip = SpeedRoundTripTimes.Of(sent.RoundTrips),
        };
    }
}
