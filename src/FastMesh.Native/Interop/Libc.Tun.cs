using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>C library: tun/tap and interface ioctls.</summary>
internal static unsafe partial class Libc
{
    internal const int IFNAMSIZ = 16;
    internal const ushort IFF_TUN = 0x0001, IFF_TAP = 0x0002, IFF_MULTI_QUEUE = 0x0100, IFF_PERSIST = 0x0800, IFF_NO_PI = 0x1000, IFF_VNET_HDR = 0x4000;

    internal const nuint TUNSETIFF = 0x400454CA, TUNSETOFFLOAD = 0x400454D0, TUNGETIFF = 0x800454D2,
        TUNSETVNETHDRSZ = 0x400454D8;
    internal const nuint SIOCGIFMTU = 0x8921, SIOCGIFHWADDR = 0x8927, SIOCGIFINDEX = 0x8933;

    /// <summary>struct ifreq: 16 bytes of name, then a union of which the kernel always copies 24 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 40)]
    internal struct Ifreq
    {
        [FieldOffset(0)] internal fixed byte ifr_name[IFNAMSIZ];
        [FieldOffset(16)] internal ushort ifr_flags;
        [FieldOffset(16)] internal int ifr_value;
        [FieldOffset(18)] internal fixed byte ifr_hwaddr[6];
    }
}
