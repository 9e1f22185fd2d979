using System.Text;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>Integer and string socket options; 0 (or the value) or the negated errno.</summary>
internal static unsafe class SocketOption
{
    internal static int Set(int fd, int level, int name, int value) =>
        Syscall.Result(Libc.setsockopt(fd, level, name, &value, sizeof(int)));

    internal static int Get(int fd, int level, int name, out int value)
    {
        int v = 0;
        uint length = sizeof(int);
        int result = Syscall.Result(Libc.getsockopt(fd, level, name, &v, &length));
        value = v;
        return result;
    }

    /// <summary>SO_BINDTODEVICE: only traffic of this interface; null or "" leaves the socket as it is.</summary>
    internal static int BindToInterface(int fd, string? name)
    {
        if (string.IsNullOrEmpty(name))
            return 0;
        byte[] utf8 = Encoding.UTF8.GetBytes(name);
        fixed (byte* p = utf8)
            return Syscall.Result(Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_BINDTODEVICE, p, (uint)utf8.Length));
    }

    /// <summary>SO_MARK: what packet filters and routing rules know the socket's packets by; 0 leaves the socket as it is.</summary>
    internal static int SetMark(int fd, int mark) => mark == 0 ? 0 : Set(fd, Libc.SOL_SOCKET, Libc.SO_MARK, mark);

    /// <summary>Sets the TOS byte (IPv4) or traffic class (IPv6) of everything the socket sends from now on.</summary>
    internal static int SetTrafficClass(int fd, int family, int value) => family == Libc.AF_INET6
        ? Set(fd, Libc.SOL_IPV6, Libc.IPV6_TCLASS, value)
        : Set(fd, Libc.SOL_IP, Libc.IP_TOS, value);
}
