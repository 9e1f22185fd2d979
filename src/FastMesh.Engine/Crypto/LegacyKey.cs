using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// The key of one ANS_KEY and how it is used (tinc 1.0 reference, 5.1): first the cipher's key, then its IV; all of it is the HMAC key. The
/// bytes are wiped when nothing refers to the key any more. Immutable; sealers and openers made of it may live on other threads.
/// </summary>
public sealed class LegacyKey
{
    private const int MinUnauthenticatedLength = sizeof(uint), MaxCompression = 11;
    private const int Aes128Cbc = 419, Aes192Cbc = 423, Aes256Cbc = 427;
    private readonly byte[] _bytes; // K + V, pinned so that no copy stays behind
    private readonly EvpCipher? _cipher;
    private readonly EvpDigest? _digest;
    private HmacContext? _verifier;

    private LegacyKey(LegacySuite suite, EvpCipher? cipher, EvpDigest? digest)
    {
        (Suite, _cipher, _digest) = (suite, cipher, digest);
        MacLength = digest is null ? 0 : suite.MacLength;
        _bytes = GC.AllocateUninitializedArray<byte>(KeyBytes(cipher), pinned: true);
    }

    /// <summary>Wipes the key.</summary>
    ~LegacyKey() => CryptographicOperations.ZeroMemory(_bytes);

    /// <summary>What the numbers of the ANS_KEY say.</summary>
    public LegacySuite Suite { get; }

    /// <summary>Bytes of MAC behind each packet: 0 if there is no digest.</summary>
    public int MacLength { get; }

    /// <summary>
    /// Whether packets can be sealed and opened with it. Only a key generated for a configured cipher or digest that this libcrypto merely
    /// knows by name is not usable; peers then fall back to TCP, as with tincd.
    /// </summary>
    public bool IsUsable => (_cipher is null || LegacySuite.IsUsable(_cipher)) && _digest is null or { IsUsable: true }
        && FrameCompressor.IsAvailable(Suite.Compression);

    /// <summary>The key as ANS_KEY carries it: upper-case hex digits. A secret.</summary>
    public string Hex
    {
        get
        {
            string hex = Convert.ToHexString(_bytes);
            GC.KeepAlive(this); // the finaliser must not wipe what is being read
            return hex;
        }
    }

    /// <summary>Makes a key for packets to this node.</summary>
    /// <exception cref="ArgumentException">The suite breaks a rule of <see cref="TryParse"/> other than usability.</exception>
    public static LegacyKey Generate(LegacySuite suite, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (Refusal(suite, out EvpCipher? cipher, out EvpDigest? digest) is { } reason)
            throw new ArgumentException(reason, nameof(suite));
        var key = new LegacyKey(suite, cipher, digest);
        random.Fill(key._bytes);
        return key;
    }

    /// <summary>
    /// Reads the key of an ANS_KEY; false with a reason for the log if anything in it is wrong: bad hex, unknown or unusable cipher, a length
    /// other than the cipher's (exactly one byte for none, which answers CVE-2018-16758), unknown digest, MAC length or compression out of range.
    /// </summary>
    public static bool TryParse(string hexKey, LegacySuite suite, [NotNullWhen(true)] out LegacyKey? key, out string reason)
    {
        key = null;
        reason = Refusal(suite, out EvpCipher? cipher, out EvpDigest? digest) ?? "";
        if (reason.Length > 0)
            return false;

        var parsed = new LegacyKey(suite, cipher, digest);
        if (hexKey.Length != 2 * parsed._bytes.Length)
            reason = "wrong key length";
        else if (Convert.FromHexString(hexKey, parsed._bytes, out _, out _) != OperationStatus.Done)
            reason = "invalid key";
        else if (!parsed.IsUsable)
            reason = "a cipher, digest or compression that cannot be used here";
        if (reason.Length == 0)
            key = parsed;
        return key is not null;
    }

    /// <summary>
    /// Whether the datagram's MAC was made with this key: the test of the source search (tinc 1.0 reference, 5.6). Always false without a MAC.
    /// For the control loop alone.
    /// </summary>
    public bool Verify(ReadOnlySpan<byte> datagram)
    {
        if (MacLength == 0 || !IsUsable || datagram.Length < MinUnauthenticatedLength + MacLength)
            return false;
        _verifier ??= CreateHmac()!;
        return _verifier.Verify(datagram[..^MacLength], datagram[^MacLength..]);
    }

    /// <summary>A cipher context for one owner, or null for cipher none.</summary>
    internal EvpCipherContext? CreateCipher(bool encrypt)
    {
        if (_cipher is null)
            return null;
        EvpCipherContext context = _cipher.CreateContext(_bytes.AsSpan(0, _cipher.KeyLength), _bytes.AsSpan(_cipher.KeyLength), encrypt);
        GC.KeepAlive(this);
        return context;
    }

    /// <summary>A cipher for whole trains and one owner, or null if the cipher is not AES-CBC or the processor has no AES instructions.</summary>
    internal CbcTrain? CreateTrain()
    {
        if (!IsAesCbc || !CbcTrain.IsSupported)
            return null;
        CbcTrain train = new(_bytes.AsSpan(0, _cipher!.KeyLength), _bytes.AsSpan(_cipher.KeyLength));
        GC.KeepAlive(this);
        return train;
    }

    /// <summary>Opens packets faster than <see cref="CreateCipher"/>'s, for one owner; null if the cipher is not AES-CBC or ipsec-mb is not installed.</summary>
    internal CbcDecryptor? CreateDecryptor()
    {
        if (!IsAesCbc || !CbcDecryptor.IsAvailable)
            return null;
        CbcDecryptor decryptor = new(_bytes.AsSpan(0, _cipher!.KeyLength), _bytes.AsSpan(_cipher.KeyLength));
        GC.KeepAlive(this);
        return decryptor;
    }

    /// <summary>A MAC context for one owner, or null if packets carry no MAC.</summary>
    internal HmacContext? CreateHmac()
    {
        if (MacLength == 0)
            return null;
        var context = new HmacContext(_digest!, _bytes);
        GC.KeepAlive(this);
        return context;
    }

    private bool IsAesCbc => Suite.Cipher is Aes128Cbc or Aes192Cbc or Aes256Cbc;

    private static int KeyBytes(EvpCipher? cipher) => cipher is null ? 1 : cipher.KeyLength + cipher.IvLength;

    private static string? Refusal(LegacySuite suite, out EvpCipher? cipher, out EvpDigest? digest)
    {
        cipher = suite.Cipher == 0 ? null : EvpCipher.Find(suite.Cipher);
        digest = suite.Digest == 0 ? null : EvpDigest.Find(suite.Digest);
        if (suite.Cipher != 0 && cipher is null)
            return "unknown cipher";
        if (suite.Digest != 0 && digest is null)
            return "unknown digest";
        if (digest is not null && (suite.MacLength < 0 || suite.MacLength > digest.Size))
            return "bogus MAC length";
        return suite.Compression is < 0 or > MaxCompression ? "bogus compression level" : null;
    }
}
