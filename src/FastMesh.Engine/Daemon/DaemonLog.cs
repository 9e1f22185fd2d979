using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Daemon;

/// <summary>What the shell logs; texts that administrators search for are those of tinc (tinc 1.0 reference, 1.8).</summary>
internal static partial class DaemonLog
{
    [LoggerMessage(300, LogLevel.Information, "{Device} is a {Description}")]
    public static partial void DeviceOpened(this ILogger log, string device, string description);

    [LoggerMessage(301, LogLevel.Information, "Listening on {Address}")]
    public static partial void Listening(this ILogger log, Endpoint address);

    [LoggerMessage(302, LogLevel.Error, "Can't bind to {Address}/{Protocol}: {Reason}")]
    public static partial void CannotBind(this ILogger log, Endpoint address, string protocol, string reason);

    [LoggerMessage(303, LogLevel.Information, "Ready")]
    public static partial void Ready(this ILogger log);

    [LoggerMessage(304, LogLevel.Error, "{Problem}")]
    public static partial void SetUpFailed(this ILogger log, string problem);

    [LoggerMessage(305, LogLevel.Information, "Terminating")]
    public static partial void Terminating(this ILogger log);

    [LoggerMessage(306, LogLevel.Warning, "{Problem}")]
    public static partial void SetUpWarning(this ILogger log, string problem);

    [LoggerMessage(307, LogLevel.Critical, "A fault in the program: it ends at once")]
    public static partial void Fault(this ILogger log, Exception fault);

    [LoggerMessage(308, LogLevel.Warning, "No control socket, the tinc program cannot reach this daemon: {Reason}")]
    public static partial void NoControlSocket(this ILogger log, string reason);

    [LoggerMessage(310, LogLevel.Information, "Got {Signal} signal")]
    public static partial void GotSignal(this ILogger log, string signal);

    [LoggerMessage(311, LogLevel.Warning, "Got unexpected signal {Number}")]
    public static partial void GotUnexpectedSignal(this ILogger log, int number);

    [LoggerMessage(312, LogLevel.Information, "Temporarily setting debug level to 5.  Kill me with SIGINT again to go back to level {Verbosity}.")]
    public static partial void RaisingDebugLevel(this ILogger log, int verbosity);

    [LoggerMessage(313, LogLevel.Information, "Reverting to old debug level ({Verbosity})")]
    public static partial void RevertingDebugLevel(this ILogger log, int verbosity);

    [LoggerMessage(319, LogLevel.Information, "Got {Request} request from a control client")]
    public static partial void GotControlRequest(this ILogger log, string request);

    [LoggerMessage(315, LogLevel.Debug, "{Line}")]
    public static partial void DumpLine(this ILogger log, string line);

    [LoggerMessage(316, LogLevel.Information, "{Line}")]
    public static partial void Statistics(this ILogger log, string line);

    [LoggerMessage(317, LogLevel.Error, "Reading {Device} failed too many times in a row")]
    public static partial void DeviceFailed(this ILogger log, string device);

    [LoggerMessage(320, LogLevel.Information, "Executing script {Name}")]
    public static partial void ExecutingScript(this ILogger log, string name);

    [LoggerMessage(321, LogLevel.Error, "Script {Name} exited with non-zero status {Status}")]
    public static partial void ScriptFailed(this ILogger log, string name, int status);

    [LoggerMessage(322, LogLevel.Error, "Could not execute script {Name}: {Reason}")]
    public static partial void ScriptNotStarted(this ILogger log, string name, string reason);

    [LoggerMessage(323, LogLevel.Warning, "Script {Name} is still running after {Seconds} seconds; later scripts wait for it")]
    public static partial void ScriptHangs(this ILogger log, string name, double seconds);

    [LoggerMessage(324, LogLevel.Error, "Script {Name} did not end within {Seconds} seconds: killed")]
    public static partial void ScriptKilled(this ILogger log, string name, double seconds);

    [LoggerMessage(325, LogLevel.Error, "Script {Name} is not run: {Count} scripts are waiting already")]
    public static partial void ScriptRefused(this ILogger log, string name, int count);

    [LoggerMessage(330, LogLevel.Warning, "Error looking up {Host} port {Port}: {Reason}")]
    public static partial void NameLookupFailed(this ILogger log, string host, string port, string reason);

    [LoggerMessage(331, LogLevel.Error, "Accepting a new connection failed: {Reason}")]
    public static partial void AcceptFailed(this ILogger log, string reason);

    [LoggerMessage(332, LogLevel.Warning, "Can't bind to {Address}/tcp for an outgoing connection: {Reason}")]
    public static partial void CannotBindOutgoing(this ILogger log, Endpoint address, string reason);

    [LoggerMessage(333, LogLevel.Information, "Encryption: {Libraries}")]
    public static partial void Encryption(this ILogger log, string libraries);

    [LoggerMessage(334, LogLevel.Warning, "MetricsAddress {Place} can be reached from other machines, and whoever asks there is answered: no name or password is asked for")]
    public static partial void MetricsExposed(this ILogger log, string place);

    [LoggerMessage(335, LogLevel.Information, "Serving metrics on {Place}")]
    public static partial void MetricsServed(this ILogger log, string place);

    [LoggerMessage(336, LogLevel.Error, "A fault in the program: metrics are served no more")]
    public static partial void MetricsFault(this ILogger log, Exception fault);

    [LoggerMessage(340, LogLevel.Error, "Could not write the graph to {File}: {Reason}")]
    public static partial void GraphDumpFailed(this ILogger log, string file, string reason);

    [LoggerMessage(350, LogLevel.Warning, "{Interface} has {What} already ({Source}), or there is such a route by another interface: left as it is")]
    public static partial void AlreadyProvisioned(this ILogger log, string @interface, InterfaceStep what, string source);

    [LoggerMessage(351, LogLevel.Warning, "Could not undo {What} of {Interface}: {Reason}")]
    public static partial void NotUnprovisioned(this ILogger log, string @interface, InterfaceStep what, string reason);

    [LoggerMessage(352, LogLevel.Information, "{Interface} still has what the daemon before has set up, which is taken over: {What}")]
    public static partial void TookOverProvisioned(this ILogger log, string @interface, string what);

    [LoggerMessage(360, LogLevel.Error, "Reload refused: everything stays as it was until this is mended:")]
    public static partial void ReloadRefused(this ILogger log);

    [LoggerMessage(361, LogLevel.Error, "  {Problem}")]
    public static partial void ReloadProblem(this ILogger log, string problem);

    [LoggerMessage(362, LogLevel.Information, "Reloaded the configuration: {Summary}")]
    public static partial void Reloaded(this ILogger log, string summary);

    [LoggerMessage(370, LogLevel.Information, "UPnP: the router {Router} forwards {Ports} of {Outside} to this node")]
    public static partial void PortsForwarded(this ILogger log, string router, string ports, string outside);

    [LoggerMessage(371, LogLevel.Warning, "UPnP: {Problem}")]
    public static partial void PortsNotForwarded(this ILogger log, string problem);
}
