using FastMesh.Native.Interop;
using FastMesh.Native.Memory;

namespace FastMesh.Native.Uring;

/// <summary>
/// A group of buffers for the kernel to choose from, in the order in which they were added. Owns the list, not the buffers: a buffer belongs to the kernel
/// from <see cref="Add"/> until a completion names it. One owner thread.
/// </summary>
public sealed unsafe class BufferRing : IDisposable
{
    private readonly Slab _memory;
    private readonly Liburing.IoUringBuf* _entries;
    private readonly uint _mask;
    private ushort _tail;

    private BufferRing(Slab memory, int entries, ushort group)
    {
        (_memory, _mask, Group) = (memory, (uint)entries - 1, group);
        _entries = (Liburing.IoUringBuf*)memory.Address(0);
    }

    /// <summary>The number that requests name it by.</summary>
    public ushort Group { get; }

    /// <summary>Registers a group. Returns 0 or the negated errno.</summary>
    /// <param name="ring">The ring whose requests use it.</param>
    /// <param name="group">Its number.</param>
    /// <param name="entries">Most buffers in it; a power of two up to 32768.</param>
    /// <param name="buffers">The group, if it worked.</param>
    public static int Create(Ring ring, ushort group, int entries, out BufferRing? buffers)
    {
        ArgumentNullException.ThrowIfNull(ring);
        buffers = null;
        Slab memory = new(1, entries * sizeof(Liburing.IoUringBuf));
        Liburing.IoUringBufReg registration = new() { Ring = (ulong)memory.Address(0), Entries = (uint)entries, Group = group };
        int result = ring.Register(Liburing.IORING_REGISTER_PBUF_RING, &registration, 1);
        if (result < 0)
            memory.Dispose();
        else
            buffers = new(memory, entries, group);
        return Math.Min(result, 0);
    }

    /// <summary>Gives the kernel a buffer; no more than there are entries may be with it.</summary>
    public void Add(byte* address, int length, int id)
    {
        Liburing.IoUringBuf* entry = _entries + (_tail & _mask);
        (entry->Address, entry->Length, entry->Id) = ((ulong)address, (uint)length, (ushort)id); // not the last two bytes: in the first entry they are the tail
        _tail++;
        Volatile.Write(ref _entries->RingTail, _tail); // after the entry; pairs with the kernel's acquire
    }

    /// <summary>Frees the list; not before the ring is disposed.</summary>
    public void Dispose() => _memory.Dispose();
}
