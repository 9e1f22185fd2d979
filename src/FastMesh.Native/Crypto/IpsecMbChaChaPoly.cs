using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>ChaCha20-Poly1305 by single jobs of ipsec-mb, which are done when they are submitted. The handle is the key.</summary>
internal sealed unsafe class IpsecMbChaChaPoly : Aead
{
    /// <summary>Copies a key. Only if <see cref="IsAvailable"/>.</summary>
    public IpsecMbChaChaPoly(ReadOnlySpan<byte> key)
    {
        CheckKey(key);
        SetHandle((nint)NativeMemory.AlignedAlloc(KeyLength, KeyLength));
        key.CopyTo(new Span<byte>((void*)handle, KeyLength));
    }

    /// <summary>Whether ipsec-mb is installed and agrees with libcrypto. Probed once.</summary>
    public static bool IsAvailable { get; } = IpsecMbManager.IsAvailable && PassesSelfTest();

    private protected override bool SealCore(byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag) =>
        Run(LibIpsecMb.IMB_DIR_ENCRYPT, nonce, associated, associatedLength, from, length, to, tag);

    private protected override bool OpenCore(byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag)
    {
        byte* computed = stackalloc byte[TagLength];
        return Run(LibIpsecMb.IMB_DIR_DECRYPT, nonce, associated, associatedLength, from, length, to, computed) && SameTag(computed, tag);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        CryptographicOperations.ZeroMemory(new Span<byte>((void*)handle, KeyLength));
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }

    private bool Run(int direction, byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag)
    {
        IpsecMbManager manager = IpsecMbManager.Current;
        byte* job = LibIpsecMb.NextJob(manager.Pointer);
        *(byte**)(job + LibIpsecMb.JobEncryptionKeys) = *(byte**)(job + LibIpsecMb.JobDecryptionKeys) = (byte*)handle;
        *(ulong*)(job + LibIpsecMb.JobKeyLength) = KeyLength;
        *(byte**)(job + LibIpsecMb.JobSource) = from;
        *(byte**)(job + LibIpsecMb.JobDestination) = to;
        *(ulong*)(job + LibIpsecMb.JobCipherOffset) = *(ulong*)(job + LibIpsecMb.JobHashOffset) = 0;
        *(ulong*)(job + LibIpsecMb.JobCipherLength) = *(ulong*)(job + LibIpsecMb.JobHashLength) = (ulong)length;
        *(byte**)(job + LibIpsecMb.JobIv) = nonce;
        *(ulong*)(job + LibIpsecMb.JobIvLength) = NonceLength;
        *(byte**)(job + LibIpsecMb.JobTag) = tag;
        *(ulong*)(job + LibIpsecMb.JobTagLength) = TagLength;
        *(byte**)(job + LibIpsecMb.JobAssociated) = associated;
        *(ulong*)(job + LibIpsecMb.JobAssociatedLength) = (ulong)associatedLength;
        *(int*)(job + LibIpsecMb.JobCipherMode) = LibIpsecMb.IMB_CIPHER_CHACHA20_POLY1305;
        *(int*)(job + LibIpsecMb.JobDirection) = direction;
        *(int*)(job + LibIpsecMb.JobHashAlgorithm) = LibIpsecMb.IMB_AUTH_CHACHA20_POLY1305;
        *(int*)(job + LibIpsecMb.JobOrder) = direction == LibIpsecMb.IMB_DIR_ENCRYPT ? LibIpsecMb.IMB_ORDER_CIPHER_HASH : LibIpsecMb.IMB_ORDER_HASH_CIPHER;
        byte* done = LibIpsecMb.SubmitJob(manager.Pointer);
        GC.KeepAlive(manager);
        return done == job && *(int*)(job + LibIpsecMb.JobStatus) == LibIpsecMb.IMB_STATUS_COMPLETED;
    }

    private static bool PassesSelfTest()
    {
        ReadOnlySpan<byte> key = "a ChaCha20 key for the self test"u8;
        using IpsecMbChaChaPoly candidate = new(key);
        using EvpAead reference = EvpAead.CreateChaCha20Poly1305(key);
        return Agree(candidate, reference);
    }
}
