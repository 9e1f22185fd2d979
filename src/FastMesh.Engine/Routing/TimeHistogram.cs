namespace FastMesh.Engine.Routing;

/// <summary>
/// Counts times by their length, in buckets each of which reaches twice as far as the one before. Has one owner, like what it belongs to.
/// </summary>
/// <param name="shortest">Where the first bucket ends.</param>
public sealed class TimeHistogram(TimeSpan shortest)
{
    /// <summary>Buckets; the last one has no end.</summary>
    public const int Buckets = 16;

    private readonly long[] _counts = new long[Buckets];
    private long _ticks;

    /// <summary>Times per bucket, not added up.</summary>
    public IReadOnlyList<long> Counts => [.. _counts];

    /// <summary>The sum of all times.</summary>
    public TimeSpan Sum => new(_ticks);

    /// <summary>Upper bounds of all buckets but the last, in seconds.</summary>
    public static double[] Bounds(TimeSpan shortest) => [.. Enumerable.Range(0, Buckets - 1).Select(i => (shortest * (1 << i)).TotalSeconds)];

    /// <summary>Counts a time.</summary>
    public void Add(TimeSpan time)
    {
        _ticks += time.Ticks;
        int bucket = 0;
        for (long bound = shortest.Ticks; time.Ticks > bound && bucket < Buckets - 1; bound *= 2)
            bucket++;
        _counts[bucket]++;
    }
}
