using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>What to wait for, and what happened. Error and hang-up are always reported.</summary>
[Flags]
public enum EpollEvents
{
    /// <summary>Nothing but errors.</summary>
    None = 0,

    /// <summary>Readable.</summary>
    In = 1,

    /// <summary>Writable.</summary>
    Out = 4,

    /// <summary>An error is pending.</summary>
    Error = 8,

    /// <summary>Both directions are closed.</summary>
    HangUp = 0x10,

    /// <summary>The peer closed its direction.</summary>
    ReadHangUp = 0x2000,
}

/// <summary>
/// Level-triggered epoll with a preallocated event array. <see cref="Tag"/> and <see cref="Events"/> describe the last
/// <see cref="Wait"/>, until the next one. For one waiting thread.
/// </summary>
public sealed unsafe class Epoll : IDisposable
{
    // struct epoll_event { u32 events; u64 data; } is packed on x86-64 only.
    private static readonly int s_eventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int s_tagOffset = s_eventSize - 8;

    private readonly SafeFd _fd;
    private readonly int _maxEvents;
    private byte* _events;

    /// <summary>Creates a set whose <see cref="Wait"/> reports up to <paramref name="maxEvents"/> at once.</summary>
    /// <exception cref="LinuxException">No descriptor is left.</exception>
    public Epoll(int maxEvents)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEvents);
        _fd = new(Syscall.Check(Syscall.Result(Libc.epoll_create1(Libc.EPOLL_CLOEXEC)), "Could not create an epoll set"));
        _maxEvents = maxEvents;
        _events = (byte*)NativeMemory.AllocZeroed((nuint)maxEvents, (nuint)s_eventSize);
    }

    /// <summary>Starts watching a descriptor; <paramref name="tag"/> comes back with its events. Returns 0 or the negated errno.</summary>
    public int Add(int fd, EpollEvents interest, ulong tag) => Control(Libc.EPOLL_CTL_ADD, fd, interest, tag);

    /// <summary>Changes interest and tag. Returns 0 or the negated errno.</summary>
    public int Modify(int fd, EpollEvents interest, ulong tag) => Control(Libc.EPOLL_CTL_MOD, fd, interest, tag);

    /// <summary>Stops watching. Needed only for a descriptor that stays open. Returns 0 or the negated errno.</summary>
    public int Remove(int fd) => Control(Libc.EPOLL_CTL_DEL, fd, EpollEvents.None, 0);

    /// <summary>
    /// Waits at most <paramref name="timeout"/> milliseconds (0: not at all, -1: for ever). Returns the number of events. A signal
    /// ends the wait early with 0, because repeating it would stretch the timeout.
    /// </summary>
    public int Wait(int timeout)
    {
        // Fails by EINTR only, and errno need not be asked for: of an own set and own memory nothing can be wrong.
        return Math.Max((int)Libc.syscall(Libc.SYS_epoll_pwait, _fd.Descriptor, _events, _maxEvents, timeout, null, 0), 0);
    }

    /// <summary>The tag given with the descriptor of event <paramref name="index"/>.</summary>
    public ulong Tag(int index) => Unsafe.ReadUnaligned<ulong>(Event(index) + s_tagOffset);

    /// <summary>What happened in event <paramref name="index"/>.</summary>
    public EpollEvents Events(int index) => (EpollEvents)Unsafe.ReadUnaligned<uint>(Event(index));

    /// <summary>Closes the set; the watched descriptors stay open.</summary>
    public void Dispose()
    {
        _fd.Dispose();
        NativeMemory.Free(_events);
        _events = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the event array of a set nobody disposed.</summary>
    ~Epoll() => NativeMemory.Free(_events);

    private int Control(int operation, int fd, EpollEvents interest, ulong tag)
    {
        byte* item = stackalloc byte[16];
        Unsafe.WriteUnaligned(item, (ulong)(uint)interest);
        Unsafe.WriteUnaligned(item + s_tagOffset, tag);
        return Syscall.Result(Libc.epoll_ctl(_fd.Descriptor, operation, fd, item));
    }

    private byte* Event(int index)
    {
        if ((uint)index >= (uint)_maxEvents || _events is null)
            throw new ArgumentOutOfRangeException(nameof(index));
        return _events + (index * s_eventSize);
    }
}
