using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// How packets to a node are protected, as its ANS_KEY says (tinc 1.0 reference, 5.1). Numbers are OpenSSL's NIDs; 0 is none.
/// </summary>
/// <param name="Cipher">NID of the CBC cipher, or 0.</param>
/// <param name="Digest">NID of the HMAC digest, or 0.</param>
/// <param name="MacLength">Bytes of the HMAC that are sent.</param>
/// <param name="Compression">0 none, 1..9 zlib, 10 and 11 LZO.</param>
public readonly record struct LegacySuite(int Cipher, int Digest, int MacLength, int Compression)
{
    /// <summary>AES-256-CBC, SHA-256, 4 bytes, no compression: the defaults of tinc 1.0.36.</summary>
    public static readonly LegacySuite Default = new(427, 672, 4, 0);

    /// <summary>
    /// NID of a cipher by its OpenSSL name in any case, 0 for <c>none</c>, null if OpenSSL does not know it. A known one need not work here:
    /// ask <see cref="IsUsableCipher"/>.
    /// </summary>
    public static int? FindCipher(string name) => IsNone(name) ? 0 : EvpCipher.Find(name)?.Nid;

    /// <summary>NID of a digest by its OpenSSL name in any case, 0 for <c>none</c>, null if OpenSSL does not know it.</summary>
    public static int? FindDigest(string name) => IsNone(name) ? 0 : EvpDigest.Find(name)?.Nid;

    /// <summary>Bytes of HMAC that a digest gives; 0 for none or an unknown one.</summary>
    public static int DigestLength(int digest) => digest == 0 ? 0 : EvpDigest.Find(digest)?.Size ?? 0;

    /// <summary>
    /// Whether UDP packets can be protected by it: none, or a block cipher in CBC (or ECB) mode that this libcrypto offers. With any other
    /// cipher tincd's UDP packets fail too and everything goes by TCP; with a stream cipher all packets of a key would share a key stream.
    /// </summary>
    public static bool IsUsableCipher(int nid) => nid == 0 || IsUsable(EvpCipher.Find(nid));

    /// <summary>Whether packets can be authenticated by it: none, or a digest that this libcrypto offers.</summary>
    public static bool IsUsableDigest(int nid) => nid == 0 || EvpDigest.Find(nid) is { IsUsable: true };

    /// <summary>Name of the cipher, or <c>none</c>.</summary>
    public string CipherName => Cipher == 0 ? "none" : EvpCipher.Find(Cipher)?.Name.ToUpperInvariant() ?? $"cipher {Cipher}";

    /// <summary>Bits of the cipher's key; 0 if there is none.</summary>
    public int KeyBits => Cipher == 0 ? 0 : 8 * (EvpCipher.Find(Cipher)?.KeyLength ?? 0);

    /// <summary>The form of log lines: <c>AES-256-CBC with SHA-256/4</c>.</summary>
    public string Describe()
    {
        string cipher = Cipher == 0 ? "no cipher" : EvpCipher.Find(Cipher)?.Name.ToUpperInvariant() ?? $"cipher {Cipher}";
        string digest = Digest == 0 || MacLength == 0 ? "no digest" : $"{NameOfDigest(Digest)}/{MacLength}";
        return $"{cipher} with {digest}";
    }

    private static string NameOfDigest(int digest) => EvpDigest.Find(digest)?.Name.ToUpperInvariant() switch
    {
        null => $"digest {digest}",
        "SHA1" => "SHA-1",
        "SHA256" or "SHA2-256" => "SHA-256",
        "SHA384" or "SHA2-384" => "SHA-384",
        "SHA512" or "SHA2-512" => "SHA-512",
        string other => other,
    };

    internal static bool IsUsable(EvpCipher? cipher) =>
        cipher is { IsUsable: true, BlockSize: > 1, Mode: CipherMode.Cbc or CipherMode.Ecb };

    private static bool IsNone(string name) => name.Equals("none", StringComparison.OrdinalIgnoreCase);
}
