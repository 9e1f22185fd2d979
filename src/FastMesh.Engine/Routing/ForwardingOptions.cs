using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Routing;

/// <summary>The Mode setting: how a frame finds its way (tinc 1.0 reference, 6.3).</summary>
public enum RoutingMode
{
    /// <summary>By IP destination and Subnet.</summary>
    Router,

    /// <summary>By Ethernet destination, with learning.</summary>
    Switch,

    /// <summary>Every frame to everyone.</summary>
    Hub,
}

/// <summary>The Forwarding setting: what happens to frames that are neither from nor for this node (6.3, 6.4).</summary>
public enum ForwardingMode
{
    /// <summary>Refused.</summary>
    Off,

    /// <summary>Forwarded by the daemon.</summary>
    Internal,

    /// <summary>Every frame from the network is handed to the kernel.</summary>
    Kernel,
}

/// <summary>The Broadcast setting (6.5).</summary>
public enum BroadcastMode
{
    /// <summary>Not forwarded.</summary>
    No,

    /// <summary>Along the spanning tree of meta connections.</summary>
    SpanningTree,

    /// <summary>From the origin directly to every node.</summary>
    Direct,
}

/// <summary>Settings of the data path, part of each table (tinc 1.0 reference, 2.4 and chapter 6).</summary>
public sealed record ForwardingOptions
{
    /// <summary>Mode.</summary>
    public RoutingMode Mode { get; init; }

    /// <summary>Forwarding.</summary>
    public ForwardingMode Forwarding { get; init; } = ForwardingMode.Internal;

    /// <summary>Broadcast.</summary>
    public BroadcastMode Broadcast { get; init; } = BroadcastMode.SpanningTree;

    /// <summary>DirectOnly: never by way of another node.</summary>
    public bool DirectOnly { get; init; }

    /// <summary>DecrementTTL: count this node as a hop for what it relays.</summary>
    public bool DecrementTtl { get; init; }

    /// <summary>PriorityInheritance: copy the inner TOS or traffic class to the UDP packet.</summary>
    public bool PriorityInheritance { get; init; }

    /// <summary>TunnelServer: broadcast frames stay local.</summary>
    public bool TunnelServer { get; init; }

    /// <summary>Own option bits as they count for frames to and from self (ClampMSS, TCPOnly).</summary>
    public EdgeOptions LocalOptions { get; init; } = EdgeOptions.PmtuDiscovery | EdgeOptions.ClampMss;

    /// <summary>Number of shards; decides which shard owns a new session.</summary>
    public int Shards { get; init; } = 1;
}
