namespace FastMesh.Engine.DataPath;

/// <summary>What was exchanged with one node: frames with their Ethernet header, as routed, before sealing.</summary>
/// <param name="PacketsIn">Frames that came from it.</param>
/// <param name="BytesIn">Their bytes.</param>
/// <param name="PacketsOut">Frames that were for it.</param>
/// <param name="BytesOut">Their bytes.</param>
public readonly record struct NodeCounters(long PacketsIn, long BytesIn, long PacketsOut, long BytesOut);

/// <summary>
/// One shard's counts of frames and drops per node, in rows that are there before the first packet. Only the shard writes; any thread may read at any time.
/// </summary>
internal sealed class NodeTraffic
{
    private const int Fields = 4, PacketsIn = 0, PacketsOut = 2;

    private static readonly DropReason[] s_reasons = Enum.GetValues<DropReason>();

    private long[] _values = [], _drops = [];

    /// <summary>Makes room for nodes. The shard does this when it takes up a table that has more of them.</summary>
    /// <param name="nodes">A number above that of any node.</param>
    public void Reserve(int nodes)
    {
        if (nodes * Fields <= _values.Length)
            return;
        Grow(ref _values, nodes * 2 * Fields);
        Grow(ref _drops, nodes * 2 * s_reasons.Length);
    }

    /// <summary>Counts frames from a node.</summary>
    public void CountIn(int node, int packets, int bytes) => Add(node, PacketsIn, packets, bytes);

    /// <summary>Counts frames for a node.</summary>
    public void CountOut(int node, int packets, int bytes) => Add(node, PacketsOut, packets, bytes);

    /// <summary>Counts dropped packets that came from a node or were for it; -1 is none, and so is one that there is no room for yet.</summary>
    public void CountDrop(int node, DropReason reason, int packets)
    {
        int index = (node * s_reasons.Length) + (int)reason;
        if ((uint)index < (uint)_drops.Length)
            Volatile.Write(ref _drops[index], _drops[index] + packets);
    }

    /// <summary>What several shards dropped of one node's packets; reasons without any are left out.</summary>
    public static IReadOnlyList<KeyValuePair<string, long>> Drops(ReadOnlySpan<NodeTraffic> shards, int node)
    {
        Span<long> sums = stackalloc long[s_reasons.Length];
        sums.Clear();
        foreach (NodeTraffic shard in shards)
        {
            long[] drops = Volatile.Read(ref shard._drops);
            int row = node * sums.Length;
            for (int i = 0; i < sums.Length && (uint)row < (uint)drops.Length; i++)
                sums[i] += Volatile.Read(ref drops[row + i]);
        }

        if (!sums.ContainsAnyExcept(0))
            return []; // as for most nodes
        List<KeyValuePair<string, long>> counts = [];
        foreach (DropReason reason in s_reasons)
        {
            if (sums[(int)reason] > 0)
                counts.Add(new(reason.ToString(), sums[(int)reason]));
        }

        return counts;
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

    private static void Grow(ref long[] counts, int length)
    {
        long[] more = new long[length];
        counts.CopyTo(more, 0);
        Volatile.Write(ref counts, more);
    }

    private void Add(int node, int field, int packets, int bytes)
    {
        int index = (node * Fields) + field;
        long[] values = _values;
        if ((uint)(index + 1) >= (uint)values.Length)
            return;
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
