using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>How to open a <see cref="UdpSocket"/>. The defaults are those of tinc's UDP sockets with buffers of our size.</summary>
public sealed record UdpSocketOptions
{
    /// <summary>An IPv6 socket takes no IPv4 traffic.</summary>
    public bool V6Only { get; init; } = true;

    /// <summary>SO_REUSEADDR.</summary>
    public bool ReuseAddress { get; init; } = true;

    /// <summary>Several sockets share the port, one per shard.</summary>
    public bool ReusePort { get; init; }

    /// <summary>SO_BROADCAST.</summary>
    public bool Broadcast { get; init; } = true;

    /// <summary>Receive buffer in bytes; null: 7 MiB; 0: the kernel's default. Best effort.</summary>
    public int? ReceiveBuffer { get; init; }

    /// <summary>Send buffer in bytes; null: 7 MiB; 0: the kernel's default. Best effort.</summary>
    public int? SendBuffer { get; init; }

    /// <summary>True: set DF and obey path MTUs (IP_PMTUDISC_DO); false: let the kernel fragment (DONT).</summary>
    public bool PathMtuDiscovery { get; init; } = true;

    /// <summary>SO_BINDTODEVICE; null for any interface.</summary>
    public string? Interface { get; init; }

    /// <summary>SO_MARK, or 0.</summary>
    public int Mark { get; init; }

    /// <summary>UDP_GRO: receive trains of equal datagrams as one message. Ask only if <see cref="UdpSocket.HasReceiveOffload"/>.</summary>
    public bool ReceiveOffload { get; init; }
}

/// <summary>One instruction of a classic BPF program (struct sock_filter).</summary>
/// <param name="Code">Operation.</param>
/// <param name="JumpTrue">Instructions to skip if true.</param>
/// <param name="JumpFalse">Instructions to skip if false.</param>
/// <param name="K">Operand.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct BpfInstruction(ushort Code, byte JumpTrue, byte JumpFalse, uint K);

/// <summary>Opens and configures datagram sockets. Non-blocking, close-on-exec.</summary>
public static unsafe class UdpSocket
{
    /// <summary>7 MiB: enough for 5 Gbit/s and a scheduling pause of 10 ms (linux-dataplane reference, 2.5).</summary>
    public const int DefaultBuffer = 7 << 20;

    /// <summary>Whether sends may carry a segment size (UDP_SEGMENT, Linux 4.18). Probed once.</summary>
    public static bool HasSegmentation { get; } = Probe(Libc.UDP_SEGMENT);

    /// <summary>Whether receives may be merged (UDP_GRO). Readable only since Linux 5.12; before that it was unreliable. Probed once.</summary>
    public static bool HasReceiveOffload { get; } = Probe(Libc.UDP_GRO);

    /// <summary>Opens a socket bound to <paramref name="local"/>, a sockaddr.</summary>
    /// <exception cref="LinuxException">No socket of that family, no such interface, address in use or not ours.</exception>
    public static SafeFd Open(ReadOnlySpan<byte> local, UdpSocketOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        int family = SocketAddress.Family(local);
        int type = Libc.SOCK_DGRAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC;
        SafeFd socket = new(Syscall.Check(Syscall.Result(Libc.socket(family, type, Libc.IPPROTO_UDP)), "Could not create a UDP socket"));
        try
        {
            Configure(socket.Descriptor, family, options);
            Syscall.Check(SocketAddress.Bind(socket.Descriptor, local), "Could not bind the UDP socket");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends one datagram to a sockaddr. Returns the bytes sent or the negated errno.</summary>
    public static int SendTo(int fd, ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> remote)
    {
        int n;
        fixed (byte* data = datagram)
        fixed (byte* name = remote)
            while (Syscall.Interrupted(
                Libc.sendto(fd, data, (nuint)datagram.Length, Libc.MSG_NOSIGNAL, name, (uint)remote.Length), out n)) { }
        return n;
    }

    /// <summary>
    /// The largest IP packet that the kernel would send to <paramref name="remote"/>, a sockaddr, as it stands: the interface's MTU, or what ICMP has told
    /// of the path. Returns bytes or the negated errno. Nothing is sent.
    /// </summary>
    public static int PathMtu(ReadOnlySpan<byte> remote)
    {
        int family = SocketAddress.Family(remote);
        int fd = Syscall.Result(Libc.socket(family, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, Libc.IPPROTO_UDP));
        if (fd < 0)
            return fd;
        using SafeFd owner = new(fd);
        int result = SocketAddress.Connect(fd, remote);
        if (result < 0)
            return result;
        (int level, int option) = family == Libc.AF_INET6 ? (Libc.SOL_IPV6, Libc.IPV6_MTU) : (Libc.SOL_IP, Libc.IP_MTU);
        result = SocketOption.Get(fd, level, option, out int mtu);
        return result < 0 ? result : mtu;
    }

    /// <summary>Sets the TOS byte or traffic class of all following datagrams. Returns 0 or the negated errno.</summary>
    public static int SetTrafficClass(int fd, int family, int value) => SocketOption.SetTrafficClass(fd, family, value);

    /// <summary>
    /// Chooses the interface for multicast that names none, such as ff02::1 with scope 0. Returns 0 or the negated errno.
    /// </summary>
    public static int SetMulticastInterface(int fd, int family, int interfaceIndex)
    {
        if (family == Libc.AF_INET6)
            return SocketOption.Set(fd, Libc.SOL_IPV6, Libc.IPV6_MULTICAST_IF, interfaceIndex);
        int* mreqn = stackalloc int[] { 0, 0, interfaceIndex }; // struct ip_mreqn: group, local address, index
        return Syscall.Result(Libc.setsockopt(fd, Libc.SOL_IP, Libc.IP_MULTICAST_IF, mreqn, 3 * sizeof(int)));
    }

    /// <summary>
    /// Lets a classic BPF program choose the socket of this socket's SO_REUSEPORT group: it sees the UDP payload, from offset 0xfff00000
    /// (SKF_NET_OFF) on the IP header, and returns an index in bind order; anything out of range falls back to the kernel's flow hash.
    /// Returns 0 or the negated errno.
    /// </summary>
    public static int AttachSteering(int fd, ReadOnlySpan<BpfInstruction> program)
    {
        fixed (BpfInstruction* instructions = program)
        {
            Libc.SockFprog fprog = new() { len = checked((ushort)program.Length), filter = instructions };
            return Syscall.Result(Libc.setsockopt(
                fd, Libc.SOL_SOCKET, Libc.SO_ATTACH_REUSEPORT_CBPF, &fprog, (uint)sizeof(Libc.SockFprog)));
        }
    }

    /// <summary>Says whether the kernel cuts datagrams that are longer than the path's MTU, or refuses them (EMSGSIZE). Returns 0 or the negated errno.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="family">Its family.</param>
    /// <param name="allowed">Whether it cuts.</param>
    public static int SetFragmentation(int fd, int family, bool allowed)
    {
        int discover = allowed ? Libc.IP_PMTUDISC_DONT : Libc.IP_PMTUDISC_DO;
        int error = SocketOption.Set(fd, Libc.SOL_IP, Libc.IP_MTU_DISCOVER, discover); // on IPv6 sockets for mapped addresses
        return family == Libc.AF_INET6 ? SocketOption.Set(fd, Libc.SOL_IPV6, Libc.IPV6_MTU_DISCOVER, discover) : error;
    }

    /// <summary>Whether the kernel cuts datagrams of a socket.</summary>
    public static bool AllowsFragmentation(int fd) => SocketOption.Get(fd, Libc.SOL_IP, Libc.IP_MTU_DISCOVER, out int discover) >= 0 && discover == Libc.IP_PMTUDISC_DONT;

    private static void Configure(int fd, int family, UdpSocketOptions options)
    {
        Require(options.ReuseAddress, fd, Libc.SOL_SOCKET, Libc.SO_REUSEADDR);
        Require(options.ReusePort, fd, Libc.SOL_SOCKET, Libc.SO_REUSEPORT);
        Require(options.Broadcast, fd, Libc.SOL_SOCKET, Libc.SO_BROADCAST);
        Require(options.ReceiveOffload, fd, Libc.SOL_UDP, Libc.UDP_GRO);
        if (family == Libc.AF_INET6)
            Syscall.Check(SocketOption.Set(fd, Libc.SOL_IPV6, Libc.IPV6_V6ONLY, options.V6Only ? 1 : 0), "Could not set IPV6_V6ONLY");
        SetBuffer(fd, options.ReceiveBuffer ?? DefaultBuffer, Libc.SO_RCVBUF, Libc.SO_RCVBUFFORCE);
        SetBuffer(fd, options.SendBuffer ?? DefaultBuffer, Libc.SO_SNDBUF, Libc.SO_SNDBUFFORCE);
        _ = SetFragmentation(fd, family, !options.PathMtuDiscovery);
        SocketOption.Set(fd, Libc.SOL_IP, Libc.IP_RECVTOS, 1);
        if (family == Libc.AF_INET6)
            SocketOption.Set(fd, Libc.SOL_IPV6, Libc.IPV6_RECVTCLASS, 1);

        Syscall.Check(SocketOption.BindToInterface(fd, options.Interface), $"Could not bind to interface {options.Interface}");
        Syscall.Check(SocketOption.SetMark(fd, options.Mark), "Could not set SO_MARK");
    }

    private static void Require(bool wanted, int fd, int level, int option)
    {
        if (wanted)
            Syscall.Check(SocketOption.Set(fd, level, option, 1), $"Could not set UDP socket option {level}/{option}");
    }

    /// <summary>The plain option is capped by rmem_max or wmem_max; the forced one needs CAP_NET_ADMIN. The kernel doubles both.</summary>
    private static void SetBuffer(int fd, int size, int option, int forced)
    {
        if (size <= 0)
            return;
        SocketOption.Set(fd, Libc.SOL_SOCKET, option, size);
        if (SocketOption.Get(fd, Libc.SOL_SOCKET, option, out int actual) == 0 && actual / 2 < size)
            SocketOption.Set(fd, Libc.SOL_SOCKET, forced, size);
    }

    private static bool Probe(int option)
    {
        int fd = Syscall.Result(Libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, Libc.IPPROTO_UDP));
        if (fd < 0)
            return false;
        using SafeFd owner = new(fd);
        return SocketOption.Get(fd, Libc.SOL_UDP, option, out _) == 0;
    }
}
