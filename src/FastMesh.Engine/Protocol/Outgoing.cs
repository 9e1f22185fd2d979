using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// One ConnectTo: how far its round through the peer's addresses has come and how long to wait before the next round
/// (tinc 1.0 reference, 4.10).
/// </summary>
internal sealed class Outgoing(int index, string name)
{
    /// <summary>Names its reconnect timer.</summary>
    public int Index { get; } = index;

    /// <summary>The node to connect to.</summary>
    public string Name { get; } = name;

    /// <summary>The wait before the last or running round.</summary>
    public TimeSpan Backoff { get; set; }

    /// <summary>The connection that fills the need, in any state, or null.</summary>
    public MetaConnection? Connection { get; set; }

    /// <summary>The peer's host file as read at the start of the round.</summary>
    public PeerSettings Peer { get; set; } = new();

    /// <summary>Address lines not tried yet in this round.</summary>
    public Queue<HostPort> Hosts { get; } = new();

    /// <summary>The address line that is being tried.</summary>
    public HostPort Host { get; set; }

    /// <summary>What <see cref="Host"/> resolved to and was not tried yet.</summary>
    public Queue<Endpoint> Endpoints { get; } = new();

    /// <summary>Whether the current connection has answered a PING.</summary>
    public bool Proven { get; set; }

    /// <summary>Whether the next ID is 17.1, to make a peer that does not know our Ed25519 key learn it (tinc 1.1 reference, 1.1, 1.3).</summary>
    public bool OffersUpgrade { get; set; }

    /// <summary>Whether the end of the current connection starts a fresh round without waiting.</summary>
    public bool AtOnce { get; set; }

    /// <summary>Rounds begun at once since the last active connection.</summary>
    public int Hurried { get; set; }

    /// <summary>
    /// Makes the end of the current connection start a fresh round without waiting. False if that was done twice since the last active connection, which is what
    /// an upgrade takes: a peer that cannot learn keys is not asked again and again.
    /// </summary>
    public bool TryHurry() => AtOnce = ++Hurried <= 2;

    /// <summary>The connection has proven itself: its loss starts a fresh round.</summary>
    public void Succeed()
    {
        Proven = true;
        Backoff = TimeSpan.Zero;
        Hosts.Clear();
        Endpoints.Clear();
    }
}
