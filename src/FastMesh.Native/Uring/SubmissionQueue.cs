using FastMesh.Native.Interop;

namespace FastMesh.Native.Uring;

/// <summary>
/// Requests on their way to the kernel, which takes them when the ring is entered. Files are given by their registered index. Each returns false if the
/// queue is full: submit, and try again. One owner thread.
/// </summary>
public sealed unsafe class SubmissionQueue
{
    private readonly uint* _head;
    private readonly uint* _tail;
    private readonly Liburing.IoUringSqe* _entries;
    private readonly uint _mask, _capacity;
    private uint _next;

    internal SubmissionQueue(in Liburing.IoUring ring)
    {
        (_mask, _capacity) = (ring.SubmissionMask, ring.SubmissionEntries);
        _head = ring.SubmissionHead;
        _tail = ring.SubmissionTail;
        _entries = ring.Sqes;
        for (uint i = 0; ring.SubmissionArray is not null && i < _capacity; i++)
            ring.SubmissionArray[i] = i; // from liburing 2.6 and Linux 6.6 on there is none: the kernel takes the entries in their order
    }

    /// <summary>Requests that the kernel has not taken.</summary>
    public int Waiting => (int)(_next - Volatile.Read(ref *_head));

    /// <summary>Reports once when a file becomes readable.</summary>
    public bool TryPoll(int file, ulong userData)
    {
        if (!TryNext(Liburing.IORING_OP_POLL_ADD, file, userData, out Liburing.IoUringSqe* entry))
            return false;
        entry->OperationFlags = Liburing.POLLIN;
        return true;
    }

    /// <summary>Reads one packet into a buffer of a group, which takes that many bytes at most.</summary>
    public bool TryRead(int file, ushort group, int length, ulong userData)
    {
        if (!TryNext(Liburing.IORING_OP_READ, file, userData, out Liburing.IoUringSqe* entry))
            return false;
        entry->Length = (uint)length;
        SelectBuffer(entry, group);
        return true;
    }

    /// <summary>Reads packets, each into a buffer of a group, until a completion has no more to come.</summary>
    public bool TryReadMultishot(int file, ushort group, ulong userData)
    {
        if (!TryNext(Liburing.IORING_OP_READ_MULTISHOT, file, userData, out Liburing.IoUringSqe* entry))
            return false;
        SelectBuffer(entry, group);
        return true;
    }

    /// <summary>Receives datagrams, each into a buffer of a group, until a completion has no more to come. See <see cref="ReceivedMessage"/>.</summary>
    /// <param name="file">The socket.</param>
    /// <param name="group">The group.</param>
    /// <param name="template">Must stay where it is.</param>
    /// <param name="userData">Comes back with each completion.</param>
    public bool TryReceiveMultishot(int file, ushort group, ReceiveTemplate template, ulong userData)
    {
        if (!TryNext(Liburing.IORING_OP_RECVMSG, file, userData, out Liburing.IoUringSqe* entry))
            return false;
        entry->Priority = Liburing.IORING_RECV_MULTISHOT;
        entry->Address = template.Address;
        entry->Length = 1;
        SelectBuffer(entry, group);
        return true;
    }

    /// <summary>Writes one packet. The bytes must stay until it is complete.</summary>
    public bool TryWrite(int file, byte* data, int length, ulong userData)
    {
        if (!TryNext(Liburing.IORING_OP_WRITE, file, userData, out Liburing.IoUringSqe* entry))
            return false;
        entry->Address = data;
        entry->Length = (uint)length;
        return true;
    }

    /// <summary>Ends every request under way; each completes, most with ECANCELED.</summary>
    public bool TryCancelAll(ulong userData)
    {
        if (!TryNext(Liburing.IORING_OP_ASYNC_CANCEL, 0, userData, out Liburing.IoUringSqe* entry))
            return false;
        entry->Flags = 0;
        entry->OperationFlags = Liburing.IORING_ASYNC_CANCEL_ANY;
        return true;
    }

    /// <summary>Shows the kernel the requests; returns how many it may take.</summary>
    internal uint Flush()
    {
        Volatile.Write(ref *_tail, _next); // after the entries; pairs with the kernel's acquire
        return (uint)Waiting;
    }

    private static void SelectBuffer(Liburing.IoUringSqe* entry, ushort group)
    {
        entry->Flags |= Liburing.IOSQE_BUFFER_SELECT;
        entry->BufferGroup = group;
    }

    private bool TryNext(byte operation, int file, ulong userData, out Liburing.IoUringSqe* entry)
    {
        entry = _entries + (_next & _mask);
        if ((uint)Waiting == _capacity)
            return false;
        *entry = new() { Opcode = operation, Flags = Liburing.IOSQE_FIXED_FILE, Descriptor = file, UserData = userData };
        _next++;
        return true;
    }
}
