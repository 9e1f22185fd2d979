using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>Names one meta connection between the shell and <see cref="Mesh"/>; never reused.</summary>
/// <param name="Value">A running number.</param>
public readonly record struct ConnectionId(int Value);

/// <summary>Why the shell reports a connection as ended.</summary>
public enum CloseReason
{
    /// <summary>The peer closed the stream.</summary>
    EndOfStream,

    /// <summary>Connecting, reading or writing failed.</summary>
    Failed,
}

/// <summary>Something the shell must do, in the order taken. The cases are the nested types.</summary>
public abstract record MeshAction
{
    private MeshAction()
    {
    }

    /// <summary>
    /// Look a host name and port or service up, off the control thread, and report with <c>Mesh.HandleResolved(Ticket, ...)</c>:
    /// every address in the resolver's order, or none.
    /// </summary>
    /// <param name="Ticket">To be given back.</param>
    /// <param name="Target">What to look up; numeric hosts need no resolver.</param>
    /// <param name="Family">Which addresses are wanted.</param>
    public sealed record Resolve(int Ticket, HostPort Target, AddressFamilyChoice Family) : MeshAction;

    /// <summary>Open a TCP connection and report with <c>HandleConnected</c> or <c>HandleClosed</c>.</summary>
    /// <param name="Connection">The connection's name from now on.</param>
    /// <param name="Target">The peer's address, or the proxy's.</param>
    public sealed record Connect(ConnectionId Connection, Endpoint Target) : MeshAction;

    /// <summary>Start a Proxy command with its standard input and output as the stream; report as for <see cref="Connect"/>.</summary>
    /// <param name="Connection">The connection's name from now on.</param>
    /// <param name="Command">For <c>/bin/sh -c</c>.</param>
    /// <param name="Variables">Environment besides the base variables: NODE, REMOTEADDRESS, REMOTEPORT.</param>
    public sealed record ConnectCommand(ConnectionId Connection, string Command, IReadOnlyList<KeyValuePair<string, string>> Variables)
        : MeshAction;

    /// <summary>The connection has output: write <c>Mesh.PendingOutput(Connection)</c> and report with <c>HandleSent</c>.</summary>
    public sealed record Send(ConnectionId Connection) : MeshAction;

    /// <summary>End the connection; it is unknown to the mesh from now on and must not be reported again.</summary>
    /// <param name="Connection">Which.</param>
    /// <param name="Tarpit">Keep the socket open and silent in the tarpit of ten (tinc 1.0 reference, 4.2) instead of closing it.</param>
    public sealed record Close(ConnectionId Connection, bool Tarpit) : MeshAction;

    /// <summary>Run a script after all earlier ones (tinc 1.0 reference, chapter 3).</summary>
    /// <param name="Name">Path below the configuration directory: <c>host-up</c>, <c>hosts/NAME-up</c>, <c>subnet-down</c>.</param>
    /// <param name="Variables">Environment besides the base variables NETNAME, NAME, DEVICE and INTERFACE.</param>
    public sealed record RunScript(string Name, IReadOnlyList<KeyValuePair<string, string>> Variables) : MeshAction;

    /// <summary>DeviceStandby: set up of the interface what the configuration wants, at once; or undo it, after all earlier scripts.</summary>
    /// <param name="Up">Which of the two.</param>
    public sealed record SetUpInterface(bool Up) : MeshAction;

    /// <summary>Seal a frame with the session of a node and send it by UDP, whatever routing says. Used for MTU probes.</summary>
    /// <param name="Node"><see cref="Routing.Node.Id"/> of the node.</param>
    /// <param name="Frame">The frame.</param>
    /// <param name="Destination">Another address than the node's own, for LocalDiscovery; "no address" otherwise. With a
    /// broadcast or multicast address the shell picks a socket of that family.</param>
    public sealed record SendProbe(int Node, byte[] Frame, Endpoint Destination) : MeshAction
    {
        /// <summary>How many times: several are given to the kernel together, as a train; a single one never is part of one.</summary>
        public int Copies { get; init; } = 1;
    }

    /// <summary>Send a record of a speed test to a node, as packets travel.</summary>
    /// <param name="Node"><see cref="Routing.Node.Id"/> of the node.</param>
    /// <param name="Record">The record.</param>
    public sealed record SendSpeedRecord(int Node, byte[] Record) : MeshAction;

    /// <summary>Give the data path an order about a speed test.</summary>
    /// <param name="Node"><see cref="Routing.Node.Id"/> of the other node.</param>
    /// <param name="Order">The order.</param>
    public sealed record OrderSpeed(int Node, SpeedOrder Order) : MeshAction;

    /// <summary>Report what the data path has counted with <c>Mesh.HandleSpeedCounts</c>.</summary>
    /// <param name="Test">Which test.</param>
    public sealed record CountSpeed(uint Test) : MeshAction;

    /// <summary>Tell whoever asked for it how the speed test goes.</summary>
    /// <param name="Report">What is known so far.</param>
    public sealed record ReportSpeed(SpeedReport Report) : MeshAction;

    /// <summary>Find out the kernel's path MTU and report with <c>Mesh.HandleKernelMtu</c>.</summary>
    /// <param name="Node"><see cref="Routing.Node.Id"/> of the node.</param>
    /// <param name="Address">Where its datagrams go.</param>
    public sealed record MeasureMtu(int Node, Endpoint Address) : MeshAction;

    /// <summary>Send a datagram, sealed by someone else or before, as it is by UDP to a node: relaying what came by TCP.</summary>
    /// <param name="Node"><see cref="Routing.Node.Id"/> of the hop.</param>
    /// <param name="Datagram">Node ids, sequence number, sealed part.</param>
    public sealed record SendDatagram(int Node, byte[] Datagram) : MeshAction;

    /// <summary>Route a frame that arrived in a PACKET request.</summary>
    /// <param name="From"><see cref="Routing.Node.Id"/> of the neighbour it came from.</param>
    /// <param name="Frame">The frame.</param>
    /// <param name="ByTcp">Whether it is to be marked as arrived by TCP (tinc 1.0 reference, 4.8).</param>
    public sealed record RouteFrame(int From, byte[] Frame, bool ByTcp) : MeshAction;

    /// <summary>Give a datagram whose sender has been found to the data path again; a new table has been published before.</summary>
    /// <param name="Node"><see cref="Routing.Node.Id"/> of the sender.</param>
    /// <param name="Datagram">The datagram as received; of a format with node ids it begins with them, also if it came by TCP.</param>
    /// <param name="ByTcp">Whether it came by TCP: probes in it do not count.</param>
    public sealed record OpenDatagram(int Node, byte[] Datagram, bool ByTcp = false) : MeshAction;

    /// <summary>Write the graph to GraphDumpFile.</summary>
    /// <param name="Text">The file's content.</param>
    public sealed record DumpGraph(string Text) : MeshAction;
}
