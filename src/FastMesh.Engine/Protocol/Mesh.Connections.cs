using System.Text;
using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Protocol;

/// <summary>Life of meta connections: accepted, connected, read, written, ended (tinc 1.0 reference, 4.1, 4.2, 4.7; tinc 1.1 reference, 9.6).</summary>
public sealed partial class Mesh
{
    private Instant _burstSince;
    private int _burst;
    private bool _burstLogged;

    /// <summary>A TCP connection was accepted. The mesh may answer at once with a Close action (throttling).</summary>
    /// <param name="peer">The other end.</param>
    /// <param name="now">Current time.</param>
    /// <param name="local">This end, or "no address".</param>
    public ConnectionId HandleAccepted(Endpoint peer, Instant now, Endpoint local = default)
    {
        var id = new ConnectionId(++_lastConnection);
        if (!peer.IsLoopback && !TryTakeBurst(now))
        {
            if (!_burstLogged)
                _log.Connections.TooManyAccepts(peer);
            _burstLogged = true;
            _actions.Enqueue(new MeshAction.Close(id, Tarpit: true));
            return id;
        }

        _log.Connections.Accepted(peer);
        _connections.Add(id.Value, new MetaConnection(id, peer, initiator: false, now) { Local = local });
        return id;
    }

    /// <summary>
    /// A bucket of MaxConnectionBurst places, one of which becomes free per second (tinc 1.1 reference, 9.6). Whoever authenticates gives
    /// its place back, so that a whole mesh can come back at once; tincd makes it wait.
    /// </summary>
    private bool TryTakeBurst(Instant now)
    {
        long seconds = (now.Milliseconds - _burstSince.Milliseconds) / 1000;
        if (seconds > 0)
        {
            (_burst, _burstLogged) = ((int)Math.Max(0, _burst - seconds), false);
            _burstSince = new(_burstSince.Milliseconds + (seconds * 1000));
        }

        if (_burst >= _settings.MaxConnectionBurst)
            return false;
        _burst++;
        return true;
    }

    /// <summary>A Connect or ConnectCommand action succeeded.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="now">Current time.</param>
    /// <param name="local">This end's address, or "no address".</param>
    public void HandleConnected(ConnectionId connection, Instant now, Endpoint local = default)
    {
        if (!_connections.TryGetValue(connection.Value, out MetaConnection? found) || found.State != MetaState.Connecting)
            return;

        (found.Started, found.Local) = (now, found.Proxy is null ? local : default);
        _log.Connections.Connected(found);
        if (found.Proxy is null)
        {
            SendId(found, now);
            return;
        }

        found.State = MetaState.Proxy;
        Put(found, found.Proxy.Request, isLine: false, now);
    }

    /// <summary>Bytes arrived on a meta connection.</summary>
    public void HandleMeta(ConnectionId connection, ReadOnlySpan<byte> bytes, Instant now)
    {
        if (!_connections.TryGetValue(connection.Value, out MetaConnection? found))
            return;

        if (found.State == MetaState.Proxy && !TryPassProxy(found, ref bytes, now))
        {
            Terminate(found, close: true, tarpit: false, now);
            return;
        }

        while (!bytes.IsEmpty && found.State is not (MetaState.Connecting or MetaState.Proxy or MetaState.Ending))
        {
            if (!found.TryFill(ref bytes))
            {
                _log.Always.BadRequest("input", found, "request too long or cipher used up");
                Fail(found, now);
                break;
            }

            if (!TryHandleItems(found, now))
                break;
        }

        UpdateGraph(now);
    }

    /// <summary>Handles all whole items; false if the connection is gone.</summary>
    private bool TryHandleItems(MetaConnection connection, Instant now)
    {
        while (connection.State != MetaState.Ending)
        {
            bool wasEmpty = connection.PendingLength == 0;
            MetaItem kind = connection.Take(out ReadOnlySpan<byte> item, out byte recordType, now);
            if (wasEmpty && connection.PendingLength > 0)
                _actions.Enqueue(new MeshAction.Send(connection.Id));
            if (kind == MetaItem.None)
                return true;

            bool ok = kind switch
            {
                MetaItem.Line => HandleLine(connection, item, now),
                MetaItem.Record => HandleRecord(connection, recordType, item, now),
                MetaItem.Packet => HandlePayload(connection, item, now),
                MetaItem.Datagram => HandleDatagram(connection, item, now),
                MetaItem.Ready => HandleReady(connection, now),
                _ => HandleBrokenStream(connection, now),
            };
            if (!ok)
                Fail(connection, now);
            if (!_connections.ContainsKey(connection.Id.Value))
                return false;
        }

        return true;
    }

    /// <summary>
    /// A request ends at its LF; what a record has after it is no request of its own (tinc 1.1 reference, 1.7), and must not become one when
    /// it is passed on line by line.
    /// </summary>
    private bool HandleRecord(MetaConnection from, byte type, ReadOnlySpan<byte> data, Instant now)
    {
        if (from.State == MetaState.Invitation)
            return HandleInvitationRecord(from, type, data, now);
        int end = data.IndexOfAny((byte)'\n', (byte)0);
        return HandleLine(from, end < 0 ? data : data[..end], now);
    }

    private bool TryPassProxy(MetaConnection connection, ref ReadOnlySpan<byte> bytes, Instant now)
    {
        switch (connection.Proxy!.Handle(ref bytes))
        {
            case ProxyHandshake.Result.More:
                return true;
            case ProxyHandshake.Result.Done:
                SendId(connection, now);
                return true;
            default:
                _log.Connections.ProxyFailed(connection);
                return false;
        }
    }

    /// <summary>Bytes that wait to be written; borrowed until the next input. Empty for a connection that is gone.</summary>
    public ReadOnlySpan<byte> PendingOutput(ConnectionId connection) =>
        _connections.TryGetValue(connection.Value, out MetaConnection? found) ? found.Pending : default;

    /// <summary>The first <paramref name="count"/> bytes of the pending output were written.</summary>
    public void HandleSent(ConnectionId connection, int count, Instant now)
    {
        if (!_connections.TryGetValue(connection.Value, out MetaConnection? found))
            return;
        found.Sent(count, now);
        if (found.State == MetaState.Ending && found.PendingLength == 0)
            Terminate(found, close: true, tarpit: false, now);
    }

    /// <summary>
    /// The stream ended or failed, or a connect failed. The shell closes the socket by itself: no Close action follows.
    /// </summary>
    public void HandleClosed(ConnectionId connection, CloseReason reason, string detail, Instant now)
    {
        if (!_connections.TryGetValue(connection.Value, out MetaConnection? found))
            return;
        found.EndReason = reason != CloseReason.EndOfStream ? detail : found.IsActive ? "the peer closed the connection"
            : "the peer closed the connection before it had let us in: it may not know our key";
        if (reason == CloseReason.EndOfStream)
            _log.Connections.ClosedByPeer(found);
        else
            _log.Connections.ConnectionFailed(found, detail);
        Terminate(found, close: false, tarpit: false, now);
        UpdateGraph(now);
    }

    /// <summary>Ends a connection whose peer broke the rules: it sees silence, not an end (tinc 1.0 reference, 11.1).</summary>
    private void Fail(MetaConnection connection, Instant now) => Terminate(connection, close: true, tarpit: true, now);

    /// <summary>Ends a connection, tells the mesh that the edge is gone, and goes on dialling if it was wanted.</summary>
    private void Terminate(MetaConnection connection, bool close, bool tarpit, Instant now)
    {
        bool wasActive = connection.IsActive;
        if (!wasActive && connection.State is not (MetaState.Ending or MetaState.Invitation))
            Handshakes.Add(connection.State is MetaState.Connecting or MetaState.Proxy ? HandshakeResult.MetaUnreachable
                : tarpit ? HandshakeResult.MetaRefused : HandshakeResult.MetaAborted);
        Drop(connection, close, tarpit);
        if (connection.Node is { } node)
        {
            RemoveOwnEdge(node, announce: true, now);
            if (now - connection.Started < ProtocolLimits.Youth)
                Dispute(node.Name, now); // the DEL_EDGE may have overtaken the ADD_EDGE
        }

        if (connection.Outgoing is { } outgoing)
        {
            (connection.Outgoing, outgoing.Connection) = (null, null);
            outgoing.Note(connection.Remote.ToString(), connection.EndReason ?? (wasActive ? "the connection was closed" : "the handshake failed; the log says why"), now);
            Redial(outgoing, wasActive, now);
        }

        if (wasActive && !ActiveConnections.Any())
            PurgeUnreachable(now);
    }

    /// <summary>Forgets a connection without a word to anyone.</summary>
    private void Drop(MetaConnection connection, bool close, bool tarpit)
    {
        if (!_connections.Remove(connection.Id.Value))
            return;
        _log.Connections.Closing(connection);
        if (close)
            _actions.Enqueue(new MeshAction.Close(connection.Id, tarpit));
        if (connection.Node is not { } node)
            return;
        PeerOf(node).Connection = null;
        node.HasConnection = false;
    }

    /// <summary>The connection to a node is gone: so is the own edge, and the reverse one if the node became unreachable.</summary>
    private void RemoveOwnEdge(Routing.Node node, bool announce, Instant now)
    {
        if (Routing.Graph.FindEdge(Self, node) is not { } edge)
            return;
        if (announce && !_settings.TunnelServer)
            Broadcast(null, MetaRequest.DelEdge, MetaWriter.DelEdge(_random.NextNonce(), Self.Name, node.Name), now);
        _graph.RemoveEdge(edge);
        _graphChanged = true;
        UpdateGraph(now);
        if (announce)
            RemoveReverseEdge(node, now);
    }

    /// <summary>An unreachable node's edge to self is wrong, whatever it still believes (tinc 1.0 reference, 4.7).</summary>
    private void RemoveReverseEdge(Routing.Node node, Instant now)
    {
        if (Routing.Graph.FindEdge(node, Self) is not { } reverse)
            return;
        UpdateGraph(now);
        if (node.Reachable)
            return;
        if (!_settings.TunnelServer)
            Broadcast(null, MetaRequest.DelEdge, MetaWriter.DelEdge(_random.NextNonce(), node.Name, Self.Name), now);
        _graph.RemoveEdge(reverse);
        _graphChanged = true;
    }

    /// <summary>Sends a line of our own, unless the request would end the connection because the peer is of tinc 1.0 (tinc 1.1 reference, 1.2).</summary>
    private void Send(MetaConnection connection, MetaRequest request, string line, Instant now)
    {
        if (request > MetaRequest.Packet && connection.PeerMinor == 0 && !connection.Options.HasFlag(EdgeOptions.FastMesh))
            return;
        if (_log.Meta.IsEnabled(LogLevel.Debug))
            _log.Meta.SendingLine(NameOf(request), connection, line);
        else
            _log.Protocol.Sending(NameOf(request), connection);
        Put(connection, Encoding.Latin1.GetBytes(line), isLine: true, now);
    }

    /// <summary>Appends to a connection's output; the shell is told when there was none before.</summary>
    private void Put(MetaConnection connection, ReadOnlySpan<byte> bytes, bool isLine, Instant now)
    {
        bool wasEmpty = connection.PendingLength == 0;
        if (!connection.TrySend(bytes, isLine, now))
            _log.Status.CannotSend(bytes.Length, connection);
        else if (wasEmpty)
            _actions.Enqueue(new MeshAction.Send(connection.Id));
    }

    /// <summary>
    /// Sends an SPTPS_PACKET, whose payload is sealed end to end and lies in the stream outside of any record (tinc 1.1 reference, 6.4); false if
    /// the peer does not take it.
    /// </summary>
    /// <param name="to">An active connection.</param>
    /// <param name="payload">Two node ids and a datagram.</param>
    /// <param name="now">Current time.</param>
    private bool TrySendSptpsPacket(MetaConnection to, ReadOnlySpan<byte> payload, Instant now)
    {
        if (!to.IsSptps || to.PeerMinor < ProtocolLimits.SptpsMinor || payload.Length > ProtocolLimits.ReceiveBuffer)
            return false;
        Send(to, MetaRequest.SptpsPacket, MetaWriter.SptpsPacket(payload.Length), now);
        if (!to.TrySendRaw(payload, now))
            _log.Status.CannotSend(payload.Length, to);
        return true;
    }

    /// <summary>Sends a line of our own to every active connection but one.</summary>
    private void Broadcast(MetaConnection? except, MetaRequest request, string line, Instant now)
    {
        if (_log.Meta.IsEnabled(LogLevel.Debug))
            _log.Meta.BroadcastingLine(NameOf(request), line);
        else
            _log.Protocol.Broadcasting(NameOf(request));
        Flood(except, Encoding.Latin1.GetBytes(line), now);
    }

    /// <summary>Passes a flooded request on, byte for byte, to everyone but where it came from; a tunnel server keeps it.</summary>
    private void Forward(MetaConnection from, MetaRequest request, ReadOnlySpan<byte> line, Instant now)
    {
        if (_settings.TunnelServer)
            return;
        LogForwarding(from, request, line);
        Flood(from, line, now);
    }

    private void LogForwarding(MetaConnection from, MetaRequest request, ReadOnlySpan<byte> line)
    {
        if (_log.Meta.IsEnabled(LogLevel.Debug))
            _log.Meta.ForwardingLine(NameOf(request), from, Printable(line));
        else
            _log.Protocol.Forwarding(NameOf(request), from);
    }

    private void Flood(MetaConnection? except, ReadOnlySpan<byte> line, Instant now)
    {
        foreach (MetaConnection connection in _connections.Values)
        {
            if (connection.IsActive && connection != except)
                Put(connection, line, isLine: true, now);
        }
    }

    /// <summary>A line from the network for the log: control characters and bytes beyond ASCII as dots.</summary>
    private static string Printable(ReadOnlySpan<byte> line)
    {
        Span<char> text = stackalloc char[Math.Min(line.Length, ProtocolLimits.MaxLine)];
        for (int i = 0; i < text.Length; i++)
            text[i] = line[i] is >= 32 and < 127 ? (char)line[i] : '.';
        return new string(text);
    }
}
