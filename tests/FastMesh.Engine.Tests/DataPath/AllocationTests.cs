using FastMesh.Bench;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Runs alone: collections are counted for the whole process.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationTestsAlone;

[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    private const long PacketsInAll = 1_000_000;
    private const int WarmTurns = 200;

    /// <summary>
    /// Whole turns of shards, out, in and relayed, of super-packets and small packets, in sessions with all kinds of peers: what is allocated once per
    /// so many packets, such as by a growing list, shows as well.
    /// </summary>
    [Fact]
    public void A_million_packets_allocate_nothing_and_cause_no_collection()
    {
        Case[] cases = [.. Case.All().Where(one => one.Method.DeclaringType == typeof(ShardBench))];
        Assert.Equal(3 * 4 * 2, cases.Length);
        long packets = 0;
        foreach (Case one in cases)
        {
            using (one)
                packets += Run(one, PacketsInAll / cases.Length);
        }

        Assert.True(packets >= PacketsInAll);
    }

    private static long Run(Case one, long packets)
    {
        Action turn = one.Call();
        int perTurn = ((ShardBench)one.Instance).Packets;
        for (int i = 0; i < WarmTurns; i++)
            turn();
        GC.Collect();
        (long allocated, int collections, long done) = (GC.GetAllocatedBytesForCurrentThread(), GC.CollectionCount(0), 0);
        for (; done <= packets; done += perTurn)
            turn();
        long bytes = GC.GetAllocatedBytesForCurrentThread() - allocated;
        collections = GC.CollectionCount(0) - collections;
        Assert.True((bytes, collections) == (0, 0), $"{one}: {bytes} bytes, {collections} collections in {done} packets");
        return done;
    }
}
