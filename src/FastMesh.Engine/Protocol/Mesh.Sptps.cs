using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>Sessions with nodes of tinc 1.1: REQ_KEY 15, 19 and 20, ANS_KEY, new keys without loss (tinc 1.1 reference, chapter 5).</summary>
public sealed partial class Mesh
{
    private void RequestSptps(Peer peer, Instant now)
    {
        if (peer.Sptps is null || (!peer.Sptps.IsReady && now - peer.Sptps.StartedAt > peer.Patience))
            StartSptps(peer, now);
    }

    /// <summary>Starts as initiator, whatever there was before. Without the node's public key that must be had first.</summary>
    private void StartSptps(Peer peer, Instant now)
    {
        Node node = peer.Node;
        if (ConnectionTo(node.NextHop) is not { } next)
            return;
        if (_trust.Find(node.Name) is not { } key)
        {
            AskPublicKey(peer, now);
            return;
        }

        SptpsSession session = ReplaceSptps(peer, key, isInitiator: true, now);
        session.Start(now);
        foreach (byte[] kex in session.TakeDatagrams())
            Send(next, MetaRequest.ReqKey, MetaWriter.ReqKey((Self.Name, node.Name), (int)MetaRequest.ReqKey, TincBase64.Encode(kex)), now);
    }

    /// <summary>
    /// A fresh session in place of an old one, whose keys are of no use any more: the peer has dropped or will drop them too. After a start that leads to nothing
    /// the wait is a little random, and longer for the node whose name sorts higher, so that two nodes do not start at the same moment again and again (5.4).
    /// </summary>
    private SptpsSession ReplaceSptps(Peer peer, Ed25519PublicKey key, bool isInitiator, Instant now)
    {
        Node node = peer.Node;
        ResetSession(peer);
        (string initiator, string responder) = isInitiator ? (Self.Name, node.Name) : (node.Name, Self.Name);
        var handshake = new SptpsHandshake(
            _settings.Identity!, key, isInitiator, SptpsHandshake.Label("UDP", initiator, responder), _random);
        int extra = (int)(_random.NextUInt32() % 2000) + (string.CompareOrdinal(Self.Name, node.Name) < 0 ? 0 : 3000);
        peer.Patience = ProtocolLimits.SessionPatience + TimeSpan.FromMilliseconds(extra);
        return peer.Sptps = new SptpsSession(
            ShapeOf(node, SessionFormat.Sptps, DataSuite.TincChaCha20Poly1305), handshake, _settings.SptpsReplayWindow, _settings.Compression, now);
    }

    private void AskPublicKey(Peer peer, Instant now)
    {
        if (ConnectionTo(peer.Node.NextHop) is not { } next
            || (peer.KeyRequested is { } last && now - last < ProtocolLimits.PublicKeyInterval))
            return;
        peer.KeyRequested = now;
        Send(next, MetaRequest.ReqKey, MetaWriter.ReqKey((Self.Name, peer.Node.Name), (int)MetaRequest.ReqPubKey), now);
    }

    /// <summary>REQ_KEY 19: gives our public key, and asks for the other one first if it is not known.</summary>
    private void GivePublicKey(Node node, Instant now)
    {
        if (ConnectionTo(node.NextHop) is not { } next)
            return;
        if (_trust.Find(node.Name) is null)
            AskPublicKey(PeerOf(node), now);
        string key = _settings.Identity!.Public.ToString();
        Send(next, MetaRequest.ReqKey, MetaWriter.ReqKey((Self.Name, node.Name), (int)MetaRequest.AnsPubKey, key), now);
    }

    /// <summary>REQ_KEY 20: an answer is believed once, if it was asked for; anyone can make up others.</summary>
    private void LearnPublicKey(Node node, string text, Instant now)
    {
        Peer peer = PeerOf(node);
        if (peer.KeyRequested is null || _trust.Find(node.Name) is not null || !Ed25519PublicKey.TryParse(text, out Ed25519PublicKey? key))
        {
            RefuseMessage("public key", node.Name);
            return;
        }

        peer.KeyRequested = null;
        if (_trust.Accept(node.Name, key, certificate: null))
            RequestSession(peer, now);
    }

    /// <summary>
    /// REQ_KEY 15: the node starts a session and waits for our answer; whatever there was before is void. If both have just started, tincd drops its own start
    /// when ours arrives, so ours goes on and this one is ignored; if both dropped theirs, ten seconds would be lost (5.4). A node that starts once more has
    /// not done so.
    /// </summary>
    private void AnswerSptps(Node node, string data, Instant now)
    {
        Peer peer = PeerOf(node);
        if (peer.Sptps is { IsUnanswered: true, HasPrecedence: true } own)
        {
            own.HasPrecedence = false;
            return;
        }

        if (_trust.Find(node.Name) is not { } key)
        {
            AskPublicKey(peer, now);
            return;
        }

        if (!TincBase64.TryDecode(data, out byte[] kex))
        {
            RefuseMessage("REQ_KEY", node.Name);
            return;
        }

        SptpsSession session = ReplaceSptps(peer, key, isInitiator: false, now);
        session.Start(now);
        if (!session.Handle(kex, now))
            RefuseMessage("KEX", node.Name);
        AdvanceSptps(peer, session, now);
        NoteIndirect(node, Self, now);
        OfferMtu(node, now);
    }

    /// <summary>ANS_KEY of an SPTPS node: a handshake record; one that does not fit counts as out of step (5.4).</summary>
    private void HandleSptpsRecord(Node node, string data, int compression, Endpoint seen, Instant now)
    {
        Peer peer = PeerOf(node);
        if (compression is < 0 or > FastMeshKex.MaxCompression || !TincBase64.TryDecode(data, out byte[] datagram) || datagram.Length == 0)
        {
            RefuseMessage("ANS_KEY", node.Name);
            return;
        }

        if (peer.Sptps is not { } session)
        {
            RequestSession(peer, now);
            return;
        }

        session.PeerCompression = compression;
        if (!session.Handle(datagram, now))
        {
            RefuseMessage("ANS_KEY", node.Name);
            if (now - session.StartedAt > ProtocolLimits.SessionPatience)
                StartSptps(peer, now);
            return;
        }

        AdvanceSptps(peer, session, now);
        if (session.IsReady && seen.IsSet && !node.UdpConfirmed)
            HintAddress(node, seen, now);
        OfferMtu(node, now);
    }

    /// <summary>Sends what a session has to say, tells the data path, and begins the switch to a new key when it is time.</summary>
    private void AdvanceSptps(Peer peer, SptpsSession session, Instant now)
    {
        Node node = peer.Node;
        foreach (byte[] datagram in session.TakeDatagrams())
        {
            if (ConnectionTo(node.NextHop) is { } next)
                Send(next, MetaRequest.AnsKey, MetaWriter.AnsKey(Self.Name, node.Name, TincBase64.Encode(datagram), (-1, -1, -1, _settings.Compression)), now);
        }

        PublishSession(peer, session.Sealer, session.Opener, now);
        if (session.AwaitsSwitch && !node.UdpPaused)
            PauseUdp(node, pause: true, now);
    }

    /// <summary>
    /// tincd takes packets under our old key only until it has read our ACK, and under the new one only afterwards. So nothing is sent by UDP for a moment before
    /// and after; what goes by TCP stays in order with it.
    /// </summary>
    private void PauseUdp(Node node, bool pause, Instant now)
    {
        node.UdpPaused = pause;
        _tableChanged = true;
        if (pause)
            _deadlines.Set(TimerKind.Session, node.Id, now + ProtocolLimits.SwitchPause);
    }

    private void StepSwitch(Peer peer, SptpsSession session, Instant now)
    {
        if (session.AwaitsSwitch)
        {
            session.SwitchOutput();
            AdvanceSptps(peer, session, now);
            _deadlines.Set(TimerKind.Session, peer.Node.Id, now + ProtocolLimits.SwitchPause);
            return;
        }

        session.ForgetOldOutput();
        PauseUdp(peer.Node, pause: false, now);
    }

    /// <summary>
    /// A new key after KeyExpire. A whole new session if the last re-key got stuck, or before the sequence number, which goes on across keys, runs over: tincd
    /// would then repeat it.
    /// </summary>
    private void RenewSptps(Peer peer, SptpsSession session, Instant now)
    {
        TimeSpan age = now - session.KeyedAt;
        if (session.Sent > ProtocolLimits.MaxSptpsRecords || session.Opened > ProtocolLimits.MaxSptpsRecords || age >= 2 * _settings.KeyExpire)
        {
            StartSptps(peer, now);
        }
        else if (age >= _settings.KeyExpire && session.CanRekey)
        {
            session.Start(now);
            AdvanceSptps(peer, session, now);
        }
    }
}
