namespace FastMesh.Engine.Daemon;

/// <summary>
/// Types of control requests (tinc 1.1 reference, 10.2); from 100 on those that only FastMesh knows. Types not named here are answered as
/// unknown, as by tinc.
/// </summary>
public enum ControlRequest
{
    /// <summary>No type at all.</summary>
    Unknown = -1,

    /// <summary>End the daemon.</summary>
    Stop = 0,

    /// <summary>Read the configuration again.</summary>
    Reload = 1,

    /// <summary>All nodes.</summary>
    DumpNodes = 3,

    /// <summary>All edges.</summary>
    DumpEdges = 4,

    /// <summary>All subnets.</summary>
    DumpSubnets = 5,

    /// <summary>All meta connections.</summary>
    DumpConnections = 6,

    /// <summary>Forget unreachable nodes.</summary>
    Purge = 8,

    /// <summary>Set the debug level.</summary>
    SetDebug = 9,

    /// <summary>Dial again at once.</summary>
    Retry = 10,

    /// <summary>Close the connection with a node.</summary>
    Disconnect = 12,

    /// <summary>Packets and bytes of every node.</summary>
    DumpTraffic = 13,

    /// <summary>Packets as they pass.</summary>
    Capture = 14,

    /// <summary>Log lines as they are written.</summary>
    Log = 15,

    /// <summary>A snapshot of everything as one line of JSON (docs/schemas/status.json).</summary>
    Status = 100,

    /// <summary><c>18 110 NODE [MILLISECONDS]</c>; lines <c>18 110 JSON</c> follow until the test has ended.</summary>
    SpeedTest = 110,

    /// <summary>What a reload would change, as JSON (docs/schemas/reload.json).</summary>
    PlanReload = 120,

    /// <summary>Reload, and tell what changed in the same form.</summary>
    ApplyReload = 121,
}
