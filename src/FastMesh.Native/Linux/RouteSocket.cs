using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>
/// Sets up interfaces by rtnetlink, in the network namespace of the thread that opened it. Addresses are 4 or 16 bytes in network order. Every
/// method waits for the kernel's answer and returns 0 or the negated errno. One thread at a time.
/// </summary>
public sealed unsafe class RouteSocket : IDisposable
{
    private const int BufferLength = 1024;

    private readonly SafeFd _socket;
    private readonly byte[] _request = new byte[BufferLength];
    private int _length;
    private uint _sequence;

    private RouteSocket(SafeFd socket) => _socket = socket;

    /// <summary>Opens it.</summary>
    /// <exception cref="LinuxException">The kernel has no netlink, or a sandbox forbids it.</exception>
    public static RouteSocket Open() => new(new SafeFd(Syscall.Check(
        Syscall.Result(Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, Libc.NETLINK_ROUTE)), "Could not open a netlink socket")));

    /// <summary>Brings an interface up or takes it down.</summary>
    public int SetUp(int index, bool up)
    {
        Begin(Libc.RTM_NEWLINK, 0, new Libc.Ifinfomsg { ifi_index = index, ifi_flags = up ? Libc.IFF_UP : 0, ifi_change = Libc.IFF_UP });
        return Exchange();
    }

    /// <summary>Sets an interface's MTU in bytes (EINVAL: not possible for this kind of device).</summary>
    public int SetMtu(int index, int mtu)
    {
        Begin(Libc.RTM_NEWLINK, 0, new Libc.Ifinfomsg { ifi_index = index });
        Attribute(Libc.IFLA_MTU, mtu);
        return Exchange();
    }

    /// <summary>Gives an interface an address (EEXIST: it has it).</summary>
    public int AddAddress(int index, ReadOnlySpan<byte> address, int prefixLength)
        => Address(Libc.RTM_NEWADDR, Libc.NLM_F_CREATE | Libc.NLM_F_EXCL, index, address, prefixLength);

    /// <summary>Takes an address from an interface (EADDRNOTAVAIL: it does not have it).</summary>
    public int DeleteAddress(int index, ReadOnlySpan<byte> address, int prefixLength)
        => Address(Libc.RTM_DELADDR, 0, index, address, prefixLength);

    /// <summary>Adds a route of the main table (EEXIST: there is one to that network, perhaps by another interface).</summary>
    /// <param name="index">The interface.</param>
    /// <param name="network">The destination, host bits zero.</param>
    /// <param name="prefixLength">Its length.</param>
    /// <param name="gateway">The next hop, which need not be in a network of the interface; empty: none.</param>
    public int AddRoute(int index, ReadOnlySpan<byte> network, int prefixLength, ReadOnlySpan<byte> gateway)
        => Route(Libc.RTM_NEWROUTE, Libc.NLM_F_CREATE | Libc.NLM_F_EXCL, index, network, prefixLength, gateway);

    /// <summary>Removes a route that <see cref="AddRoute"/> made, and no other (ESRCH: there is none).</summary>
    public int DeleteRoute(int index, ReadOnlySpan<byte> network, int prefixLength, ReadOnlySpan<byte> gateway)
        => Route(Libc.RTM_DELROUTE, 0, index, network, prefixLength, gateway);

    /// <summary>Closes it.</summary>
    public void Dispose() => _socket.Dispose();

    private int Address(ushort type, int flags, int index, ReadOnlySpan<byte> address, int prefixLength)
    {
        Begin(type, flags, new Libc.Ifaddrmsg { ifa_family = Family(address), ifa_prefixlen = (byte)prefixLength, ifa_index = (uint)index });
        Attribute(Libc.IFA_LOCAL, address);
        Attribute(Libc.IFA_ADDRESS, address);
        return Exchange();
    }

    private int Route(ushort type, int flags, int index, ReadOnlySpan<byte> network, int prefixLength, ReadOnlySpan<byte> gateway)
    {
        bool direct = gateway.IsEmpty;
        Begin(type, flags, new Libc.Rtmsg
        {
            rtm_family = Family(network),
            rtm_dst_len = (byte)prefixLength,
            rtm_table = Libc.RT_TABLE_MAIN,
            rtm_protocol = Libc.RTPROT_STATIC,
            rtm_scope = direct && network.Length == 4 ? Libc.RT_SCOPE_LINK : Libc.RT_SCOPE_UNIVERSE,
            rtm_type = Libc.RTN_UNICAST,
            rtm_flags = direct ? 0 : Libc.RTNH_F_ONLINK,
        });
        Attribute(Libc.RTA_DST, network);
        Attribute(Libc.RTA_OIF, index);
        if (!direct)
            Attribute(Libc.RTA_GATEWAY, gateway);
        return Exchange();
    }

    private static byte Family(ReadOnlySpan<byte> address) => (byte)(address.Length == 4 ? Libc.AF_INET : Libc.AF_INET6);

    private void Begin<T>(ushort type, int flags, in T body)
        where T : unmanaged
    {
        _length = sizeof(Libc.Nlmsghdr);
        MemoryMarshal.Write(_request, new Libc.Nlmsghdr
        {
            nlmsg_type = type,
            nlmsg_flags = (ushort)(Libc.NLM_F_REQUEST | Libc.NLM_F_ACK | flags),
            nlmsg_seq = ++_sequence,
        });
        Append(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in body)));
    }

    private void Attribute(ushort type, int value) => Attribute(type, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in value)));

    private void Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        Libc.Rtattr header = new() { rta_len = (ushort)(sizeof(Libc.Rtattr) + value.Length), rta_type = type };
        Append(MemoryMarshal.AsBytes(new ReadOnlySpan<Libc.Rtattr>(in header)));
        Append(value);
    }

    /// <summary>All parts begin on multiples of four bytes, and are such here.</summary>
    private void Append(ReadOnlySpan<byte> part)
    {
        part.CopyTo(_request.AsSpan(_length));
        _length += part.Length;
    }

    /// <summary>Sends the request and waits for its acknowledgement: a header, then an error number that is 0 or negative.</summary>
    private int Exchange()
    {
        MemoryMarshal.Write(_request, (uint)_length);
        byte* answer = stackalloc byte[BufferLength];
        fixed (byte* request = _request)
        {
            int sent;
            while (Syscall.Interrupted(Libc.send(_socket.Descriptor, request, (nuint)_length, 0), out sent)) { }
            if (sent < 0)
                return sent;
        }

        while (true)
        {
            int received;
            while (Syscall.Interrupted(Libc.recv(_socket.Descriptor, answer, BufferLength, 0), out received)) { }
            if (received < 0)
                return received;
            Libc.Nlmsghdr header = Unsafe.ReadUnaligned<Libc.Nlmsghdr>(answer);
            if (received >= sizeof(Libc.Nlmsghdr) + sizeof(int) && header.nlmsg_type == Libc.NLMSG_ERROR && header.nlmsg_seq == _sequence)
                return Unsafe.ReadUnaligned<int>(answer + sizeof(Libc.Nlmsghdr));
        }
    }
}
