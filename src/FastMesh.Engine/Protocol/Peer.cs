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

    /// <summary>When it was last sent a UDP_INFO about us.</summary>
    public Instant? UdpInfoSent { get; set; }

    /// <summary>When it was last sent an MTU_INFO about us.</summary>
    public Instant? MtuInfoSent { get; set; }

    /// <summary>When its key was last asked for, or null if it may be asked for at once.</summary>
    public Instant? KeyRequested { get; set; }

    /// <summary>The key under which it sends to us.</summary>
    public LegacyKey? Issued { get; private set; }

    /// <summary>The key it used before, still good until it has switched.</summary>
    public LegacyKey? IssuedBefore { get; private set; }

    /// <summary>When <see cref="Issued"/> was made.</summary>
    public Instant IssuedAt { get; private set; }

    /// <summary>The suite under which we send to it, for USR2.</summary>
    public LegacySuite Outgoing { get; set; }

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

    /// <summary>Forgets the keys of both directions and that one was asked for.</summary>
    public void ForgetKeys()
    {
        Revoke();
        Node.Sealer = null;
        (KeyRequested, Outgoing) = (null, default);
    }

    /// <summary>Whether a datagram was made with a key given to this node.</summary>
    public bool Verifies(ReadOnlySpan<byte> datagram) =>
        Issued is not null && (Issued.Verify(datagram) || (IssuedBefore is not null && IssuedBefore.Verify(datagram)));
}
