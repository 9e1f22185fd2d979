using System.Runtime.InteropServices;

namespace FastMesh.Native.Memory;

/// <summary>
/// One page-aligned block of native memory, divided into equal slots. It never moves, so a slot's address stays valid until
/// <see cref="Dispose"/>. The slab is <i>owned</i> by whoever made it; spans and addresses are <i>borrowed</i>. Which slot is in use
/// is not the slab's business, see <see cref="SlotStack"/>.
/// </summary>
public sealed unsafe class Slab : IDisposable
{
    private const int PageSize = 4096, CacheLine = 64;
    private byte* _base;

    /// <summary>Allocates <paramref name="slots"/> slots of at least <paramref name="slotSize"/> bytes.</summary>
    /// <param name="slots">Number of slots.</param>
    /// <param name="slotSize">Bytes per slot.</param>
    /// <param name="touch">
    /// Zero it now. Make it on the thread that will use it then, so that the pages are local to that thread's core. If not, what was never
    /// written costs no memory, and its content is undefined.
    /// </param>
    public Slab(int slots, int slotSize, bool touch = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slotSize);
        Slots = slots;
        SlotSize = checked(slotSize + CacheLine - 1) & ~(CacheLine - 1);
        nuint length = checked((nuint)Slots * (nuint)SlotSize);
        _base = (byte*)NativeMemory.AlignedAlloc(length, PageSize);
        if (touch)
            NativeMemory.Clear(_base, length);
    }

    /// <summary>Number of slots.</summary>
    public int Slots { get; }

    /// <summary>Bytes per slot: the size asked for, rounded up to a cache line.</summary>
    public int SlotSize { get; }

    /// <summary>First byte of a slot, aligned to a cache line. The slot number is checked.</summary>
    public byte* Address(int slot)
    {
        if ((uint)slot >= (uint)Slots || _base is null)
            Misuse(slot);
        return _base + ((nuint)slot * (nuint)SlotSize);
    }

    /// <summary>The bytes of a slot. The slot number is checked.</summary>
    public Span<byte> Span(int slot) => new(Address(slot), SlotSize);

    /// <summary>Frees the block; every address and span taken from it is dangling from here on.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_base);
        _base = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees a block nobody disposed.</summary>
    ~Slab() => NativeMemory.AlignedFree(_base);

    private void Misuse(int slot)
    {
        ObjectDisposedException.ThrowIf(_base is null, this);
        throw new ArgumentOutOfRangeException(nameof(slot), slot, $"The slab has {Slots} slots.");
    }
}
