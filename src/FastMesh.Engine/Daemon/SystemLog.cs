using FastMesh.Native.Linux;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Daemon;

/// <summary>The system log, facility daemon (tinc 1.0 reference, 1.8). One at a time per process; any thread may write.</summary>
public sealed class SystemLog : IDisposable
{
    /// <summary>The number of facility daemon.</summary>
    public const int Facility = 3;

    private readonly Syslog _syslog;

    /// <summary>Opens it under a name such as "tinc.master".</summary>
    public SystemLog(string identity) => _syslog = new Syslog(identity);

    /// <summary>Writes one line.</summary>
    public void Write(LogLevel level, string message) => _syslog.Write(Priority(level), message);

    /// <summary>Closes it.</summary>
    public void Dispose() => _syslog.Dispose();

    /// <summary>Severity by syslog's numbers. Normal messages are notices, so that common filters keep them.</summary>
    public static int Priority(LogLevel level) => level switch
    {
        LogLevel.Critical => 2,
        LogLevel.Error => 3,
        LogLevel.Warning => 4,
        LogLevel.Information => 5,
        _ => 7,
    };
}
