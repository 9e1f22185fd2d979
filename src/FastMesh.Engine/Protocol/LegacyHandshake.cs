using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// The cryptographic part of one connection's authentication: METAKEY, CHALLENGE and CHAL_REPLY (tinc 1.0 reference, 4.4).
/// <see cref="Mesh"/> calls the methods in the order of that chapter; one that returns a reason means that the connection must
/// end. Nothing here tells the peer why.
/// </summary>
internal sealed class LegacyHandshake(RsaIdentity own, RsaPublicIdentity peer, IRandomSource random)
{
    private readonly byte[] _ownChallenge = new byte[peer.ModulusLength];
    private readonly byte[] _peerChallenge = new byte[own.ModulusLength];
    private int _peerDigest;

    /// <summary>Makes the METAKEY line and the cipher for all that is sent after it.</summary>
    /// <param name="cipher">NID of the meta cipher.</param>
    /// <param name="line">The line, without LF.</param>
    /// <param name="output">The cipher.</param>
    public bool TryComposeMetaKey(int cipher, out string line, [NotNullWhen(true)] out MetaCipher? output)
    {
        byte[] block = new byte[peer.ModulusLength], sealedBlock = new byte[peer.ModulusLength];
        random.Fill(block);
        block[0] &= 0x7f;
        output = MetaCipher.TryCreate(cipher, block, encrypt: true);
        bool ok = output is not null && peer.Encrypt(block, sealedBlock);
        CryptographicOperations.ZeroMemory(block);
        line = ok ? MetaWriter.MetaKey(cipher, ProtocolLimits.MetaDigest, sealedBlock) : "";
        return ok && output is not null;
    }

    /// <summary>Reads <c>1 CIPHER DIGEST MACLEN COMPRESSION HEX</c>.</summary>
    /// <param name="fields">The fields after the number.</param>
    /// <param name="input">The cipher for all that arrives after the line.</param>
    /// <returns>Null, or why not.</returns>
    public string? HandleMetaKey(ref MetaReader fields, out MetaCipher? input)
    {
        input = null;
        if (!fields.TryInt(out int cipher) || !fields.TryInt(out _peerDigest) || !fields.TryInt(out int macLength)
            || !fields.TryInt(out _) || !fields.TryText(out string hex))
            return "bad METAKEY";
        byte[] block = new byte[own.ModulusLength];
        if (hex.Length != 2 * block.Length)
            return "wrong keylength";
        if (cipher == 0 || _peerDigest == 0 || !LegacySuite.IsUsableDigest(_peerDigest)
            || macLength < 0 || macLength > LegacySuite.DigestLength(_peerDigest))
            return "bogus cipher or digest";
        byte[] opened = new byte[block.Length];
        if (!TryDecode(hex, block) || !own.Decrypt(block, opened))
            return "bad key block";

        input = MetaCipher.TryCreate(cipher, opened, encrypt: false);
        CryptographicOperations.ZeroMemory(opened);
        return input is null ? "unknown cipher" : null;
    }

    /// <summary>Makes the CHALLENGE line.</summary>
    public string ComposeChallenge()
    {
        random.Fill(_ownChallenge);
        return MetaWriter.Challenge(_ownChallenge);
    }

    /// <summary>Reads <c>2 HEX</c> and keeps it for the reply.</summary>
    /// <returns>Null, or why not.</returns>
    public string? HandleChallenge(ref MetaReader fields) =>
        !fields.TryText(out string hex) ? "bad CHALLENGE"
        : hex.Length != 2 * _peerChallenge.Length ? "wrong challenge length"
        : !TryDecode(hex, _peerChallenge) ? "bad CHALLENGE"
        : null;

    /// <summary>Makes the CHAL_REPLY line.</summary>
    public string ComposeReply()
    {
        Span<byte> hash = stackalloc byte[MetaDigest.MaxLength];
        MetaDigest.TryHash(_peerDigest, _peerChallenge, hash, out int length);
        return MetaWriter.ChalReply(hash[..length]);
    }

    /// <summary>Reads <c>3 HEX</c> and compares it with the right answer.</summary>
    /// <returns>Null, or why not.</returns>
    public string? HandleReply(ref MetaReader fields)
    {
        if (!fields.TryText(out string hex))
            return "bad CHAL_REPLY";
        Span<byte> expected = stackalloc byte[MetaDigest.MaxLength], actual = stackalloc byte[MetaDigest.MaxLength];
        MetaDigest.TryHash(ProtocolLimits.MetaDigest, _ownChallenge, expected, out int length);
        if (hex.Length != 2 * length)
            return "wrong challenge reply length";
        return TryDecode(hex, actual[..length]) && CryptographicOperations.FixedTimeEquals(expected[..length], actual[..length])
            ? null
            : "wrong challenge reply";
    }

    private static bool TryDecode(string hex, Span<byte> bytes) =>
        Convert.FromHexString(hex, bytes, out _, out int written) == System.Buffers.OperationStatus.Done && written == bytes.Length;
}
