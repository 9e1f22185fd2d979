using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>What two FastMesh nodes agree on about lanes, with nodes that know none among them.</summary>
public sealed class LaneNegotiationTests
{
    /// <summary>Three bits: 0 of a node that knows no lanes, n for up to 2^(n - 1).</summary>
    [Theory]
    [InlineData(1, 0x10)]
    [InlineData(2, 0x20)]
    [InlineData(3, 0x30)]
    [InlineData(4, 0x30)]
    [InlineData(5, 0x40)]
    [InlineData(8, 0x40)]
    [InlineData(64, 0x70)]
    [InlineData(1000, 0x70)]
    public void A_node_says_in_how_many_lanes_it_sends(int shards, int flags) => Assert.Equal((FastMeshFlags)flags, FastMeshOffer.LanesOf(shards));

    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 2, 2, 2)]
    [InlineData(1, 4, 1, 4)]
    [InlineData(3, 2, 3, 2)]
    [InlineData(8, 1, 8, 1)]
    [InlineData(0, 4, 1, 1)] // 0: one shard, and of before there were lanes
    [InlineData(4, 0, 1, 1)]
    public void Each_side_sends_in_its_lanes_if_the_other_knows_them(int shardsA, int shardsB, int lanesA, int lanesB)
    {
        FastMeshPair pair = NewPair(shardsA, shardsB);
        pair.Start(pair.Alice);
        pair.Run();
        Check(pair, pair.Alice, lanesA, Math.Max(1, shardsB));
        Check(pair, pair.Bob, lanesB, Math.Max(1, shardsA));

        pair.Start(pair.Bob); // keys are changed: the lanes begin anew
        pair.Run();
        Check(pair, pair.Alice, lanesA, Math.Max(1, shardsB));
        Check(pair, pair.Bob, lanesB, Math.Max(1, shardsA));
    }

    /// <summary>What a lane carries while keys change arrives, whichever of the two keys it was sealed under.</summary>
    [Fact]
    public void Nothing_is_lost_in_any_lane_while_keys_change()
    {
        FastMeshPair pair = NewPair(2, 2);
        pair.Start(pair.Alice);
        pair.Run();
        Assert.Equal(OpenResult.Opened, FastMeshPair.Open(pair.Bob, FastMeshPair.Seal(pair.Alice, [0], shard: 1), out _)); // or the first keys would be in doubt
        for (int round = 0; round < 5; round++)
        {
            List<byte[]> underWay = [FastMeshPair.Seal(pair.Alice, [1], shard: 0), FastMeshPair.Seal(pair.Alice, [2], shard: 1)];
            pair.Start(round % 2 == 0 ? pair.Alice : pair.Bob);
            do
            {
                underWay.AddRange([FastMeshPair.Seal(pair.Alice, [3], shard: 0), FastMeshPair.Seal(pair.Alice, [4], shard: 1)]);
            }
            while (pair.DeliverOne());
            Assert.All(underWay, datagram => Assert.Equal(OpenResult.Opened, FastMeshPair.Open(pair.Bob, datagram, out _)));
            Assert.All(underWay.TakeLast(4), datagram => Assert.Equal(OpenResult.Replayed, FastMeshPair.Open(pair.Bob, datagram, out _)));
        }
    }

    [Fact]
    public void The_records_of_all_lanes_count_towards_the_life_of_a_key()
    {
        FastMeshPair pair = NewPair(2, 2);
        Assert.Equal(0UL, pair.Alice.Session.Sent);
        pair.Start(pair.Alice);
        pair.Run();
        for (int shard = 0; shard < 2; shard++)
            FastMeshPair.Seal(pair.Alice, [1], shard);
        Assert.Equal(2UL, pair.Alice.Session.Sent);
    }

    private static void Check(FastMeshPair pair, FastMeshEnd sender, int lanes, int shards)
    {
        Assert.NotNull(pair.Common);
        FastMeshEnd receiver = pair.Other(sender);
        HashSet<int> used = [], owners = [];
        for (int shard = 0; shard < 10; shard++)
        {
            byte[] datagram = FastMeshPair.Seal(sender, [7], shard);
            used.Add(datagram[12]);
            owners.Add(receiver.Session.Opener!.Of(datagram).Owner);
            Assert.Equal(OpenResult.Opened, FastMeshPair.Open(receiver, datagram, out _));
            Assert.Equal(OpenResult.Replayed, FastMeshPair.Open(receiver, datagram, out _));
        }

        Assert.Equal(lanes == 1 ? [0] : Enumerable.Range(1, lanes), used.Order());
        Assert.Equal(Math.Min(lanes, shards), owners.Count);
    }

    private static FastMeshPair NewPair(int shardsA, int shardsB) =>
        new(offerA: Offer(shardsA), offerB: Offer(shardsB), shardsA: Math.Max(1, shardsA), shardsB: Math.Max(1, shardsB));

    private static FastMeshOffer Offer(int shards) =>
        shards == 0 ? FastMeshPair.FullOffer : FastMeshPair.FullOffer with { Flags = FastMeshPair.FullOffer.Flags | FastMeshOffer.LanesOf(shards) };
}
