using System.Text;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>
/// One of libcrypto's hash functions, fetched once per process and never freed. Names and NIDs are OpenSSL's (tinc 1.0 reference, 5.1).
/// "none" (NID 0) is not a digest.
/// </summary>
public sealed unsafe class EvpDigest
{
    /// <summary>The longest hash of any digest, in bytes.</summary>
    public const int MaxSize = 64;

    private static readonly Lock s_lock = new();
    private static readonly Dictionary<int, EvpDigest?> s_byNid = [];

    private EvpDigest(nint description, string name)
    {
        Nid = Libcrypto.EVP_MD_get_type(description);
        Name = name;
        Size = Libcrypto.EVP_MD_get_size(description);
        fixed (byte* utf8 = Encoding.UTF8.GetBytes(name + '\0'))
            Implementation = Libcrypto.EVP_MD_fetch(0, utf8, null);
        Libcrypto.ERR_clear_error();
    }

    /// <summary>OpenSSL's number of the digest.</summary>
    public int Nid { get; }

    /// <summary>OpenSSL's short name, e.g. "SHA256".</summary>
    public string Name { get; }

    /// <summary>Length of a hash in bytes.</summary>
    public int Size { get; }

    /// <summary>Whether it can be computed; false for digests that OpenSSL 3 names but keeps in its legacy provider (Whirlpool, MD4).</summary>
    public bool IsUsable => Implementation != 0 && Size is > 0 and <= MaxSize;

    internal nint Implementation { get; }

    /// <summary>Finds a digest by any name OpenSSL knows it by, in any case; null if there is none.</summary>
    public static EvpDigest? Find(string name)
    {
        nint description = Libcrypto.EVP_get_digestbyname(name);
        return description == 0 ? null : Get(description);
    }

    /// <summary>Finds a digest by number; null if there is none.</summary>
    public static EvpDigest? Find(int nid)
    {
        string? name = EvpCipher.ShortName(nid);
        return name is null ? null : Find(name);
    }

    /// <summary>Hashes <paramref name="data"/> into the first <see cref="Size"/> bytes of <paramref name="hash"/>; false if that is shorter.</summary>
    public bool Hash(ReadOnlySpan<byte> data, Span<byte> hash)
    {
        if (hash.Length < Size || !IsUsable)
            return false;
        fixed (byte* from = data)
        fixed (byte* to = hash)
            if (Libcrypto.EVP_Digest(from, (nuint)data.Length, to, null, Implementation, 0) == 1)
                return true;
        Libcrypto.ERR_clear_error();
        return false;
    }

    private static EvpDigest? Get(nint description)
    {
        int nid = Libcrypto.EVP_MD_get_type(description);
        lock (s_lock)
        {
            if (!s_byNid.TryGetValue(nid, out EvpDigest? digest))
                s_byNid[nid] = digest = EvpCipher.ShortName(nid) is string name ? new(description, name) : null;
            return digest;
        }
    }
}
