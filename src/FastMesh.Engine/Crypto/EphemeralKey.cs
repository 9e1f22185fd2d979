namespace FastMesh.Engine.Crypto;

/// <summary>
/// One side's key of one key agreement: an Edwards point on the wire, X25519 underneath (tinc 1.1 reference, 2.4). Wiped by <see cref="Dispose"/>.
/// </summary>
public sealed class EphemeralKey : IDisposable
{
    /// <summary>Bytes of the public point and of the shared secret.</summary>
    public const int Length = 32;

    /// <summary>Makes a new pair of 32 random bytes.</summary>
    public EphemeralKey(IRandomSource random) => throw new NotImplementedException();

    /// <summary>The compressed Edwards point that is sent.</summary>
    public ReadOnlySpan<byte> Public => throw new NotImplementedException();

    /// <summary>Computes the shared secret; false if the peer's 32 bytes are no usable point.</summary>
    public bool TryAgree(ReadOnlySpan<byte> peerPublic, Span<byte> shared) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
