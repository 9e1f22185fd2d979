using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// The stream cipher of one direction of a meta connection (tinc 1.0 reference, 4.4). Owned by the connection. It counts the bytes down that
/// its key may still protect.
/// </summary>
public sealed class MetaCipher
{
    private const int Aes128Cfb = 421, Aes192Cfb = 425, Aes256Cfb = 429;
    private readonly EvpCipherContext _context;

    private MetaCipher(EvpCipherContext context)
    {
        _context = context;
        int budgetBits = (4 * context.Cipher.IvLength) - 1;
        ByteBudget = budgetBits >= 63 ? long.MaxValue : 1L << Math.Max(budgetBits, 0);
    }

    /// <summary>
    /// Bytes that may still pass: 2^(4 x IV length - 1) at first (tinc 1.0 reference, 4.4). The connection must fail before the budget
    /// would go below zero.
    /// </summary>
    public long ByteBudget { get; private set; }

    /// <summary>Makes the cipher of one direction; null if the number names no stream cipher that works here, or the block is too short.</summary>
    /// <param name="cipherNid">The number in METAKEY.</param>
    /// <param name="block">The block B: its last K bytes are the key, the V bytes before them the IV.</param>
    /// <param name="encrypt">Whether this is the sending direction.</param>
    public static MetaCipher? TryCreate(int cipherNid, ReadOnlySpan<byte> block, bool encrypt)
    {
        EvpCipher? cipher = EvpCipher.Find(cipherNid);
        if (cipher is not { IsUsable: true, BlockSize: 1 } || block.Length < cipher.KeyLength + cipher.IvLength)
            return null;

        ReadOnlySpan<byte> key = block[^cipher.KeyLength..];
        ReadOnlySpan<byte> iv = block[^(cipher.KeyLength + cipher.IvLength)..^cipher.KeyLength];
        return new MetaCipher(cipher.CreateContext(key, iv, encrypt));
    }

    /// <summary>Encrypts or decrypts the next bytes of the stream, in place if wanted.</summary>
    /// <param name="input">The bytes.</param>
    /// <param name="output">At least as many bytes.</param>
    public void Transform(ReadOnlySpan<byte> input, Span<byte> output)
    {
        ByteBudget -= input.Length;
        if (!_context.Update(input, output))
            throw new ArgumentException("The output is shorter than the input.", nameof(output));
    }

    /// <summary>
    /// The AES-CFB variant to name in METAKEY: its key is as long as that of the configured UDP cipher (table in tinc 1.0 reference, 4.4).
    /// </summary>
    /// <param name="udpCipherNid">NID of Cipher, 0 for none.</param>
    public static int NidForUdpCipher(int udpCipherNid) => (EvpCipher.Find(udpCipherNid)?.KeyLength ?? 0) switch
    {
        <= 16 => Aes128Cfb,
        <= 24 => Aes192Cfb,
        _ => Aes256Cfb,
    };
}

/// <summary>The hash of CHAL_REPLY (tinc 1.0 reference, 4.4).</summary>
public static class MetaDigest
{
    /// <summary>The longest hash, bytes.</summary>
    public const int MaxLength = EvpDigest.MaxSize;

    /// <summary>Hashes <paramref name="data"/>; false if the number names no digest that works here or <paramref name="hash"/> is too short.</summary>
    public static bool TryHash(int nid, ReadOnlySpan<byte> data, Span<byte> hash, out int length)
    {
        EvpDigest? digest = EvpDigest.Find(nid);
        length = digest?.Size ?? 0;
        return digest is not null && digest.Hash(data, hash);
    }
}
