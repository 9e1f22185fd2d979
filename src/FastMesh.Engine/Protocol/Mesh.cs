using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// The control plane of one node as a state machine without sockets, threads, clocks or files. One thread at a time.
/// <para>Inputs, each with the current time: <see cref="Start"/>, <c>Handle...</c>, and the operator's <see cref="Reload"/>,
/// <see cref="Retry"/>, <see cref="Purge"/>, <see cref="Stop"/>. None blocks; none throws for anything a peer sends.</para>
/// <para>Outputs, to be drained after every input in this order: <see cref="TryTakeTable"/> (publish it), <see cref="TryTakeAction"/>
/// until false, then arm a timer for <see cref="NextTimeout"/> and call <see cref="HandleTimeout"/> when it is due.</para>
/// </summary>
public sealed partial class Mesh
{
    /// <summary>Makes the state machine. Nothing happens before <see cref="Start"/>.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="peers">Host files of other nodes.</param>
    /// <param name="random">Random bytes for keys, nonces and probes.</param>
    /// <param name="log">Where messages go.</param>
    public Mesh(MeshSettings settings, IPeerDirectory peers, IRandomSource random, EngineLog log) => throw new NotSupportedException();

    /// <summary>Own subnets come up (subnet-up scripts).</summary>
    public void Start(Instant now) => throw new NotSupportedException();

    /// <summary>Starts the outgoing connections; called once sockets are bound and "Ready" is logged.</summary>
    /// <param name="port">The port to announce in ACK.</param>
    /// <param name="now">Current time.</param>
    public void StartOutgoing(string port, Instant now) => throw new NotSupportedException();

    /// <summary>A TCP connection was accepted. The mesh may answer at once with a Close action (throttling).</summary>
    public ConnectionId HandleAccepted(Endpoint peer, Instant now) => throw new NotSupportedException();

    /// <summary>A Connect or ConnectCommand action succeeded.</summary>
    public void HandleConnected(ConnectionId connection, Instant now) => throw new NotSupportedException();

    /// <summary>Bytes arrived on a meta connection.</summary>
    public void HandleMeta(ConnectionId connection, ReadOnlySpan<byte> bytes, Instant now) => throw new NotSupportedException();

    /// <summary>Bytes that wait to be written; borrowed until the next input.</summary>
    public ReadOnlySpan<byte> PendingOutput(ConnectionId connection) => throw new NotSupportedException();

    /// <summary>The first <paramref name="count"/> bytes of the pending output were written.</summary>
    public void HandleSent(ConnectionId connection, int count, Instant now) => throw new NotSupportedException();

    /// <summary>The stream ended or failed, or a connect failed.</summary>
    public void HandleClosed(ConnectionId connection, CloseReason reason, string detail, Instant now) => throw new NotSupportedException();

    /// <summary>Answer to a Resolve action; empty if the name has no address of the wanted family.</summary>
    public void HandleResolved(int ticket, IReadOnlyList<Endpoint> addresses, Instant now) => throw new NotSupportedException();

    /// <summary>A shard wants a frame to travel in a PACKET request to a neighbour.</summary>
    /// <param name="neighbour">Node id of the neighbour.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="keyNeededFor">Node id whose key is missing (a REQ_KEY may be due), or -1.</param>
    /// <param name="now">Current time.</param>
    public void HandleTcpFrame(int neighbour, ReadOnlySpan<byte> frame, int keyNeededFor, Instant now) => throw new NotSupportedException();

    /// <summary>A shard opened an MTU probe or probe reply of a node.</summary>
    public void HandleProbe(int node, ReadOnlySpan<byte> frame, Instant now) => throw new NotSupportedException();

    /// <summary>A datagram arrived from an address that belongs to no node (tinc 1.0 reference, 5.6).</summary>
    public void HandleUnknownDatagram(Endpoint source, int socket, ReadOnlySpan<byte> datagram, Instant now) => throw new NotSupportedException();

    /// <summary>The kernel refused a datagram with a frame of this length as too large.</summary>
    public void HandleTooBig(int node, int frameLength, Instant now) => throw new NotSupportedException();

    /// <summary>A frame from the own device had a source address that is not in the table (switch mode).</summary>
    public void HandleLearned(MacAddress mac, Instant now) => throw new NotSupportedException();

    /// <summary>The time <see cref="NextTimeout"/> has come.</summary>
    public void HandleTimeout(Instant now) => throw new NotSupportedException();

    /// <summary>HUP, after the configuration was read again (tinc 1.0 reference, 1.6).</summary>
    public void Reload(MeshSettings settings, Instant now) => throw new NotSupportedException();

    /// <summary>ALRM: every pending timer fires now and every active connection gets a PING.</summary>
    public void Retry(Instant now) => throw new NotSupportedException();

    /// <summary>WINCH: forget unreachable nodes (tinc 1.0 reference, 7.4).</summary>
    public void Purge(Instant now) => throw new NotSupportedException();

    /// <summary>Orderly end: connections close, nodes and own subnets go down (tinc 1.0 reference, 1.7).</summary>
    public void Stop(Instant now) => throw new NotSupportedException();

    /// <summary>The connection list of USR1, one line each.</summary>
    public IEnumerable<string> DescribeConnections() => throw new NotSupportedException();

    /// <summary>The node, edge and subnet lists of USR2, one line each.</summary>
    public IEnumerable<string> DescribeGraph() => throw new NotSupportedException();

    /// <summary>The new forwarding table, if anything changed since the last call.</summary>
    public bool TryTakeTable([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ForwardingTable? table) => throw new NotSupportedException();

    /// <summary>The next thing to do; drain after every input.</summary>
    public bool TryTakeAction([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out MeshAction? action) => throw new NotSupportedException();

    /// <summary>When <see cref="HandleTimeout"/> is due; null if nothing is pending.</summary>
    public Instant? NextTimeout => throw new NotSupportedException();
}
