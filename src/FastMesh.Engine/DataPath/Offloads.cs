using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// What the kernel may do for many packets at once. What it does not know is found out when device and sockets are opened; leaving more out
/// (<c>--no-offload</c>) is for broken drivers, and shows that each smaller set works (linux-dataplane reference, chapter 8).
/// </summary>
[Flags]
public enum Offloads
{
    /// <summary>Plain packets everywhere.</summary>
    None = 0,

    /// <summary>Device: a virtio_net_hdr before each packet, without which there is none of the following five.</summary>
    VnetHeader = 0x01,

    /// <summary>Device: checksums still to be finished; TSO and USO need it.</summary>
    Checksum = 0x02,

    /// <summary>Device: TCP super-packets.</summary>
    Tso = 0x04,

    /// <summary>Device: TCP super-packets with CWR.</summary>
    TsoEcn = 0x08,

    /// <summary>Device: UDP super-packets (Linux 6.2).</summary>
    Uso = 0x10,

    /// <summary>Sockets: trains are sent by one call (UDP_SEGMENT, Linux 4.18).</summary>
    Gso = 0x20,

    /// <summary>Sockets: trains are received by one call (UDP_GRO, used from Linux 5.12 on).</summary>
    Gro = 0x40,

    /// <summary>All that the kernel has.</summary>
    All = 0x7f,
}

/// <summary>What <see cref="Offloads"/> means to the device.</summary>
internal static class OffloadsExtensions
{
    private static readonly (Offloads Offload, string Name)[] s_names =
    [
        (Offloads.VnetHeader, "vnet"), (Offloads.Checksum, "csum"), (Offloads.Tso, "tso"), (Offloads.TsoEcn, "ecn"), (Offloads.Uso, "uso"),
        (Offloads.Gso, "gso"), (Offloads.Gro, "gro"),
    ];

    /// <summary>In the words of <c>--no-offload</c>.</summary>
    public static string[] Names(this Offloads offloads) => [.. s_names.Where(known => offloads.HasFlag(known.Offload)).Select(known => known.Name)];

    /// <summary>What a device has.</summary>
    public static Offloads OfDevice(bool vnetHeader, TunOffloads offloads) =>
        (vnetHeader ? Offloads.VnetHeader : 0)
        | (offloads.HasFlag(TunOffloads.Checksum) ? Offloads.Checksum : 0)
        | (offloads.HasFlag(TunOffloads.Tso4 | TunOffloads.Tso6) ? Offloads.Tso : 0)
        | (offloads.HasFlag(TunOffloads.TsoEcn) ? Offloads.TsoEcn : 0)
        | (offloads.HasFlag(TunOffloads.Uso4 | TunOffloads.Uso6) ? Offloads.Uso : 0);

    /// <summary>The most that the device is asked for, or null for no vnet header.</summary>
    public static TunOffloads? ForDevice(this Offloads offloads)
    {
        if (!offloads.HasFlag(Offloads.VnetHeader))
            return null;
        if (!offloads.HasFlag(Offloads.Checksum))
            return TunOffloads.None;
        bool tso = offloads.HasFlag(Offloads.Tso);
        return TunOffloads.Checksum
            | (tso ? TunOffloads.Tso4 | TunOffloads.Tso6 : 0)
            | (tso && offloads.HasFlag(Offloads.TsoEcn) ? TunOffloads.TsoEcn : 0)
            | (offloads.HasFlag(Offloads.Uso) ? TunOffloads.Uso4 | TunOffloads.Uso6 : 0);
    }
}
