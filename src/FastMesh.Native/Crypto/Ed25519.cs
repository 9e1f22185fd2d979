using System.Security.Cryptography;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>
/// Ed25519 (RFC 8032) from the expanded secret key, which is what tinc keeps: the clamped scalar a, then the prefix; the seed is gone, so one-shot
/// functions do not fit (tinc 1.1 reference, 2.2 and 2.3). Stateless, usable from any thread. By libsodium.
/// </summary>
public static unsafe class Ed25519
{
    /// <summary>Bytes of the seed of RFC 8032.</summary>
    public const int SeedLength = 32;

    /// <summary>Bytes of the expanded secret key.</summary>
    public const int ExpandedLength = 64;

    /// <summary>Bytes of a public key.</summary>
    public const int PublicLength = 32;

    /// <summary>Bytes of a signature.</summary>
    public const int SignatureLength = 64;

    private const int Scalar = Libsodium.crypto_core_ed25519_SCALARBYTES, Hash = Libsodium.crypto_core_ed25519_NONREDUCEDSCALARBYTES;

    /// <summary>Hashes the seed and clamps the scalar.</summary>
    /// <param name="seed">32 bytes.</param>
    /// <param name="expanded">Receives 64 bytes.</param>
    public static void Expand(ReadOnlySpan<byte> seed, Span<byte> expanded)
    {
        Check(seed.Length == SeedLength && expanded.Length == ExpandedLength);
        SHA512.HashData(seed, expanded);
        expanded[0] &= 0xF8;
        expanded[31] = (byte)((expanded[31] & 0x3F) | 0x40);
    }

    /// <summary>The public key of a scalar: its multiple of the base point.</summary>
    /// <param name="expanded">At least the 32 bytes of the scalar.</param>
    /// <param name="publicKey">Receives 32 bytes.</param>
    /// <exception cref="CryptographicException">The scalar is zero.</exception>
    public static void GetPublic(ReadOnlySpan<byte> expanded, Span<byte> publicKey)
    {
        Check(expanded.Length >= Scalar && publicKey.Length == PublicLength);
        SodiumLibrary.EnsureReady();
        fixed (byte* scalar = expanded, point = publicKey)
            if (Libsodium.crypto_scalarmult_ed25519_base_noclamp(point, scalar) != 0)
                throw new CryptographicException("A scalar of zero has no public key.");
    }

    /// <summary>Signs a message.</summary>
    /// <param name="expanded">64 bytes.</param>
    /// <param name="publicKey">The 32 bytes that belong to it; others would give the secret away.</param>
    /// <param name="message">Any number of bytes.</param>
    /// <param name="signature">Receives 64 bytes.</param>
    public static void Sign(ReadOnlySpan<byte> expanded, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, Span<byte> signature)
    {
        Check(expanded.Length == ExpandedLength && publicKey.Length == PublicLength && signature.Length == SignatureLength);
        SodiumLibrary.EnsureReady();
        Span<byte> nonce = stackalloc byte[Scalar], challenge = stackalloc byte[Scalar], sum = stackalloc byte[Scalar];
        Span<byte> point = signature[..Scalar];
        HashToScalar(expanded[Scalar..], default, message, nonce);
        fixed (byte* a = expanded, r = nonce, k = challenge, s = sum, output = signature)
        {
            if (Libsodium.crypto_scalarmult_ed25519_base_noclamp(output, r) != 0)
                throw new CryptographicException("The nonce is zero.");
            HashToScalar(point, publicKey, message, challenge);
            Libsodium.crypto_core_ed25519_scalar_mul(s, k, a);
            Libsodium.crypto_core_ed25519_scalar_add(output + Scalar, s, r);
            Libsodium.sodium_memzero(r, Scalar);
            Libsodium.sodium_memzero(s, Scalar);
        }
    }

    /// <summary>Whether the signature is right. False too for a malformed signature, and for a public key of small order.</summary>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != PublicLength || signature.Length != SignatureLength)
            return false;
        SodiumLibrary.EnsureReady();
        fixed (byte* key = publicKey, m = message, s = signature)
            return Libsodium.crypto_sign_ed25519_verify_detached(s, m, (ulong)message.Length, key) == 0;
    }

    // SHA-512(first || second || message) mod L
    private static void HashToScalar(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> message, Span<byte> scalar)
    {
        Span<byte> hash = stackalloc byte[Hash];
        using (IncrementalHash sha512 = IncrementalHash.CreateHash(HashAlgorithmName.SHA512))
        {
            sha512.AppendData(first);
            sha512.AppendData(second);
            sha512.AppendData(message);
            sha512.GetHashAndReset(hash);
        }

        fixed (byte* from = hash, to = scalar)
            Libsodium.crypto_core_ed25519_scalar_reduce(to, from);
        CryptographicOperations.ZeroMemory(hash);
    }

    private static void Check(bool lengths)
    {
        if (!lengths)
            throw new ArgumentException("A key or signature of Ed25519 has another length.");
    }
}
