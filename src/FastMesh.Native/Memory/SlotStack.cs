using System.Diagnostics;

namespace FastMesh.Native.Memory;

/// <summary>
/// The free slots of one <see cref="Slab"/>: bounded, for a single owner thread. A rented slot is <i>owned</i> by the renter until it is
/// returned. Last in, first out, because the slot used last is the one still in the cache.
/// </summary>
public sealed class SlotStack
{
    private readonly int[] _free;
    private readonly bool[] _isOut;
    private int _count;

    /// <summary>All slots from 0 to <paramref name="slots"/> - 1 are free; slot 0 is handed out first.</summary>
    public SlotStack(int slots)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        _free = new int[slots];
        _isOut = new bool[slots];
        for (int i = 0; i < slots; i++)
            _free[i] = slots - 1 - i;
        _count = slots;
    }

    /// <summary>Number of slots managed.</summary>
    public int Capacity => _free.Length;

    /// <summary>Number of slots rented and not yet returned.</summary>
    public int Outstanding => _free.Length - _count;

    /// <summary>Takes a free slot, or -1 if all are out.</summary>
    public int Rent()
    {
        if (_count == 0)
            return -1;
        int slot = _free[--_count];
        Mark(slot, isOut: true);
        return slot;
    }

    /// <summary>Gives a rented slot back.</summary>
    /// <exception cref="InvalidOperationException">More slots came back than were rented; in Debug also any slot that is not out.</exception>
    public void Return(int slot)
    {
        Mark(slot, isOut: false);
        if (_count == _free.Length)
            throw new InvalidOperationException($"Slot {slot} was returned but none is out.");
        _free[_count++] = slot;
    }

    [Conditional("DEBUG")]
    private void Mark(int slot, bool isOut)
    {
        if (_isOut[slot] == isOut)
            throw new InvalidOperationException($"Slot {slot} was {(isOut ? "rented" : "returned")} twice.");
        _isOut[slot] = isOut;
    }
}
