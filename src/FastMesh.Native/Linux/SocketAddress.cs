using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>Calls that take or give a sockaddr. Addresses cross this layer as raw sockaddr bytes: 16 for IPv4, 28 for IPv6.</summary>
public static unsafe class SocketAddress
{
    /// <summary>Room for any address of this layer.</summary>
    public const int MaxLength = Libc.MaxSockaddr;

    /// <summary>AF_INET.</summary>
    public const int InterNetwork = Libc.AF_INET;

    /// <summary>AF_INET6.</summary>
    public const int InterNetworkV6 = Libc.AF_INET6;

    /// <summary>The address family in a sockaddr's first two bytes; 0 (unspecified) if it is shorter.</summary>
    public static int Family(ReadOnlySpan<byte> address) => address.Length < 2 ? 0 : MemoryMarshal.Read<ushort>(address);

    /// <summary>Binds a socket. Returns 0 or the negated errno.</summary>
    public static int Bind(int fd, ReadOnlySpan<byte> address)
    {
        fixed (byte* p = address)
            return Syscall.Result(Libc.bind(fd, p, (uint)address.Length));
    }

    /// <summary>
    /// Connects a socket. Returns 0 or the negated errno, -EINPROGRESS on a non-blocking stream. Not repeated after EINTR: the attempt goes on
    /// in the kernel.
    /// </summary>
    public static int Connect(int fd, ReadOnlySpan<byte> address)
    {
        fixed (byte* p = address)
            return Syscall.Result(Libc.connect(fd, p, (uint)address.Length)) is int result && result == -Errno.EINTR ? -Errno.EINPROGRESS : result;
    }

    /// <summary>Writes the socket's own address. Returns its length or the negated errno.</summary>
    public static int Local(int fd, Span<byte> address)
    {
        uint length = (uint)address.Length;
        fixed (byte* p = address)
            return Length(Syscall.Result(Libc.getsockname(fd, p, &length)), length, address);
    }

    /// <summary>Writes the connected peer's address. Returns its length or the negated errno (ENOTCONN).</summary>
    public static int Peer(int fd, Span<byte> address)
    {
        uint length = (uint)address.Length;
        fixed (byte* p = address)
            return Length(Syscall.Result(Libc.getpeername(fd, p, &length)), length, address);
    }

    private static int Length(int result, uint length, Span<byte> address) =>
        result < 0 ? result : length > (uint)address.Length ? -Errno.EINVAL : (int)length;
}
