using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// KEY_CHANGED, REQ_KEY and ANS_KEY, which carry packet keys of tinc 1.0 and messages of end-to-end sessions; expiry of the former (tinc 1.0 reference, 4.7,
/// 4.8, 5.1; tinc 1.1 reference, 5).
/// </summary>
public sealed partial class Mesh
{
    private Instant _keysChanged;

    /// <summary><c>NONCE NAME</c></summary>
    private bool HandleKeyChanged(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryHex(out _) || !fields.TryName(out string name))
            return Refuse(from, MetaRequest.KeyChanged, "unparsable");
        if (IsSeen(from, ref fields, now))
            return true;
        UpdateGraph(now);
        if (_graph.Find(name) is not { } node)
        {
            _log.Status.UnknownNode(NameOf(MetaRequest.KeyChanged), from, name);
            return true;
        }

        if (node != Self && node.Protocol == NodeProtocol.Legacy)
        {
            node.Sealer = null;
            PeerOf(node).KeyRequested = null;
            _tableChanged = true;
        }

        Forward(from, MetaRequest.KeyChanged, fields.Line, now);
        return true;
    }

    /// <summary><c>REQUESTER OWNER [SUBTYPE [DATA]]</c>; what is not for us is passed on as it is (tinc 1.1 reference, 5.1).</summary>
    private bool HandleReqKey(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryName(out string requesterName) || !fields.TryName(out string ownerName))
            return Refuse(from, MetaRequest.ReqKey, "unparsable");
        UpdateGraph(now);
        Node? requester = _graph.Find(requesterName), owner = _graph.Find(ownerName);
        if (requester is not { Reachable: true } || owner is not { Reachable: true } || requester == Self)
        {
            _log.Status.UnknownNode(NameOf(MetaRequest.ReqKey), from, $"{requesterName} or {ownerName}");
            return true;
        }

        bool hasSubtype = fields.TryInt(out int subtype);
        fields.TryText(out string data);
        if (owner == Self)
            AnswerRequest(requester, hasSubtype ? subtype : 0, data, now);
        else if (_settings.TunnelServer)
            return true;
        else if (subtype is (int)MetaRequest.SptpsPacket or (int)FastMeshMessage.Datagram)
            PassOn(requester, owner, subtype, data, now);
        else if (ConnectionTo(owner.NextHop) is { } next)
            Relay(from, next, MetaRequest.ReqKey, fields.Line, now);
        return true;
    }

    /// <summary>
    /// A REQ_KEY for this node. What does not suit the protocol of its sender is ignored: most of all a request for a tinc 1.0 key from a node with sessions,
    /// which ends tincd (tinc 1.1 reference, 5.1). To a node that does not know us as one of tinc 1.1 we are one of tinc 1.0, which answers anything.
    /// </summary>
    private void AnswerRequest(Node requester, int subtype, string data, Instant now)
    {
        bool isLegacy = requester.Protocol == NodeProtocol.Legacy, isPrivate = subtype >= (int)FastMeshMessage.KexA;
        if (isLegacy && !isPrivate && (subtype == 0 || !_settings.SpeaksSptps))
            SendAnsKey(requester, now);
        else if (requester.Protocol == NodeProtocol.FastMesh && subtype is >= (int)FastMeshMessage.KexA and <= (int)FastMeshMessage.Ack)
            HandleFastMesh(requester, (FastMeshMessage)subtype, data, now);
        else if ((requester.Protocol, subtype) is (NodeProtocol.FastMesh, (int)FastMeshMessage.Datagram) or (NodeProtocol.Sptps, (int)MetaRequest.SptpsPacket))
            HandleCarriedDatagram(requester, Self, data, now);
        else if (requester.Protocol == NodeProtocol.Sptps && subtype == (int)MetaRequest.ReqKey)
            AnswerSptps(requester, data, now);
        else if (_settings.SpeaksSptps && subtype == (int)MetaRequest.ReqPubKey)
            GivePublicKey(requester, now);
        else if (_settings.SpeaksSptps && subtype == (int)MetaRequest.AnsPubKey)
            LearnPublicKey(requester, data, now);
        else
            RefuseMessage($"REQ_KEY {subtype}", requester.Name);
    }

    /// <summary>A datagram on its way to another node, unless Forwarding forbids it.</summary>
    private void PassOn(Node source, Node target, int subtype, string data, Instant now)
    {
        if (subtype != (int)MetaRequest.SptpsPacket || _settings.Forwarding.Forwarding == ForwardingMode.Internal)
            HandleCarriedDatagram(source, target, data, now);
    }

    /// <summary><c>OWNER REQUESTER KEYHEX CIPHER DIGEST MACLEN COMPRESSION [ADDRESS PORT]</c></summary>
    private bool HandleAnsKey(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryName(out string ownerName) || !fields.TryName(out string requesterName) || !fields.TryText(out string hex)
            || !fields.TryInt(out int cipher) || !fields.TryInt(out int digest) || !fields.TryInt(out int macLength)
            || !fields.TryInt(out int compression))
            return Refuse(from, MetaRequest.AnsKey, "unparsable");
        bool hasAddress = fields.TryText(out string address) & fields.TryText(out string port);

        UpdateGraph(now);
        Node? owner = _graph.Find(ownerName), requester = _graph.Find(requesterName);
        if (owner is null || owner == Self || requester is not { Reachable: true })
        {
            _log.Status.UnknownNode(NameOf(MetaRequest.AnsKey), from, $"{ownerName} or {requesterName}");
            return true;
        }

        if (requester != Self)
        {
            RelayAnsKey(from, owner, requester, fields.Line, address.Length > 0, now);
            return true;
        }

        Endpoint reflexive = hasAddress && Endpoint.TryParse(address, port, out Endpoint parsed) ? parsed : default;
        if (owner.Protocol != NodeProtocol.Legacy)
            HandleSessionAnswer(owner, hex, cipher, compression, reflexive, now);
        else
            HandleLegacyAnswer(from, owner, hex, new LegacySuite(cipher, digest, macLength, compression), reflexive, now);
        return true;
    }

    private void HandleLegacyAnswer(MetaConnection from, Node owner, string hex, LegacySuite suite, Endpoint reflexive, Instant now)
    {
        AcceptKey(from, owner, hex, suite, now);
        if (owner.Sealer is not null && reflexive.IsSet)
            HintAddress(owner, reflexive, now);
        if (owner.Sealer is not null && owner.Options.HasFlag(EdgeOptions.PmtuDiscovery)
            && (!_deadlines.IsSet(TimerKind.Probe, owner.Id) || PeerOf(owner).Probe.TryStartOver()))
            StepProbe(PeerOf(owner), now);
    }

    /// <summary>
    /// An ANS_KEY of a node with sessions: a handshake record of SPTPS, which names no cipher; from a FastMesh node there is only the address that a relay
    /// has added to it.
    /// </summary>
    private void HandleSessionAnswer(Node owner, string data, int cipher, int compression, Endpoint reflexive, Instant now)
    {
        if (owner.Protocol == NodeProtocol.Sptps && cipher == -1)
            HandleSptpsRecord(owner, data, compression, reflexive, now);
        else if (owner.Protocol == NodeProtocol.FastMesh && reflexive.IsSet)
            HintAddress(owner, reflexive, now);
    }

    /// <summary>
    /// Takes a key. tincd makes a new one for each ANS_KEY, so of two that came by different ways soon after each other the earlier one may be
    /// the valid one: then it is asked once more, and answers by one way.
    /// </summary>
    private void AcceptKey(MetaConnection from, Node owner, string hex, LegacySuite suite, Instant now)
    {
        Peer peer = PeerOf(owner);
        owner.Sealer = null;
        _tableChanged = true;
        if (!LegacyKey.TryParse(hex, suite, out LegacyKey? key, out string reason))
        {
            _log.Status.BadKey(owner.Name, from, reason);
            Handshakes.Add(HandshakeResult.SessionRefused);
            return;
        }

        owner.Sealer = new LegacySealer(key, OwnerShard(owner));
        (peer.Outgoing, peer.OutgoingSince, peer.KeyRequested) = (suite, now, null);
        AwaitPath(peer, now);
        if (peer.MayHaveCrossed(from.Id, now) && ConnectionTo(owner.NextHop) is { } next)
        {
            peer.KeyRequested = now;
            Send(next, MetaRequest.ReqKey, MetaWriter.ReqKey(Self.Name, owner.Name), now);
        }
    }

    /// <summary>On its way, an ANS_KEY learns from the first relay that can say so where the owner's packets come from (5.10).</summary>
    private void RelayAnsKey(MetaConnection from, Node owner, Node requester, ReadOnlySpan<byte> line, bool hasAddress, Instant now)
    {
        if (_settings.TunnelServer || ConnectionTo(requester.NextHop) is not { } next)
            return;
        if (hasAddress || !owner.Address.IsSet || requester.MinMtu == 0)
        {
            Relay(from, next, MetaRequest.AnsKey, line, now);
            return;
        }

        ReadOnlySpan<byte> suffix = System.Text.Encoding.ASCII.GetBytes($" {owner.Address.AddressText} {owner.Address.Port}");
        Relay(from, next, MetaRequest.AnsKey, [.. line.TrimEnd(" \t\r"u8), .. suffix], now);
    }

    private void Relay(MetaConnection from, MetaConnection to, MetaRequest request, ReadOnlySpan<byte> line, Instant now)
    {
        LogForwarding(from, request, line);
        Put(to, line, isLine: true, now);
    }

    /// <summary>Gives a node a new key for packets to us. Until it has switched, packets under the old one are still opened.</summary>
    private void SendAnsKey(Node node, Instant now)
    {
        if (ConnectionTo(node.NextHop) is not { } next)
            return;
        LegacyKey key = LegacyKey.Generate(_settings.Suite, _random);
        PeerOf(node).Issue(key, _settings.ReplayWindow, OwnerShard(node), now);
        _tableChanged = true;
        LegacySuite suite = _settings.Suite;
        Send(next, MetaRequest.AnsKey, MetaWriter.AnsKey(Self.Name, node.Name, key.Hex,
            (suite.Cipher, suite.Digest, suite.MacLength, suite.Compression)), now);
    }

    /// <summary>Asks for the key of a node unless that was done lately; of a node with sessions: gets one.</summary>
    private void RequestKey(Node node, Instant now)
    {
        if (node.Protocol != NodeProtocol.Legacy)
            RequestSession(PeerOf(node), now);
        else if (node.Reachable && node != Self && node.Sealer is null && ConnectionTo(node.NextHop) is { } next)
            RequestLegacyKey(node, next, now);
    }

    private void RequestLegacyKey(Node node, MetaConnection next, Instant now)
    {
        Peer peer = PeerOf(node);
        if (peer.KeyRequested is { } last && now - last < ProtocolLimits.KeyRequestInterval)
            return;
        peer.KeyRequested = now;
        Send(next, MetaRequest.ReqKey, MetaWriter.ReqKey(Self.Name, node.Name), now);
    }

    /// <summary>
    /// No probe to a node was answered: both sides get new keys, once, in case one of them holds a key that was replaced. tincd would
    /// stay without UDP until the keys expire.
    /// </summary>
    private void RenewKeys(Node node, Instant now)
    {
        if (node.Protocol != NodeProtocol.Legacy || ConnectionTo(node.NextHop) is not { } next)
            return;
        _log.Status.RenewingKeys(node.Name);
        PeerOf(node).KeyRequested = now;
        Send(next, MetaRequest.ReqKey, MetaWriter.ReqKey(Self.Name, node.Name), now);
        SendAnsKey(node, now);
    }

    /// <summary>
    /// New keys when KeyExpire has passed or a sequence number runs high. Unlike tincd, the old keys keep opening packets: of a
    /// neighbour until it has switched to the one it gets now, of others until they have asked for theirs, or the next expiry.
    /// </summary>
    private void ExpireKeys(Instant now)
    {
        if (now - _keysChanged < _settings.KeyExpire && !_peers.Values.Any(IsWornOut))
            return;

        _log.Status.ExpiringKeys();
        Instant lastChange = _keysChanged;
        _keysChanged = now;
        Broadcast(null, MetaRequest.KeyChanged, MetaWriter.KeyChanged(_random.NextNonce(), Self.Name), now);
        foreach (Node node in _graph.Nodes)
        {
            if (node.Protocol != NodeProtocol.Legacy)
                continue;
            if (node.Reachable && ConnectionTo(node) is not null)
                SendAnsKey(node, now);
            else if (_peers.TryGetValue(node.Id, out Peer? peer) && peer.Issued is not null && peer.IssuedAt < lastChange)
                peer.Revoke();
        }

        _tableChanged = true;
    }

    /// <summary>Whether a key runs out of sequence numbers; one that has expired already does not count again.</summary>
    private bool IsWornOut(Peer peer) =>
        peer.IssuedAt >= _keysChanged && peer.Node.Opener is LegacyOpener opener && opener.HighestSequence > ProtocolLimits.RekeySequence;

    private int OwnerShard(Node node) => ForwardingTable.OwnerShard(node.Address, node.Id, _settings.Forwarding.Shards);

    /// <summary>Whether some node sees us at this address.</summary>
    private bool IsOwnAddress(Endpoint address) => Self.Edges.Values.Any(edge => edge.Reverse?.Address == address);
}
