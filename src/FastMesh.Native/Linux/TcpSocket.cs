using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>
/// Non-blocking stream sockets. Methods return a descriptor (owned by the caller, who wraps it in a <see cref="SafeFd"/>), a count or 0; or the
/// negated errno. Only <see cref="Listen"/>, which is set-up, throws.
/// </summary>
public static unsafe class TcpSocket
{
    private const int Type = Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC;

    /// <summary>Opens a listener on a sockaddr: SO_REUSEADDR, an IPv6 socket takes no IPv4 traffic. What it accepts has its mark.</summary>
    /// <exception cref="LinuxException">No socket of that family, no such interface, address in use or not ours.</exception>
    public static SafeFd Listen(ReadOnlySpan<byte> local, int backlog, string? interfaceName = null, int mark = 0)
    {
        int family = SocketAddress.Family(local);
        SafeFd socket = new(Syscall.Check(Open(family), "Could not create a TCP socket"));
        try
        {
            int fd = socket.Descriptor;
            Syscall.Check(SocketOption.Set(fd, Libc.SOL_SOCKET, Libc.SO_REUSEADDR, 1), "Could not set SO_REUSEADDR");
            if (family == Libc.AF_INET6)
                Syscall.Check(SocketOption.Set(fd, Libc.SOL_IPV6, Libc.IPV6_V6ONLY, 1), "Could not set IPV6_V6ONLY");
            Syscall.Check(BindToInterface(fd, interfaceName), $"Could not bind to interface {interfaceName}");
            Syscall.Check(SetMark(fd, mark), "Could not set SO_MARK");
            Syscall.Check(SocketAddress.Bind(fd, local), "Could not bind the TCP socket");
            Syscall.Check(Syscall.Result(Libc.listen(fd, backlog)), "Could not listen");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Takes one waiting connection and writes the peer's sockaddr. Returns its descriptor, or -EAGAIN when none waits. EMFILE, ENFILE and
    /// ECONNABORTED concern this connection only.
    /// </summary>
    public static int Accept(int listener, Span<byte> peer, out int peerLength)
    {
        int fd;
        uint length;
        fixed (byte* p = peer)
        {
            do
            {
                length = (uint)peer.Length;
            }
            while (Syscall.Interrupted(Libc.accept4(listener, p, &length, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC), out fd));
        }
        peerLength = (int)Math.Min(length, (uint)peer.Length);
        return fd;
    }

    /// <summary>
    /// Makes a socket to connect with. Then, as wanted: <see cref="BindToInterface"/>, <see cref="SocketAddress.Bind"/>,
    /// <see cref="SocketAddress.Connect"/>, and when it is writable <see cref="ConnectResult"/>.
    /// </summary>
    public static int Open(int family) => Syscall.Result(Libc.socket(family, Type, Libc.IPPROTO_TCP));

    /// <summary>SO_BINDTODEVICE; null or "" leaves the socket as it is.</summary>
    public static int BindToInterface(int fd, string? name) => SocketOption.BindToInterface(fd, name);

    /// <summary>SO_MARK; 0 leaves the socket as it is.</summary>
    public static int SetMark(int fd, int mark) => SocketOption.SetMark(fd, mark);

    /// <summary>Once the socket is writable: 0 if it is connected, or the negated errno of the attempt. Asking clears it.</summary>
    public static int ConnectResult(int fd)
    {
        int error = SocketOption.Get(fd, Libc.SOL_SOCKET, Libc.SO_ERROR, out int pending);
        return error < 0 ? error : -pending;
    }

    /// <summary>What tinc sets on meta connections: TCP_NODELAY, TOS or traffic class 0x10 (low delay). Best effort.</summary>
    public static void SetLowDelay(int fd, int family)
    {
        const int LowDelay = 0x10;
        SocketOption.Set(fd, Libc.SOL_TCP, Libc.TCP_NODELAY, 1);
        SocketOption.SetTrafficClass(fd, family, LowDelay);
    }

    /// <summary>The smoothed round trip time of a connection in microseconds, 0 before the first measurement, or the negated errno.</summary>
    public static int RoundTripTime(int fd)
    {
        const int RttOffset = 68; // tcpi_rtt of struct tcp_info, whose beginning never changes
        byte* info = stackalloc byte[RttOffset + sizeof(uint)];
        uint length = RttOffset + sizeof(uint);
        int result = Syscall.Result(Libc.getsockopt(fd, Libc.SOL_TCP, Libc.TCP_INFO, info, &length));
        return result < 0 ? result : length < RttOffset + sizeof(uint) ? 0 : (int)Math.Min(*(uint*)(info + RttOffset), int.MaxValue);
    }

    /// <summary>Receives once; 0: the peer closed its direction.</summary>
    public static int Receive(int fd, Span<byte> buffer)
    {
        int n;
        fixed (byte* p = buffer)
            while (Syscall.Interrupted(Libc.recv(fd, p, (nuint)buffer.Length, 0), out n)) { }
        return n;
    }

    /// <summary>Sends once, without SIGPIPE; a short count is possible.</summary>
    public static int Send(int fd, ReadOnlySpan<byte> data)
    {
        int n;
        fixed (byte* p = data)
            while (Syscall.Interrupted(Libc.send(fd, p, (nuint)data.Length, Libc.MSG_NOSIGNAL), out n)) { }
        return n;
    }

    /// <summary>Ends our direction; what was sent is still delivered.</summary>
    public static int ShutdownSend(int fd) => Syscall.Result(Libc.shutdown(fd, Libc.SHUT_WR));

    /// <summary>Ends both directions.</summary>
    public static int Shutdown(int fd) => Syscall.Result(Libc.shutdown(fd, Libc.SHUT_RDWR));

    /// <summary>
    /// Two connected stream sockets for a child process (the exec proxy): ours is non-blocking, the child's is blocking. Both are
    /// close-on-exec; the child gets its end as stdin and stdout.
    /// </summary>
    /// <exception cref="LinuxException">No descriptor is left.</exception>
    public static (SafeFd Ours, SafeFd Theirs) SocketPair()
    {
        int* fds = stackalloc int[2];
        Syscall.Check(
            Syscall.Result(Libc.socketpair(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0, fds)), "Could not create a socket pair");
        (SafeFd ours, SafeFd theirs) = (new(fds[0]), new(fds[1]));
        Syscall.Check(FileIo.SetNonBlocking(fds[0]), "Could not make a socket non-blocking");
        return (ours, theirs);
    }

    /// <summary>Whether an inherited descriptor is a socket of the stream type.</summary>
    public static bool IsStreamSocket(int fd) =>
        SocketOption.Get(fd, Libc.SOL_SOCKET, Libc.SO_TYPE, out int type) == 0 && type == Libc.SOCK_STREAM;
}
