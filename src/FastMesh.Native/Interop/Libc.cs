using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>C library: descriptors, files, epoll, eventfd.</summary>
internal static unsafe partial class Libc
{
    private const string Library = "libc";

    internal const int O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0x40, O_APPEND = 0x400, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000, O_PATH = 0x200000;
    internal const int F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, FD_CLOEXEC = 1;
    internal const int EFD_NONBLOCK = 0x800, EFD_CLOEXEC = 0x80000;
    internal const int EPOLL_CLOEXEC = 0x80000, EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3;
    internal const int LOCK_EX = 2, LOCK_NB = 4;
    internal const int AT_FDCWD = -100;
    internal const uint STATX_UID = 8, STATX_GID = 16;

    /// <summary>The start of struct statx, the same on all architectures; the rest is room.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    internal struct Statx
    {
        internal uint stx_mask;
        internal uint stx_blksize;
        internal ulong stx_attributes;
        internal uint stx_nlink;
        internal uint stx_uid;
        internal uint stx_gid;
        internal ushort stx_mode;
    }

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statx(int directory, string path, int flags, uint mask, Statx* result);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int openat(int directory, string path, int flags, uint mode);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fchown(int fd, uint user, uint group);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int close(int fd);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint read(int fd, void* buffer, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint write(int fd, void* buffer, nuint count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint writev(int fd, void* iov, int count);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int fcntl(int fd, int command, nint argument);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int ioctl(int fd, nuint request, nint argument);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int dup2(int from, int to);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int pipe2(int* fds, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int flock(int fd, int operation);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int isatty(int fd);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int eventfd(uint initial, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int epoll_ctl(int epfd, int operation, int fd, void* epollEvent);

    /// <summary>A call that may wait. -1 and errno if it fails.</summary>
    [LibraryImport(Library)]
    internal static partial nint syscall(nint number, nint a, void* b, nint c, nint d, void* e, nint f);

    /// <summary>A call that never waits: the runtime is not told of it, and a garbage collection begins only after it.</summary>
    [LibraryImport(Library, EntryPoint = "syscall"), SuppressGCTransition]
    internal static partial nint syscall_nonblocking(nint number, nint a, void* b, nint c, nint d, void* e);

    /// <summary>Reads a clock, without a system call.</summary>
    [LibraryImport(Library), SuppressGCTransition]
    internal static partial int clock_gettime(int clock, Timespec* now);

    internal static nint SYS_read => IsX64 ? 0 : 63;

    internal static nint SYS_write => IsX64 ? 1 : 64;

    internal static nint SYS_recvmmsg => IsX64 ? 299 : 243;

    internal static nint SYS_sendmmsg => IsX64 ? 307 : 269;

    internal static nint SYS_epoll_pwait => IsX64 ? 281 : 22;

    private static bool IsX64 => RuntimeInformation.ProcessArchitecture == Architecture.X64;
}
