using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.DataPath;

/// <summary>Messages of the data path, all from set-up; nothing is logged per packet.</summary>
internal static partial class DataPathLog
{
    [LoggerMessage(EventId = 300, Level = LogLevel.Warning, Message = "Could not pin worker {Worker} to CPU {Cpu}: {Reason}")]
    public static partial void CannotPin(this ILogger log, int worker, int cpu, string reason);
}
