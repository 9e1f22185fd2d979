using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using FastMesh.Engine.Wire;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// A node's Ed25519 private key in tinc's form: 64 bytes of expanded secret, then 32 bytes of public key (tinc 1.1 reference, 2.2, 2.3).
/// Immutable, usable from any thread.
/// </summary>
public sealed class Ed25519Identity
{
    /// <summary>Bytes of a signature.</summary>
    public const int SignatureLength = Ed25519.SignatureLength;

    private const string Label = "ED25519 PRIVATE KEY";
    private readonly byte[] _expanded; // pinned so that no copy stays behind

    private Ed25519Identity(byte[] expanded)
    {
        Span<byte> point = stackalloc byte[Ed25519PublicKey.Length];
        Ed25519.GetPublic(expanded, point);
        (_expanded, Public) = (expanded, new Ed25519PublicKey(point));
    }

    /// <summary>Wipes the key.</summary>
    ~Ed25519Identity() => CryptographicOperations.ZeroMemory(_expanded);

    /// <summary>The public half.</summary>
    public Ed25519PublicKey Public { get; }

    /// <summary>Makes a new key pair.</summary>
    public static Ed25519Identity Generate(IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        Span<byte> seed = stackalloc byte[Ed25519.SeedLength];
        random.Fill(seed);
        Ed25519Identity identity = FromSeed(seed);
        CryptographicOperations.ZeroMemory(seed);
        return identity;
    }

    /// <summary>Makes the pair that belongs to a 32-byte seed.</summary>
    public static Ed25519Identity FromSeed(ReadOnlySpan<byte> seed)
    {
        byte[] expanded = GC.AllocateUninitializedArray<byte>(Ed25519.ExpandedLength, pinned: true);
        Ed25519.Expand(seed, expanded);
        return new(expanded);
    }

    /// <summary>Takes the first block <c>ED25519 PRIVATE KEY</c> of a text; lines are decoded one by one.</summary>
    /// <param name="text">A file.</param>
    /// <param name="identity">The key pair.</param>
    /// <param name="reason">Why there is none: no block, not base64, another length, or halves that do not belong together.</param>
    public static bool TryFromPem(ReadOnlySpan<char> text, [NotNullWhen(true)] out Ed25519Identity? identity, out string reason)
    {
        identity = null;
        Span<byte> both = stackalloc byte[Ed25519.ExpandedLength + Ed25519.PublicLength];
        if (KeyBlock.TryRead(text, Label, both, out reason))
        {
            byte[] expanded = GC.AllocateUninitializedArray<byte>(Ed25519.ExpandedLength, pinned: true);
            both[..Ed25519.ExpandedLength].CopyTo(expanded);
            bool isClamped = (expanded[0] & 7) == 0 && (expanded[31] & 0xC0) == 0x40; // which no multiple of the group's order is
            if (!isClamped || !(identity = new(expanded)).Public.Bytes.SequenceEqual(both[Ed25519.ExpandedLength..]))
                (identity, reason) = (null, $"the public half of the block {Label} does not belong to the private one");
        }

        CryptographicOperations.ZeroMemory(both);
        return identity is not null;
    }

    /// <summary>The block <c>ED25519 PRIVATE KEY</c> with a final newline. A secret.</summary>
    public string ToPem()
    {
        Span<byte> both = stackalloc byte[Ed25519.ExpandedLength + Ed25519.PublicLength];
        _expanded.CopyTo(both);
        Public.Bytes.CopyTo(both[Ed25519.ExpandedLength..]);
        GC.KeepAlive(this); // the finaliser must not wipe what is being read
        string text = KeyBlock.Write(Label, both);
        CryptographicOperations.ZeroMemory(both);
        return text;
    }

    /// <summary>Signs a message; <paramref name="signature"/> has room for <see cref="SignatureLength"/> bytes.</summary>
    public void Sign(ReadOnlySpan<byte> message, Span<byte> signature)
    {
        Ed25519.Sign(_expanded, Public.Bytes, message, signature[..SignatureLength]);
        GC.KeepAlive(this);
    }
}

/// <summary>Another node's Ed25519 public key: 32 bytes, 43 characters of base64 (tinc 1.1 reference, 2.2). Immutable.</summary>
public sealed class Ed25519PublicKey : IEquatable<Ed25519PublicKey>
{
    /// <summary>Bytes.</summary>
    public const int Length = Ed25519.PublicLength;

    private const string Label = "ED25519 PUBLIC KEY";
    private readonly byte[] _bytes;

    /// <summary>Takes exactly <see cref="Length"/> bytes.</summary>
    public Ed25519PublicKey(ReadOnlySpan<byte> bytes) => _bytes = bytes[..Length].ToArray();

    /// <summary>The compressed point.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Takes the 43 characters of <c>Ed25519PublicKey</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out Ed25519PublicKey? key)
    {
        bool ok = text.Length == TincBase64.EncodedLength(Length) & TincBase64.TryDecode(text, out byte[] bytes);
        key = ok ? new(bytes) : null;
        return ok;
    }

    /// <summary>Takes the first block <c>ED25519 PUBLIC KEY</c> of a text.</summary>
    public static bool TryFromPem(ReadOnlySpan<char> text, [NotNullWhen(true)] out Ed25519PublicKey? key, out string reason)
    {
        Span<byte> bytes = stackalloc byte[Length];
        key = KeyBlock.TryRead(text, Label, bytes, out reason) ? new(bytes) : null;
        return key is not null;
    }

    /// <summary>Whether a signature of this key's owner belongs to the message.</summary>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => Ed25519.Verify(_bytes, message, signature);

    /// <inheritdoc/>
    public bool Equals(Ed25519PublicKey? other) => other is not null && other.Bytes.SequenceEqual(Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Ed25519PublicKey);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    /// <summary>The 43 characters.</summary>
    public override string ToString() => TincBase64.Encode(_bytes);
}
