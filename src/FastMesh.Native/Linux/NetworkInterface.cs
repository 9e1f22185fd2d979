using System.Text;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>Questions about network interfaces, in the network namespace of the calling thread.</summary>
public static unsafe class NetworkInterface
{
    /// <summary>Length of an Ethernet address.</summary>
    public const int HardwareAddressLength = 6;

    /// <summary>The interface's index (positive), or the negated errno: ENODEV if there is none of that name.</summary>
    public static int Index(string name)
    {
        int error = Query(Libc.SIOCGIFINDEX, name, out Libc.Ifreq request);
        return error < 0 ? error : request.ifr_value;
    }

    /// <summary>The interface's MTU in bytes, or the negated errno.</summary>
    public static int Mtu(string name)
    {
        int error = Query(Libc.SIOCGIFMTU, name, out Libc.Ifreq request);
        return error < 0 ? error : request.ifr_value;
    }

    /// <summary>1 if the interface is up, 0 if not, or the negated errno.</summary>
    public static int IsUp(string name)
    {
        int error = Query(Libc.SIOCGIFFLAGS, name, out Libc.Ifreq request);
        return error < 0 ? error : request.ifr_flags & (int)Libc.IFF_UP;
    }

    /// <summary>Writes the interface's 6-byte hardware address. Returns 0 or the negated errno.</summary>
    public static int HardwareAddress(string name, Span<byte> address)
    {
        int error = Query(Libc.SIOCGIFHWADDR, name, out Libc.Ifreq request);
        if (error >= 0)
            new ReadOnlySpan<byte>(request.ifr_hwaddr, HardwareAddressLength).CopyTo(address);
        return error;
    }

    /// <summary>
    /// Writes the sockaddr of the address the kernel would send from towards <paramref name="remote"/> (nothing is sent).
    /// Returns its length or the negated errno (ENETUNREACH: no route).
    /// </summary>
    public static int LocalAddressTowards(ReadOnlySpan<byte> remote, Span<byte> local)
    {
        int fd = Syscall.Result(Libc.socket(SocketAddress.Family(remote), Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0));
        if (fd < 0)
            return fd;
        using SafeFd owner = new(fd);
        int error = SocketAddress.Connect(fd, remote);
        return error < 0 ? error : SocketAddress.Local(fd, local);
    }

    private static int Query(nuint ioctl, string name, out Libc.Ifreq request)
    {
        request = default;
        if (Encoding.UTF8.GetByteCount(name) >= Libc.IFNAMSIZ)
            return -Errno.ENODEV;
        fixed (byte* field = request.ifr_name)
            CString.WriteTruncated(name, new(field, Libc.IFNAMSIZ));
        int fd = Syscall.Result(Libc.socket(Libc.AF_UNIX, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0));
        if (fd < 0)
            return fd;
        using SafeFd owner = new(fd);
        fixed (Libc.Ifreq* p = &request)
            return Syscall.Result(Libc.ioctl(fd, ioctl, (nint)p));
    }
}
