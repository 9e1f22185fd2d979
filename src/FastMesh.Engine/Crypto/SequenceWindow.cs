using System.Numerics;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// The sliding window over the 56-bit sequence numbers of one FastMesh session (after RFC 6479: a ring of words, of which whole ones are cleared as the
/// window moves on). One owner thread.
/// </summary>
internal sealed class SequenceWindow
{
    private const int WordBits = 64;

    private readonly ulong[] _seen; // bit s mod (64 times the words): s was received; a power of two of words, one more than the width needs
    private readonly ulong _width;
    private ulong _next;            // one above the highest received

    /// <summary>An empty window.</summary>
    /// <param name="bytes">An eighth of its width; 0 or less accepts every number.</param>
    public SequenceWindow(int bytes)
    {
        _width = (ulong)Math.Clamp(bytes, 0, ReplayWindow.MaxBytes) * 8;
        _seen = new ulong[BitOperations.RoundUpToPowerOf2((_width / WordBits) + 2)];
    }

    /// <summary>One more than the highest number received; may be read from any thread.</summary>
    public ulong Next => Volatile.Read(ref _next);

    /// <summary>Whether the packet is new. Call it once per packet and only after its tag proved right: it updates the window.</summary>
    public bool TryAccept(ulong sequence)
    {
        if (_width == 0)
            return true;
        if (sequence >= _next)
            MoveTo(sequence);
        else if (_next - sequence > _width)
            return false;

        ref ulong word = ref _seen[(int)(sequence / WordBits) & (_seen.Length - 1)];
        ulong bit = 1UL << (int)(sequence % WordBits);
        bool isNew = (word & bit) == 0;
        word |= bit;
        return isNew;
    }

    /// <summary>Clears the words between the highest number so far and the new one.</summary>
    private void MoveTo(ulong sequence)
    {
        ulong last = sequence / WordBits, first = (_next + WordBits - 1) / WordBits; // the first word that holds no number received
        if (last - first >= (ulong)_seen.Length && last >= first)
            first = last - (ulong)_seen.Length + 1;
        for (ulong word = first; word <= last; word++)
            _seen[(int)word & (_seen.Length - 1)] = 0;
        _next = sequence + 1;
    }
}
