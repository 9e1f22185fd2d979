using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.DataPath;

/// <summary>Messages of the data path; nothing is logged per packet.</summary>
internal static partial class DataPathLog
{
    [LoggerMessage(400, LogLevel.Warning, "Could not pin worker {Worker} to CPU {Cpu}: {Reason}")]
    public static partial void CannotPin(this ILogger log, int worker, int cpu, string reason);

    [LoggerMessage(401, LogLevel.Warning, "The kernel does not send several datagrams at once to {Node} ({Address}): {Reason}; sending them one by one")]
    public static partial void TrainRefused(this ILogger log, string node, Endpoint address, string reason);

    [LoggerMessage(402, LogLevel.Information, "Packet I/O: {How}")]
    public static partial void PacketIo(this ILogger log, string how);
}
