using System.Diagnostics.CodeAnalysis;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// Compression of single frames at one of tinc's levels: 1..9 zlib, 10 and 11 LZO1X, 12 LZ4 (tinc 1.0 reference, 5.5; tinc 1.1 reference, 8). One owner;
/// nothing is allocated per frame.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Lives as long as a published table refers to it; the finalisers free it.")]
internal sealed class FrameCompressor
{
    private const int LzoLevel = 10, BestLzoLevel = 11, Lz4Level = 12;

    private readonly Zlib? _zlib;
    private readonly Lzo? _lzo; // neither: LZ4, which has no state

    /// <summary>Prepares a level from 1 on that <see cref="IsAvailable"/>.</summary>
    public FrameCompressor(int level)
    {
        if (level < LzoLevel)
            _zlib = new Zlib(level);
        else if (level < Lz4Level)
            _lzo = new Lzo(best: level == BestLzoLevel);
    }

    /// <summary>Whether frames can be compressed and expanded at a level here; always at 0, which means not at all.</summary>
    public static bool IsAvailable(int level) => level switch
    {
        >= 0 and < LzoLevel => true,
        LzoLevel or BestLzoLevel => Lzo.IsAvailable,
        Lz4Level => Lz4.IsAvailable,
        _ => false,
    };

    /// <summary>A compressor for a level, or null for level 0 and one that is not available.</summary>
    public static FrameCompressor? TryCreate(int level) => level != 0 && IsAvailable(level) ? new(level) : null;

    /// <summary>Room that any compressed frame of <paramref name="length"/> bytes fits: the worst cases of deflate, LZO and LZ4 and some.</summary>
    public static int MaxCompressedLength(int length) => length + (length >> 3) + (length >> 6) + 80;

    /// <summary>Returns the length of the result, or -1 if it does not fit.</summary>
    public int Compress(ReadOnlySpan<byte> frame, Span<byte> output) =>
        _zlib is not null ? _zlib.Compress(frame, output) : _lzo is not null ? _lzo.Compress(frame, output) : Lz4.Compress(frame, output);

    /// <summary>Returns the length of the frame, or -1 if the data are wrong or it does not fit.</summary>
    public int Expand(ReadOnlySpan<byte> data, Span<byte> frame) =>
        _zlib is not null ? _zlib.Expand(data, frame) : _lzo is not null ? Lzo.Expand(data, frame) : Lz4.Expand(data, frame);
}
