using FastMesh.Native.Interop;

namespace FastMesh.Native.Uring;

/// <summary>What a ring can do on this kernel.</summary>
[Flags]
public enum RingFeatures
{
    /// <summary>Plain requests.</summary>
    None = 0,

    /// <summary>A receive that stays and takes a buffer per datagram (Linux 6.0).</summary>
    MultishotReceive = 1,

    /// <summary>A read that stays and takes a buffer per packet (Linux 6.7).</summary>
    MultishotRead = 2,

    /// <summary>Completions are worked off only while the owner waits or looks (Linux 6.1).</summary>
    DeferredWork = 4,
}

/// <summary>
/// One io_uring, set up by liburing and driven here over the mapped queues (linux-dataplane reference, 3.3 and 3.4). Any thread makes it; the one that
/// calls <see cref="Enable"/> owns it from then on. Nothing here throws; functions return a count or a negated errno.
/// </summary>
public sealed unsafe class Ring : IDisposable
{
    private const int MaxOperations = 256, EINVAL = 22;

    // From best to worst. The flag that shows pending work makes a look for completions free of system calls.
    private static readonly uint[] s_flags =
    [
        Liburing.IORING_SETUP_SUBMIT_ALL | Liburing.IORING_SETUP_SINGLE_ISSUER | Liburing.IORING_SETUP_DEFER_TASKRUN | Liburing.IORING_SETUP_TASKRUN_FLAG,
        Liburing.IORING_SETUP_SUBMIT_ALL | Liburing.IORING_SETUP_COOP_TASKRUN | Liburing.IORING_SETUP_TASKRUN_FLAG,
        Liburing.IORING_SETUP_SUBMIT_ALL,
        0,
    ];

    private readonly uint _descriptor;
    private readonly uint* _flags;
    private Liburing.IoUring _ring;

    private Ring(in Liburing.IoUring ring, uint flags)
    {
        _ring = ring;
        _descriptor = (uint)ring.RingDescriptor;
        _flags = ring.SubmissionFlags;
        Submissions = new SubmissionQueue(ring);
        Completions = new CompletionQueue(ring);
        Features = Probe();
        if ((flags & Liburing.IORING_SETUP_DEFER_TASKRUN) != 0)
            Features |= RingFeatures.DeferredWork;
    }

    /// <summary>Whether liburing is installed; without it there are no rings.</summary>
    public static bool IsLibraryPresent => Liburing.IsPresent;

    /// <summary>What it can do.</summary>
    public RingFeatures Features { get; }

    /// <summary>Where requests are put.</summary>
    public SubmissionQueue Submissions { get; }

    /// <summary>Where their results come.</summary>
    public CompletionQueue Completions { get; }

    /// <summary>
    /// Makes a ring that does nothing until <see cref="Enable"/>. Returns 0 or the negated errno: ENOSYS without io_uring, EPERM where it is forbidden
    /// (kernel.io_uring_disabled, a container's filter).
    /// </summary>
    /// <param name="submissions">Requests that can wait for submission; a power of two.</param>
    /// <param name="completions">Results that can wait to be taken; a power of two.</param>
    /// <param name="ring">The ring, if it worked.</param>
    public static int Create(int submissions, int completions, out Ring? ring)
    {
        ring = null;
        int result = 0;
        foreach (uint flags in s_flags)
        {
            Liburing.IoUring mapped = default;
            Liburing.IoUringParams parameters = new()
            {
                CompletionEntries = (uint)completions,
                Flags = flags | Liburing.IORING_SETUP_CQSIZE | Liburing.IORING_SETUP_R_DISABLED,
            };
            result = Liburing.io_uring_queue_init_params((uint)submissions, &mapped, &parameters);
            if (result == 0)
            {
                ring = new Ring(mapped, flags);
                return 0;
            }

            if (result != -EINVAL)
                break;
        }

        return result;
    }

    /// <summary>Makes descriptors known by their index from 0 on. Before <see cref="Enable"/>. Returns 0 or the negated errno.</summary>
    public int RegisterFiles(ReadOnlySpan<int> descriptors)
    {
        fixed (int* files = descriptors)
            return Math.Min(Register(Liburing.IORING_REGISTER_FILES, files, (uint)descriptors.Length), 0);
    }

    /// <summary>
    /// Lets the descriptors go. Otherwise their files stay open until the kernel has taken the ring apart, which it does some time after the end of the
    /// process. Only by the owning thread, when no request is under way. Returns 0 or the negated errno.
    /// </summary>
    public int UnregisterFiles() => Register(Liburing.IORING_UNREGISTER_FILES, null, 0);

    /// <summary>From now on the calling thread owns the ring, and requests may be submitted. Returns 0 or the negated errno.</summary>
    public int Enable() => Register(Liburing.IORING_REGISTER_ENABLE_RINGS, null, 0);

    /// <summary>Whether the kernel has something to do for us before all completions are visible: requests to take or work it put off.</summary>
    public bool HasWork => Submissions.Waiting > 0
        || (Volatile.Read(ref *_flags) & (Liburing.IORING_SQ_TASKRUN | Liburing.IORING_SQ_CQ_OVERFLOW)) != 0;

    /// <summary>Submits what waits, and makes visible what is complete. Never blocks. Returns how many it submitted, or the negated errno.</summary>
    public int Submit() => Enter(0, null);

    /// <summary>
    /// Submits what waits, and waits until a completion is visible or <paramref name="timeout"/> milliseconds have passed (-1: for ever). Returns how many
    /// it submitted, or the negated errno: ETIME or EINTR if nothing came.
    /// </summary>
    public int Wait(int timeout)
    {
        if (timeout < 0)
            return Enter(1, null);
        Liburing.KernelTimespec limit = new() { Seconds = timeout / 1000, Nanoseconds = timeout % 1000 * 1_000_000L };
        return Enter(1, &limit);
    }

    /// <summary>Registers a group of buffers. Returns 0 or the negated errno.</summary>
    internal int Register(uint operation, void* argument, uint count) => Liburing.io_uring_register(_descriptor, operation, argument, count);

    /// <summary>Unmaps the queues and ends all requests. Memory that requests use may be freed after that, if the owning thread has ended.</summary>
    public void Dispose()
    {
        if (_ring.RingDescriptor < 0)
            return;
        fixed (Liburing.IoUring* ring = &_ring)
            Liburing.io_uring_queue_exit(ring);
        _ring.RingDescriptor = -1;
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends a ring nobody disposed.</summary>
    ~Ring() => Dispose();

    private int Enter(uint wanted, Liburing.KernelTimespec* limit)
    {
        uint waiting = Submissions.Flush();
        Liburing.IoUringGeteventsArg argument = new() { Timeout = limit };
        return limit is null
            ? Liburing.io_uring_enter2(_descriptor, waiting, wanted, Liburing.IORING_ENTER_GETEVENTS, null, 8)
            : Liburing.io_uring_enter2(_descriptor, waiting, wanted, Liburing.IORING_ENTER_GETEVENTS | Liburing.IORING_ENTER_EXT_ARG, &argument,
                (nuint)sizeof(Liburing.IoUringGeteventsArg));
    }

    /// <summary>Asks for operations. That receives may be multishot has no name of its own; it is as old as SEND_ZC.</summary>
    private RingFeatures Probe()
    {
        byte* memory = stackalloc byte[sizeof(Liburing.IoUringProbe) + (MaxOperations * sizeof(Liburing.IoUringProbeOp))];
        new Span<byte>(memory, sizeof(Liburing.IoUringProbe) + (MaxOperations * sizeof(Liburing.IoUringProbeOp))).Clear();
        if (Register(Liburing.IORING_REGISTER_PROBE, memory, MaxOperations) < 0)
            return RingFeatures.None;
        Liburing.IoUringProbe* probe = (Liburing.IoUringProbe*)memory;
        Liburing.IoUringProbeOp* operations = (Liburing.IoUringProbeOp*)(probe + 1);
        return (Has(Liburing.IORING_OP_SEND_ZC) ? RingFeatures.MultishotReceive : 0)
            | (Has(Liburing.IORING_OP_READ_MULTISHOT) ? RingFeatures.MultishotRead : 0);

        bool Has(byte operation) => operation < probe->Operations && (operations[operation].Flags & Liburing.IoUringProbeOp.Supported) != 0;
    }
}
