using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>How a block cipher is used (EVP_CIPH_*_MODE).</summary>
public enum CipherMode
{
    /// <summary>A stream cipher.</summary>
    Stream = 0,

    /// <summary>Electronic code book.</summary>
    Ecb = 1,

    /// <summary>Cipher block chaining, padded as in PKCS#7.</summary>
    Cbc = 2,

    /// <summary>Cipher feedback.</summary>
    Cfb = 3,

    /// <summary>Output feedback.</summary>
    Ofb = 4,

    /// <summary>Counter.</summary>
    Ctr = 5,

    /// <summary>Anything else: GCM, CCM, XTS, key wrapping ...</summary>
    Other = 6,
}

/// <summary>
/// One of libcrypto's symmetric ciphers, fetched once per process and never freed. Names and NIDs are OpenSSL's; tinc sends NIDs on the wire
/// (tinc 1.0 reference, 5.1). "none" (NID 0) is not a cipher.
/// </summary>
public sealed unsafe class EvpCipher
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<int, EvpCipher?> s_byNid = [];
    private readonly nint _implementation;

    private EvpCipher(nint description, string name)
    {
        Nid = Libcrypto.EVP_CIPHER_get_nid(description);
        Name = name;
        KeyLength = Libcrypto.EVP_CIPHER_get_key_length(description);
        IvLength = Libcrypto.EVP_CIPHER_get_iv_length(description);
        BlockSize = Libcrypto.EVP_CIPHER_get_block_size(description);
        int mode = Libcrypto.EVP_CIPHER_get_mode(description);
        Mode = mode is >= (int)CipherMode.Stream and <= (int)CipherMode.Ctr ? (CipherMode)mode : CipherMode.Other;
        bool isAead = (Libcrypto.EVP_CIPHER_get_flags(description) & Libcrypto.EVP_CIPH_FLAG_AEAD_CIPHER) != 0;
        fixed (byte* utf8 = System.Text.Encoding.UTF8.GetBytes(name + '\0'))
            _implementation = Libcrypto.EVP_CIPHER_fetch(0, utf8, null);
        IsUsable = _implementation != 0 && !isAead && Mode != CipherMode.Other && CanInitialise();
        Libcrypto.ERR_clear_error();
    }

    /// <summary>OpenSSL's number of the cipher.</summary>
    public int Nid { get; }

    /// <summary>OpenSSL's short name, e.g. "AES-256-CBC".</summary>
    public string Name { get; }

    /// <summary>Key length in bytes.</summary>
    public int KeyLength { get; }

    /// <summary>IV length in bytes; 0 if it takes none.</summary>
    public int IvLength { get; }

    /// <summary>Block length in bytes; 1 for stream modes.</summary>
    public int BlockSize { get; }

    /// <summary>How the cipher is used.</summary>
    public CipherMode Mode { get; }

    /// <summary>
    /// Whether a key can be set. False for ciphers that OpenSSL 3 names but keeps in its legacy provider (Blowfish, CAST5), and for
    /// authenticated modes, which tinc's packet format has no place for.
    /// </summary>
    public bool IsUsable { get; }

    /// <summary>Finds a cipher by any name OpenSSL knows it by, in any case; null if there is none.</summary>
    public static EvpCipher? Find(string name)
    {
        nint description = Libcrypto.EVP_get_cipherbyname(name);
        return description == 0 ? null : Get(description);
    }

    /// <summary>Finds a cipher by number; null if there is none.</summary>
    public static EvpCipher? Find(int nid)
    {
        string? name = ShortName(nid);
        return name is null ? null : Find(name);
    }

    /// <summary>Makes a context for one direction and one key. <paramref name="iv"/> may be empty if every packet brings its own.</summary>
    /// <exception cref="ArgumentException">The key or IV has another length, or the cipher is not usable.</exception>
    public EvpCipherContext CreateContext(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, bool encrypt)
    {
        if (!IsUsable)
            throw new ArgumentException($"Cipher {Name} is not usable with this OpenSSL.");
        if (key.Length != KeyLength || (iv.Length != IvLength && iv.Length != 0))
            throw new ArgumentException($"Cipher {Name} takes a key of {KeyLength} and an IV of {IvLength} bytes.");
        return new(this, _implementation, key, iv, encrypt);
    }

    /// <summary>OpenSSL's short name of an object number, or null.</summary>
    internal static string? ShortName(int nid)
    {
        byte* name = nid <= 0 ? null : Libcrypto.OBJ_nid2sn(nid);
        if (name is null)
            Libcrypto.ERR_clear_error(); // an unknown number leaves an error behind
        return name is null ? null : Marshal.PtrToStringUTF8((nint)name);
    }

    private static EvpCipher? Get(nint description)
    {
        int nid = Libcrypto.EVP_CIPHER_get_nid(description);
        lock (s_lock)
        {
            if (!s_byNid.TryGetValue(nid, out EvpCipher? cipher))
                s_byNid[nid] = cipher = ShortName(nid) is string name ? new(description, name) : null;
            return cipher;
        }
    }

    private bool CanInitialise()
    {
        byte* dummy = stackalloc byte[64];
        new Span<byte>(dummy, 64).Clear();
        nint context = Libcrypto.EVP_CIPHER_CTX_new();
        bool ok = KeyLength <= 64 && IvLength <= 64 && Libcrypto.EVP_CipherInit_ex(context, _implementation, 0, dummy, dummy, 1) == 1;
        Libcrypto.EVP_CIPHER_CTX_free(context);
        return ok;
    }
}
