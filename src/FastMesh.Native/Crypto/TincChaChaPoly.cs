using System.Diagnostics;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>
/// tinc's variant of ChaCha20-Poly1305 (tinc 1.1 reference, 3.2): key stream block 0 is the Poly1305 key, encryption begins with block 1, and the tag
/// covers the ciphertext alone. The original ChaCha20's 64-bit counter and 64-bit nonce, a big endian number, equal RFC 8439's 32-bit counter and a
/// nonce of four zero bytes and the number. The handle is libcrypto's context of ChaCha20.
/// </summary>
internal sealed unsafe class TincChaChaPoly : Aead
{
    // Block 0 and a packet in one call: copying costs less than the call saves. Longer records take two.
    private const int Block = 64, CounterLength = 4, MaxTogether = 2048;

    private static readonly nint s_chaCha20 = Fetch();
    private readonly Poly1305 _poly1305;

    public TincChaChaPoly(ReadOnlySpan<byte> key)
        : this(key, Poly1305.HasIpsecMb)
    {
    }

    /// <summary>For tests: chooses who computes Poly1305.</summary>
    internal TincChaChaPoly(ReadOnlySpan<byte> key, bool byIpsecMb)
    {
        CheckKey(key);
        _poly1305 = new Poly1305(byIpsecMb);
        SetHandle(Libcrypto.EVP_CIPHER_CTX_new());
        fixed (byte* k = key)
        {
            if (!IsInvalid && s_chaCha20 != 0 && Libcrypto.EVP_CipherInit_ex(handle, s_chaCha20, 0, k, null, 1) == 1)
                return;
        }

        Libcrypto.ERR_clear_error();
        Dispose();
        ThrowNoMemory();
    }

    private protected override bool SealCore(byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag)
    {
        Debug.Assert(associatedLength == 0, "tinc's variant knows no associated data");
        byte* together = stackalloc byte[Block + MaxTogether];
        if (length > MaxTogether)
            return Start(nonce, together, 0) && Transform(from, length, to) && _poly1305.Compute(together, to, length, tag);
        Copy(from, length, together + Block);
        if (!Start(nonce, together, length))
            return false;
        Copy(together + Block, length, to);
        return _poly1305.Compute(together, to, length, tag);
    }

    private protected override bool OpenCore(byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag)
    {
        Debug.Assert(associatedLength == 0, "tinc's variant knows no associated data");
        byte* together = stackalloc byte[Block + MaxTogether], computed = stackalloc byte[TagLength];
        int ahead = length > MaxTogether ? 0 : length;
        Copy(from, ahead, together + Block);
        if (!Start(nonce, together, ahead) || !_poly1305.Compute(together, from, length, computed) || !SameTag(computed, tag))
            return false;
        Copy(together + Block, ahead, to);
        return Transform(from + ahead, length - ahead, to + ahead);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Libcrypto.EVP_CIPHER_CTX_free(handle);
        _poly1305.Dispose();
        return true;
    }

    /// <summary>Sets the nonce, takes block 0 of the key stream and transforms what lies behind it.</summary>
    private bool Start(byte* nonce, byte* block, int lengthBehind)
    {
        byte* iv = stackalloc byte[CounterLength + NonceLength];
        *(uint*)iv = 0;
        Copy(nonce, NonceLength, iv + CounterLength);
        new Span<byte>(block, Block).Clear();
        if (Libcrypto.EVP_CipherInit_ex(handle, 0, 0, null, iv, -1) == 1)
            return Transform(block, Block + lengthBehind, block);
        Libcrypto.ERR_clear_error();
        return false;
    }

    private bool Transform(byte* from, int length, byte* to)
    {
        int written;
        if (length == 0 || Libcrypto.EVP_CipherUpdate(handle, to, &written, from, length) == 1)
            return true;
        Libcrypto.ERR_clear_error();
        return false;
    }

    private static void Copy(byte* from, int length, byte* to) => new ReadOnlySpan<byte>(from, length).CopyTo(new Span<byte>(to, length));

    private static nint Fetch()
    {
        fixed (byte* name = "ChaCha20\0"u8)
            return Libcrypto.EVP_CIPHER_fetch(0, name, null);
    }
}
