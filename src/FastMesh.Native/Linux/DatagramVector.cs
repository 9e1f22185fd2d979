using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>
/// Preallocated mmsghdr, iovec, sockaddr and control arrays for batches of UDP messages in one direction. Owns those arrays, but not the
/// packet buffers: they are native memory, borrowed from the caller, who keeps them in place for as long as a call uses them. No call
/// allocates. One owner thread.
/// </summary>
public sealed unsafe class DatagramVector : IDisposable
{
    // UDP_GRO 24, IPV6_PKTINFO 40, IP_PKTINFO 32 and TOS 24 together are the most a receive delivers.
    private const int ControlSize = 128;
    private const int ControlHeader = 16, SegmentLength = 18, SegmentSpace = 24;

    private Libc.Mmsghdr* _messages;
    private readonly Libc.Iovec* _vectors;
    private readonly byte* _names;
    private readonly byte* _controls;

    /// <summary>Makes a vector for up to <paramref name="capacity"/> messages per call (the kernel takes at most 1024).</summary>
    public DatagramVector(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1024);
        Capacity = capacity;
        nuint n = (nuint)capacity;
        nuint perMessage = (nuint)(sizeof(Libc.Mmsghdr) + sizeof(Libc.Iovec) + Libc.MaxSockaddr + ControlSize);
        _messages = (Libc.Mmsghdr*)NativeMemory.AlignedAlloc(n * perMessage, 64);
        NativeMemory.Clear(_messages, n * perMessage);
        _vectors = (Libc.Iovec*)(_messages + n);
        _names = (byte*)(_vectors + n);
        _controls = _names + (n * Libc.MaxSockaddr);
        for (int i = 0; i < capacity; i++)
        {
            ref Libc.Msghdr header = ref _messages[i].msg_hdr;
            header.msg_name = NameOf(i);
            header.msg_iov = _vectors + i;
            header.msg_iovlen = 1;
            header.msg_control = ControlOf(i);
        }
    }

    /// <summary>Messages per call at most.</summary>
    public int Capacity { get; }

    /// <summary>Where message <paramref name="index"/> is received to. With UDP_GRO give 65535 bytes or lose the end of trains.</summary>
    public void SetBuffer(int index, byte* buffer, int length)
    {
        Check(index);
        _vectors[index].iov_base = buffer;
        _vectors[index].iov_len = (uint)length;
    }

    /// <summary>Receives up to <paramref name="count"/> messages into buffers 0, 1 ... Returns how many, or the negated errno (EAGAIN: none).</summary>
    public int Receive(int fd, int count)
    {
        CheckRange(0, count);
        for (int i = 0; i < count; i++) // the kernel overwrote these with results
        {
            ref Libc.Msghdr header = ref _messages[i].msg_hdr;
            header.msg_namelen = Libc.MaxSockaddr;
            header.msg_controllen = ControlSize;
            header.msg_control = ControlOf(i);
            header.msg_flags = 0;
        }
        return Nonblocking.Receive(fd, _messages, count);
    }

    /// <summary>Bytes received in message <paramref name="index"/>, or sent of it.</summary>
    public int Length(int index)
    {
        Check(index);
        return (int)_messages[index].msg_len;
    }

    /// <summary>Sender's sockaddr of a received message; borrowed until the next receive.</summary>
    public ReadOnlySpan<byte> Name(int index)
    {
        Check(index);
        return new(NameOf(index), (int)Math.Min(_messages[index].msg_hdr.msg_namelen, Libc.MaxSockaddr));
    }

    /// <summary>Size of every datagram but the last in a received train (UDP_GRO); 0 for a single datagram.</summary>
    public int SegmentSize(int index) => SegmentSize(index, out _);

    /// <summary>The same, and the TOS byte or traffic class that all of a message's datagrams have; 0 if the socket does not report it.</summary>
    public int SegmentSize(int index, out byte trafficClass)
    {
        Check(index);
        int length = (int)Math.Min(_messages[index].msg_hdr.msg_controllen, ControlSize);
        return SegmentSize(new ReadOnlySpan<byte>(ControlOf(index), length), out trafficClass);
    }

    /// <summary>The same from the control messages of a message received in another way.</summary>
    public static int SegmentSize(ReadOnlySpan<byte> control, out byte trafficClass)
    {
        int segmentSize = 0;
        trafficClass = 0;
        while (control.Length >= ControlHeader)
        {
            Libc.Cmsghdr item = MemoryMarshal.Read<Libc.Cmsghdr>(control);
            if (item.cmsg_len < ControlHeader || item.cmsg_len > (nuint)control.Length)
                break;
            ReadOnlySpan<byte> data = control[ControlHeader..(int)item.cmsg_len];
            if (item.cmsg_level == Libc.SOL_UDP && item.cmsg_type == Libc.UDP_GRO && data.Length >= sizeof(int))
                segmentSize = MemoryMarshal.Read<int>(data);
            else if (item.cmsg_level == Libc.SOL_IP && item.cmsg_type == Libc.IP_TOS && data.Length > 0)
                trafficClass = data[0];
            else if (item.cmsg_level == Libc.SOL_IPV6 && item.cmsg_type == Libc.IPV6_TCLASS && data.Length >= sizeof(int))
                trafficClass = (byte)MemoryMarshal.Read<int>(data);
            control = control[Math.Min(((int)item.cmsg_len + 7) & ~7, control.Length)..];
        }

        return segmentSize;
    }

    /// <summary>Whether a received message was longer than its buffer; the rest is lost.</summary>
    public bool IsTruncated(int index)
    {
        Check(index);
        return (_messages[index].msg_hdr.msg_flags & Libc.MSG_TRUNC) != 0;
    }

    /// <summary>
    /// Prepares message <paramref name="index"/> to send. <paramref name="name"/> is the destination's sockaddr (copied; empty on a connected
    /// socket). A <paramref name="segmentSize"/> other than 0 makes the kernel cut the data into datagrams of that size, the last one maybe
    /// shorter: at most 64 of them and 64,000 bytes in all are safe everywhere.
    /// </summary>
    public void SetMessage(int index, byte* data, int length, ReadOnlySpan<byte> name, int segmentSize = 0)
    {
        SetBuffer(index, data, length);
        name.CopyTo(new Span<byte>(NameOf(index), Libc.MaxSockaddr));
        ref Libc.Msghdr header = ref _messages[index].msg_hdr;
        header.msg_namelen = (uint)name.Length;
        header.msg_flags = 0;
        header.msg_control = null;
        header.msg_controllen = 0;
        if (segmentSize == 0)
            return;
        byte* control = ControlOf(index);
        *(Libc.Cmsghdr*)control = new() { cmsg_len = SegmentLength, cmsg_level = Libc.SOL_UDP, cmsg_type = Libc.UDP_SEGMENT };
        *(ushort*)(control + ControlHeader) = checked((ushort)segmentSize);
        header.msg_control = control;
        header.msg_controllen = SegmentSpace;
    }

    /// <summary>
    /// Sends messages <paramref name="from"/> to <paramref name="from"/> + <paramref name="count"/> - 1. Returns how many went out, or the negated
    /// errno of the first one. After a short count go on from there to learn the error. EIO or EINVAL on a segmented message: send its
    /// datagrams singly and stop segmenting on this route. EMSGSIZE: larger than the path's MTU.
    /// </summary>
    public int Send(int fd, int from, int count)
    {
        CheckRange(from, count);
        return Nonblocking.Send(fd, _messages + from, count);
    }

    /// <summary>Frees the arrays; the packet buffers stay the caller's.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_messages);
        _messages = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the arrays of a vector nobody disposed.</summary>
    ~DatagramVector() => NativeMemory.AlignedFree(_messages);

    private byte* NameOf(int index) => _names + (index * Libc.MaxSockaddr);

    private byte* ControlOf(int index) => _controls + (index * ControlSize);

    private void Check(int index)
    {
        if ((uint)index >= (uint)Capacity || _messages is null)
            Misuse();
    }

    private void CheckRange(int from, int count)
    {
        if (from < 0 || count < 0 || from > Capacity - count || _messages is null)
            Misuse();
    }

    private void Misuse()
    {
        ObjectDisposedException.ThrowIf(_messages is null, this);
        throw new ArgumentOutOfRangeException(null, $"The vector has {Capacity} messages.");
    }
}
