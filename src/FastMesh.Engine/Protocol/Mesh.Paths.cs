using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// The way by UDP to SPTPS and FastMesh nodes: when to look for it and to keep it open (tinc 1.1 reference, chapter 7). Something is done for neighbours
/// always, for others while there is traffic; <see cref="UdpDiscovery"/> and <see cref="PathMtu"/> know what. Nodes of tinc 1.0 have <see cref="PathProbe"/>.
/// </summary>
public sealed partial class Mesh
{
    /// <summary>There is traffic for a node: what is due towards it is done (7.2).</summary>
    /// <param name="node">Node id.</param>
    /// <param name="keyNeeded">Whether it had to be dropped for want of a session.</param>
    /// <param name="now">Current time.</param>
    public void HandleTraffic(int node, bool keyNeeded, Instant now)
    {
        UpdateGraph(now);
        if (!_peers.TryGetValue(node, out Peer? peer))
            return;
        if (peer.Node.Protocol != NodeProtocol.Legacy)
        {
            TendPath(peer, now);
            return;
        }

        peer.Discovery.NoteTraffic(now);
        TendTrains(peer, now);
    }

    /// <summary>Datagrams of a node arrive by way of a relay (6.3 step 7, 7.5).</summary>
    public void HandleRelayed(int node, int relay, Instant now)
    {
        UpdateGraph(now);
        if (!_peers.TryGetValue(node, out Peer? peer) || !peer.Node.Reachable)
            return;
        if (RelayOf(peer.Node)?.Id != relay)
            NoteIndirect(peer.Node, Self, now);
        OfferMtu(peer.Node, now);
    }

    /// <summary>What the kernel knows of the way to a node.</summary>
    /// <param name="node">Node id.</param>
    /// <param name="ipMtu">Largest IP packet, bytes; 0 or less if it does not know.</param>
    /// <param name="now">Current time.</param>
    public void HandleKernelMtu(int node, int ipMtu, Instant now)
    {
        if (!_peers.TryGetValue(node, out Peer? peer))
            return;
        (int, int) before = (peer.Node.Mtu, peer.Node.MinMtu);
        peer.PathMtu.HandleEstimate(ipMtu, now);
        _tableChanged |= before != (peer.Node.Mtu, peer.Node.MinMtu);
        StepPath(peer, now);
    }

    /// <summary>There is traffic for or from a node.</summary>
    private void TendPath(Peer peer, Instant now)
    {
        peer.Discovery.NoteTraffic(now);
        StepPath(peer, now);
        TendTrains(peer, now);
    }

    /// <summary>Does what is due towards a node (7.2): a session, then the way to its static relay or to itself, and to a relay while there is none.</summary>
    private void StepPath(Peer peer, Instant now)
    {
        Node node = peer.Node;
        _deadlines.Cancel(TimerKind.Probe, node.Id);
        if (!node.Reachable || node == Self || node.Protocol == NodeProtocol.Legacy || (peer.Connection is not null && IsTcpOnly(node)))
            return; // a neighbour with TCPOnly gets everything by the connection, without a session

        if (peer.Discovery.HasExpired(now))
            LosePath(peer);
        bool isTended = peer.Connection is not null || peer.Discovery.IsBusy(now);
        if (isTended)
            RequestSession(peer, now);

        Instant next = node.Sealer is null ? now + ProtocolLimits.SessionInterval : Instant.Never;
        if (RelayOf(node) is { } relay && relay != node)
        {
            if (isTended && CanRelay(relay, node))
                TendPath(PeerOf(relay), now);
        }
        else if (node.Sealer is not null)
        {
            next = isTended ? Probe(peer, now) : peer.Discovery.Expiry;
            if (isTended && !node.UdpConfirmed && node.NextHop is { } hop && hop != node && CanRelay(hop, node))
                TendPath(PeerOf(hop), now);
        }

        if (next < Instant.Never && (isTended || node.UdpConfirmed))
            _deadlines.Set(TimerKind.Probe, node.Id, next);
    }

    /// <summary>Neighbours are tended once per second at least, with traffic or without.</summary>
    private void TendNeighbours(Instant now)
    {
        foreach (MetaConnection connection in ActiveConnections)
        {
            if (connection.Node is { Reachable: true, Protocol: not NodeProtocol.Legacy } node)
                _deadlines.Set(TimerKind.Probe, node.Id, now);
        }
    }

    /// <summary>UDP discovery and path MTU of a node with a session. Returns when there is more to do.</summary>
    private Instant Probe(Peer peer, Instant now)
    {
        Node node = peer.Node;
        if (!node.Address.IsSet || node.UdpPaused)
            return now + ProtocolLimits.SessionInterval;
        if (peer.Discovery.MakeReport(_settings, now) is { } report)
            _actions.Enqueue(new MeshAction.SendProbe(node.Id, report, default));
        if (peer.Discovery.TryRequest(_settings, now))
            SendRequests(peer, now);
        Instant next = peer.Discovery.NextDue(_settings);

        bool isWanted = !peer.PathMtu.IsSettled || peer.Discovery.IsBusy(now);
        if (!isWanted || (_settings.UdpDiscovery && !node.UdpConfirmed) || !node.Options.HasFlag(EdgeOptions.PmtuDiscovery))
            return next;
        ProbeMtu(peer, now);
        return peer.PathMtu.Due < next ? peer.PathMtu.Due : next;
    }

    private void ProbeMtu(Peer peer, Instant now)
    {
        Node node = peer.Node;
        if (peer.PathMtu.TryAsk(ProbeOverhead(node), now))
            _actions.Enqueue(new MeshAction.MeasureMtu(node.Id, node.Address));
        (int, int) before = (node.Mtu, node.MinMtu);
        peer.PathMtu.Step(_settings, now, out int? settled);
        _tableChanged |= before != (node.Mtu, node.MinMtu);
        if (settled is { } count)
            _log.Traffic.FixingMtu(node.Name, node.Address, node.Mtu, count);
        foreach (int length in peer.PathMtu.Probes)
            SendRequest(peer, length, default, now);
    }

    /// <summary>
    /// Asks whether UDP works: at the address in use, and while that is not confirmed also at one that another node sees it at, and at one that it has on
    /// its local network (7.2, 7.4).
    /// </summary>
    private void SendRequests(Peer peer, Instant now)
    {
        Node node = peer.Node;
        SendRequest(peer, UdpDiscovery.ProbeLength, default, now);
        if (node.UdpConfirmed)
            return;
        SendToOneOf(peer, node.Edges.Values.Select(edge => edge.Reverse?.Address ?? default), now);
        if (_settings.LocalDiscoveryByAddress)
            SendToOneOf(peer, node.Edges.Values.Select(edge => edge.LocalAddress), now);
    }

    /// <summary>
    /// A request to an address picked by chance, but to none where another node lives: there it would come from a confirmed address and not open, for which
    /// tinc 1.1 ends the session (13.2).
    /// </summary>
    private void SendToOneOf(Peer peer, IEnumerable<Endpoint> addresses, Instant now)
    {
        Endpoint[] usable = [.. addresses.Where(address => address.IsSet && address.Port != 0 && address != peer.Node.Address
            && !_graph.Nodes.Any(other => other != peer.Node && other.Address == address) && !IsOwnAddress(address)).Distinct()];
        if (usable.Length > 0)
            SendRequest(peer, UdpDiscovery.ProbeLength, usable[_random.NextUInt32() % usable.Length], now);
    }

    private void SendRequest(Peer peer, int length, Endpoint destination, Instant now)
    {
        Node node = peer.Node;
        byte[] frame = peer.Discovery.MakeRequest(length, _random, now);
        peer.Probes.NoteSent(now);
        _log.Traffic.SendingProbe(frame.Length, node.Name, destination.IsSet ? destination : node.Address);
        _actions.Enqueue(new MeshAction.SendProbe(node.Id, frame, destination));
    }

    /// <summary>A probe or a reply of an SPTPS or FastMesh node (7.1).</summary>
    private void HandleSessionProbe(Peer peer, ReadOnlySpan<byte> frame, Instant now)
    {
        Node node = peer.Node;
        if (frame[0] == 0)
        {
            _log.Traffic.GotProbe(frame.Length, node.Name, node.Address);
            if (node.Sealer is null)
            {
                RequestSession(peer, now);
            }
            else if (!node.UdpPaused)
            {
                _actions.Enqueue(new MeshAction.SendProbe(node.Id, peer.Discovery.MakeReply(frame), default));
                if (peer.Discovery.TryRequest(_settings, now, isHeard: true))
                    SendRequests(peer, now);
            }

            return;
        }

        peer.Probes.NoteAnswer(now);
        peer.Trains.HandleReply(frame);
        (int, int, bool) before = (node.Mtu, node.MinMtu, node.UdpConfirmed);
        int length = peer.Discovery.HandleReply(frame, _settings, now);
        if (length > 0)
        {
            _log.Traffic.GotProbeReply(length, node.Name, node.Address);
            peer.PathMtu.HandleReply(length, now);
        }

        if (!before.Item3 && node.UdpConfirmed)
            RememberNeighbour(node);
        _tableChanged |= before != (node.Mtu, node.MinMtu, node.UdpConfirmed);
        StepPath(peer, now);
    }

    /// <summary>UDP to a node does not work, or nobody knows: packets go by TCP, and discovery begins again.</summary>
    private void LosePath(Peer peer)
    {
        peer.Discovery.Reset();
        peer.PathMtu.Reset();
        peer.Trains.Reset();
        _tableChanged = true;
    }

    /// <summary>Everything known about the way to a node by UDP is void: its reachability or its <see cref="Node.Protocol"/> has changed.</summary>
    private void ResetPath(Peer peer)
    {
        peer.Probe.Reset();
        _deadlines.Cancel(TimerKind.Probe, peer.Node.Id);
        LosePath(peer);
    }

    /// <summary>Bytes of IP and UDP headers, node ids, sequence number, type and tag around a probe (6.2).</summary>
    private static int ProbeOverhead(Node node)
    {
        int session = node.Protocol == NodeProtocol.FastMesh ? 12 + 8 + 1 + 16 : (node.Minor >= 4 ? 12 : 0) + 4 + 1 + 16;
        return (node.Address.IsIPv4 ? 20 : 40) + 8 + session;
    }

    /// <summary>Whether <paramref name="relay"/> passes datagrams to <paramref name="target"/> on unopened (6.5, and FastMesh nodes among themselves).</summary>
    private bool CanRelay(Node relay, Node target) => relay.Protocol == NodeProtocol.FastMesh
        || (relay.Minor >= 4 && (target.Protocol == NodeProtocol.Sptps || (target.Minor >= 4 && _settings.SpeaksSptps)));
}
