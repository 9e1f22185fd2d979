using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>Sessions with FastMesh nodes: private subtypes of REQ_KEY, which every relay passes on untouched (tinc 1.1 reference, 13.3).</summary>
public sealed partial class Mesh
{
    private FastMeshOffer? _offer;

    private void RequestFastMesh(Peer peer, Instant now)
    {
        FastMeshSession session = FastMeshOf(peer);
        peer.IsSessionWanted = true;
        if (session.Sealer is null && session.RetryAt is null)
            StartFastMesh(peer, session, now);
        else if (session.Sealer is not null && peer is { Connection: null, Node.UdpConfirmed: false })
            ShowAddress(peer, now);
    }

    /// <summary>
    /// An ANS_KEY with nothing in it: on its way the first relay that knows where our packets come from adds that (tinc 1.1 reference, 5.3). tinc 1.0 relays
    /// have no other means.
    /// </summary>
    private void ShowAddress(Peer peer, Instant now)
    {
        if (ConnectionTo(peer.Node.NextHop) is not { } next || (peer.KeyRequested is { } last && now - last < ProtocolLimits.KeyRequestInterval))
            return;
        peer.KeyRequested = now;
        Send(next, MetaRequest.AnsKey, MetaWriter.AnsKey(Self.Name, peer.Node.Name, "0", (-1, -1, -1, 0)), now);
    }

    private FastMeshSession FastMeshOf(Peer peer)
    {
        Node node = peer.Node;
        return peer.FastMesh ??= new FastMeshSession(new FastMeshParty(
            _settings.Identity!, _offer ??= MakeOffer(), Self.Name, node.Name, suite => ShapeOf(node, SessionFormat.FastMesh, suite), _settings.Forwarding.Shards,
            (key, certificate) => _trust.Accept(node.Name, key, certificate), _random));
    }

    private FastMeshOffer MakeOffer()
    {
        FastMeshFlags flags = FastMeshFlags.PartialChecksums | FastMeshFlags.SpeedTest | (_settings.AesIsFast ? FastMeshFlags.AesIsFast : FastMeshFlags.None)
            | FastMeshOffer.LanesOf(_settings.Forwarding.Shards) | (MlKemAgreement.IsSupported ? FastMeshFlags.MlKem : FastMeshFlags.None);
        byte[] certificate = _settings.Key?.Sign(KeyTrust.Certified(Self.Name, _settings.Identity!.Public)) ?? [];
        return new FastMeshOffer(FastMeshSuites.ChaCha20Poly1305 | FastMeshSuites.Aes256Gcm, flags, _settings.Compression, certificate);
    }

    private void StartFastMesh(Peer peer, FastMeshSession session, Instant now)
    {
        peer.IsSessionWanted = false;
        session.Start(now);
        AdvanceFastMesh(peer, session, now);
    }

    /// <summary>REQ_KEY 101 to 105 for this node.</summary>
    private void HandleFastMesh(Node node, FastMeshMessage message, string data, Instant now)
    {
        Peer peer = PeerOf(node);
        FastMeshSession session = FastMeshOf(peer);
        if (!TincBase64.TryDecode(data, out byte[] bytes) || !session.Handle(message, bytes, now))
            RefuseMessage(message.ToString(), node.Name);
        AdvanceFastMesh(peer, session, now);
        if (message == FastMeshMessage.KexA)
            NoteIndirect(node, Self, now);
    }

    /// <summary>Sends what a session has to say, tells the data path, and sets the time of its next step.</summary>
    private void AdvanceFastMesh(Peer peer, FastMeshSession session, Instant now)
    {
        Node node = peer.Node;
        PublishSession(peer, session.Sealer, session.Opener, now);
        foreach (FastMeshLine line in session.TakeLines())
        {
            if (ConnectionTo(node.NextHop) is { } next)
                Send(next, MetaRequest.ReqKey, MetaWriter.ReqKey((Self.Name, node.Name), (int)line.Message, TincBase64.Encode(line.Data)), now);
        }

        if (NextStart(node, session) is { } at)
            _deadlines.Set(TimerKind.Session, node.Id, at > now ? at : now);
        else
            _deadlines.Cancel(TimerKind.Session, node.Id);
    }

    /// <summary>The node whose name sorts lower renews the session, the other one only if it does not.</summary>
    private Instant? NextStart(Node node, FastMeshSession session)
    {
        if (session.RetryAt is { } retry)
            return retry;
        if (session.Sealer is null)
            return null;
        bool isFirst = string.CompareOrdinal(Self.Name, node.Name) < 0;
        return session.EstablishedAt + _settings.KeyExpire + (isFirst ? TimeSpan.Zero : ProtocolLimits.SessionPatience);
    }

    private void StepFastMesh(Peer peer, FastMeshSession session, Instant now)
    {
        if (session.Sealer is not null || peer.Connection is not null || peer.IsSessionWanted)
        {
            StartFastMesh(peer, session, now);
            return;
        }

        session.StopTrying();
        AdvanceFastMesh(peer, session, now);
    }
}
