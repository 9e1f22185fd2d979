namespace FastMesh.Engine.Wire;

/// <summary>Option bits of an edge (tinc 1.0 reference, 4.5). Unknown bits are kept and forwarded.</summary>
[Flags]
public enum EdgeOptions : uint
{
    /// <summary>No option.</summary>
    None = 0,

    /// <summary>Do not send UDP directly across this edge to the destination node.</summary>
    Indirect = 1,

    /// <summary>Carry packets on the meta connection.</summary>
    TcpOnly = 2,

    /// <summary>Probe and enforce the path MTU.</summary>
    PmtuDiscovery = 4,

    /// <summary>Rewrite the MSS option of TCP packets.</summary>
    ClampMss = 8,

    /// <summary>The node the edge leads to is a FastMesh node (ours; tinc 1.1 reference, 13.1).</summary>
    FastMesh = 0x0001_0000,
}
