using FastMesh.Engine.Routing;

namespace FastMesh.Engine.DataPath;

/// <summary>What happens to a frame.</summary>
internal enum RouteAction : byte
{
    /// <summary>It is dropped silently.</summary>
    Drop,

    /// <summary>It is dropped, and an ICMP error goes back to the source node.</summary>
    Refuse,

    /// <summary>It goes to the device as it is, wherever it is addressed to (Forwarding = kernel).</summary>
    ToKernel,

    /// <summary>It goes to everyone (tinc 1.0 reference, 6.5).</summary>
    Broadcast,

    /// <summary>It goes to its owner: the own device, or another node.</summary>
    Deliver,

    /// <summary>It is an ARP request or neighbour solicitation that we answer on the device (6.9).</summary>
    Neighbour,
}

/// <summary>What <see cref="FrameRouter"/> decided. A value, good for every frame of a flow.</summary>
internal readonly record struct RouteDecision
{
    /// <summary>What to do.</summary>
    public RouteAction Action { get; init; }

    /// <summary>Why a frame is dropped or refused.</summary>
    public DropReason Reason { get; init; }

    /// <summary>The error with which a frame is refused.</summary>
    public IcmpProblem Problem { get; init; }

    /// <summary>Whether this node counts as a hop: TTL or hop limit go down before anything else is done (6.8).</summary>
    public bool CountsHop { get; init; }

    /// <summary>The destination, if it is a node; with Deliver it always is.</summary>
    public PeerRoute? Owner { get; init; }

    /// <summary>Deliver: the node whose path MTU counts.</summary>
    public PeerRoute? Via { get; init; }

    /// <summary>Deliver: TOS byte or traffic class for the UDP packet.</summary>
    public byte TrafficClass { get; init; }
}
