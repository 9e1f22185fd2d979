using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Logging;

/// <summary>Log messages of the command line program.</summary>
internal static partial class CliLog
{
    [LoggerMessage(1, LogLevel.Information, "fastmesh {Version} starting, debug level {Level}")]
    public static partial void Starting(this ILogger log, string version, int level);

    [LoggerMessage(2, LogLevel.Error, "{Problem}")]
    public static partial void ConfigurationError(this ILogger log, string problem);

    [LoggerMessage(3, LogLevel.Warning, "{Problem}")]
    public static partial void ConfigurationWarning(this ILogger log, string problem);

    [LoggerMessage(4, LogLevel.Information, "Both netname and configuration directory given, using the latter...")]
    public static partial void BothNetAndDirectory(this ILogger log);

    [LoggerMessage(5, LogLevel.Error, "The settings stay as they are until these errors are mended")]
    public static partial void ReloadRefused(this ILogger log);
}
