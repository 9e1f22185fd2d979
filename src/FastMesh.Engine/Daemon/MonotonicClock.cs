using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>The one clock of a running daemon; everything below the shell gets its time from here, as an argument.</summary>
internal static class MonotonicClock
{
    /// <summary>Time since the machine was started, time asleep not counted.</summary>
    public static Instant Now
    {
        get
        {
            (long milliseconds, long microseconds) = Math.DivRem(Microseconds, 1000);
            return new(milliseconds) { Microseconds = (int)microseconds };
        }
    }

    /// <summary>The same in microseconds: CLOCK_MONOTONIC.</summary>
    public static long Microseconds => KernelClock.Microseconds;
}
