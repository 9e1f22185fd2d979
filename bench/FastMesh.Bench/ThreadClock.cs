using System.Runtime.InteropServices;

namespace FastMesh.Bench;

/// <summary>The processor time of the calling thread: what others do on a busy machine, and pauses, do not count.</summary>
internal static partial class ThreadClock
{
    private const int CLOCK_THREAD_CPUTIME_ID = 3;

    /// <summary>Seconds since the thread began.</summary>
    public static double Now
    {
        get
        {
            _ = clock_gettime(CLOCK_THREAD_CPUTIME_ID, out Timespec time);
            return time.Seconds + (time.Nanoseconds * 1e-9);
        }
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out Timespec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public nint Seconds, Nanoseconds;
    }
}
