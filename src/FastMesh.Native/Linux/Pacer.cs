using System.Diagnostics;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>Gives each of many receivers the time it needs for what it was sent. Used by one thread.</summary>
public sealed class Pacer
{
    /// <summary>Shorter waits are not worth a timer, and longer ones are not believed; nanoseconds.</summary>
    private const long ShortestWait = 20_000, LongestWait = 5_000_000;

    private long[] _readyAt = [];
    private long _last;

    /// <summary>Sleeps until a receiver has had its time, if it was noted.</summary>
    /// <param name="receiver">A small number.</param>
    public void Wait(int receiver)
    {
        if (receiver < _readyAt.Length)
            SleepUntil(_readyAt[receiver]);
    }

    /// <summary>Sleeps until the receiver that was noted last has had its time; false if it has had it already.</summary>
    public bool WaitForLast() => SleepUntil(_last);

    /// <summary>Notes that a receiver is sent something now.</summary>
    /// <param name="receiver">A small number.</param>
    /// <param name="nanoseconds">The time it needs for that.</param>
    public void Note(int receiver, long nanoseconds)
    {
        if (receiver >= _readyAt.Length)
            Array.Resize(ref _readyAt, Math.Max(64, (receiver + 1) * 2));
        _last = _readyAt[receiver] = Now + Math.Min(nanoseconds, LongestWait);
    }

    /// <summary>CLOCK_MONOTONIC, which .NET's time stamps are on Linux, in its own unit.</summary>
    private static long Now => Stopwatch.GetTimestamp();

    private static bool SleepUntil(long time)
    {
        if (time - Now < ShortestWait)
            return false;
        (long seconds, long rest) = Math.DivRem(time, 1_000_000_000);
        Libc.Timespec until = new() { tv_sec = (nint)seconds, tv_nsec = (nint)rest };
        _ = Libc.clock_nanosleep(Libc.CLOCK_MONOTONIC, Libc.TIMER_ABSTIME, until, 0); // early if a signal comes, which does no harm
        return true;
    }
}
