using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>C library: sockets, message vectors, socket options. Layouts are LP64, little endian.</summary>
internal static unsafe partial class Libc
{
    internal const int AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_PACKET = 17;
    internal const int SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_NONBLOCK = 0x800, SOCK_CLOEXEC = 0x80000;
    internal const int IPPROTO_TCP = 6, IPPROTO_UDP = 17;
    internal const int SHUT_WR = 1, SHUT_RDWR = 2;

    internal const int SOL_SOCKET = 1;
    internal const int SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_BROADCAST = 6, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_REUSEPORT = 15,
        SO_BINDTODEVICE = 25, SO_MARK = 36, SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_ATTACH_REUSEPORT_CBPF = 51;
    internal const int SOL_IP = 0;
    internal const int IP_TOS = 1, IP_RECVTOS = 13, IP_MTU_DISCOVER = 10, IP_MTU = 14, IP_MULTICAST_IF = 32, IP_MULTICAST_TTL = 33, IP_MULTICAST_LOOP = 34,
        IP_ADD_MEMBERSHIP = 35;
    internal const int IP_PMTUDISC_DONT = 0, IP_PMTUDISC_DO = 2;
    internal const int SOL_IPV6 = 41;
    internal const int IPV6_MULTICAST_IF = 17, IPV6_MULTICAST_HOPS = 18, IPV6_MULTICAST_LOOP = 19, IPV6_JOIN_GROUP = 20,
        IPV6_MTU_DISCOVER = 23, IPV6_MTU = 24, IPV6_V6ONLY = 26, IPV6_RECVTCLASS = 66, IPV6_TCLASS = 67;
    internal const int SOL_TCP = 6, TCP_NODELAY = 1, TCP_INFO = 11;
    internal const int SOL_UDP = 17, UDP_SEGMENT = 103, UDP_GRO = 104;

    internal const int MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000;
    internal const ushort ETH_P_ALL = 3;

    /// <summary>Room for any address this layer handles: sockaddr_in6 is the longest with 28 bytes.</summary>
    internal const int MaxSockaddr = 32;

    [StructLayout(LayoutKind.Sequential)]
    internal struct Iovec
    {
        internal byte* iov_base;
        internal nuint iov_len;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Msghdr
    {
        internal byte* msg_name;
        internal uint msg_namelen;
        internal Iovec* msg_iov;
        internal nuint msg_iovlen;
        internal byte* msg_control;
        internal nuint msg_controllen;
        internal int msg_flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Mmsghdr
    {
        internal Msghdr msg_hdr;
        internal uint msg_len;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Cmsghdr
    {
        internal nuint cmsg_len;
        internal int cmsg_level;
        internal int cmsg_type;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct SockFprog
    {
        internal ushort len;
        internal void* filter;
    }

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    internal struct SockaddrLl
    {
        internal ushort sll_family;
        internal ushort sll_protocol;
        internal int sll_ifindex;
        internal ushort sll_hatype;
        internal byte sll_pkttype;
        internal byte sll_halen;
        internal ulong sll_addr;
    }

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int socketpair(int domain, int type, int protocol, int* fds);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int bind(int fd, void* address, uint length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int connect(int fd, void* address, uint length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int listen(int fd, int backlog);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int accept4(int fd, void* address, uint* length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int shutdown(int fd, int how);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int getsockname(int fd, void* address, uint* length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int getpeername(int fd, void* address, uint* length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int setsockopt(int fd, int level, int name, void* value, uint length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int getsockopt(int fd, int level, int name, void* value, uint* length);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint send(int fd, void* buffer, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint recv(int fd, void* buffer, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial nint sendto(int fd, void* buffer, nuint length, int flags, void* address, uint addressLength);
}
