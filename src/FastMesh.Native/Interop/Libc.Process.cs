using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>C library: process, users, limits, scheduling, system log.</summary>
internal static unsafe partial class Libc
{
    internal const int MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4;
    internal const int RLIMIT_MEMLOCK = 8;
    internal const ulong RLIM_INFINITY = ulong.MaxValue;
    internal const int PRIO_PROCESS = 0, PR_SET_NAME = 15;
    internal const int CLOCK_MONOTONIC = 1, TIMER_ABSTIME = 1;
    internal const int LOG_CONS = 2, LOG_PID = 1, LOG_DAEMON = 3 << 3;

    [StructLayout(LayoutKind.Sequential)]
    internal struct Rlimit
    {
        internal ulong rlim_cur;
        internal ulong rlim_max;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Timespec
    {
        internal nint tv_sec;
        internal nint tv_nsec;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Passwd
    {
        internal byte* pw_name;
        internal byte* pw_passwd;
        internal uint pw_uid;
        internal uint pw_gid;
        internal byte* pw_gecos;
        internal byte* pw_dir;
        internal byte* pw_shell;
    }

    internal const nint SIG_DFL = 0, SIG_IGN = 1;

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setsid();

    [LibraryImport(Library)]
    internal static partial nint signal(int signal, nint handler);

    /// <summary>Only asks: the old action, 152 bytes, begins with the handler.</summary>
    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sigaction(int signal, nint action, nint* old);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int execv(string path, byte** arguments);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int chdir(string path);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int chroot(string path);

    [LibraryImport(Library)]
    internal static partial uint umask(uint mask);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int kill(int pid, int signal);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial Passwd* getpwnam(string name);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int getgrouplist(string user, uint group, uint* groups, int* count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setgroups(nuint count, uint* groups);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setgid(uint gid);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setuid(uint uid);

    /// <summary>Of the calling thread alone; returns the number before, also if it fails.</summary>
    [LibraryImport(Library)]
    internal static partial int setfsuid(uint user);

    [LibraryImport(Library)]
    internal static partial int setfsgid(uint group);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int mlockall(int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int getrlimit(int resource, Rlimit* limit);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setrlimit(int resource, Rlimit* limit);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setpriority(int which, uint who, int priority);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sched_setaffinity(int pid, nuint size, void* mask);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int sched_getaffinity(int pid, nuint size, void* mask);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int prctl(int option, nint a, nint b, nint c, nint d);

    /// <summary>Returns the errno itself.</summary>
    [LibraryImport(Library)]
    internal static partial int clock_nanosleep(int clock, int flags, in Timespec request, nint remain);

    [LibraryImport(Library)]
    internal static partial void openlog(byte* ident, int option, int facility);

    [LibraryImport(Library)]
    internal static partial void syslog(int priority, byte* format, byte* argument);

    [LibraryImport(Library)]
    internal static partial void closelog();
}
