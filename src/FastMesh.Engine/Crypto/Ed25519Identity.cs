using System.Diagnostics.CodeAnalysis;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// A node's Ed25519 private key in tinc's form: 64 bytes of expanded secret, then 32 bytes of public key (tinc 1.1 reference, 2.2, 2.3).
/// Immutable, usable from any thread.
/// </summary>
public sealed class Ed25519Identity
{
    /// <summary>Bytes of a signature.</summary>
    public const int SignatureLength = 64;

    private Ed25519Identity(Ed25519PublicKey publicKey) => Public = publicKey;

    /// <summary>The public half.</summary>
    public Ed25519PublicKey Public { get; }

    /// <summary>Makes a new key pair.</summary>
    public static Ed25519Identity Generate(IRandomSource random) => throw new NotImplementedException();

    /// <summary>Makes the pair that belongs to a 32-byte seed.</summary>
    public static Ed25519Identity FromSeed(ReadOnlySpan<byte> seed) => throw new NotImplementedException();

    /// <summary>Takes the first block <c>ED25519 PRIVATE KEY</c> of a text; lines are decoded one by one.</summary>
    public static bool TryFromPem(ReadOnlySpan<char> text, [NotNullWhen(true)] out Ed25519Identity? identity, out string reason) =>
        throw new NotImplementedException();

    /// <summary>The block <c>ED25519 PRIVATE KEY</c> with a final newline.</summary>
    public string ToPem() => throw new NotImplementedException();

    /// <summary>Signs a message; <paramref name="signature"/> has room for <see cref="SignatureLength"/> bytes.</summary>
    public void Sign(ReadOnlySpan<byte> message, Span<byte> signature) => throw new NotImplementedException();
}

/// <summary>Another node's Ed25519 public key: 32 bytes, 43 characters of base64 (tinc 1.1 reference, 2.2). Immutable.</summary>
public sealed class Ed25519PublicKey : IEquatable<Ed25519PublicKey>
{
    /// <summary>Bytes.</summary>
    public const int Length = 32;

    private readonly byte[] _bytes;

    /// <summary>Takes exactly <see cref="Length"/> bytes.</summary>
    public Ed25519PublicKey(ReadOnlySpan<byte> bytes) => _bytes = bytes[..Length].ToArray();

    /// <summary>The compressed point.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Takes the 43 characters of <c>Ed25519PublicKey</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out Ed25519PublicKey? key) => throw new NotImplementedException();

    /// <summary>Takes the first block <c>ED25519 PUBLIC KEY</c> of a text.</summary>
    public static bool TryFromPem(ReadOnlySpan<char> text, [NotNullWhen(true)] out Ed25519PublicKey? key, out string reason) =>
        throw new NotImplementedException();

    /// <summary>Whether a signature of this key's owner belongs to the message.</summary>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => throw new NotImplementedException();

    /// <inheritdoc/>
    public bool Equals(Ed25519PublicKey? other) => other is not null && other.Bytes.SequenceEqual(Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Ed25519PublicKey);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    /// <summary>The 43 characters.</summary>
    public override string ToString() => Wire.TincBase64.Encode(_bytes);
}
