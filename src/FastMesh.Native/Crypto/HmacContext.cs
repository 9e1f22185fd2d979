using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>
/// HMAC (RFC 2104) with one key. One owner thread; nothing allocates after construction. The key is wiped on
/// <see cref="SafeHandle.Dispose()"/>.
/// </summary>
/// <remarks>
/// The states after the inner and the outer key block are kept, so a packet costs no key set-up. For SHA-256, tinc's default, they are plain
/// SHA256_CTX structures. Measured (Zen 3, OpenSSL 3.0, from C, 112 and 1456 bytes): EVP_MAC 232 and 972 ns, HMAC_CTX 182 and 925, copied
/// EVP_MD_CTX 177 and 921, copied SHA256_CTX 117 and 882.
/// </remarks>
public sealed unsafe partial class HmacContext : SafeHandle
{
    private const int Sha256Nid = 672, Sha256Block = 64, Sha256Size = 32;
    private readonly bool _isSha256; // the handle is then three SHA256_CTX: inner, outer, work; else an HMAC_CTX

    /// <summary>Sets the key, of any length.</summary>
    /// <exception cref="ArgumentException">The digest is not usable.</exception>
    public HmacContext(EvpDigest digest, ReadOnlySpan<byte> key)
        : base(0, ownsHandle: true)
    {
        ArgumentNullException.ThrowIfNull(digest);
        if (!digest.IsUsable)
            throw new ArgumentException($"Digest {digest.Name} is not usable with this OpenSSL.");
        Digest = digest;
        _isSha256 = digest.Nid == Sha256Nid;
        SetHandle(_isSha256 ? (nint)NativeMemory.Alloc(3 * Libcrypto.Sha256ContextSize) : Libcrypto.HMAC_CTX_new());
        if (_isSha256)
            SetSha256Key(key);
        else
            SetKey(key);
    }

    /// <summary>The hash function.</summary>
    public EvpDigest Digest { get; }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>
    /// Computes the tag of <paramref name="data"/> and writes as many leading bytes of it as <paramref name="tag"/> has room for; tinc sends
    /// the first MACLength bytes. False if that is more than the digest's size.
    /// </summary>
    public bool Compute(ReadOnlySpan<byte> data, Span<byte> tag)
    {
        if (tag.Length > Digest.Size || IsClosed)
            return false;
        byte* whole = stackalloc byte[EvpDigest.MaxSize];
        bool ok;
        fixed (byte* p = data)
            ok = _isSha256 ? ComputeSha256(p, data.Length, whole) : ComputeAny(p, data.Length, whole);
        GC.KeepAlive(this);
        if (ok)
            new ReadOnlySpan<byte>(whole, tag.Length).CopyTo(tag);
        else
            Libcrypto.ERR_clear_error();
        return ok;
    }

    /// <summary>
    /// Compares the tag of <paramref name="data"/> with a received one, in constant time. An empty tag is always right (MACLength = 0).
    /// </summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> tag)
    {
        Span<byte> expected = stackalloc byte[EvpDigest.MaxSize];
        return tag.Length <= Digest.Size && Compute(data, expected[..tag.Length])
            && CryptographicOperations.FixedTimeEquals(expected[..tag.Length], tag);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        if (_isSha256)
        {
            Libcrypto.OPENSSL_cleanse((void*)handle, 3 * Libcrypto.Sha256ContextSize);
            NativeMemory.Free((void*)handle);
        }
        else
        {
            Libcrypto.HMAC_CTX_free(handle);
        }
        return true;
    }

    private bool ComputeSha256(byte* data, int length, byte* tag)
    {
        byte* inner = (byte*)handle, outer = inner + Libcrypto.Sha256ContextSize, work = outer + Libcrypto.Sha256ContextSize;
        VectorRegisters.ClearUpperHalves(work);
        Copy(inner, work);
        bool ok = Libcrypto.SHA256_Update(work, data, (nuint)length) == 1 && Libcrypto.SHA256_Final(tag, work) == 1;
        Copy(outer, work);
        return ok && Libcrypto.SHA256_Update(work, tag, Sha256Size) == 1 && Libcrypto.SHA256_Final(tag, work) == 1;
    }

    // Not with longer registers, as the JIT does it: see VectorRegisters.
    private static void Copy(byte* from, byte* to)
    {
        for (int i = 0; i < Libcrypto.Sha256ContextSize; i += Vector128<byte>.Count)
            Vector128.Load(from + i).Store(to + i);
    }

    private bool ComputeAny(byte* data, int length, byte* tag) =>
        Libcrypto.HMAC_Init_ex(handle, null, 0, 0, 0) == 1
        && Libcrypto.HMAC_Update(handle, data, (nuint)length) == 1
        && Libcrypto.HMAC_Final(handle, tag, null) == 1;

    private void SetSha256Key(ReadOnlySpan<byte> key)
    {
        Span<byte> block = stackalloc byte[Sha256Block];
        block.Clear();
        if (key.Length <= Sha256Block)
            key.CopyTo(block);
        else
            Digest.Hash(key, block);
        Absorb(0, block, 0x36);
        Absorb(Libcrypto.Sha256ContextSize, block, 0x5C);
        CryptographicOperations.ZeroMemory(block);
    }

    private void Absorb(int offset, ReadOnlySpan<byte> block, byte pad)
    {
        byte* padded = stackalloc byte[Sha256Block];
        for (int i = 0; i < Sha256Block; i++)
            padded[i] = (byte)(block[i] ^ pad);
        byte* context = (byte*)handle + offset;
        if (Libcrypto.SHA256_Init(context) != 1 || Libcrypto.SHA256_Update(context, padded, Sha256Block) != 1)
            throw new CryptographicException("Could not set the HMAC key.");
        Libcrypto.OPENSSL_cleanse(padded, Sha256Block);
    }

    private void SetKey(ReadOnlySpan<byte> key)
    {
        byte none = 0; // a null key would mean "the one set before"
        fixed (byte* p = key)
            if (!IsInvalid && Libcrypto.HMAC_Init_ex(handle, p is null ? &none : p, key.Length, Digest.Implementation, 0) == 1)
                return;
        Libcrypto.ERR_clear_error();
        Dispose();
        throw new CryptographicException($"Could not set the HMAC key of digest {Digest.Name}.");
    }
}
