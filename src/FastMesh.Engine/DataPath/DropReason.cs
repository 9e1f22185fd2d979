namespace FastMesh.Engine.DataPath;

/// <summary>Why the data path dropped a packet. The names appear in the dump of USR2.</summary>
internal enum DropReason
{
    /// <summary>Shorter than its headers.</summary>
    TooShort,

    /// <summary>Longer than any tinc node receives.</summary>
    TooLong,

    /// <summary>Router mode: neither IPv4 nor IPv6.</summary>
    UnknownType,

    /// <summary>A vnet header that contradicts the packet.</summary>
    BadOffload,

    /// <summary>No subnet matches.</summary>
    NoSubnet,

    /// <summary>It would go back to where it came from.</summary>
    RoutingLoop,

    /// <summary>The owner cannot be reached.</summary>
    Unreachable,

    /// <summary>Forwarding or DirectOnly forbids it.</summary>
    Prohibited,

    /// <summary>TTL or hop limit used up.</summary>
    TimeExceeded,

    /// <summary>Too large for the path; the sender was told, if it could be.</summary>
    TooBig,

    /// <summary>An ARP request or neighbour solicitation that is not answered.</summary>
    Neighbour,

    /// <summary>An ICMP error above the limit per second, or that could not be built.</summary>
    ErrorNotSent,

    /// <summary>No meta connection to the hop.</summary>
    NoConnection,

    /// <summary>The hop's UDP address or a socket of its family is missing.</summary>
    NoAddress,

    /// <summary>Sealing failed.</summary>
    SealFailed,

    /// <summary>A datagram from a node that has no key from us, or a frame for one that has given us none.</summary>
    NoKey,

    /// <summary>A datagram whose MAC, padding or compression is wrong.</summary>
    BadDatagram,

    /// <summary>A datagram whose ids name a node that is not known, or that this node may not be used to relay to.</summary>
    UnknownNode,

    /// <summary>One of many datagrams at once from an unknown address, of which the control loop looks at the first ones only.</summary>
    UnknownSource,

    /// <summary>A path probe that did not come straight from its sender by UDP.</summary>
    StrayProbe,

    /// <summary>A record of a speed test that is malformed, or belongs to none.</summary>
    StrayTest,

    /// <summary>A datagram that is too old or a repetition.</summary>
    Replayed,

    /// <summary>Congestion met on the way, which neither the packet nor the rest of its way can tell its sender of but by losing it.</summary>
    Congestion,

    /// <summary>A datagram cut by the receive buffer.</summary>
    Truncated,

    /// <summary>A ring between threads was full.</summary>
    RingFull,

    /// <summary>The socket refused to send.</summary>
    SendFailed,

    /// <summary>The device refused to write.</summary>
    DeviceWrite,
}
