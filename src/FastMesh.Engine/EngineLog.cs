using Microsoft.Extensions.Logging;

namespace FastMesh.Engine;

/// <summary>
/// The engine's loggers, one per debug level of tinc (tinc 1.0 reference, 1.8). A sink enables a category when the daemon's
/// debug level reaches it; severity is the message's own. The messages themselves are source-generated extension methods on
/// <see cref="ILogger"/>, one internal static class per folder (ProtocolLog, DataPathLog, DaemonLog).
/// </summary>
public sealed class EngineLog
{
    private const string Prefix = "fastmesh.";

    /// <summary>Takes one category per level, "fastmesh.0" to "fastmesh.5", from the factory.</summary>
    public EngineLog(ILoggerFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        Always = factory.CreateLogger(Prefix + "0");
        Connections = factory.CreateLogger(Prefix + "1");
        Status = factory.CreateLogger(Prefix + "2");
        Protocol = factory.CreateLogger(Prefix + "3");
        Meta = factory.CreateLogger(Prefix + "4");
        Traffic = factory.CreateLogger(Prefix + "5");
    }

    /// <summary>The debug level at which a category of this class appears, or 0 for any other category.</summary>
    public static int LevelOf(string category)
    {
        ArgumentNullException.ThrowIfNull(category);
        return category.StartsWith(Prefix, StringComparison.Ordinal) && category.Length == Prefix.Length + 1
            ? category[^1] - '0'
            : 0;
    }

    /// <summary>Level 0: start, stop, serious errors.</summary>
    public ILogger Always { get; }

    /// <summary>Level 1: connections.</summary>
    public ILogger Connections { get; }

    /// <summary>Level 2: status, errors, scripts.</summary>
    public ILogger Status { get; }

    /// <summary>Level 3: requests by name.</summary>
    public ILogger Protocol { get; }

    /// <summary>Level 4: full request text.</summary>
    public ILogger Meta { get; }

    /// <summary>Level 5: traffic, MTU probes, reachability.</summary>
    public ILogger Traffic { get; }
}
