using System.Globalization;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Authentication and activation (tinc 1.0 reference, 4.4 to 4.6, 4.9; tinc 1.1 reference, 1.1 to 1.5). The acceptor is silent until it has
/// an ID, and of tinc 1.0's handshake it proves itself only after the initiator has; this order must not change (11.1).
/// </summary>
public sealed partial class Mesh
{
    private void SendId(MetaConnection connection, Instant now)
    {
        if (connection.Initiator)
        {
            connection.State = MetaState.Id;
            connection.OwnMinor = MinorFor(KeyOf(connection.Name!, connection.Peer) is not null && connection.Outgoing is not { OffersUpgrade: true });
            if (connection.Outgoing is { } outgoing)
                outgoing.OffersUpgrade = false;
        }

        Send(connection, MetaRequest.Id, MetaWriter.Id(Self.Name, ProtocolLimits.Version, connection.OwnMinor), now);
    }

    /// <summary>The minor version of an ID: that of tinc 1.1, or 1 to ask for the upgrade to Ed25519 keys, or 0 as a node of tinc 1.0.</summary>
    private int MinorFor(bool keyKnown) => !_settings.SpeaksSptps ? 0 : keyKnown ? ProtocolLimits.SptpsMinor : 1;

    /// <summary>The Ed25519 key that a node must have: what the user wrote, else what was learned.</summary>
    private Ed25519PublicKey? KeyOf(string name, PeerSettings peer) => peer.Ed25519Key ?? _settings.KnownKeys.Find(name);

    /// <summary><c>NAME MAJOR[.MINOR]</c></summary>
    private bool HandleId(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryText(out string name) || !fields.TryText(out string text) || !TryParseVersion(text, out int version, out int minor))
            return Refuse(from, MetaRequest.Id, "unparsable");
        if (name.StartsWith('?') && !from.Initiator)
            return HandleInvitee(from, name.AsSpan(1), now);
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

        if (_settings.BypassSecurity)
            return SkipAuthentication(from, name, now);
        if (!_directory.TryRead(name, out PeerSettings? peer))
        {
            _log.Always.UnknownIdentity(from.Remote, name);
            return false;
        }

        (from.Name, from.Peer) = (name, peer);
        return BeginAuthentication(from, minor, now);
    }

    private static bool TryParseVersion(string text, out int major, out int minor)
    {
        int dot = text.IndexOf('.', StringComparison.Ordinal);
        minor = 0;
        return int.TryParse(dot < 0 ? text : text.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out major)
            && (dot < 0 || int.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out minor));
    }

    /// <summary>The acceptor does not read the host file here (tinc 1.0 reference, 4.9).</summary>
    private bool SkipAuthentication(MetaConnection from, string name, Instant now)
    {
        from.Name = name;
        if (from.Initiator)
        {
            from.Peer = from.Outgoing?.Peer ?? from.Peer;
        }
        else
        {
            from.OwnMinor = MinorFor(keyKnown: true);
            SendId(from, now);
        }

        from.State = MetaState.Ack;
        SendAck(from, now);
        return true;
    }

    /// <summary>
    /// Which protocol it is to be (tinc 1.1 reference, 1.1). One case is different from tincd: to an initiator that speaks SPTPS but whose key is
    /// not known, tincd answers 17.7 and METAKEY, whereupon both wait for the other forever; the answer 17.1 makes it go through the upgrade.
    /// </summary>
    private bool BeginAuthentication(MetaConnection from, int peerMinor, Instant now)
    {
        Ed25519PublicKey? key = KeyOf(from.Name!, from.Peer);
        if (!from.Initiator)
            from.OwnMinor = MinorFor(key is not null || peerMinor < ProtocolLimits.FirstSptpsMinor);
        from.Minor = Math.Min(peerMinor, key is null ? Math.Min(from.OwnMinor, 1) : from.OwnMinor);
        if (from.Minor >= ProtocolLimits.FirstSptpsMinor)
            return BeginSptps(from, key!, now);

        if (from.Minor == 0 && _settings.SpeaksSptps && from.Peer.Ed25519Key is not null)
        {
            _log.Always.Rollback(from);
            return false;
        }

        return _settings.LegacyProtocol && _settings.Key is not null && from.Peer.PublicKey is not null
            ? BeginLegacy(from, new LegacyHandshake(_settings.Key, from.Peer.PublicKey, _random), now)
            : RefuseLegacy(from, now);
    }

    private bool RefuseLegacy(MetaConnection from, Instant now)
    {
        if (from.Minor == 0)
        {
            if (!_settings.LegacyProtocol)
                _log.Always.LegacyRefused(from);
            else if (_settings.Key is null)
                _log.Always.NoOwnRsaKey(from);
            else
                _log.Always.NoPublicKey(from.Name!);
            return false;
        }

        if (KeyOf(from.Name!, from.Peer) is null)
            _log.Always.KeyUnknown(from, from.Name!);
        else
            _log.Always.KeyUnknownThere(from, Self.Name);
        Terminate(from, close: true, tarpit: false, now); // a friend with an incomplete configuration need not wait
        return true;
    }

    private bool BeginSptps(MetaConnection from, Ed25519PublicKey key, Instant now)
    {
        if (!from.Initiator)
            SendId(from, now);
        byte[] label = from.Initiator
            ? SptpsHandshake.Label("TCP", Self.Name, from.Name!)
            : SptpsHandshake.Label("TCP", from.Name!, Self.Name);
        from.State = MetaState.Sptps;
        StartSptps(from, new SptpsHandshake(_settings.Identity!, key, from.Initiator, label, _random), now);
        return true;
    }

    private void StartSptps(MetaConnection connection, SptpsHandshake handshake, Instant now)
    {
        bool wasEmpty = connection.PendingLength == 0;
        connection.StartSptps(handshake, now);
        if (wasEmpty)
            _actions.Enqueue(new MeshAction.Send(connection.Id));
    }

    /// <summary>The SPTPS handshake is complete: the peer has proven to be who it says.</summary>
    private bool HandleReady(MetaConnection from, Instant now)
    {
        if (from.State != MetaState.Sptps)
            return true;
        from.State = MetaState.Ack;
        SendAck(from, now);
        return true;
    }

    /// <summary>
    /// The stream is no SPTPS. If it is METAKEY in clear, the peer is a tincd that does not know our key while we know its one (the trap of
    /// tinc 1.1 reference, 1.1): the next attempt asks for the upgrade, which is authenticated by the RSA keys and ends this.
    /// </summary>
    private bool HandleBrokenStream(MetaConnection from, Instant now)
    {
        if (from.State != MetaState.Sptps || !from.Initiator || !from.Input.StartsWith("1 "u8))
        {
            _log.Always.BadRecord(from);
            return false;
        }

        _log.Always.KeyUnknownThere(from, Self.Name);
        bool canUpgrade = _settings.LegacyProtocol && _settings.Key is not null && from.Peer.PublicKey is not null;
        if (canUpgrade && from.Outgoing is { } outgoing)
            outgoing.OffersUpgrade = outgoing.TryHurry();
        Terminate(from, close: true, tarpit: false, now);
        return true;
    }

    private bool BeginLegacy(MetaConnection from, LegacyHandshake handshake, Instant now)
    {
        from.Handshake = handshake;
        if (!handshake.TryComposeMetaKey(MetaCipher.NidForUdpCipher(_settings.Suite.Cipher), out string line, out MetaCipher? cipher))
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
        if (from.Minor == 1)
            Send(from, MetaRequest.Ack, MetaWriter.Key(_settings.Identity!.Public.ToString()), now);
        else
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
        Send(to, MetaRequest.Ack, MetaWriter.Ack(_port, to.Weight, to.Options | OptionsAboutSelf), now);
    }

    /// <summary>What our ACK says of ourselves: the minor version, and whether this is a FastMesh node.</summary>
    private EdgeOptions OptionsAboutSelf =>
        (_settings.SpeaksSptps ? (EdgeOptions)((uint)ProtocolLimits.SptpsMinor << 24) : EdgeOptions.None)
        | (_settings is { Identity: not null, IsFastMesh: true } ? EdgeOptions.FastMesh : EdgeOptions.None);

    /// <summary>
    /// What we want of the edge between a peer and us (tinc 1.0 reference, 4.6). What our ACK says of ourselves is not in it, since our edge to the
    /// peer speaks of the peer (tinc 1.1 reference, 13.1).
    /// </summary>
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
        if (from.Minor == 1)
            return HandleUpgrade(from, ref fields, now);
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

    /// <summary>
    /// <c>4 KEY</c> in place of an ACK: the peers tell each other their Ed25519 keys under the protection of their RSA keys, and connect anew
    /// (tinc 1.1 reference, 1.3). Unlike tincd, which may leave the other waiting, the connection is closed once everything is written.
    /// </summary>
    private bool HandleUpgrade(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryText(out string text) || !Ed25519PublicKey.TryParse(text, out Ed25519PublicKey? key))
            return Refuse(from, MetaRequest.Ack, "no Ed25519 key");
        if (!_trust.Accept(from.Name!, key, certificate: null))
            return false;
        from.Outgoing?.TryHurry();
        Send(from, MetaRequest.TermReq, MetaWriter.TermReq, now);
        from.State = MetaState.Ending;
        return true;
    }

    private void Activate(MetaConnection connection, Endpoint address, Instant now)
    {
        Node node = _graph.GetOrAdd(connection.Name!);
        Peer peer = PeerOf(node);
        if (peer.Connection is { } older)
            Replace(older, connection, now);
        if (!connection.Initiator)
            _burst = Math.Max(0, _burst - 1);

        if ((connection.Peer.Pmtu ?? _settings.Pmtu) is { } pmtu)
            node.Mtu = Math.Min(node.Mtu, pmtu);
        if (_settings.Pmtu is { } ceiling)
            node.Mtu = Math.Min(node.Mtu, ceiling);

        (connection.State, connection.Node, connection.LastPing, connection.Handshake) = (MetaState.Active, node, now, null);
        (peer.Connection, node.HasConnection) = (connection, true);
        if (connection.Outgoing is { } outgoing)
            outgoing.Hurried = 0;
        RememberDialled(connection);
        _log.Connections.Activated(connection);
        Handshakes.Add(HandshakeResult.MetaActivated);
        if (_settings.DisableBuggyPeers)
        {
            Send(connection, MetaRequest.Packet, MetaWriter.Packet(ProtocolLimits.ReceiveBuffer), now);
            Put(connection, new byte[ProtocolLimits.ReceiveBuffer], isLine: false, now);
        }

        SendEverything(connection, now);
        string addressText = address.AddressText, portText = address.Port.ToString(CultureInfo.InvariantCulture);
        Edge edge = _graph.SetEdge(Self, node, (addressText, portText), connection.Options, connection.Weight);
        edge.LocalAddress = LocalAddressOf(connection);
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

    /// <summary>Where the peer may find us on a network that both are on: our end of the connection with our UDP port (tinc 1.1 reference, 1.5).</summary>
    private Endpoint LocalAddressOf(MetaConnection connection) =>
        _settings.Identity is not null && connection.Local.IsSet
            && ushort.TryParse(_port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && port != 0
            ? connection.Local.WithPort(port)
            : default;

    private string Compose(Edge edge) => MetaWriter.AddEdge(
        _random.NextNonce(), (edge.From.Name, edge.To.Name), edge.AddressText, edge.Options, edge.Weight, edge.LocalAddress);
}
