using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>An attempt to connect that failed.</summary>
/// <param name="Address">Where, as "HOST port PORT", or empty if there was no address to try.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="At">When.</param>
internal sealed record DialAttempt(string Address, string Error, Instant At);

/// <summary>
/// One node to dial, for ConnectTo or AutoConnect: how far its round through the peer's addresses has come and how long to wait before the next round
/// (tinc 1.0 reference, 4.10).
/// </summary>
internal sealed class Outgoing(int index, string name)
{
    private const int MaxAttempts = 16;

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

    /// <summary>Addresses not tried yet in this round, with host names to be looked up.</summary>
    public Queue<HostPort> Hosts { get; } = new();

    /// <summary>The one that is being tried.</summary>
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

    /// <summary>What came of each address that was tried last, the oldest first; as many as a host file sensibly has.</summary>
    public List<DialAttempt> Attempts { get; } = [];

    /// <summary>Notes why an address, or what stands for it, led to nothing.</summary>
    public void Note(string address, string error, Instant now)
    {
        Attempts.RemoveAll(attempt => attempt.Address == address);
        if (Attempts.Count == MaxAttempts)
            Attempts.RemoveAt(0);
        Attempts.Add(new(address, error, now));
    }

    /// <summary>The connection has proven itself: its loss starts a fresh round.</summary>
    public void Succeed()
    {
        Proven = true;
        Backoff = TimeSpan.Zero;
        Hosts.Clear();
        Endpoints.Clear();
    }
}
