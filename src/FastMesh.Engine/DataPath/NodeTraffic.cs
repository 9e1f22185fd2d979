namespace FastMesh.Engine.DataPath;

/// <summary>What was exchanged with one node: frames with their Ethernet header, as routed, before sealing.</summary>
/// <param name="PacketsIn">Frames that came from it.</param>
/// <param name="BytesIn">Their bytes.</param>
/// <param name="PacketsOut">Frames that were for it.</param>
/// <param name="BytesOut">Their bytes.</param>
public readonly record struct NodeCounters(long PacketsIn, long BytesIn, long PacketsOut, long BytesOut);

/// <summary>One shard's counts of frames and drops per node. Only the shard writes; any thread may read at any time.</summary>
internal sealed class NodeTraffic
{
    private const int Fields = 4, PacketsIn = 0, PacketsOut = 2;

    private static readonly DropReason[] s_reasons = Enum.GetValues<DropReason>();

    private long[] _values = [];
    private long[]?[] _drops = []; // a row for each node that had any, made by its first one

    /// <summary>Counts frames from a node.</summary>
    public void CountIn(int node, int packets, int bytes) => Add(node, PacketsIn, packets, bytes);

    /// <summary>Counts frames for a node.</summary>
    public void CountOut(int node, int packets, int bytes) => Add(node, PacketsOut, packets, bytes);

    /// <summary>Counts dropped packets that came from a node or were for it; -1 is none.</summary>
    public void CountDrop(int node, DropReason reason, int packets)
    {
        if (node < 0)
            return;
        long[]?[] rows = _drops;
        if (node >= rows.Length)
        {
            Array.Resize(ref rows, Math.Max(64, (node + 1) * 2));
            Volatile.Write(ref _drops, rows);
        }

        if (rows[node] is not { } row)
            Volatile.Write(ref rows[node], row = new long[s_reasons.Length]);
        ref long count = ref row[(int)reason];
        Volatile.Write(ref count, count + packets);
    }

    /// <summary>What several shards dropped of one node's packets; reasons without any are left out.</summary>
    public static IReadOnlyList<KeyValuePair<string, long>> Drops(ReadOnlySpan<NodeTraffic> shards, int node)
    {
        long[]? sums = null;
        foreach (NodeTraffic shard in shards)
        {
            long[]?[] rows = Volatile.Read(ref shard._drops);
            if ((uint)node >= (uint)rows.Length || Volatile.Read(ref rows[node]) is not { } row)
                continue;
            sums ??= new long[s_reasons.Length];
            for (int i = 0; i < row.Length; i++)
                sums[i] += Volatile.Read(ref row[i]);
        }

        return sums is null ? [] : [.. s_reasons.Where(reason => sums[(int)reason] > 0).Select(reason => KeyValuePair.Create(reason.ToString(), sums[(int)reason]))];
    }

    /// <summary>Sums of several shards for one node.</summary>
    public static NodeCounters Sum(ReadOnlySpan<NodeTraffic> shards, int node)
    {
        NodeCounters sum = default;
        foreach (NodeTraffic shard in shards)
        {
            sum = new(
                sum.PacketsIn + shard.Read(node, PacketsIn), sum.BytesIn + shard.Read(node, PacketsIn + 1),
                sum.PacketsOut + shard.Read(node, PacketsOut), sum.BytesOut + shard.Read(node, PacketsOut + 1));
        }

        return sum;
    }

    private void Add(int node, int field, int packets, int bytes)
    {
        int index = (node * Fields) + field;
        long[] values = _values;
        if (index + 1 >= values.Length)
        {
            Array.Resize(ref values, Math.Max(64, (node + 1) * 2) * Fields);
            Volatile.Write(ref _values, values);
        }

        Volatile.Write(ref values[index], values[index] + packets);
        Volatile.Write(ref values[index + 1], values[index + 1] + bytes);
    }

    private long Read(int node, int field)
    {
        long[] values = Volatile.Read(ref _values);
        int index = (node * Fields) + field;
        return (uint)index < (uint)values.Length ? Volatile.Read(ref values[index]) : 0;
    }
}
