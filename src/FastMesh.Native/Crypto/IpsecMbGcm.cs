using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>AES-256-GCM by the direct calls of ipsec-mb. The handle is the key schedule, powers of the hash key included.</summary>
internal sealed unsafe class IpsecMbGcm : Aead
{
    private const int Alignment = 64;

    // Plain functions of the processor found; the managers they were taken from need not live.
    private static readonly delegate* unmanaged<byte*, byte*, byte*, byte*, ulong, byte*, byte*, ulong, byte*, ulong, void> s_encrypt =
        IpsecMbManager.IsAvailable ? LibIpsecMb.Gcm256Encrypt(IpsecMbManager.Current.Pointer) : null;

    private static readonly delegate* unmanaged<byte*, byte*, byte*, byte*, ulong, byte*, byte*, ulong, byte*, ulong, void> s_decrypt =
        IpsecMbManager.IsAvailable ? LibIpsecMb.Gcm256Decrypt(IpsecMbManager.Current.Pointer) : null;

    /// <summary>Expands a key. Only if <see cref="IsAvailable"/>.</summary>
    public IpsecMbGcm(ReadOnlySpan<byte> key)
    {
        CheckKey(key);
        SetHandle((nint)NativeMemory.AlignedAlloc(LibIpsecMb.GcmKeySize, Alignment));
        IpsecMbManager manager = IpsecMbManager.Current;
        fixed (byte* k = key)
            LibIpsecMb.ExpandGcm256Key(manager.Pointer, k, (byte*)handle);
        GC.KeepAlive(manager);
    }

    /// <summary>Whether ipsec-mb is installed and agrees with libcrypto. Probed once.</summary>
    public static bool IsAvailable { get; } = IpsecMbManager.IsAvailable && CpuFeatures.HasFastAes && PassesSelfTest();

    private protected override bool SealCore(byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag)
    {
        byte* context = stackalloc byte[LibIpsecMb.GcmContextSize];
        s_encrypt((byte*)handle, context, to, from, (ulong)length, nonce, associated, (ulong)associatedLength, tag, TagLength);
        return true;
    }

    private protected override bool OpenCore(byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag)
    {
        byte* context = stackalloc byte[LibIpsecMb.GcmContextSize], computed = stackalloc byte[TagLength];
        s_decrypt((byte*)handle, context, to, from, (ulong)length, nonce, associated, (ulong)associatedLength, computed, TagLength);
        return SameTag(computed, tag);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        CryptographicOperations.ZeroMemory(new Span<byte>((void*)handle, LibIpsecMb.GcmKeySize));
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }

    private static bool PassesSelfTest()
    {
        ReadOnlySpan<byte> key = "an AES-256 key for the self test"u8;
        using IpsecMbGcm candidate = new(key);
        using EvpAead reference = EvpAead.CreateAes256Gcm(key);
        return Agree(candidate, reference);
    }
}
