using System.Diagnostics;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Daemon;

/// <summary>The one clock of a running daemon; everything below the shell gets its time from here, as an argument.</summary>
internal static class MonotonicClock
{
    /// <summary>Milliseconds since the machine was started, time asleep not counted.</summary>
    public static Instant Now => new(Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1000));
}
