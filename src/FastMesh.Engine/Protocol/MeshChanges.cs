namespace FastMesh.Engine.Protocol;

/// <summary>What a reload does to a meta connection, or to the wish for one.</summary>
public enum ConnectionStep
{
    /// <summary>It is closed. Whether there is a new one is up to the other node.</summary>
    Close,

    /// <summary>It is closed and dialled again at once.</summary>
    Reconnect,

    /// <summary>A node is dialled that was not wanted before.</summary>
    Dial,

    /// <summary>Its node is no longer dialled; a connection that there is stays.</summary>
    Release,
}

/// <summary>One meta connection that a reload touches.</summary>
/// <param name="Node">The other node.</param>
/// <param name="Step">What happens to it.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="Behind">Nodes that are reached by way of this one now, in order; they may be unreachable for a moment.</param>
public sealed record ConnectionChange(string Node, ConnectionStep Step, string Reason, IReadOnlyList<string> Behind);

/// <summary>One subnet that a reload announces or withdraws.</summary>
/// <param name="Owner">Its node.</param>
/// <param name="Subnet">The subnet in tinc's notation.</param>
/// <param name="Announced">False: withdrawn.</param>
public sealed record SubnetChange(string Owner, string Subnet, bool Announced);

/// <summary>What a reload does to the mesh.</summary>
/// <param name="Connections">In order of their nodes' names.</param>
/// <param name="Subnets">In order of their owners, this node first.</param>
public sealed record MeshChanges(IReadOnlyList<ConnectionChange> Connections, IReadOnlyList<SubnetChange> Subnets)
{
    /// <summary>No change.</summary>
    public static MeshChanges None { get; } = new([], []);
}
