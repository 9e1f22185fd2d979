using System.Runtime.InteropServices;
using FastMesh.Native.Interop;
using FastMesh.Native.Memory;

namespace FastMesh.Native.Uring;

/// <summary>The msghdr of multishot receives: which areas precede the payload in each buffer. Owns its memory.</summary>
public sealed unsafe class ReceiveTemplate : IDisposable
{
    private readonly Slab _memory = new(1, sizeof(Libc.Msghdr));

    /// <summary>Describes buffers as <see cref="ReceivedMessage"/> expects them.</summary>
    public ReceiveTemplate() =>
        *(Libc.Msghdr*)Address = new() { msg_namelen = ReceivedMessage.NameSize, msg_controllen = ReceivedMessage.ControlSize };

    internal byte* Address => _memory.Address(0);

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}

/// <summary>Read-only view of a buffer that a multishot receive has filled. Owns nothing.</summary>
public readonly ref struct ReceivedMessage
{
    //   0  lengths as received, flags    16   struct io_uring_recvmsg_out
    //  16  sender's sockaddr             32
    //  48  control messages             128
    // 176  payload                        n

    /// <summary>Bytes kept for the name: a sockaddr_in6, and what keeps the control messages aligned.</summary>
    public const int NameSize = 32;

    /// <summary>Bytes kept for control messages: all that a receive delivers.</summary>
    public const int ControlSize = 128;

    /// <summary>Where the payload begins.</summary>
    public const int PayloadOffset = 16 + NameSize + ControlSize;

    private const uint MSG_TRUNC = 0x20;
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly Liburing.IoUringRecvmsgOut _header;

    private ReceivedMessage(ReadOnlySpan<byte> bytes, Liburing.IoUringRecvmsgOut header)
    {
        _bytes = bytes;
        _header = header;
    }

    /// <summary>Views as many bytes as the completion says.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ReceivedMessage message)
    {
        message = default;
        if (bytes.Length < PayloadOffset)
            return false;
        message = new(bytes, MemoryMarshal.Read<Liburing.IoUringRecvmsgOut>(bytes));
        return true;
    }

    /// <summary>The sender's sockaddr.</summary>
    public ReadOnlySpan<byte> Name => _bytes.Slice(16, (int)Math.Min(_header.NameLength, NameSize));

    /// <summary>Control messages.</summary>
    public ReadOnlySpan<byte> Control => _bytes.Slice(16 + NameSize, (int)Math.Min(_header.ControlLength, ControlSize));

    /// <summary>Bytes of the payload.</summary>
    public int PayloadLength => _bytes.Length - PayloadOffset;

    /// <summary>Whether the message was longer than the buffer; the rest is lost.</summary>
    public bool IsTruncated => (_header.Flags & MSG_TRUNC) != 0 || _header.PayloadLength > (uint)PayloadLength;
}
