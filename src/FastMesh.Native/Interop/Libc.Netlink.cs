using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>Kernel interface linux/netlink.h, linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h.</summary>
internal static unsafe partial class Libc
{
    internal const int AF_NETLINK = 16, NETLINK_ROUTE = 0;
    internal const ushort NLMSG_ERROR = 2, RTM_NEWLINK = 16, RTM_NEWADDR = 20, RTM_DELADDR = 21, RTM_NEWROUTE = 24, RTM_DELROUTE = 25;
    internal const ushort NLM_F_REQUEST = 0x1, NLM_F_ACK = 0x4, NLM_F_EXCL = 0x200, NLM_F_CREATE = 0x400;
    internal const ushort IFLA_MTU = 4, IFA_ADDRESS = 1, IFA_LOCAL = 2, RTA_DST = 1, RTA_OIF = 4, RTA_GATEWAY = 5;
    internal const byte RT_TABLE_MAIN = 254, RTPROT_STATIC = 4, RT_SCOPE_UNIVERSE = 0, RT_SCOPE_LINK = 253, RTN_UNICAST = 1;
    internal const uint RTNH_F_ONLINK = 4, IFF_UP = 1;
    internal const nuint SIOCGIFFLAGS = 0x8913;

    [StructLayout(LayoutKind.Sequential)]
    internal struct Nlmsghdr
    {
        internal uint nlmsg_len;
        internal ushort nlmsg_type;
        internal ushort nlmsg_flags;
        internal uint nlmsg_seq;
        internal uint nlmsg_pid;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Rtattr
    {
        internal ushort rta_len;
        internal ushort rta_type;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Ifinfomsg
    {
        internal byte ifi_family;
        internal byte ifi_pad;
        internal ushort ifi_type;
        internal int ifi_index;
        internal uint ifi_flags;
        internal uint ifi_change;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Ifaddrmsg
    {
        internal byte ifa_family;
        internal byte ifa_prefixlen;
        internal byte ifa_flags;
        internal byte ifa_scope;
        internal uint ifa_index;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Rtmsg
    {
        internal byte rtm_family;
        internal byte rtm_dst_len;
        internal byte rtm_src_len;
        internal byte rtm_tos;
        internal byte rtm_table;
        internal byte rtm_protocol;
        internal byte rtm_scope;
        internal byte rtm_type;
        internal uint rtm_flags;
    }
}
