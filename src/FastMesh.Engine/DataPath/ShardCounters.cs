using System.Numerics;

namespace FastMesh.Engine.DataPath;

/// <summary>What a shard counts besides drops.</summary>
internal enum ShardCounter
{
    /// <summary>Bytes read from the device.</summary>
    DeviceBytesIn,

    /// <summary>Bytes written to the device.</summary>
    DeviceBytesOut,

    /// <summary>Packets read from the device.</summary>
    DevicePacketsIn,

    /// <summary>Packets written to the device.</summary>
    DevicePacketsOut,

    /// <summary>Datagrams received.</summary>
    DatagramsIn,

    /// <summary>Datagrams sent.</summary>
    DatagramsOut,

    /// <summary>Trains that the kernel refused and that were sent as single datagrams instead.</summary>
    TrainsRefused,

    /// <summary>Turns (<see cref="Shard.Turn"/>).</summary>
    Turns,
}

/// <summary>What a shard moves many of at once.</summary>
internal enum BatchKind
{
    /// <summary>Packets that one turn read from the device; a super-packet counts once.</summary>
    DeviceRead,

    /// <summary>Datagrams that one look at a socket found.</summary>
    Receive,

    /// <summary>Datagrams given to a socket together.</summary>
    Send,
}

/// <summary>
/// Counters of one shard. Only the shard writes; any thread may read at any time. Padded so that no other data shares their cache lines.
/// </summary>
internal sealed class ShardCounters
{
    private const int Padding = 16; // 128 bytes: the prefetcher fetches lines in pairs
    private static readonly int s_counters = Enum.GetValues<ShardCounter>().Length;
    private static readonly DropReason[] s_reasons = Enum.GetValues<DropReason>();
    private static readonly int s_firstBatch = Padding + s_counters + s_reasons.Length;
    private readonly long[] _values = new long[s_firstBatch + (Enum.GetValues<BatchKind>().Length * BatchFields) + Padding];

    /// <summary>Sizes of batches are counted in so many buckets: up to 1, 2, 4 ... 512, and above.</summary>
    public const int BatchBuckets = 11;

    private const int BatchFields = BatchBuckets + 1; // and the sum

    /// <summary>Adds to a counter.</summary>
    public void Add(ShardCounter counter, long count) => Increase(Padding + (int)counter, count);

    /// <summary>Counts dropped packets.</summary>
    public void Drop(DropReason reason, int count = 1) => Increase(Padding + s_counters + (int)reason, count);

    /// <summary>Counts a batch by its size; an empty one is none.</summary>
    public void Batch(BatchKind kind, int size)
    {
        if (size <= 0)
            return;
        int first = s_firstBatch + ((int)kind * BatchFields);
        Increase(first + Math.Min(size == 1 ? 0 : BitOperations.Log2((uint)size - 1) + 1, BatchBuckets - 1), 1);
        Increase(first + BatchBuckets, size);
    }

    /// <summary>Numbers of batches per bucket, not added up, and the sum of their sizes.</summary>
    public (long[] Counts, long Sum) BatchSizes(BatchKind kind)
    {
        int first = s_firstBatch + ((int)kind * BatchFields);
        long[] counts = new long[BatchBuckets];
        for (int i = 0; i < counts.Length; i++)
            counts[i] = Volatile.Read(ref _values[first + i]);
        return (counts, Volatile.Read(ref _values[first + BatchBuckets]));
    }

    /// <summary>The value of a counter.</summary>
    public long this[ShardCounter counter] => Volatile.Read(ref _values[Padding + (int)counter]);

    /// <summary>How many packets were dropped for a reason.</summary>
    public long this[DropReason reason] => Volatile.Read(ref _values[Padding + s_counters + (int)reason]);

    /// <summary>Sums of several shards.</summary>
    public static DataPlaneCounters Sum(IReadOnlyCollection<ShardCounters> shards) => new()
    {
        DeviceBytesIn = shards.Sum(shard => shard[ShardCounter.DeviceBytesIn]),
        DeviceBytesOut = shards.Sum(shard => shard[ShardCounter.DeviceBytesOut]),
        DevicePacketsIn = shards.Sum(shard => shard[ShardCounter.DevicePacketsIn]),
        DevicePacketsOut = shards.Sum(shard => shard[ShardCounter.DevicePacketsOut]),
        DatagramsIn = shards.Sum(shard => shard[ShardCounter.DatagramsIn]),
        DatagramsOut = shards.Sum(shard => shard[ShardCounter.DatagramsOut]),
        TrainsRefused = shards.Sum(shard => shard[ShardCounter.TrainsRefused]),
        Drops = [.. s_reasons.Select(reason => KeyValuePair.Create(reason.ToString(), shards.Sum(shard => shard[reason])))],
    };

    private void Increase(int index, long count) => Volatile.Write(ref _values[index], _values[index] + count);
}
