using System.Runtime.InteropServices;
using FastMesh.Native.Memory;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// A bounded queue of frames, each with a small header, from one thread to one other; bytes are copied in and read in place. Neither side
/// ever waits. Each side keeps a copy of the other's index and reads the real one only when the copy says full or empty.
/// </summary>
/// <typeparam name="THeader">What goes with the bytes.</typeparam>
internal sealed class FrameRing<THeader> : IDisposable
    where THeader : struct
{
    /// <summary>Most bytes of a frame or datagram: more than any tinc node sends (1661, tinc 1.0 reference, 9).</summary>
    public const int MaxBytes = 2048;

    private readonly Slab _bytes;
    private readonly (THeader Header, int Length)[] _headers;
    private readonly uint _mask;
    private RingIndices _indices;

    /// <summary>Makes a ring of <paramref name="capacity"/> entries, a power of two.</summary>
    public FrameRing(int capacity)
    {
        _bytes = new(capacity, MaxBytes, touch: false); // most rings between shards are hardly used
        _headers = new (THeader, int)[capacity];
        _mask = (uint)capacity - 1;
    }

    /// <summary>
    /// Producer: appends an entry; false if fewer than <paramref name="reserve"/> entries would stay free or the bytes are too many.
    /// </summary>
    public bool TryAdd(in THeader header, ReadOnlySpan<byte> bytes, int reserve = 0)
    {
        uint tail = _indices.Tail, limit = (uint)(_headers.Length - reserve);
        if (tail - _indices.HeadCopy >= limit)
        {
            _indices.HeadCopy = Volatile.Read(ref _indices.Head);
            if (tail - _indices.HeadCopy >= limit)
                return false;
        }

        if (bytes.Length > MaxBytes)
            return false;
        int slot = (int)(tail & _mask);
        bytes.CopyTo(_bytes.Span(slot));
        _headers[slot] = (header, bytes.Length);
        Volatile.Write(ref _indices.Tail, tail + 1); // after the entry: pairs with the consumer's read of Tail
        return true;
    }

    /// <summary>Consumer: the oldest entry, borrowed until <see cref="Remove"/>; false if there is none.</summary>
    public bool TryPeek(out THeader header, out Span<byte> bytes)
    {
        header = default;
        bytes = default;
        if (IsEmpty)
            return false;
        int slot = (int)(_indices.Head & _mask);
        (header, int length) = _headers[slot];
        bytes = _bytes.Span(slot)[..length];
        return true;
    }

    /// <summary>Consumer: frees the entry last peeked at.</summary>
    public void Remove() => Volatile.Write(ref _indices.Head, _indices.Head + 1); // after the entry was read

    /// <summary>Consumer: whether nothing waits.</summary>
    public bool IsEmpty
    {
        get
        {
            if (_indices.Head == _indices.TailCopy)
                _indices.TailCopy = Volatile.Read(ref _indices.Tail);
            return _indices.Head == _indices.TailCopy;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _bytes.Dispose();
}

/// <summary>The indices of a ring: two cache lines per writer, because the prefetcher fetches lines in pairs.</summary>
[StructLayout(LayoutKind.Explicit, Size = 384)]
internal struct RingIndices
{
    /// <summary>Entries ever added. Written by the producer.</summary>
    [FieldOffset(128)]
    public uint Tail;

    /// <summary>The producer's copy of <see cref="Head"/>.</summary>
    [FieldOffset(132)]
    public uint HeadCopy;

    /// <summary>Entries ever removed. Written by the consumer.</summary>
    [FieldOffset(256)]
    public uint Head;

    /// <summary>The consumer's copy of <see cref="Tail"/>.</summary>
    [FieldOffset(260)]
    public uint TailCopy;
}
