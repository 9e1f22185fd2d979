using System.Diagnostics.CodeAnalysis;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// Compression of single frames at one of tinc's levels: 1..9 zlib, 10 and 11 LZO1X (tinc 1.0 reference, 5.5). One owner; nothing is allocated
/// per frame.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Lives as long as a published table refers to it; the finalisers free it.")]
internal sealed class LegacyCompressor
{
    public const int FirstLzoLevel = 10, MaxLevel = 11;

    private readonly Zlib? _zlib;
    private readonly Lzo? _lzo;

    /// <summary>Prepares a level from 1 to <see cref="MaxLevel"/>.</summary>
    public LegacyCompressor(int level)
    {
        if (level < FirstLzoLevel)
            _zlib = new Zlib(level);
        else
            _lzo = new Lzo(best: level == MaxLevel);
    }

    /// <summary>Room that any compressed frame of <paramref name="length"/> bytes fits: deflate's and LZO's worst cases and some.</summary>
    public static int MaxCompressedLength(int length) => length + (length >> 3) + (length >> 6) + 80;

    /// <summary>Returns the length of the result, or -1 if it does not fit.</summary>
    public int Compress(ReadOnlySpan<byte> frame, Span<byte> output) =>
        _zlib is not null ? _zlib.Compress(frame, output) : _lzo!.Compress(frame, output);

    /// <summary>Returns the length of the frame, or -1 if the data are wrong or it does not fit.</summary>
    public int Expand(ReadOnlySpan<byte> data, Span<byte> frame) =>
        _zlib is not null ? _zlib.Expand(data, frame) : Lzo.Expand(data, frame);
}
