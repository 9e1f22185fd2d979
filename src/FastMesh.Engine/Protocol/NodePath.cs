namespace FastMesh.Engine.Protocol;

/// <summary>How packets to a node travel.</summary>
public enum PathKind
{
    /// <summary>The node is this one.</summary>
    Self,

    /// <summary>Not at all: no path of connections leads there.</summary>
    Unreachable,

    /// <summary>Nothing has been agreed on with the node, because there was nothing to send so far.</summary>
    Idle,

    /// <summary>By UDP, straight to the node.</summary>
    Direct,

    /// <summary>By UDP to another node, which passes them on.</summary>
    Relay,

    /// <summary>By the TCP connections between nodes.</summary>
    Tcp,
}

/// <summary>Why packets to a node do not go straight to it by UDP.</summary>
public enum PathReason
{
    /// <summary>They do, or the kind of path says all.</summary>
    None,

    /// <summary>TCPOnly is set here.</summary>
    TcpOnlyHere,

    /// <summary>TCPOnly is set at the node.</summary>
    TcpOnlyThere,

    /// <summary>The node, or every way to it, is marked with IndirectData.</summary>
    Indirect,

    /// <summary>There are no keys yet; they have been asked for.</summary>
    NoSession,

    /// <summary>Nobody has told at which address the node takes UDP.</summary>
    NoAddress,

    /// <summary>The session changes its keys, which takes a moment.</summary>
    KeyChange,

    /// <summary>The node has not answered probes by UDP, or not any more: they are under way, or a firewall stops them.</summary>
    NoReply,

    /// <summary>There has been no traffic for a while, so that UDP is not kept open; the next packet has it tried again.</summary>
    NoTraffic,

    /// <summary>UDP works, but it is not known yet which lengths arrive.</summary>
    MtuUnknown,
}

/// <summary>How packets to a node travel at the moment, as the shards decide it.</summary>
/// <param name="Kind">The kind of path.</param>
/// <param name="By">The node that passes them on, or null if none does.</param>
/// <param name="Reason">Why they do not go straight to the node by UDP.</param>
public readonly record struct NodePath(PathKind Kind, string? By = null, PathReason Reason = PathReason.None);
