using System.Security.Cryptography;

namespace FastMesh.Engine.Crypto;

/// <summary>The PRF behind SPTPS keys (tinc 1.1 reference, 3.4): shaped as TLS's P_hash with HMAC-SHA-512, but chained differently.</summary>
public static class KeyDerivation
{
    private const int Block = HMACSHA512.HashSizeInBytes;

    /// <summary>Fills <paramref name="output"/> from a secret and a seed.</summary>
    public static void Derive(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> seed, Span<byte> output)
    {
        // A(0) = 0, A(i) = HMAC(secret, A(i-1) || seed), block i = HMAC(secret, A(i) || seed)
        byte[] chain = GC.AllocateArray<byte>(Block + seed.Length, pinned: true);
        seed.CopyTo(chain.AsSpan(Block));
        Span<byte> block = stackalloc byte[Block];
        for (; !output.IsEmpty; output = output[Math.Min(Block, output.Length)..])
        {
            HMACSHA512.HashData(secret, chain, block);
            block.CopyTo(chain);
            HMACSHA512.HashData(secret, chain, block);
            block[..Math.Min(Block, output.Length)].CopyTo(output);
        }

        CryptographicOperations.ZeroMemory(block);
        CryptographicOperations.ZeroMemory(chain);
    }
}
