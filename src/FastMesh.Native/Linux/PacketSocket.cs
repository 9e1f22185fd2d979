using System.Buffers.Binary;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>Raw Ethernet on an existing interface (DeviceType = raw_socket). Needs CAP_NET_RAW.</summary>
public static unsafe class PacketSocket
{
    /// <summary>Opens a non-blocking socket that reads and writes whole frames of one interface, with <see cref="FileIo"/>.</summary>
    /// <exception cref="LinuxException">No such interface, or not permitted.</exception>
    public static SafeFd Open(string interfaceName)
    {
        int index = Syscall.Check(NetworkInterface.Index(interfaceName), $"Can't find interface {interfaceName}");
        ushort protocol = BinaryPrimitives.ReverseEndianness(Libc.ETH_P_ALL);
        int type = Libc.SOCK_RAW | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC;
        // Opened for no protocol, so that nothing arrives from other interfaces before the bind.
        SafeFd socket = new(Syscall.Check(Syscall.Result(Libc.socket(Libc.AF_PACKET, type, 0)), "Could not open a packet socket"));
        Libc.SockaddrLl address = new() { sll_family = Libc.AF_PACKET, sll_protocol = protocol, sll_ifindex = index };
        int error = SocketAddress.Bind(socket.Descriptor, new(&address, sizeof(Libc.SockaddrLl)));
        if (error >= 0)
            return socket;
        socket.Dispose();
        throw new LinuxException($"Could not bind to interface {interfaceName}", error);
    }
}
