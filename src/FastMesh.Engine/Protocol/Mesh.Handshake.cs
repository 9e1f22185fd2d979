using System.Globalization;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Authentication and activation (tinc 1.0 reference, 4.4 to 4.6, 4.9). The acceptor is silent until it has an ID, and proves
/// itself only after the initiator has; this order must not change (11.1).
/// </summary>
public sealed partial class Mesh
{
    private void SendId(MetaConnection connection, Instant now)
    {
        if (connection.Initiator)
            connection.State = MetaState.Id;
        Send(connection, MetaRequest.Id, MetaWriter.Id(Self.Name, ProtocolLimits.Version), now);
    }

    private bool HandleId(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryText(out string name) || !fields.TryInt(out int version))
            return Refuse(from, MetaRequest.Id, "unparsable");
        if (!NodeName.IsValid(name) || name == Self.Name)
            return Refuse(from, MetaRequest.Id, "invalid name");
        if (from.Initiator && name != from.Name)
        {
            _log.Always.WrongName(from.Remote, name, from.Name);
            return false;
        }

        if (version != ProtocolLimits.Version)
        {
            _log.Always.IncompatibleVersion(from, version);
            return false;
        }

        if (!_settings.LegacyProtocol || _settings.Key is null)
        {
            _log.Always.LegacyRefused(from);
            return false;
        }

        return _settings.BypassSecurity ? SkipAuthentication(from, name, now) : BeginAuthentication(from, name, now);
    }

    /// <summary>The acceptor does not read the host file here (tinc 1.0 reference, 4.9).</summary>
    private bool SkipAuthentication(MetaConnection from, string name, Instant now)
    {
        from.Name = name;
        if (from.Initiator)
            from.Peer = from.Outgoing?.Peer ?? from.Peer;
        else
            SendId(from, now);
        from.State = MetaState.Ack;
        SendAck(from, now);
        return true;
    }

    private bool BeginAuthentication(MetaConnection from, string name, Instant now)
    {
        if (!_directory.TryRead(name, out PeerSettings? peer))
        {
            _log.Always.UnknownIdentity(from.Remote, name);
            return false;
        }

        if (peer.PublicKey is null)
        {
            _log.Always.NoPublicKey(name);
            _log.Always.UnknownIdentity(from.Remote, name);
            return false;
        }

        (from.Name, from.Peer) = (name, peer);
        from.Handshake = new LegacyHandshake(_settings.Key!, peer.PublicKey, _random);
        if (!from.Handshake.TryComposeMetaKey(
            MetaCipher.NidForUdpCipher(_settings.Suite.Cipher), out string line, out MetaCipher? cipher))
            return Refuse(from, MetaRequest.Id, "the peer's public key cannot be used");

        if (!from.Initiator)
            SendId(from, now);
        from.State = MetaState.MetaKey;
        Send(from, MetaRequest.MetaKey, line, now);
        from.EncryptWith(cipher);
        return true;
    }

    private bool HandleMetaKey(MetaConnection from, ref MetaReader fields, Instant now)
    {
        string? problem = from.Handshake!.HandleMetaKey(ref fields, out MetaCipher? cipher);
        if (problem is not null || cipher is null)
            return Intruder(from, problem);
        if (!from.DecryptWith(cipher))
            return Refuse(from, MetaRequest.MetaKey, "cipher used up");
        from.State = MetaState.Challenge;
        Send(from, MetaRequest.Challenge, from.Handshake.ComposeChallenge(), now);
        return true;
    }

    private bool HandleChallenge(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (from.Handshake!.HandleChallenge(ref fields) is { } problem)
            return Intruder(from, problem);
        from.State = MetaState.ChalReply;
        if (from.Initiator)
            Send(from, MetaRequest.ChalReply, from.Handshake.ComposeReply(), now);
        return true;
    }

    private bool HandleChalReply(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (from.Handshake!.HandleReply(ref fields) is { } problem)
            return Intruder(from, problem);
        if (!from.Initiator)
            Send(from, MetaRequest.ChalReply, from.Handshake.ComposeReply(), now);
        from.State = MetaState.Ack;
        SendAck(from, now);
        return true;
    }

    private bool Intruder(MetaConnection from, string? reason)
    {
        _log.Always.PossibleIntruder(from, reason ?? "");
        return false;
    }

    private void SendAck(MetaConnection to, Instant now)
    {
        to.Options = OptionsFor(to.Peer);
        to.Weight = to.Peer.Weight ?? (int)Math.Clamp((now - to.Created).TotalMilliseconds, 0, int.MaxValue);
        Send(to, MetaRequest.Ack, MetaWriter.Ack(_port, to.Weight, to.Options), now);
    }

    /// <summary>The option word of our ACK to a peer (tinc 1.0 reference, 4.6).</summary>
    private EdgeOptions OptionsFor(PeerSettings peer)
    {
        EdgeOptions options = EdgeOptions.None;
        if (_settings.IndirectData || peer.IndirectData)
            options |= EdgeOptions.Indirect;
        if (_settings.TcpOnly || peer.TcpOnly)
            options |= EdgeOptions.TcpOnly | EdgeOptions.Indirect;
        if (_settings.PmtuDiscovery && !options.HasFlag(EdgeOptions.TcpOnly))
            options |= EdgeOptions.PmtuDiscovery;
        if (peer.ClampMss ?? _settings.ClampMss)
            options |= EdgeOptions.ClampMss;
        return options;
    }

    private bool HandleAck(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryText(out string port) || !fields.TryInt(out int weight) || !fields.TryHex(out uint options))
            return Refuse(from, MetaRequest.Ack, "unparsable");

        EdgeOptions both = from.Options & (EdgeOptions)options & EdgeOptions.PmtuDiscovery;
        from.Options = ((from.Options | (EdgeOptions)options) & ~EdgeOptions.PmtuDiscovery) | both;
        if (from.Peer.ClampMss is { } clamp)
            from.Options = clamp ? from.Options | EdgeOptions.ClampMss : from.Options & ~EdgeOptions.ClampMss;
        from.Weight = (int)(((long)from.Weight + weight) / 2);

        Endpoint address = ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number) && number != 0
            ? from.Remote.WithPort(number)
            : from.Remote;
        Activate(from, address, now);
        return true;
    }

    private void Activate(MetaConnection connection, Endpoint address, Instant now)
    {
        Node node = _graph.GetOrAdd(connection.Name!);
        Peer peer = PeerOf(node);
        if (peer.Connection is { } older)
            Replace(older, connection, now);

        if ((connection.Peer.Pmtu ?? _settings.Pmtu) is { } pmtu)
            node.Mtu = Math.Min(node.Mtu, pmtu);
        if (_settings.Pmtu is { } ceiling)
            node.Mtu = Math.Min(node.Mtu, ceiling);

        (connection.State, connection.Node, connection.LastPing, connection.Handshake) = (MetaState.Active, node, now, null);
        (peer.Connection, node.HasConnection) = (connection, true);
        _log.Connections.Activated(connection);

        SendEverything(connection, now);
        string addressText = address.AddressText, portText = address.Port.ToString(CultureInfo.InvariantCulture);
        Edge edge = _graph.SetEdge(Self, node, (addressText, portText), connection.Options, connection.Weight);
        if (_settings.TunnelServer)
            Send(connection, MetaRequest.AddEdge, Compose(edge), now);
        else
            Broadcast(null, MetaRequest.AddEdge, Compose(edge), now);
        _graphChanged = true;
        UpdateGraph(now);
    }

    /// <summary>The newer of two connections to one node wins; it takes over the older one's duty to reconnect.</summary>
    private void Replace(MetaConnection older, MetaConnection newer, Instant now)
    {
        _log.Connections.SecondConnection(newer);
        if (older.Outgoing is { } outgoing && newer.Outgoing is null)
            (newer.Outgoing, outgoing.Connection) = (outgoing, newer);
        older.Outgoing = null;
        Drop(older, close: true, tarpit: false);
        RemoveOwnEdge(older.Node!, announce: false, now);
    }

    /// <summary>All that is known, node by node: subnets, then edges.</summary>
    private void SendEverything(MetaConnection to, Instant now)
    {
        IEnumerable<Node> nodes = _settings.TunnelServer ? [Self] : _graph.Nodes;
        foreach (Node node in nodes)
        {
            foreach (Subnet subnet in _subnets.Of(node))
                Send(to, MetaRequest.AddSubnet, MetaWriter.AddSubnet(_random.NextNonce(), node.Name, subnet), now);
            if (_settings.TunnelServer)
                continue;
            foreach (Edge edge in node.Edges.Values)
                Send(to, MetaRequest.AddEdge, Compose(edge), now);
        }
    }

    private string Compose(Edge edge) => MetaWriter.AddEdge(
        _random.NextNonce(), (edge.From.Name, edge.To.Name), edge.AddressText, edge.Options, edge.Weight);
}
