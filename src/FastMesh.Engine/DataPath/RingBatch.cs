using FastMesh.Native.Memory;
using FastMesh.Native.Uring;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Packets that a ring received, where the kernel put them: each in its own slot of one slab. A slot is the kernel's, or holds a packet until
/// <see cref="Clear"/>, or is free. Only so many are with the kernel as its packets need: it takes them in turn, and memory that is not in the cache
/// costs more than all system calls that a ring saves (linux-dataplane reference, 4.4).
/// </summary>
internal sealed unsafe class RingBatch : PacketBatch
{
    /// <summary>Slots; a power of two.</summary>
    public const int Slots = 64;

    // Enough for what one wait may bring: super-packets of half a megabyte together, or as many small ones as there are slots.
    private const int LargePacket = 8192, SlotsForLarge = 8;

    private readonly Slab _slab;
    private readonly BufferRing _buffers;
    private readonly SlotStack _free = new(Slots);
    private readonly int _start, _length;
    private int _withKernel, _wanted = Slots, _released; // of the packets listed

    /// <summary>Uses a group of buffers that was just registered. Owns it and the memory.</summary>
    /// <param name="buffers">The group.</param>
    /// <param name="slab">As many slots.</param>
    /// <param name="start">Where in a slot the kernel's part begins.</param>
    /// <param name="length">How long that is.</param>
    private RingBatch(BufferRing buffers, Slab slab, int start, int length)
        : base(Slots, slab)
    {
        (_buffers, _slab, _start, _length) = (buffers, slab, start, length);
        Provide();
    }

    /// <summary>The group that requests name.</summary>
    public ushort Group => _buffers.Group;

    /// <summary>Most bytes that the kernel writes into a slot.</summary>
    public int SlotLength => _length;

    /// <summary>Whether the kernel has a slot to receive into.</summary>
    public bool CanReceive => _withKernel > 0;

    /// <summary>Registers a group of buffers for <paramref name="length"/> bytes, <paramref name="start"/> bytes into each slot. Throws <see cref="IOException"/>.</summary>
    public static RingBatch Create(Ring ring, ushort group, int start, int length)
    {
        UringPoller.Check(BufferRing.Create(ring, group, Slots, out BufferRing? buffers), "register buffers");
        return new(buffers!, new Slab(Slots, start + length, touch: false), start, length);
    }

    /// <summary>Takes a slot back that the kernel has filled; returns the offset of its first byte written.</summary>
    public int Take(int slot)
    {
        _withKernel--;
        return (slot * _slab.SlotSize) + _start;
    }

    /// <summary>Frees a slot at once that was taken but holds nothing of use.</summary>
    public void Drop(int slot) => _free.Return(slot);

    /// <summary>Frees the packets' slots and gives the kernel what it needs. The packets are still listed, but their bytes are no longer theirs.</summary>
    public void Release()
    {
        if (_released == Count)
            return;
        long bytes = 0;
        for (; _released < Count; _released++)
        {
            ref Packet packet = ref this[_released];
            bytes += packet.Length;
            _free.Return(packet.Offset / _slab.SlotSize);
        }

        _wanted = bytes > (long)LargePacket * Count ? SlotsForLarge : Slots;
        Provide();
    }

    /// <inheritdoc/>
    public override void Clear()
    {
        Release();
        base.Clear();
        _released = 0;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _buffers.Dispose();
        _slab.Dispose();
    }

    private void Provide()
    {
        while (_withKernel < _wanted && _free.Rent() is >= 0 and int slot)
        {
            _buffers.Add(_slab.Address(slot) + _start, _length, slot);
            _withKernel++;
        }
    }
}
