using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>The kernel's clock, asked directly.</summary>
public static unsafe class KernelClock
{
    /// <summary>CLOCK_MONOTONIC in microseconds: time since the machine was started, time asleep not counted.</summary>
    public static long Microseconds
    {
        get
        {
            Libc.Timespec now;
            _ = Libc.clock_gettime(Libc.CLOCK_MONOTONIC, &now);
            return (now.tv_sec * 1_000_000L) + (now.tv_nsec / 1000);
        }
    }
}
