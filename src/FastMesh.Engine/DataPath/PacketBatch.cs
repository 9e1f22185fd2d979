using FastMesh.Engine.Wire;
using FastMesh.Native.Memory;

namespace FastMesh.Engine.DataPath;

/// <summary>One entry of a <see cref="PacketBatch"/>: a frame or super-packet of the device, or a train of datagrams.</summary>
internal struct Packet
{
    /// <summary>First byte in the batch's memory.</summary>
    public int Offset;

    /// <summary>Bytes.</summary>
    public int Length;

    /// <summary>Device: what the kernel left or leaves to do; offsets count from the frame's first byte.</summary>
    public VirtioHeader Header;

    /// <summary>Datagrams: size of each but the last, or of the only one.</summary>
    public int SegmentSize;

    /// <summary>Datagrams: where from or where to.</summary>
    public Endpoint Endpoint;

    /// <summary>Datagrams: TOS byte or traffic class, to send with or received with.</summary>
    public byte TrafficClass;

    /// <summary>Datagrams to send: id of the node they go to.</summary>
    public int Node;

    /// <summary>Datagrams to send: length of a probe that would make a datagram as long as the first one.</summary>
    public int ProbeLength;

    /// <summary>Datagrams to send: whether no other may be joined to this one.</summary>
    public bool IsAlone;

    /// <summary>Datagrams to send: whether the kernel may cut them if they are too long for the path.</summary>
    public bool MayBeCut;

    /// <summary>After sending: the errno, or 0.</summary>
    public int Error;

    /// <summary>After sending: whether the kernel had to cut them.</summary>
    public bool WasCut;

    /// <summary>After sending: the errno with which the kernel refused a train whose datagrams then went out one by one, or 0.</summary>
    public int Refused;

    /// <summary>Number of datagrams in a train.</summary>
    public readonly int Datagrams => SegmentSize == 0 ? 1 : (Length + SegmentSize - 1) / SegmentSize;
}

/// <summary>
/// Packets on their way between a port and the code that routes them: one block of memory that never moves, filled from the front, and
/// the list of what lies where. Owns the memory, unless a derived class brought it; spans are <i>borrowed</i> until <see cref="Clear"/>. In front of each packet
/// are <see cref="Headroom"/> bytes for whoever handles it next.
/// </summary>
internal unsafe class PacketBatch : IDisposable
{
    /// <summary>Free bytes in front of each packet.</summary>
    public const int Headroom = 64;

    private readonly Slab? _owned;
    private readonly Packet[] _packets;
    private byte* _base;
    private int _bytes, _used;

    /// <summary>Makes room for <paramref name="packets"/> packets of together <paramref name="bytes"/> bytes.</summary>
    public PacketBatch(int packets, int bytes)
    {
        _owned = new(1, bytes);
        _base = _owned.Address(0);
        _bytes = _owned.SlotSize;
        _packets = new Packet[packets];
        Limit = packets;
    }

    /// <summary>Lists up to <paramref name="packets"/> packets that a port puts anywhere into a slab, which stays the caller's.</summary>
    protected PacketBatch(int packets, Slab slab)
    {
        _base = slab.Address(0);
        _bytes = checked(slab.Slots * slab.SlotSize);
        _packets = new Packet[packets];
        Limit = packets;
    }

    /// <summary>Number of packets.</summary>
    public int Count { get; private set; }

    /// <summary>How many packets it takes, at most as many as it was made for.</summary>
    public int Limit { get; set; }

    /// <summary>The packet of that number.</summary>
    public ref Packet this[int index] => ref _packets.AsSpan(0, Count)[index];

    /// <summary>Where the next packet's first byte goes: aligned, with headroom.</summary>
    public int Tail => ((_used + 63) & ~63) + Headroom;

    /// <summary>Bytes from <see cref="Tail"/> to the end of the memory; may be negative.</summary>
    public int Room => _bytes - Tail;

    /// <summary>Whether a packet of that many bytes fits at <see cref="Tail"/>.</summary>
    public bool Fits(int bytes) => Count < Limit && bytes <= Room;

    /// <summary>Whether the last packet can be lengthened by that many bytes.</summary>
    public bool FitsBehind(int bytes) => bytes <= Room;

    /// <summary>All of the memory; offsets of packets count from its first byte.</summary>
    public Span<byte> Memory => new(_base, _bytes);

    /// <summary>The address of a byte, for system calls.</summary>
    public byte* Address(int offset) => _base + offset;

    /// <summary>Bytes anywhere in the memory, headroom included. The range is checked.</summary>
    public Span<byte> Bytes(int offset, int length) => Memory.Slice(offset, length);

    /// <summary>The bytes of a packet.</summary>
    public Span<byte> Bytes(int index) => Bytes(this[index].Offset, this[index].Length);

    /// <summary>Appends a packet that lies in the memory already.</summary>
    public ref Packet Add(int offset, int length)
    {
        ref Packet packet = ref _packets[Count++];
        packet = new Packet { Offset = offset, Length = length };
        _used = Math.Max(_used, offset + length);
        return ref packet;
    }

    /// <summary>Lengthens the last packet.</summary>
    public void Extend(int length)
    {
        ref Packet packet = ref _packets[Count - 1];
        packet.Length += length;
        _used = Math.Max(_used, packet.Offset + packet.Length);
    }

    /// <summary>Forgets all packets; the memory is free again.</summary>
    public virtual void Clear() => (Count, _used) = (0, 0);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        _owned?.Dispose();
        _base = null;
        _bytes = 0;
    }
}
