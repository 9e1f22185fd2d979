using System.Security.Cryptography;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// One side's key of one key agreement: an Edwards point on the wire, X25519 underneath (tinc 1.1 reference, 2.4). Wiped by <see cref="Dispose"/>.
/// </summary>
public sealed class EphemeralKey : IDisposable
{
    /// <summary>Bytes of the public point and of the shared secret.</summary>
    public const int Length = Curve25519.Length;

    private readonly byte[] _scalar = GC.AllocateUninitializedArray<byte>(Length, pinned: true);
    private readonly byte[] _public = new byte[Length];

    /// <summary>Makes a new pair of 32 random bytes.</summary>
    public EphemeralKey(IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        Span<byte> seed = stackalloc byte[Ed25519.SeedLength], expanded = stackalloc byte[Ed25519.ExpandedLength];
        random.Fill(seed);
        Ed25519.Expand(seed, expanded);
        expanded[..Length].CopyTo(_scalar);
        Ed25519.GetPublic(_scalar, _public);
        CryptographicOperations.ZeroMemory(seed);
        CryptographicOperations.ZeroMemory(expanded);
    }

    /// <summary>The compressed Edwards point that is sent.</summary>
    public ReadOnlySpan<byte> Public => _public;

    /// <summary>Computes the shared secret; false if the peer's 32 bytes are no usable point, or after <see cref="Dispose"/>.</summary>
    /// <param name="peerPublic">What the peer sent.</param>
    /// <param name="shared">Exactly <see cref="Length"/> bytes.</param>
    public bool TryAgree(ReadOnlySpan<byte> peerPublic, Span<byte> shared) =>
        _scalar[^1] != 0 && Curve25519.TryAgree(_scalar, peerPublic, shared); // a clamped scalar has bit 254

    /// <inheritdoc/>
    public void Dispose() => CryptographicOperations.ZeroMemory(_scalar);
}
