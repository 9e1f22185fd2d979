using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>One piece of a gathered write (struct iovec).</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct IoVector
{
    /// <summary>First byte; borrowed for the call.</summary>
    public byte* Base;

    /// <summary>Bytes.</summary>
    public nuint Length;
}

/// <summary>Plain reads and writes. Every method returns the bytes moved (0 from a read: end of file) or the negated errno.</summary>
public static unsafe class FileIo
{
    /// <summary>Reads once.</summary>
    public static int Read(int fd, Span<byte> buffer)
    {
        fixed (byte* p = buffer)
            return Read(fd, p, buffer.Length);
    }

    /// <summary>Reads once into memory that does not move.</summary>
    public static int Read(int fd, byte* buffer, int length)
    {
        int n;
        while (Syscall.Interrupted(Libc.read(fd, buffer, (uint)length), out n)) { }
        return n;
    }

    /// <summary>Writes once; a short count is possible on streams.</summary>
    public static int Write(int fd, ReadOnlySpan<byte> data)
    {
        fixed (byte* p = data)
            return Write(fd, p, data.Length);
    }

    /// <summary>Writes once from memory that does not move.</summary>
    public static int Write(int fd, byte* data, int length)
    {
        int n;
        while (Syscall.Interrupted(Libc.write(fd, data, (uint)length), out n)) { }
        return n;
    }

    /// <summary>Writes up to 1024 pieces as one.</summary>
    public static int Writev(int fd, ReadOnlySpan<IoVector> pieces)
    {
        int n;
        fixed (IoVector* p = pieces)
            while (Syscall.Interrupted(Libc.writev(fd, p, pieces.Length), out n)) { }
        return n;
    }

    /// <summary>Tells who owns a file or directory; links are followed.</summary>
    /// <param name="path">Which.</param>
    /// <param name="user">Number of the user.</param>
    /// <param name="group">Number of the group.</param>
    /// <returns>0 or the negated errno.</returns>
    public static int Owner(string path, out uint user, out uint group)
    {
        Libc.Statx status = default;
        int result = Syscall.Result(Libc.statx(Libc.AT_FDCWD, path, 0, Libc.STATX_UID | Libc.STATX_GID, &status));
        (user, group) = (status.stx_uid, status.stx_gid);
        return result;
    }

    /// <summary>
    /// Takes over a descriptor inherited from the parent (DeviceType=fd, systemd's LISTEN_FDS): checks that it is open, makes it
    /// non-blocking and keeps it from children.
    /// </summary>
    /// <exception cref="LinuxException">It is not open.</exception>
    public static SafeFd Adopt(int fd)
    {
        string operation = $"Could not use inherited descriptor {fd}";
        Syscall.Check(SetCloseOnExec(fd, true), operation);
        Syscall.Check(SetNonBlocking(fd), operation);
        return new(fd);
    }

    /// <summary>Sets O_NONBLOCK. Returns 0 or the negated errno.</summary>
    public static int SetNonBlocking(int fd)
    {
        int flags = Syscall.Result(Libc.fcntl(fd, Libc.F_GETFL, 0));
        return flags < 0 ? flags : Syscall.Result(Libc.fcntl(fd, Libc.F_SETFL, flags | Libc.O_NONBLOCK));
    }

    /// <summary>Says whether programs we start inherit the descriptor. Returns 0 or the negated errno.</summary>
    public static int SetCloseOnExec(int fd, bool closeOnExec) =>
        Syscall.Result(Libc.fcntl(fd, Libc.F_SETFD, closeOnExec ? Libc.FD_CLOEXEC : 0));
}
