using System.Runtime.InteropServices;

namespace FastMesh.Native.Tests.Crypto;

/// <summary>libsodium's own functions, which nothing of ours but the curves uses: the second opinion of the tests.</summary>
internal static partial class SodiumOracle
{
    private const string Library = "libsodium.so.23";

    /// <summary>tinc's construction, word for word as the tinc 1.1 reference, 3.2, has it: the original ChaCha20 with a nonce of 8 bytes.</summary>
    public static byte[] SealTinc(byte[] key, ulong sequence, byte[] plain)
    {
        byte[] nonce = new byte[8], polyKey = new byte[32], sealedBytes = new byte[plain.Length + 16], tag = new byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(nonce, sequence);
        Assert.Equal(0, crypto_stream_chacha20_xor_ic(polyKey, polyKey, 32, nonce, 0, key));
        Assert.Equal(0, crypto_stream_chacha20_xor_ic(sealedBytes, plain, (ulong)plain.Length, nonce, 1, key));
        Assert.Equal(0, crypto_onetimeauth_poly1305(tag, sealedBytes, (ulong)plain.Length, polyKey));
        tag.CopyTo(sealedBytes, plain.Length);
        return sealedBytes;
    }

    /// <summary>RFC 8439.</summary>
    public static byte[] SealRfc(byte[] key, byte[] nonce, byte[] associated, byte[] plain)
    {
        byte[] sealedBytes = new byte[plain.Length + 16];
        Assert.Equal(0, crypto_aead_chacha20poly1305_ietf_encrypt(
            sealedBytes, out ulong length, plain, (ulong)plain.Length, associated, (ulong)associated.Length, 0, nonce, key));
        Assert.Equal((ulong)sealedBytes.Length, length);
        return sealedBytes;
    }

    /// <summary>Key pair and signature from a seed, by the functions that everybody else uses.</summary>
    public static (byte[] Public, byte[] Signature) Sign(byte[] seed, byte[] message)
    {
        byte[] publicKey = new byte[32], secret = new byte[64], signature = new byte[64];
        Assert.Equal(0, crypto_sign_ed25519_seed_keypair(publicKey, secret, seed));
        Assert.Equal(0, crypto_sign_ed25519_detached(signature, out _, message, (ulong)message.Length, secret));
        return (publicKey, signature);
    }

    /// <summary>The Montgomery public key of a scalar.</summary>
    public static byte[] MontgomeryPublic(byte[] scalar)
    {
        byte[] u = new byte[32];
        Assert.Equal(0, crypto_scalarmult_curve25519_base(u, scalar));
        return u;
    }

    /// <summary>X25519 of RFC 7748.</summary>
    public static byte[] X25519(byte[] scalar, byte[] u)
    {
        byte[] shared = new byte[32];
        Assert.Equal(0, crypto_scalarmult_curve25519(shared, scalar, u));
        return shared;
    }

    [LibraryImport(Library)]
    private static partial int crypto_stream_chacha20_xor_ic(byte[] output, byte[] input, ulong length, byte[] nonce, ulong counter, byte[] key);

    [LibraryImport(Library)]
    private static partial int crypto_onetimeauth_poly1305(byte[] tag, byte[] input, ulong length, byte[] key);

    [LibraryImport(Library)]
    private static partial int crypto_aead_chacha20poly1305_ietf_encrypt(
        byte[] output, out ulong outputLength, byte[] input, ulong length, byte[] associated, ulong associatedLength, nint none, byte[] nonce, byte[] key);

    [LibraryImport(Library)]
    private static partial int crypto_sign_ed25519_seed_keypair(byte[] publicKey, byte[] secretKey, byte[] seed);

    [LibraryImport(Library)]
    private static partial int crypto_sign_ed25519_detached(byte[] signature, out ulong signatureLength, byte[] message, ulong length, byte[] secretKey);

    [LibraryImport(Library)]
    private static partial int crypto_scalarmult_curve25519_base(byte[] u, byte[] scalar);

    [LibraryImport(Library)]
    private static partial int crypto_scalarmult_curve25519(byte[] shared, byte[] scalar, byte[] u);
}
