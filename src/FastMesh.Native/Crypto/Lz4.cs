using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>
/// Compresses and expands single packets in LZ4's raw block format, tinc's compression level 12. The library is optional. Stateless, usable from
/// any thread; nothing is allocated.
/// </summary>
public static unsafe class Lz4
{
    /// <summary>Whether the library is installed. Probed once.</summary>
    public static bool IsAvailable { get; } = NativeLibrary.TryLoad(Liblz4.Library, out _);

    /// <summary>Compresses one packet. Returns the length of the result, or -1 if it does not fit the output.</summary>
    public static int Compress(ReadOnlySpan<byte> input, Span<byte> output)
    {
        byte none = 0; // an empty span has no address, which LZ4 need not accept
        fixed (byte* from = input)
        fixed (byte* to = output)
        {
            int length = Liblz4.LZ4_compress_default(from is null ? &none : from, to, input.Length, output.Length);
            return length > 0 ? length : -1;
        }
    }

    /// <summary>Expands one packet. Returns the length of the result, or -1 if the data are wrong, incomplete or do not fit the output.</summary>
    public static int Expand(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.IsEmpty || output.IsEmpty)
            return -1;
        fixed (byte* from = input)
        fixed (byte* to = output)
        {
            int length = Liblz4.LZ4_decompress_safe(from, to, input.Length, output.Length);
            return length >= 0 ? length : -1;
        }
    }
}
