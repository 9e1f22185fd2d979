namespace FastMesh.Engine.Crypto;

/// <summary>
/// ML-KEM-768 (FIPS 203) by the system's OpenSSL 3.5 or later. The initiator makes an instance and sends <see cref="EncapsulationKey"/>; the responder
/// answers with a ciphertext. Wiped by <see cref="Dispose"/>.
/// </summary>
public sealed class MlKemAgreement : IDisposable
{
    /// <summary>Bytes of the encapsulation key.</summary>
    public const int EncapsulationKeyLength = 1184;

    /// <summary>Bytes of the ciphertext.</summary>
    public const int CiphertextLength = 1088;

    /// <summary>Bytes of the shared secret.</summary>
    public const int SharedLength = 32;

    /// <summary>Whether this system offers it.</summary>
    public static bool IsSupported => throw new NotImplementedException();

    /// <summary>Makes a new key pair.</summary>
    public MlKemAgreement() => throw new NotImplementedException();

    /// <summary>What the other side encapsulates to.</summary>
    public ReadOnlySpan<byte> EncapsulationKey => throw new NotImplementedException();

    /// <summary>The responder's part: makes a shared secret and its ciphertext; false if the key is malformed.</summary>
    public static bool TryEncapsulate(ReadOnlySpan<byte> encapsulationKey, Span<byte> ciphertext, Span<byte> shared) => throw new NotImplementedException();

    /// <summary>The initiator's part; false if the ciphertext has the wrong length.</summary>
    public bool TryDecapsulate(ReadOnlySpan<byte> ciphertext, Span<byte> shared) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
