using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>
/// Compresses and expands single packets in LZO1X's format, tinc's compression levels 10 (LZO1X-1) and 11 (LZO1X-999). The library is
/// optional. One owner thread; nothing is allocated per packet.
/// </summary>
public sealed unsafe class Lzo : IDisposable
{
    private readonly bool _best;
    private void* _workMemory;

    /// <summary>Prepares work memory; <paramref name="best"/> chooses LZO1X-999.</summary>
    /// <exception cref="DllNotFoundException"><see cref="IsAvailable"/> is false.</exception>
    public Lzo(bool best)
    {
        if (!IsAvailable)
            throw new DllNotFoundException($"{Liblzo2.Library} is not installed.");
        _best = best;
        _workMemory = NativeMemory.AllocZeroed((nuint)(best ? Liblzo2.LZO1X_999_MEM_COMPRESS : Liblzo2.LZO1X_1_MEM_COMPRESS));
    }

    /// <summary>Whether the library is installed. Probed once.</summary>
    public static bool IsAvailable { get; } = NativeLibrary.TryLoad(Liblzo2.Library, out _);

    /// <summary>The most bytes that <paramref name="length"/> bytes may be compressed to. The library does not check its output's length.</summary>
    public static int MaxCompressedLength(int length) => length + (length / 16) + 64 + 3;

    /// <summary>
    /// Compresses one packet. Returns the length of the result, or -1 if the output is shorter than <see cref="MaxCompressedLength"/>.
    /// </summary>
    public int Compress(ReadOnlySpan<byte> input, Span<byte> output)
    {
        ObjectDisposedException.ThrowIf(_workMemory is null, this);
        if (output.Length < MaxCompressedLength(input.Length))
            return -1;
        nuint written = 0;
        int result;
        fixed (byte* from = input)
        fixed (byte* to = output)
            result = _best
                ? Liblzo2.lzo1x_999_compress(from, (nuint)input.Length, to, &written, _workMemory)
                : Liblzo2.lzo1x_1_compress(from, (nuint)input.Length, to, &written, _workMemory);
        return result == Liblzo2.LZO_E_OK ? (int)written : -1;
    }

    /// <summary>Expands one packet. Returns the length of the result, or -1 if the data are wrong, incomplete or do not fit the output.</summary>
    public static int Expand(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.IsEmpty || output.IsEmpty)
            return -1;
        nuint written = (nuint)output.Length; // in: room
        int result;
        fixed (byte* from = input)
        fixed (byte* to = output)
            result = Liblzo2.lzo1x_decompress_safe(from, (nuint)input.Length, to, &written, null);
        return result == Liblzo2.LZO_E_OK ? (int)written : -1;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_workMemory);
        _workMemory = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the work memory of an object nobody disposed.</summary>
    ~Lzo() => NativeMemory.Free(_workMemory);
}
