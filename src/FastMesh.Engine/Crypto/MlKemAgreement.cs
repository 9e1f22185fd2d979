using System.Security.Cryptography;

namespace FastMesh.Engine.Crypto;

#pragma warning disable SYSLIB5006 // Marked experimental as long as standards that build on ML-KEM are drafts; FIPS 203 itself is final.

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

    private readonly MLKem _key;
    private readonly byte[] _encapsulationKey;

    /// <summary>Makes a new key pair.</summary>
    /// <exception cref="PlatformNotSupportedException"><see cref="IsSupported"/> is false.</exception>
    public MlKemAgreement()
        : this(MLKem.GenerateKey(MLKemAlgorithm.MLKem768))
    {
    }

    private MlKemAgreement(MLKem key) => (_key, _encapsulationKey) = (key, key.ExportEncapsulationKey());

    /// <summary>Whether this system offers it.</summary>
    public static bool IsSupported => MLKem.IsSupported;

    /// <summary>What the other side encapsulates to.</summary>
    public ReadOnlySpan<byte> EncapsulationKey => _encapsulationKey;

    /// <summary>The responder's part: makes a shared secret and its ciphertext; false if the key is malformed.</summary>
    /// <param name="encapsulationKey">What the initiator sent.</param>
    /// <param name="ciphertext">Exactly <see cref="CiphertextLength"/> bytes.</param>
    /// <param name="shared">Exactly <see cref="SharedLength"/> bytes.</param>
    public static bool TryEncapsulate(ReadOnlySpan<byte> encapsulationKey, Span<byte> ciphertext, Span<byte> shared)
    {
        if (!IsSupported || encapsulationKey.Length != EncapsulationKeyLength)
            return false;
        try
        {
            using MLKem key = MLKem.ImportEncapsulationKey(MLKemAlgorithm.MLKem768, encapsulationKey);
            key.Encapsulate(ciphertext, shared);
            return true;
        }
        catch (CryptographicException)
        {
            return false; // its coefficients are not below q (FIPS 203, 7.2)
        }
    }

    /// <summary>
    /// The initiator's part; false if the ciphertext has the wrong length. A ciphertext for another key gives a secret that nobody else has.
    /// </summary>
    /// <param name="ciphertext">What the responder sent.</param>
    /// <param name="shared">Exactly <see cref="SharedLength"/> bytes.</param>
    public bool TryDecapsulate(ReadOnlySpan<byte> ciphertext, Span<byte> shared)
    {
        if (ciphertext.Length != CiphertextLength)
            return false;
        _key.Decapsulate(ciphertext, shared);
        return true;
    }

    /// <summary>Takes a key pair of the 64-byte seed of FIPS 203 (d, then z), for published vectors.</summary>
    internal static MlKemAgreement FromSeed(ReadOnlySpan<byte> seed) => new(MLKem.ImportPrivateSeed(MLKemAlgorithm.MLKem768, seed));

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
