using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>
/// The system calls that packets cost, on descriptors that never wait. The runtime is not told of them, and errno is read only after a failure: for a
/// packet that finds all caches cold every line of code counts. Every method returns a count or the negated errno.
/// </summary>
public static unsafe class Nonblocking
{
    /// <summary>Reads once.</summary>
    public static int Read(int fd, byte* buffer, int length) =>
        Outcome(Libc.syscall_nonblocking(Libc.SYS_read, fd, buffer, length, 0, null));

    /// <summary>Writes once.</summary>
    public static int Write(int fd, byte* data, int length) =>
        Outcome(Libc.syscall_nonblocking(Libc.SYS_write, fd, data, length, 0, null));

    /// <summary>Receives messages.</summary>
    internal static int Receive(int fd, Libc.Mmsghdr* messages, int count) =>
        Outcome(Libc.syscall_nonblocking(Libc.SYS_recvmmsg, fd, messages, count, Libc.MSG_DONTWAIT, null));

    /// <summary>Sends messages.</summary>
    internal static int Send(int fd, Libc.Mmsghdr* messages, int count) =>
        Outcome(Libc.syscall_nonblocking(Libc.SYS_sendmmsg, fd, messages, count, Libc.MSG_NOSIGNAL | Libc.MSG_DONTWAIT, null));

    private static int Outcome(nint result) => result >= 0 ? (int)result : -Marshal.GetLastSystemError();
}
