using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>What only the control plane needs to know of another node, besides its <see cref="Routing.Node"/>.</summary>
internal sealed class Peer(Node node)
{
    public Node Node { get; } = node;

    /// <summary>The active meta connection to it, or null.</summary>
    public MetaConnection? Connection { get; set; }

    public PathProbe Probe { get; } = new(node);

    public UdpDiscovery Discovery { get; } = new(node);

    public PathMtu PathMtu { get; } = new(node);

    public TrainProbe Trains { get; } = new(node);

    /// <summary>When it was last sent a UDP_INFO about us.</summary>
    public Instant? UdpInfoSent { get; set; }

    /// <summary>When it was last sent an MTU_INFO about us.</summary>
    public Instant? MtuInfoSent { get; set; }

    /// <summary>When a tinc 1.0 node was last sent probes, or null if one was answered since.</summary>
    public Instant? BurstSent { get; set; }

    /// <summary>What was asked and answered by UDP since it became reachable.</summary>
    public ProbeHistory Probes { get; } = new();

    /// <summary>The neighbour of it that told of it, at the time it became reachable; null if it never was.</summary>
    public string? SeenBy { get; set; }

    /// <summary>When and by which errno the kernel last refused to send it several datagrams at once, or null.</summary>
    public (Instant At, int Errno)? TrainsRefused { get; set; }

    /// <summary>When it last became reachable or unreachable, or null if it never was reachable.</summary>
    public Instant? Flipped { get; set; }

    /// <summary>When its key was last asked for, or null if it may be asked for at once.</summary>
    public Instant? KeyRequested { get; set; }

    /// <summary>By which connection and when its last ANS_KEY came.</summary>
    private (ConnectionId From, Instant At)? _lastKey;

    /// <summary>
    /// Notes by which connection an ANS_KEY came. True if the one before came by another one a moment ago, so that nobody knows which of
    /// them was sent last; the one after is then not compared with this.
    /// </summary>
    public bool MayHaveCrossed(ConnectionId from, Instant now)
    {
        bool crossed = _lastKey is { } last && last.From != from && now - last.At < ProtocolLimits.KeyRequestInterval;
        _lastKey = crossed ? null : (from, now);
        return crossed;
    }

    /// <summary>The key under which it sends to us.</summary>
    public LegacyKey? Issued { get; private set; }

    /// <summary>The key it used before, still good until it has switched.</summary>
    public LegacyKey? IssuedBefore { get; private set; }

    /// <summary>When <see cref="Issued"/> was made.</summary>
    public Instant IssuedAt { get; private set; }

    /// <summary>The suite under which we send to it, for USR2.</summary>
    public LegacySuite Outgoing { get; set; }

    /// <summary>When the key of <see cref="Outgoing"/> came.</summary>
    public Instant? OutgoingSince { get; set; }

    /// <summary>Gives it a new key; the opener goes on taking packets under the old one for a while.</summary>
    public void Issue(LegacyKey key, int replayWindow, int owner, Instant now)
    {
        (IssuedBefore, Issued, IssuedAt) = (Issued, key, now);
        Node.Opener = new LegacyOpener(key, replayWindow, owner, Node.Opener as LegacyOpener);
    }

    /// <summary>Takes back the key given to it.</summary>
    public void Revoke()
    {
        (IssuedBefore, Issued) = (null, null);
        Node.Opener = null;
    }

    /// <summary>The session with a tinc 1.1 node, or null.</summary>
    public SptpsSession? Sptps { get; set; }

    /// <summary>How long to wait for the answer to a start of <see cref="Sptps"/>.</summary>
    public TimeSpan Patience { get; set; }

    /// <summary>The session with a FastMesh node, or null.</summary>
    public FastMeshSession? FastMesh { get; set; }

    /// <summary>Whether there was traffic for it since the last attempt to get a session.</summary>
    public bool IsSessionWanted { get; set; }

    /// <summary>When at the latest the log is told of its session; null while there is none.</summary>
    public Instant? ReportBy { get; set; }

    /// <summary>Whether the user was told that it speaks tinc 1.0 although its Ed25519 key is known.</summary>
    public bool IsKnownToBeLegacy { get; set; }

    /// <summary>Forgets the keys of both directions and that one was asked for; ends sessions.</summary>
    public void ForgetKeys()
    {
        Revoke();
        FastMesh?.Dispose();
        (Node.Sealer, Node.UdpPaused, Sptps, FastMesh, IsSessionWanted) = (null, false, null, null, false);
        (KeyRequested, Outgoing, OutgoingSince, ReportBy, _failures) = (null, default, null, null, 0);
    }

    /// <summary>Whether a datagram (of a format with node ids, with them) was sealed by this node for us.</summary>
    public bool Verifies(ReadOnlySpan<byte> datagram)
    {
        if (Issued is not null)
            return Issued.Verify(datagram) || (IssuedBefore is not null && IssuedBefore.Verify(datagram));
        const int Ids = 2 * NodeId.Length;
        if (datagram.Length <= Ids || NodeId.Read(datagram[NodeId.Length..]) != Node.RelayId)
            return false;
        return (FastMesh?.Verifies(datagram[Ids..]) ?? false) || (Sptps?.Verifies(datagram[Ids..]) ?? false);
    }

    private int _failures;
    private long _openedAtFailure;

    /// <summary>Counts a datagram that did not open; true at the third in a row without one that did.</summary>
    public bool IsOutOfStep()
    {
        long opened = Sptps?.Opened ?? FastMesh?.Opener?.Opened ?? 0;
        _failures = opened == _openedAtFailure ? _failures + 1 : 1;
        _openedAtFailure = opened;
        if (_failures < ProtocolLimits.FailuresOutOfStep)
            return false;
        _failures = 0;
        return true;
    }
}
