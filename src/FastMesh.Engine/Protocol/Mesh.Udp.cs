using System.Globalization;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// What the data path asks of the control plane: frames by TCP, probes, and datagrams of unknown origin
/// (tinc 1.0 reference, 4.8, 5.6, 5.8, 5.9).
/// </summary>
public sealed partial class Mesh
{
    private long _searchSecond = -1;
    private int _searchBudget;

    /// <summary>A shard wants a frame to travel in a PACKET request to a neighbour.</summary>
    /// <param name="neighbour">Node id of the neighbour; of another node: nothing is sent.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="keyNeededFor">Node id whose key is missing (a REQ_KEY may be due), or -1.</param>
    /// <param name="now">Current time.</param>
    public void HandleTcpFrame(int neighbour, ReadOnlySpan<byte> frame, int keyNeededFor, Instant now)
    {
        if (_peers.TryGetValue(keyNeededFor, out Peer? target))
            RequestKey(target.Node, now);
        if (!_peers.TryGetValue(neighbour, out Peer? peer) || peer.Connection is not { } connection
            || frame.Length is 0 or > ProtocolLimits.MaxPacket)
            return;

        if (IsCrowded(connection, peer.Node))
            return;
        Send(connection, MetaRequest.Packet, MetaWriter.Packet(frame.Length), now);
        Put(connection, frame, isLine: false, now);
    }

    /// <summary><c>LEN</c>, taken modulo 65536; 0: no payload follows.</summary>
    private bool HandlePacket(MetaConnection from, ref MetaReader fields)
    {
        if (!fields.TryInt(out int length))
            return Refuse(from, MetaRequest.Packet, "unparsable");
        length &= ushort.MaxValue;
        if (length > (from.IsSptps ? ProtocolLimits.MaxRecord : ProtocolLimits.ReceiveBuffer))
            return Refuse(from, MetaRequest.Packet, "too long");
        from.Expect(MetaItem.Packet, length);
        return true;
    }

    private bool HandlePayload(MetaConnection from, ReadOnlySpan<byte> frame, Instant now)
    {
        if (frame.Length > ProtocolLimits.MaxPacket)
            return true;
        UpdateGraph(now);
        bool byTcp = !from.Options.HasFlag(EdgeOptions.TcpOnly);
        _actions.Enqueue(new MeshAction.RouteFrame(from.Node!.Id, frame.ToArray(), byTcp));
        return true;
    }

    /// <summary>A shard opened an MTU probe or probe reply of a node.</summary>
    public void HandleProbe(int node, ReadOnlySpan<byte> frame, Instant now)
    {
        if (!_peers.TryGetValue(node, out Peer? peer) || !peer.Node.Reachable || frame.Length < 14)
            return;
        if (peer.Node.Protocol != NodeProtocol.Legacy)
        {
            HandleSessionProbe(peer, frame, now);
            return;
        }

        if (frame[0] == 0)
        {
            _log.Traffic.GotProbe(frame.Length, peer.Node.Name, peer.Node.Address);
            if (peer.Node.Sealer is null)
            {
                RequestKey(peer.Node, now);
                return;
            }

            byte[] reply = frame.ToArray();
            reply[0] = 1;
            _actions.Enqueue(new MeshAction.SendProbe(node, reply, default));
            return;
        }

        _log.Traffic.GotProbeReply(frame.Length, peer.Node.Name, peer.Node.Address);
        peer.Probes.NoteAnswer(now);
        if (peer.Trains.HandleReply(frame))
            return;
        if (peer.BurstSent is { } sent)
        {
            peer.Node.NoteRoundTrip(now.Since(sent));
            peer.BurstSent = null;
        }

        int before = peer.Node.MinMtu;
        int length = _settings.Suite.Compression == 0 ? frame.Length : frame.Length - ProtocolLimits.CompressionSlack;
        peer.Probe.HandleReply(Math.Max(0, length));
        if (before == 0 && peer.Node.MinMtu > 0)
            RememberNeighbour(peer.Node);
        _tableChanged |= peer.Node.MinMtu != before;
    }

    /// <summary>The kernel refused a datagram with a frame of this length as too large.</summary>
    public void HandleTooBig(int node, int frameLength, Instant now)
    {
        if (!_peers.TryGetValue(node, out Peer? peer) || frameLength < 1)
            return;
        (int, int) before = (peer.Node.Mtu, peer.Node.MinMtu);
        if (peer.Node.Protocol == NodeProtocol.Legacy)
        {
            peer.Probe.HandleTooBig(frameLength);
        }
        else
        {
            peer.PathMtu.HandleTooBig(frameLength, now);
            StepPath(peer, now);
        }

        _tableChanged |= before != (peer.Node.Mtu, peer.Node.MinMtu);
    }

    /// <summary>The kernel refuses to send a node several datagrams at once.</summary>
    public void HandleTrainRefused(int node, int errno, Instant now)
    {
        if (_peers.TryGetValue(node, out Peer? peer))
            peer.TrainsRefused = (now, errno);
    }

    /// <summary>The next step of MTU discovery; sends its burst and arms the timer for the step after it.</summary>
    private void StepProbe(Peer peer, Instant now)
    {
        Node node = peer.Node;
        if (node.Protocol != NodeProtocol.Legacy)
        {
            StepPath(peer, now);
            return;
        }

        (int, int) before = (node.Mtu, node.MinMtu);
        TimeSpan? wait = peer.Probe.Step(_settings, _random, out int? settled);
        _tableChanged |= before != (node.Mtu, node.MinMtu);
        if (settled is { } count)
            _log.Traffic.FixingMtu(node.Name, node.Address, node.Mtu, count);
        if (peer.Probe.FellSilent)
            RenewKeys(node, now);
        if (wait is not { } span)
            return;

        _deadlines.Set(TimerKind.Probe, node.Id, now + span);
        peer.BurstSent = now;
        if (peer.Probe.Burst.Count > 0)
            peer.Probes.NoteSent(now);
        for (int i = 0; i < peer.Probe.Burst.Count; i++)
        {
            bool isExtra = _settings.LocalDiscovery && i == peer.Probe.Burst.Count - 1;
            SendProbe(node, peer.Probe.Burst[i], isExtra && peer.Probe.BroadcastExtra ? LocalNetwork(node) : default);
        }
    }

    /// <summary>14 zero bytes, whose first is the type "request" and whose last two mark the probe, then random bytes.</summary>
    private void SendProbe(Node node, int length, Endpoint destination)
    {
        byte[] frame = new byte[length];
        _random.Fill(frame.AsSpan(14));
        _log.Traffic.SendingProbe(length, node.Name, node.Address);
        _actions.Enqueue(new MeshAction.SendProbe(node.Id, frame, destination));
    }

    /// <summary>Everyone on the local network, at the port at which the node was announced (5.9); IPv4 or IPv6 by chance.</summary>
    private Endpoint LocalNetwork(Node node)
    {
        string text = node.Entry?.AddressText.Port ?? "";
        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0)
            return default;
        bool ipv4 = _settings.AddressFamily switch
        {
            AddressFamilyChoice.IPv4 => true,
            AddressFamilyChoice.IPv6 => false,
            _ => _random.NextChance(0.5),
        };
        return ipv4 ? Endpoint.FromIPv4(uint.MaxValue, port) : Endpoint.FromIPv6(((UInt128)0xff02 << 112) | 1, port);
    }

    /// <summary>
    /// A datagram arrived from an address that belongs to no node (tinc 1.0 reference, 5.6). Where tincd looks once per second among
    /// all nodes, a budget of checks per second lets several nodes behind new addresses be found in the same second.
    /// </summary>
    public void HandleUnknownDatagram(Endpoint source, int socket, ReadOnlySpan<byte> datagram, Instant now)
    {
        if (_searchSecond != now.Second)
            (_searchSecond, _searchBudget) = (now.Second, ProtocolLimits.SearchesPerSecond);

        if (FindSender(source, datagram) is { } sender)
        {
            if (MayMove(sender, datagram, now))
                SetAddress(sender, source, socket, now);
            _actions.Enqueue(new MeshAction.OpenDatagram(sender.Id, datagram.ToArray()));
            return;
        }

        _log.Protocol.UnknownSource(source);
    }

    /// <summary>
    /// Whether a genuine datagram from a new address means that its sender has moved there. One that is older than others may have been recorded, and sent again
    /// by someone else.
    /// </summary>
    private bool MayMove(Node sender, ReadOnlySpan<byte> datagram, Instant now) => sender.Protocol == NodeProtocol.Legacy
        || (PeerOf(sender).Discovery.MayMove(now) && sender.Opener is DatagramOpener opener && opener.IsNewest(datagram));

    /// <summary>
    /// Who sealed a datagram. One with node ids says so itself, if it comes straight from its sender (tinc 1.1 reference, 6.3 step 2): the id of a destination
    /// means that it was relayed, which only those may do whose address is known. A tinc 1.0 node is searched for.
    /// </summary>
    private Node? FindSender(Endpoint source, ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > 2 * NodeId.Length && NodeId.Read(datagram).IsZero && _graph.Find(NodeId.Read(datagram[NodeId.Length..])) is { } named
            && named.Protocol != NodeProtocol.Legacy)
            return named.Reachable && --_searchBudget >= 0 && PeerOf(named).Verifies(datagram) ? named : null;

        var tried = new HashSet<Node> { Self };
        foreach (Edge edge in _graph.Edges)
        {
            bool isNear = edge.Address.SameAddress(source);
            if (edge.To.Protocol == NodeProtocol.Legacy && tried.Add(edge.To) && (isNear || --_searchBudget >= 0)
                && _peers.TryGetValue(edge.To.Id, out Peer? peer) && peer.Verifies(datagram))
                return edge.To;
        }

        return null;
    }

    /// <summary>Someone says where a node is seen (ANS_KEY, UDP_INFO). An address that works is not given up for it.</summary>
    private void HintAddress(Node node, Endpoint address, Instant now)
    {
        bool works = node.UdpConfirmed || (node.Protocol == NodeProtocol.Legacy && node.MinMtu > 0);
        if (address.Port != 0 && !works && !IsOwnAddress(address))
            SetAddress(node, address, socket: -1, now);
    }

    /// <summary>Packets to a node go to another address from now on; what was known of the way to the old one says nothing about the new one.</summary>
    private void SetAddress(Node node, Endpoint address, int socket, Instant now)
    {
        if (node.Address == address)
            return;
        (node.Address, node.Socket) = (address, socket);
        _tableChanged = true;
        _log.Protocol.AddressSet(node.Name, address);
        if (node.Protocol == NodeProtocol.Legacy)
        {
            PeerOf(node).Trains.Reset();
            return;
        }

        LosePath(PeerOf(node));
        StepPath(PeerOf(node), now);
    }
}
