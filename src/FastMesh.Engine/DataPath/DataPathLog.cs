using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.DataPath;

/// <summary>Messages of the data path; nothing is logged per packet.</summary>
internal static partial class DataPathLog
{
    [LoggerMessage(EventId = 300, Level = LogLevel.Warning, Message = "Could not pin worker {Worker} to CPU {Cpu}: {Reason}")]
    public static partial void CannotPin(this ILogger log, int worker, int cpu, string reason);

    [LoggerMessage(EventId = 301, Level = LogLevel.Warning, Message = "The kernel does not send several datagrams at once to {Name} ({Address}): {Reason}; sending them one by one")]
    public static partial void TrainRefused(this ILogger log, string name, Endpoint address, string reason);

    [LoggerMessage(EventId = 303, Level = LogLevel.Information, Message = "Packet I/O: {How}")]
    public static partial void PacketIo(this ILogger log, string how);
}
