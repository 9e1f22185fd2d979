namespace FastMesh.Engine.DataPath;

/// <summary>What was exchanged with one node: frames with their Ethernet header, as routed, before sealing.</summary>
/// <param name="PacketsIn">Frames that came from it.</param>
/// <param name="BytesIn">Their bytes.</param>
/// <param name="PacketsOut">Frames that were for it.</param>
/// <param name="BytesOut">Their bytes.</param>
public readonly record struct NodeCounters(long PacketsIn, long BytesIn, long PacketsOut, long BytesOut);

/// <summary>One shard's counts of frames per node. Only the shard writes; any thread may read at any time.</summary>
internal sealed class NodeTraffic
{
    private const int Fields = 4, PacketsIn = 0, PacketsOut = 2;

    private long[] _values = [];

    /// <summary>Counts frames from a node.</summary>
    public void CountIn(int node, int packets, int bytes) => Add(node, PacketsIn, packets, bytes);

    /// <summary>Counts frames for a node.</summary>
    public void CountOut(int node, int packets, int bytes) => Add(node, PacketsOut, packets, bytes);

    /// <summary>Sums of several shards for one node.</summary>
    public static NodeCounters Sum(IReadOnlyCollection<NodeTraffic> shards, int node) => new(
        shards.Sum(shard => shard.Read(node, PacketsIn)), shards.Sum(shard => shard.Read(node, PacketsIn + 1)),
        shards.Sum(shard => shard.Read(node, PacketsOut)), shards.Sum(shard => shard.Read(node, PacketsOut + 1)));

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
