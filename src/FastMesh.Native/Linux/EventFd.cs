using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>A wake-up that any thread may give and one loop waits for. Non-blocking; several signals may collapse into one wake-up.</summary>
public sealed unsafe class EventFd : IDisposable
{
    private readonly SafeFd _fd;

    /// <summary>Creates it, not signalled.</summary>
    /// <exception cref="LinuxException">No descriptor is left.</exception>
    public EventFd() => _fd = new(Syscall.Check(
        Syscall.Result(Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK)), "Could not create an eventfd"));

    /// <summary>Becomes readable when signalled.</summary>
    public int Descriptor => _fd.Descriptor;

    /// <summary>Wakes the loop. Cannot block: a counter that is full is a wake-up already.</summary>
    public void Signal()
    {
        ulong one = 1;
        _ = Nonblocking.Write(_fd.Descriptor, (byte*)&one, sizeof(ulong));
    }

    /// <summary>Takes all signals given so far. Drain first, then look at what the signal announced.</summary>
    public void Drain()
    {
        ulong count;
        _ = Nonblocking.Read(_fd.Descriptor, (byte*)&count, sizeof(ulong));
    }

    /// <inheritdoc/>
    public void Dispose() => _fd.Dispose();
}
