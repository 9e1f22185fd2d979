using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FastMesh.Native.Crypto;

/// <summary>
/// tinc's variant of ChaCha20-Poly1305 (see <see cref="TincChaChaPoly"/>) with our own <see cref="ChaCha20"/>: block 0, the key of Poly1305, is one of the
/// blocks that are computed side by side, so that it costs nothing. The handle is the key.
/// </summary>
internal sealed unsafe class VectorTincChaChaPoly : Aead
{
    private readonly Poly1305 _poly1305;

    /// <summary>Copies a key. Only if <see cref="ChaCha20.IsSupported"/>.</summary>
    public VectorTincChaChaPoly(ReadOnlySpan<byte> key)
        : this(key, Poly1305.HasIpsecMb)
    {
    }

    /// <summary>For tests: chooses who computes Poly1305.</summary>
    internal VectorTincChaChaPoly(ReadOnlySpan<byte> key, bool byIpsecMb)
    {
        CheckKey(key);
        _poly1305 = new Poly1305(byIpsecMb);
        SetHandle((nint)NativeMemory.AlignedAlloc(KeyLength, KeyLength));
        key.CopyTo(new Span<byte>((void*)handle, KeyLength));
    }

    /// <summary>Whether the processor can do it, and it agrees with libcrypto. Probed once.</summary>
    public static bool IsAvailable { get; } = ChaCha20.IsSupported && PassesSelfTest();

    private protected override bool SealCore(byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag)
    {
        Debug.Assert(associatedLength == 0, "tinc's variant knows no associated data");
        byte* stream = stackalloc byte[ChaCha20.MaxStream], macKey = stackalloc byte[ChaCha20.Block];
        int ready = Start(nonce, length, stream, macKey);
        Transform(nonce, from, length, to, stream, ready);
        return _poly1305.Compute(macKey, to, length, tag);
    }

    private protected override bool OpenCore(byte* nonce, byte* associated, int associatedLength, byte* from, int length, byte* to, byte* tag)
    {
        Debug.Assert(associatedLength == 0, "tinc's variant knows no associated data");
        byte* stream = stackalloc byte[ChaCha20.MaxStream], macKey = stackalloc byte[ChaCha20.Block], computed = stackalloc byte[TagLength];
        int ready = Start(nonce, length, stream, macKey);
        if (!_poly1305.Compute(macKey, from, length, computed) || !SameTag(computed, tag))
            return false;
        Transform(nonce, from, length, to, stream, ready);
        return true;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        CryptographicOperations.ZeroMemory(new Span<byte>((void*)handle, KeyLength));
        NativeMemory.AlignedFree((void*)handle);
        _poly1305.Dispose();
        return true;
    }

    /// <summary>Generates block 0 and as many blocks behind it as come out with it; returns the bytes generated.</summary>
    private int Start(byte* nonce, int length, byte* stream, byte* macKey)
    {
        int ready = ChaCha20.Generate((byte*)handle, nonce, 0, ChaCha20.Block + length, stream);
        Buffer.MemoryCopy(stream, macKey, ChaCha20.Block, ChaCha20.Block);
        return ready;
    }

    /// <summary>Encrypts or decrypts, first with the <paramref name="ready"/> bytes of the stream, in which block 0 is the first.</summary>
    private void Transform(byte* nonce, byte* from, int length, byte* to, byte* stream, int ready)
    {
        int skip = ChaCha20.Block;
        for (int at = 0, generated = ready; ;)
        {
            int step = Math.Min(ready - skip, length - at);
            ChaCha20.Xor(from + at, stream + skip, step, to + at);
            at += step;
            if (at == length)
                return;
            skip = 0;
            ready = ChaCha20.Generate((byte*)handle, nonce, (uint)generated / ChaCha20.Block, length - at, stream);
            generated += ready;
        }
    }

    private static bool PassesSelfTest()
    {
        ReadOnlySpan<byte> key = "a tinc 1.1 key for the self test"u8;
        using VectorTincChaChaPoly candidate = new(key);
        using TincChaChaPoly reference = new(key);
        return Agree(candidate, reference);
    }
}
