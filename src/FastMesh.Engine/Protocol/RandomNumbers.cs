using System.Buffers.Binary;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Protocol;

/// <summary>Numbers drawn from a source of random bytes.</summary>
internal static class RandomNumbers
{
    /// <summary>A uniform 32-bit number.</summary>
    public static uint NextUInt32(this IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        random.Fill(bytes);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    /// <summary>A nonce of a flooded request: 31 random bits (tinc 1.0 reference, 4.3).</summary>
    public static uint NextNonce(this IRandomSource random) => random.NextUInt32() & int.MaxValue;

    /// <summary>True with the given probability.</summary>
    public static bool NextChance(this IRandomSource random, double probability) =>
        probability > 0 && random.NextUInt32() < probability * 4294967296.0;
}
