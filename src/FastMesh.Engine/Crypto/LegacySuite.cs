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
}
