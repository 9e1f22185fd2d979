using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>What each deadline does (tinc 1.0 reference, chapter 9; tinc 1.1 reference, 1.7).</summary>
public sealed partial class Mesh
{
    private Instant? _lastCheck;

    /// <summary>The time <see cref="NextTimeout"/> has come.</summary>
    public void HandleTimeout(Instant now)
    {
        while (_deadlines.TryTakeDue(now, out TimerKind kind, out int key))
        {
            switch (kind)
            {
                case TimerKind.PeriodicCheck:
                    CheckPeriodically(now);
                    break;
                case TimerKind.GraphDump:
                    DumpGraph(now);
                    break;
                case TimerKind.Reconnect:
                    if (_outgoing.TryGetValue(key, out Outgoing? outgoing))
                        Dial(outgoing, now);
                    break;
                case TimerKind.AutoConnect:
                    ChooseConnections(now);
                    break;
                case TimerKind.Probe:
                    if (_peers.TryGetValue(key, out Peer? peer))
                        StepProbe(peer, now);
                    break;
                case TimerKind.Trains:
                    if (_peers.TryGetValue(key, out Peer? tended))
                        StepTrains(tended, now);
                    break;
                case TimerKind.Session:
                    if (_peers.TryGetValue(key, out Peer? party))
                        StepSession(party, now);
                    break;
                case TimerKind.SessionReport:
                    if (_peers.TryGetValue(key, out Peer? reported))
                        ReportSession(reported, now);
                    break;
                case TimerKind.SpeedTest:
                    StepSpeedTest(now);
                    break;
                case TimerKind.SpeedGuest:
                    EndSpeedGuest();
                    break;
                case TimerKind.ClashEnd:
                    EndClash(now);
                    break;
                case TimerKind.Settle:
                    SettleDisputes(now);
                    break;
            }
        }

        UpdateGraph(now);
    }

    private void CheckPeriodically(Instant now)
    {
        if (_lastCheck is { } last && now - last > _settings.PingTimeout + (2 * _settings.UdpDiscoveryTimeout))
            DropAllConnections(now - last, now);
        _lastCheck = now;
        _deadlines.Set(TimerKind.PeriodicCheck, 0, now + _settings.PingTimeout);
        foreach (MetaConnection connection in _connections.Values.ToList())
            CheckConnection(connection, now);
        if (_learned.Count > 0)
            AgeLearned(now);
        _seen.ForgetUntil(new Instant(now.Milliseconds - (long)_settings.PingInterval.TotalMilliseconds));
        ExpireKeys(now);
        RenewSessions(now);
        CheckForClash(now);
    }

    /// <summary>The machine slept: the peers have given the connections up, which PING would only find out later (tinc 1.1 reference, 1.7).</summary>
    private void DropAllConnections(TimeSpan slept, Instant now)
    {
        _log.Connections.Awake((long)slept.TotalSeconds);
        foreach (MetaConnection connection in _connections.Values.Where(connection => connection.State != MetaState.Connecting).ToList())
            Terminate(connection, close: true, tarpit: false, now);
    }

    /// <summary>
    /// A peer whose ACK came has its own edge to announce. One that says nothing may have given us up meanwhile because our ACK was late, which a tincd does not
    /// show (tinc 1.1 reference, 9.6); a PING finds out long before PingInterval.
    /// </summary>
    private void CheckConnection(MetaConnection connection, Instant now)
    {
        TimeSpan timeout = _settings.PingTimeout;
        if (!connection.IsActive)
        {
            CheckHandshake(connection, now);
        }
        else if (connection.IsBroken || (connection.PendingLength > 0 && now - connection.OutputSince >= timeout))
        {
            _log.Connections.OutputStuck(connection, (long)(now - connection.OutputSince).TotalSeconds);
            Terminate(connection, close: true, tarpit: false, now);
        }
        else if (connection.Pinged && now - connection.LastPing >= timeout)
        {
            _log.Connections.PingTimeout(connection, (long)(now - connection.LastPing).TotalSeconds);
            connection.EndReason = "a PING was not answered within PingTimeout";
            Terminate(connection, close: true, tarpit: false, now);
        }
        else if (now - connection.LastPing >= (connection.HasSpoken ? _settings.PingInterval : timeout))
        {
            Ping(connection, now);
        }
    }

    private void CheckHandshake(MetaConnection connection, Instant now)
    {
        if (now - connection.Started < (connection.Invited is null ? _settings.PingTimeout : ProtocolLimits.InvitationTimeout))
            return;
        bool connecting = connection.State is MetaState.Connecting or MetaState.Proxy;
        connection.EndReason = connecting ? "nothing answered within PingTimeout" : "the peer did not go on with the handshake within PingTimeout";
        if (connecting)
            _log.Connections.ConnectTimeout(connection);
        else
            _log.Connections.AuthenticationTimeout(connection);

        // One that has proven its key may believe that it is connected already: silence would keep it waiting until its next PING.
        Terminate(connection, close: true, tarpit: !connecting && connection.State != MetaState.Ack, now);
    }

    private void Ping(MetaConnection connection, Instant now)
    {
        (connection.Pinged, connection.LastPing) = (true, now);
        Send(connection, MetaRequest.Ping, MetaWriter.Ping, now);
    }

    /// <summary>Writes the graph in the language of graphviz if it has changed (tinc 1.0 reference, 7.5).</summary>
    private void DumpGraph(Instant now)
    {
        _deadlines.Set(TimerKind.GraphDump, 0, now + ProtocolLimits.GraphDumpInterval);
        if (!_dumpDue)
            return;
        _dumpDue = false;
        var text = new System.Text.StringBuilder("digraph {\n");
        foreach (Node node in _graph.Nodes)
            text.Append($"\t\"{node.Name}\" [label = \"{node.Name}\"];\n");
        foreach (Edge edge in _graph.Edges)
            text.Append($"\t\"{edge.From.Name}\" -> \"{edge.To.Name}\";\n");
        _actions.Enqueue(new MeshAction.DumpGraph(text.Append("}\n").ToString()));
    }
}
