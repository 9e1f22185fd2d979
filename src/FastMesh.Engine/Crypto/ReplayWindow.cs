namespace FastMesh.Engine.Crypto;

/// <summary>
/// The sliding window of tinc 1.0 over the sequence numbers of one key (tinc 1.0 reference, 5.4). It keeps the numbers that were
/// skipped and may still arrive; every other number below the highest counts as seen. A mutable struct: a field of exactly one owner.
/// </summary>
public struct ReplayWindow
{
    private readonly ulong[] _skipped;   // bit s mod width: s was skipped
    private readonly uint _width;        // W, numbers; 0 turns the check off
    private readonly uint _farLimit;
    private uint _farFuture;             // F
    private uint _highest;               // R

    /// <summary>An empty window: nothing received, nothing skipped.</summary>
    /// <param name="bytes">ReplayWindow, bytes of bitmap; 0 or less accepts every number.</param>
    public ReplayWindow(int bytes)
    {
        _width = (uint)Math.Clamp(bytes, 0, MaxBytes) * 8;
        _farLimit = _width / 32;
        _skipped = new ulong[(_width + 63) / 64];
    }

    /// <summary>The widest window kept, bytes (ours): 8 million packets in flight; a wider setting counts as this one.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>The highest accepted sequence number, 0 before the first.</summary>
    public readonly uint Highest => _highest;

    /// <summary>Whether the packet is new. Call it once per packet and only after its MAC proved right: it updates the window.</summary>
    public bool TryAccept(uint sequence)
    {
        if (_width == 0)
        {
            _highest = Math.Max(_highest, sequence);
            return true;
        }

        if (sequence != (ulong)_highest + 1 && !IsAcceptableOutOfOrder(sequence))
            return false;

        _farFuture = 0;
        uint bit = sequence % _width;
        _skipped[bit >> 6] &= ~(1UL << (int)bit);
        _highest = Math.Max(_highest, sequence);
        return true;
    }

    private bool IsAcceptableOutOfOrder(uint sequence)
    {
        if (sequence >= (ulong)_highest + _width)
        {
            // A few far jumps are taken for forgeries or strays; when they persist, the sender really is there.
            if (_farFuture < _farLimit)
            {
                _farFuture++;
                return false;
            }

            Array.Clear(_skipped);
            return true;
        }

        if (sequence <= _highest)
            return (_highest < _width || sequence > _highest - _width) && IsSkipped(sequence);

        for (uint skipped = _highest + 1; skipped < sequence; skipped++)
        {
            uint bit = skipped % _width;
            _skipped[bit >> 6] |= 1UL << (int)bit;
        }

        return true;
    }

    private readonly bool IsSkipped(uint sequence)
    {
        uint bit = sequence % _width;
        return (_skipped[bit >> 6] >> (int)bit & 1) != 0;
    }
}
