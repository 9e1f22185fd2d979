using System.Text.Json;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>One FastMesh peer and two shards on both ends, over real sockets and devices.</summary>
public sealed class LaneTests
{
    private const int StreamBytes = 3_000_000, Streams = 6;

    /// <summary>Flows are spread over the device's queues, so the shards of both ends send and receive themselves, whoever owns what else there is of the session.</summary>
    [SkippableTheory]
    [InlineData("--workers 2", "--workers 2")]
    [InlineData("--workers 2 --io uring", "--workers 3")]
    public void Streams_with_one_peer_use_the_shards_of_both_ends_while_keys_change(string left, string right)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh, 0), beta = network.AddNode("beta", Programs.FastMesh, 0);
        alpha.Arguments.AddRange(left.Split(' '));
        beta.Arguments.AddRange(right.Split(' '));
        alpha.Settings.Add("KeyExpire = 2");
        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner) && beta.Host.CanPing(alpha.Inner), "the first pings");
        alpha.WaitForUdp(beta);
        beta.WaitForUdp(alpha);

        int seed = 0;
        HashSet<string> keys = []; // by the time they were agreed on
        network.Until(
            () =>
            {
                seed += 2 * Streams;
                Transfer.Together([.. Enumerable.Range(0, Streams).Select(i => (Action)(() =>
                    Transfer.Stream(alpha.Host, beta.Host, beta.Inner, StreamBytes, StreamBytes, seed + (2 * i))))]);
                keys.Add(KeyOf(alpha, beta));
                return keys.Count > 2 && ShardsUsed(alpha) >= 2 && ShardsUsed(beta) >= 2;
            },
            "two changes of keys, and packets through two shards of both ends,");
        foreach (MeshNode node in network.Nodes)
        {
            DataCounters counters = DataCounters.Of(node);
            Assert.True(counters["Replayed"] == 0, $"{node.Name}: {counters}");
            Assert.True(counters["BadDatagram"] * 100 < counters["datagrams in"], $"{node.Name}: {counters}");
        }
    }

    /// <summary>Shards that have sent and received datagrams, and read and written packets of the device, more than connections and probes do.</summary>
    private static int ShardsUsed(MeshNode node)
    {
        using JsonDocument status = StatusOf(node);
        return status.RootElement.GetProperty("shards").EnumerateArray().Count(static shard =>
            Count(shard, "datagramsIn") > 1000 && Count(shard, "datagramsOut") > 1000 && Count(shard, "devicePacketsIn") > 20 && Count(shard, "devicePacketsOut") > 20);
    }

    private static long Count(JsonElement shard, string counter) => shard.GetProperty("counters").GetProperty(counter).GetInt64();

    private static string KeyOf(MeshNode node, MeshNode peer)
    {
        using JsonDocument status = StatusOf(node);
        JsonElement known = status.RootElement.GetProperty("nodes").EnumerateArray().Single(item => item.GetProperty("name").GetString() == peer.Name);
        return known.GetProperty("session").GetProperty("since").GetString()!;
    }

    private static JsonDocument StatusOf(MeshNode node) =>
        JsonDocument.Parse(Shell.Try(Programs.FastMeshPath, "-n", "mesh", "-c", node.Directory, $"--pidfile={node.PidFile}", "--json", "status").Output);
}
