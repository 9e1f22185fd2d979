using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// End-to-end sessions with SPTPS and FastMesh nodes: which protocol a node gets, when a session is wanted, what the data path sees of it. The two kinds are in
/// Mesh.Sptps.cs and Mesh.FastMesh.cs, datagrams that travel by TCP in Mesh.Datagrams.cs.
/// </summary>
public sealed partial class Mesh
{
    /// <summary>Datagrams of a node do not open: its session may be out of step (tinc 1.1 reference, 5.4).</summary>
    /// <remarks>
    /// Anyone can send rubbish in a node's name, so a session that opens other datagrams meanwhile is left alone; tincd gives it up for a single one.
    /// </remarks>
    public void HandleOpenFailed(int node, Instant now)
    {
        UpdateGraph(now);
        if (!_peers.TryGetValue(node, out Peer? peer) || !peer.Node.Reachable || !peer.IsOutOfStep())
            return;
        if (peer.Sptps is { } sptps && now - sptps.StartedAt > ProtocolLimits.SessionPatience)
            StartSptps(peer, now);
        else if (peer.FastMesh is { IsStarting: false } session && now - session.EstablishedAt > ProtocolLimits.SessionPatience)
            StartFastMesh(peer, session, now);
    }

    /// <summary>Makes sure that there is, or soon will be, a session with a node; cheap to call again and again.</summary>
    private void RequestSession(Peer peer, Instant now)
    {
        Node node = peer.Node;
        if (node == Self || !node.Reachable || (peer.Connection is not null && IsTcpOnly(node)))
            return;
        switch (node.Protocol)
        {
            case NodeProtocol.FastMesh:
                RequestFastMesh(peer, now);
                break;
            case NodeProtocol.Sptps:
                RequestSptps(peer, now);
                break;
            default:
                RequestKey(node, now);
                break;
        }
    }

    /// <summary>Whether packets to a node, as the next hop, must not go by UDP.</summary>
    private bool IsTcpOnly(Node hop) => ((_settings.Forwarding.LocalOptions | hop.Options) & EdgeOptions.TcpOnly) != 0 || _settings.TcpOnly;

    /// <summary>How data travels to and from a node; what its options say of it may be wrong, so that a session is what counts.</summary>
    private NodeProtocol ProtocolOf(Node node) =>
        !node.Reachable || node == Self || _settings.Identity is null ? NodeProtocol.Legacy
        : node.Options.HasFlag(EdgeOptions.FastMesh) && _settings.IsFastMesh ? NodeProtocol.FastMesh
        : node.Minor >= 2 && _settings.SpeaksSptps ? NodeProtocol.Sptps
        : NodeProtocol.Legacy;

    /// <summary>After paths and options may have changed: nodes that changed their protocol while they were reachable begin anew.</summary>
    private void UpdateProtocols(List<Node> flipped, Instant now)
    {
        foreach (Node node in _graph.Nodes)
        {
            NodeProtocol protocol = ProtocolOf(node);
            if (protocol == node.Protocol)
                continue;
            node.Protocol = protocol;
            if (!node.Reachable || flipped.Contains(node))
                continue;
            Peer peer = PeerOf(node);
            ResetSession(peer);
            ResetPath(peer);
            BeginSession(peer, now);
        }
    }

    /// <summary>A node became reachable or has another protocol: neighbours get a session at once, others when there is traffic.</summary>
    private void BeginSession(Peer peer, Instant now)
    {
        Node node = peer.Node;
        if (node.Protocol != NodeProtocol.Legacy)
            peer.IsKnownToBeLegacy = false;
        else if (!peer.IsKnownToBeLegacy && _settings.Identity is not null && _trust.HasLearned(node.Name))
        {
            peer.IsKnownToBeLegacy = true;
            _log.Always.BackToLegacy(node.Name, _settings.KnownKeys.FileOf(node.Name));
        }

        if (peer.Connection is null)
            return;
        if (node.Protocol == NodeProtocol.Legacy)
            SendAnsKey(node, now);
        else if (node.Protocol == NodeProtocol.FastMesh)
            RequestSession(peer, now);
    }

    private void ResetSession(Peer peer)
    {
        peer.ForgetKeys();
        _deadlines.Cancel(TimerKind.Session, peer.Node.Id);
        _deadlines.Cancel(TimerKind.SessionReport, peer.Node.Id);
        _tableChanged = true;
    }

    /// <summary>The time has come for the next step of a session.</summary>
    private void StepSession(Peer peer, Instant now)
    {
        if (peer.FastMesh is { } session)
            StepFastMesh(peer, session, now);
        else if (peer.Sptps is { } sptps)
            StepSwitch(peer, sptps, now);
    }

    /// <summary>Hands the data path what a session has become.</summary>
    private void PublishSession(Peer peer, PacketSealer? sealer, PacketOpener? opener, Instant now)
    {
        Node node = peer.Node;
        bool isNew = node.Sealer is null && sealer is not null;
        _tableChanged |= node.Sealer != sealer || node.Opener != opener;
        (node.Sealer, node.Opener) = (sealer, opener);
        if (!isNew)
            return;
        AwaitPath(peer, now);
        TendPath(peer, now);
    }

    /// <summary>A session is there: it is reported when the way of its packets is known.</summary>
    private void AwaitPath(Peer peer, Instant now)
    {
        if (peer.ReportBy is not null)
            return;
        _deadlines.Set(TimerKind.SessionReport, peer.Node.Id, now);
        peer.ReportBy = now + ProtocolLimits.SessionReport;
        Handshakes.Add(HandshakeResult.SessionEstablished);
    }

    /// <summary>A message for a session does not fit, or is not authentic.</summary>
    private void RefuseMessage(string message, string node)
    {
        _log.Status.SessionMessageIgnored(message, node);
        Handshakes.Add(HandshakeResult.SessionRefused);
    }

    /// <summary>Says once per session what protects it and which way it goes.</summary>
    private void ReportSession(Peer peer, Instant now)
    {
        Node node = peer.Node;
        if (node.Sealer is not { } sealer || peer.ReportBy is not { } latest)
            return;
        Node? relay = RelayOf(node);
        bool isDirect = (node.UdpConfirmed || (relay == node && node.MinMtu > 0)) && !IsTcpOnly(node);
        if (!isDirect && now < latest && !IsTcpOnly(node))
        {
            _deadlines.Set(TimerKind.SessionReport, node.Id, now + ProtocolLimits.SessionReportCheck);
            return;
        }

        string way = isDirect ? "direct" : relay == node && node.NextHop == node ? "over TCP" : $"via {(relay == node ? node.NextHop : relay)?.Name}";
        (string protocol, string suite) = DescribeSession(peer, sealer.Format);
        _log.Connections.SessionEstablished(node.Name, protocol, suite, way);
    }

    private DatagramSession ShapeOf(Node node, SessionFormat format, DataSuite suite) => new(
        format, suite, Self.RelayId, node.RelayId, WithEthernet: _settings.Forwarding.Mode != RoutingMode.Router,
        HasIds: format == SessionFormat.FastMesh || node.Minor >= 4, OwnerShard(node));

    /// <summary>New keys for sessions that have had theirs for KeyExpire, or that run out of sequence numbers.</summary>
    private void RenewSessions(Instant now)
    {
        foreach (Peer peer in _peers.Values.Where(peer => peer.Sptps is { IsReady: true }).ToList())
            RenewSptps(peer, peer.Sptps!, now);
        foreach (Peer peer in _peers.Values.Where(peer => peer.FastMesh is { IsStarting: false, Sent: > ProtocolLimits.MaxRecords }).ToList())
            StartFastMesh(peer, peer.FastMesh!, now);
    }
}
