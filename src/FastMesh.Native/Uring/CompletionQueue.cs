using FastMesh.Native.Interop;

namespace FastMesh.Native.Uring;

/// <summary>The result of a request.</summary>
/// <param name="UserData">What was given with the request.</param>
/// <param name="Result">A count or a negated errno.</param>
/// <param name="Flags">As the kernel has them.</param>
public readonly record struct Completion(ulong UserData, int Result, uint Flags)
{
    /// <summary>Whether the request stays and completes again.</summary>
    public bool HasMore => (Flags & Liburing.IORING_CQE_F_MORE) != 0;

    /// <summary>The buffer that was used, or -1.</summary>
    public int Buffer => (Flags & Liburing.IORING_CQE_F_BUFFER) != 0 ? (int)(Flags >> Liburing.IORING_CQE_BUFFER_SHIFT) : -1;
}

/// <summary>Results that the kernel has made visible, oldest first. One owner thread.</summary>
public sealed unsafe class CompletionQueue
{
    private readonly uint* _head;
    private readonly uint* _tail;
    private readonly Liburing.IoUringCqe* _entries;
    private readonly uint _mask;

    internal CompletionQueue(in Liburing.IoUring ring)
    {
        _head = ring.CompletionHead;
        _tail = ring.CompletionTail;
        _entries = ring.Cqes;
        _mask = ring.CompletionMask;
    }

    /// <summary>Takes the next one, if one is visible.</summary>
    public bool TryTake(out Completion completion)
    {
        uint head = *_head; // only we write it
        if (head == Volatile.Read(ref *_tail)) // before the entry; pairs with the kernel's release
        {
            completion = default;
            return false;
        }

        Liburing.IoUringCqe* entry = _entries + (head & _mask);
        completion = new(entry->UserData, entry->Result, entry->Flags);
        Volatile.Write(ref *_head, head + 1); // after the entry was read
        return true;
    }
}
