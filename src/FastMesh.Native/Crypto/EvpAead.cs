using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>An AEAD of libcrypto. The context with its key schedule is kept; both directions share it.</summary>
internal sealed unsafe class EvpAead : Aead
{
    private static readonly nint s_aes256Gcm = Fetch("AES-256-GCM\0"u8), s_chaCha20Poly1305 = Fetch("ChaCha20-Poly1305\0"u8);

    private EvpAead(nint cipher, ReadOnlySpan<byte> key)
    {
        CheckKey(key);
        SetHandle(Libcrypto.EVP_CIPHER_CTX_new());
        fixed (byte* k = key)
        {
            if (!IsInvalid && cipher != 0 && Libcrypto.EVP_CipherInit_ex(handle, cipher, 0, k, null, 1) == 1)
                return;
        }

        Libcrypto.ERR_clear_error();
        Dispose();
        ThrowNoMemory();
    }

    public static new EvpAead CreateAes256Gcm(ReadOnlySpan<byte> key) => new(s_aes256Gcm, key);

    public static new EvpAead CreateChaCha20Poly1305(ReadOnlySpan<byte> key) => new(s_chaCha20Poly1305, key);

    private protected override bool SealCore(byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag)
    {
        int written;
        bool ok = Start(nonce, associated, associatedLength, encrypt: 1)
            && (length == 0 || Libcrypto.EVP_CipherUpdate(handle, to, &written, from, length) == 1)
            && Libcrypto.EVP_CipherFinal_ex(handle, to, &written) == 1
            && Libcrypto.EVP_CIPHER_CTX_ctrl(handle, Libcrypto.EVP_CTRL_AEAD_GET_TAG, TagLength, tag) == 1;
        return ok || Fail();
    }

    private protected override bool OpenCore(byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag)
    {
        int written;
        bool ok = Start(nonce, associated, associatedLength, encrypt: 0)
            && Libcrypto.EVP_CIPHER_CTX_ctrl(handle, Libcrypto.EVP_CTRL_AEAD_SET_TAG, TagLength, tag) == 1
            && (length == 0 || Libcrypto.EVP_CipherUpdate(handle, to, &written, from, length) == 1)
            && Libcrypto.EVP_CipherFinal_ex(handle, to, &written) == 1;
        return ok || Fail();
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Libcrypto.EVP_CIPHER_CTX_free(handle);
        return true;
    }

    private bool Start(byte* nonce, byte* associated, int associatedLength, int encrypt)
    {
        int written;
        return Libcrypto.EVP_CipherInit_ex(handle, 0, 0, null, nonce, encrypt) == 1
            && (associatedLength == 0 || Libcrypto.EVP_CipherUpdate(handle, null, &written, associated, associatedLength) == 1);
    }

    private static bool Fail()
    {
        Libcrypto.ERR_clear_error();
        return false;
    }

    private static nint Fetch(ReadOnlySpan<byte> name)
    {
        fixed (byte* n = name)
            return Libcrypto.EVP_CIPHER_fetch(0, n, null);
    }
}
