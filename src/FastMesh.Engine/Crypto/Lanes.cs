namespace FastMesh.Engine.Crypto;

/// <summary>
/// Lanes of a FastMesh session, so that one peer's traffic uses all shards of both ends. The first byte of a datagram's sequence number is its lane: one sending
/// shard, with a counter of its own, so that no nonce is used twice, and a replay window of its own, which one shard of the receiver owns. Lane 0 belongs
/// to senders with one shard, and to those that know no lanes; it has the session's owner at the receiver. The shards of others send in lanes from 1 on.
/// </summary>
public static class Lanes
{
    /// <summary>The most lanes of a sender (ours): a window takes a kilobyte of the receiver. Further shards hand their packets to one that has a lane.</summary>
    public const int Max = 64;

    /// <summary>Where the lane lies in a sequence number, bits.</summary>
    internal const int Shift = 56;

    /// <summary>The lane in which a shard sends if its session has several.</summary>
    internal static byte OfShard(int shard) => (byte)(1 + shard);

    /// <summary>The shard of the receiver that opens a lane other than 0, and to which the kernel delivers its datagrams.</summary>
    /// <param name="lane">1 to <see cref="Max"/>.</param>
    /// <param name="shards">Number of the receiver's shards.</param>
    internal static int OwnerShard(int lane, int shards) => (lane - 1) % Math.Max(1, shards);
}
