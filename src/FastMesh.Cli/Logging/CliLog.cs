using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Logging;

/// <summary>Log messages of the command line program.</summary>
internal static partial class CliLog
{
    [LoggerMessage(1, LogLevel.Information, "fastmesh {Version} starting, debug level {Verbosity}")]
    public static partial void Starting(this ILogger log, string version, int verbosity);

    [LoggerMessage(2, LogLevel.Error, "{Problem}")]
    public static partial void ConfigurationError(this ILogger log, string problem);

    [LoggerMessage(3, LogLevel.Warning, "{Problem}")]
    public static partial void ConfigurationWarning(this ILogger log, string problem);

    [LoggerMessage(4, LogLevel.Information, "Both netname and configuration directory given, using the latter...")]
    public static partial void BothNetAndDirectory(this ILogger log);

    [LoggerMessage(6, LogLevel.Warning, "{Count} more messages {Suppressed} (event {SuppressedId}) about {Peer} suppressed")]
    public static partial void Suppressed(this ILogger log, int count, string suppressed, int suppressedId, string peer);

    [LoggerMessage(7, LogLevel.Warning, "No journal at {Reason}; logging as text")]
    public static partial void NoJournal(this ILogger log, string reason);

    // 20 to 99: what strangers can cause
    [LoggerMessage(20, LogLevel.Warning, "An invitation was refused: {Problem}")]
    public static partial void InvitationInvalid(this ILogger log, string problem);

    [LoggerMessage(21, LogLevel.Warning, "The invited node {Guest} was refused: {Problem}")]
    public static partial void GuestRefused(this ILogger log, string guest, string problem);

    [LoggerMessage(22, LogLevel.Error, "{Problem}")]
    public static partial void HostFileUnreadable(this ILogger log, string problem);
}
