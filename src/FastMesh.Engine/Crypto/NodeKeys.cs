using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// This node's RSA private key, for the bare RSA of the tinc 1.0 handshake (tinc 1.0 reference, 2.3 and 4.4). Immutable, usable from any thread.
/// </summary>
public sealed class RsaIdentity
{
    private readonly RsaKey _key;

    private RsaIdentity(RsaKey key)
    {
        _key = key;
        Public = new RsaPublicIdentity(key);
    }

    /// <summary>Bytes of the modulus: the length of every block.</summary>
    public int ModulusLength => _key.ModulusLength;

    /// <summary>Bits of the modulus.</summary>
    public int ModulusBits => _key.ModulusBits;

    /// <summary>The public half.</summary>
    public RsaPublicIdentity Public { get; }

    /// <summary>
    /// Raises a block to the private exponent. False, without an output, if it is not <see cref="ModulusLength"/> bytes or its number is not
    /// below the modulus.
    /// </summary>
    /// <param name="block">The received block, big endian.</param>
    /// <param name="output">Exactly <see cref="ModulusLength"/> bytes.</param>
    public bool Decrypt(ReadOnlySpan<byte> block, Span<byte> output) => _key.PrivateTransform(block, output);

    /// <summary>
    /// Signs a message by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.1). Empty if the key is too short for it (below 496 bits) or unusable.
    /// </summary>
    public byte[] Sign(ReadOnlySpan<byte> message)
    {
        byte[] block = new byte[ModulusLength], signature = new byte[ModulusLength];
        return RsaLimits.TryEncode(message, block) && _key.PrivateTransform(block, signature) ? signature : [];
    }

    /// <summary>Takes the first PKCS#1 "RSA PRIVATE KEY" of a text, else the first PKCS#8 "PRIVATE KEY".</summary>
    public static bool TryFromPem(ReadOnlySpan<char> text, [NotNullWhen(true)] out RsaIdentity? identity, out string reason)
    {
        RsaKey? key = RsaKey.FromPrivatePem(text);
        reason = RsaLimits.Refusal(key, "it holds no unencrypted PEM block RSA PRIVATE KEY or PRIVATE KEY");
        return (identity = reason.Length == 0 ? new RsaIdentity(key!) : null) is not null;
    }

    /// <summary>Takes the hex forms PublicKey and PrivateKey; the public exponent is then 0xFFFF (tinc 1.0 reference, 2.3).</summary>
    public static bool TryFromHex(
        ReadOnlySpan<char> modulus, ReadOnlySpan<char> privateExponent, [NotNullWhen(true)] out RsaIdentity? identity, out string reason)
    {
        RsaKey? key = null;
        if (RsaLimits.TryReadHex(modulus, out byte[] n) && RsaLimits.TryReadHex(privateExponent, out byte[] d))
            key = RsaKey.FromNumbers(n, RsaLimits.HexFormExponent, d);
        reason = RsaLimits.Refusal(key, "PublicKey and PrivateKey consist of hexadecimal digits only");
        return (identity = reason.Length == 0 ? new RsaIdentity(key!) : null) is not null;
    }
}

/// <summary>Another node's RSA public key. Immutable, usable from any thread.</summary>
public sealed class RsaPublicIdentity : IEquatable<RsaPublicIdentity>
{
    private readonly RsaKey _key;

    internal RsaPublicIdentity(RsaKey key) => _key = key;

    /// <summary>Bytes of the modulus: the length of every block.</summary>
    public int ModulusLength => _key.ModulusLength;

    /// <summary>Bits of the modulus.</summary>
    public int ModulusBits => _key.ModulusBits;

    /// <summary>Whether modulus and exponent are the same.</summary>
    public bool Equals(RsaPublicIdentity? other) => other is not null && _key.ExportPublicPem() == other._key.ExportPublicPem();

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RsaPublicIdentity);

    /// <inheritdoc/>
    public override int GetHashCode() => _key.ExportPublicPem().GetHashCode(StringComparison.Ordinal);

    /// <summary>Raises a block to the public exponent; false under the same conditions as <see cref="RsaIdentity.Decrypt"/>.</summary>
    /// <param name="block"><see cref="ModulusLength"/> bytes, big endian, below the modulus.</param>
    /// <param name="output">Exactly <see cref="ModulusLength"/> bytes.</param>
    public bool Encrypt(ReadOnlySpan<byte> block, Span<byte> output) => _key.PublicTransform(block, output);

    /// <summary>Whether a signature by RSASSA-PKCS1-v1_5 with SHA-256 of this key's owner belongs to the message (RFC 8017, 8.2.2).</summary>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        byte[] expected = new byte[ModulusLength], opened = new byte[ModulusLength];
        return RsaLimits.TryEncode(message, expected) && _key.PublicTransform(signature, opened) && opened.AsSpan().SequenceEqual(expected);
    }

    /// <summary>
    /// Takes the first "RSA PUBLIC KEY" block (PKCS#1) of a text, else the first "PUBLIC KEY" block (SPKI); everything else is skipped, so
    /// the text may be a whole host file.
    /// </summary>
    public static bool TryFromPem(ReadOnlySpan<char> text, [NotNullWhen(true)] out RsaPublicIdentity? identity, out string reason)
    {
        RsaKey? key = RsaKey.FromPublicPem(text);
        reason = RsaLimits.Refusal(key, "it holds no PEM block RSA PUBLIC KEY or PUBLIC KEY");
        return (identity = reason.Length == 0 ? new RsaPublicIdentity(key!) : null) is not null;
    }

    /// <summary>Takes the hex form PublicKey: the modulus; the exponent is then 0xFFFF (tinc 1.0 reference, 2.3).</summary>
    public static bool TryFromHex(ReadOnlySpan<char> modulus, [NotNullWhen(true)] out RsaPublicIdentity? identity, out string reason)
    {
        RsaKey? key = RsaLimits.TryReadHex(modulus, out byte[] n) ? RsaKey.FromNumbers(n, RsaLimits.HexFormExponent, default) : null;
        reason = RsaLimits.Refusal(key, "PublicKey consists of hexadecimal digits only");
        return (identity = reason.Length == 0 ? new RsaPublicIdentity(key!) : null) is not null;
    }
}

/// <summary>A new RSA key pair as the PKCS#1 texts that <c>-K</c> writes.</summary>
/// <param name="PrivatePem">"RSA PRIVATE KEY" block, without a final newline.</param>
/// <param name="PublicPem">"RSA PUBLIC KEY" block, without a final newline.</param>
public sealed record RsaKeyPair(string PrivatePem, string PublicPem)
{
    /// <summary>Generates a pair with public exponent 65537. Takes seconds for 4096 bits and more.</summary>
    /// <param name="bits">A multiple of 8 from 512 to 8192.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another number of bits.</exception>
    public static RsaKeyPair Generate(int bits)
    {
        if (!RsaLimits.IsSupported(bits))
            throw new ArgumentOutOfRangeException(nameof(bits), bits, RsaLimits.Sizes);
        using RsaKey key = RsaKey.Generate(bits);
        return new RsaKeyPair(new string(key.ExportPrivatePem()), key.ExportPublicPem());
    }
}

/// <summary>Which RSA keys the protocol can carry.</summary>
internal static class RsaLimits
{
    public const string Sizes = "RSA keys must have 512 to 8192 bits, a multiple of 8";

    public static ReadOnlySpan<byte> HexFormExponent => [0xff, 0xff];

    /// <summary>The DER of a DigestInfo for SHA-256, without the hash (RFC 8017, 9.2, note 1).</summary>
    private static ReadOnlySpan<byte> Sha256Info =>
        [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

    /// <summary>EMSA-PKCS1-v1_5 (RFC 8017, 9.2): fills a block of the modulus's length; false if that is too short.</summary>
    public static bool TryEncode(ReadOnlySpan<byte> message, Span<byte> block)
    {
        const int Overhead = 11; // 00 01, at least eight ff, 00
        int tail = Sha256Info.Length + SHA256.HashSizeInBytes;
        if (block.Length < tail + Overhead)
            return false;
        block.Fill(0xff);
        (block[0], block[1], block[^(tail + 1)]) = (0, 1, 0);
        Sha256Info.CopyTo(block[^tail..]);
        SHA256.HashData(message, block[^SHA256.HashSizeInBytes..]);
        return true;
    }

    /// <summary>A METAKEY has whole bytes and at most 2048 hex digits (tinc 1.0 reference, 2.3).</summary>
    public static bool IsSupported(int bits) => bits is >= 512 and <= 8192 && bits % 8 == 0;

    public static string Refusal(RsaKey? key, string unreadable) =>
        key is null ? unreadable : IsSupported(key.ModulusBits) ? "" : $"the key has {key.ModulusBits} bits; {Sizes}";

    /// <summary>Reads a number that must not be empty; an odd count of digits has a leading zero left out.</summary>
    public static bool TryReadHex(ReadOnlySpan<char> text, out byte[] number)
    {
        string even = text.Length % 2 == 0 ? text.ToString() : $"0{text}";
        number = new byte[even.Length / 2];
        return even.Length > 0 && Convert.FromHexString(even, number, out _, out _) == System.Buffers.OperationStatus.Done;
    }
}
