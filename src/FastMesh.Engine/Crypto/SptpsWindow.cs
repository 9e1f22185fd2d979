namespace FastMesh.Engine.Crypto;

/// <summary>
/// The sliding window of tinc 1.1 over the sequence numbers of one direction of a session (tinc 1.1 reference, 3.6). It keeps the numbers that were
/// skipped and may still arrive; every other number below the next one counts as seen. One owner thread; successive keys of a session share it.
/// </summary>
internal sealed class SptpsWindow
{
    private readonly ulong[] _missing;   // bit s mod width: s was skipped
    private readonly ulong _width;       // 8 W, numbers; 0 turns the check off
    private readonly uint _farLimit;
    private uint _far;
    private ulong _next;

    /// <summary>A window that has seen everything below a number.</summary>
    /// <param name="bytes">W, bytes of bitmap; 0 or less accepts every number.</param>
    /// <param name="next">The first number expected.</param>
    public SptpsWindow(int bytes, ulong next)
    {
        int clamped = Math.Clamp(bytes, 0, ReplayWindow.MaxBytes);
        (_width, _farLimit, _next) = ((ulong)clamped * 8, (uint)clamped / 4, next);
        _missing = new ulong[((clamped * 8) + 63) / 64];
    }

    /// <summary>One more than the highest number received; may be read from any thread.</summary>
    public ulong Next => Volatile.Read(ref _next);

    /// <summary>Whether the record is new. Call it once per record and only after its tag proved right: it updates the window.</summary>
    public bool TryAccept(uint sequence)
    {
        if (_width > 0 && sequence != _next && !IsAcceptableOutOfOrder(sequence))
            return false;
        if (_width > 0)
            _missing[sequence % _width >> 6] &= ~(1UL << (int)(sequence % _width));
        _far = 0;
        _next = Math.Max(_next, (ulong)sequence + 1);
        return true;
    }

    private bool IsAcceptableOutOfOrder(uint sequence)
    {
        if (sequence >= _next + _width)
        {
            // A few far jumps are taken for strays; when they persist, the sender really is there.
            if (_far < _farLimit)
            {
                _far++;
                return false;
            }

            Array.Fill(_missing, ulong.MaxValue);
            return true;
        }

        if (sequence < _next)
            return sequence + _width >= _next && (_missing[sequence % _width >> 6] >> (int)(sequence % _width) & 1) != 0;

        for (ulong skipped = _next; skipped < sequence; skipped++)
            _missing[skipped % _width >> 6] |= 1UL << (int)(skipped % _width);
        return true;
    }
}
