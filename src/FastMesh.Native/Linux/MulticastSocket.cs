using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>A UDP multicast group as a network device (DeviceType = multicast).</summary>
public static unsafe class MulticastSocket
{
    /// <summary>
    /// Opens a non-blocking socket bound to a group's sockaddr, joined, loop-back on. Read with <see cref="FileIo"/>, write with
    /// <see cref="UdpSocket.SendTo"/> to the group. <paramref name="ttl"/> is the number of hops, 1 by default in tinc.
    /// </summary>
    /// <exception cref="LinuxException">Not a multicast address, no route for it, or the port is taken.</exception>
    public static SafeFd Open(ReadOnlySpan<byte> group, int ttl)
    {
        UdpSocketOptions options = new() { Broadcast = false, PathMtuDiscovery = false };
        SafeFd socket = UdpSocket.Open(group, options);
        try
        {
            if (SocketAddress.Family(group) == Libc.AF_INET6)
                JoinV6(socket.Descriptor, group, ttl);
            else
                JoinV4(socket.Descriptor, group, ttl);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void JoinV4(int fd, ReadOnlySpan<byte> group, int ttl)
    {
        Span<byte> mreq = stackalloc byte[8]; // struct ip_mreq: group, local interface
        mreq.Clear();
        group.Slice(4, 4).CopyTo(mreq);
        Join(fd, Libc.SOL_IP, Libc.IP_ADD_MEMBERSHIP, mreq);
        Set(fd, Libc.SOL_IP, Libc.IP_MULTICAST_LOOP, 1);
        Set(fd, Libc.SOL_IP, Libc.IP_MULTICAST_TTL, ttl);
    }

    private static void JoinV6(int fd, ReadOnlySpan<byte> group, int ttl)
    {
        Span<byte> mreq = stackalloc byte[20]; // struct ipv6_mreq: group, interface index = the sockaddr's scope
        group.Slice(8, 16).CopyTo(mreq);
        group.Slice(24, 4).CopyTo(mreq[16..]);
        Join(fd, Libc.SOL_IPV6, Libc.IPV6_JOIN_GROUP, mreq);
        Set(fd, Libc.SOL_IPV6, Libc.IPV6_MULTICAST_LOOP, 1);
        Set(fd, Libc.SOL_IPV6, Libc.IPV6_MULTICAST_HOPS, ttl);
    }

    private static void Join(int fd, int level, int option, ReadOnlySpan<byte> request)
    {
        fixed (byte* p = request)
            Syscall.Check(
                Syscall.Result(Libc.setsockopt(fd, level, option, p, (uint)request.Length)), "Could not join the multicast group");
    }

    private static void Set(int fd, int level, int option, int value) =>
        Syscall.Check(SocketOption.Set(fd, level, option, value), $"Could not set multicast option {level}/{option}");
}
