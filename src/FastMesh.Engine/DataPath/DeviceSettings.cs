namespace FastMesh.Engine.DataPath;

/// <summary>Kinds of virtual network device (tinc 1.0 reference, chapter 8).</summary>
public enum DeviceKind
{
    /// <summary>Layer 3: IP packets.</summary>
    Tun,

    /// <summary>Layer 2: Ethernet frames.</summary>
    Tap,

    /// <summary>Nothing is read, writes are discarded.</summary>
    Dummy,

    /// <summary>A descriptor that was inherited or is passed over a UNIX socket; IP packets.</summary>
    Fd,

    /// <summary>An AF_PACKET socket on an existing interface.</summary>
    RawSocket,

    /// <summary>A UDP multicast group.</summary>
    Multicast,
}

/// <summary>Device, DeviceType, Interface and IffOneQueue after defaults (tinc 1.0 reference, chapter 8).</summary>
public sealed record DeviceSettings
{
    /// <summary>Which kind; unset DeviceType is resolved from Mode before.</summary>
    public DeviceKind Kind { get; init; }

    /// <summary>Device: <c>/dev/net/tun</c>; for multicast <c>GROUP PORT [TTL]</c>; for fd a number or the path of a UNIX socket.</summary>
    public string Device { get; init; } = "/dev/net/tun";

    /// <summary>Interface name wanted, cut to 15 bytes; empty lets the kernel choose.</summary>
    public string Interface { get; init; } = "";

    /// <summary>IffOneQueue.</summary>
    public bool OneQueue { get; init; }
}
