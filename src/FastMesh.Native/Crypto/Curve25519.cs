using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>
/// X25519 (RFC 7748) with public keys that are compressed Edwards points, as SPTPS sends them (tinc 1.1 reference, 2.4); key pairs are made as with
/// <see cref="Ed25519"/>. Stateless, usable from any thread. By libsodium.
/// </summary>
public static unsafe class Curve25519
{
    /// <summary>Bytes of a scalar, a point and a shared secret.</summary>
    public const int Length = 32;

    /// <summary>
    /// Computes the shared secret. False if the point is not on the curve, not in the subgroup that honest keys are in, or of small order.
    /// </summary>
    /// <param name="scalar">The clamped scalar of our side, 32 bytes.</param>
    /// <param name="edwardsPoint">The other side's 32 bytes; the sign bit does not matter.</param>
    /// <param name="shared">Receives the u-coordinate, 32 bytes.</param>
    public static bool TryAgree(ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> edwardsPoint, Span<byte> shared)
    {
        if (scalar.Length != Length || edwardsPoint.Length != Length || shared.Length != Length)
            return false;
        SodiumLibrary.EnsureReady();
        byte* u = stackalloc byte[Length];
        fixed (byte* a = scalar, point = edwardsPoint, result = shared)
            return Libsodium.crypto_sign_ed25519_pk_to_curve25519(u, point) == 0
                && Libsodium.crypto_scalarmult_curve25519(result, a, u) == 0;
    }
}
