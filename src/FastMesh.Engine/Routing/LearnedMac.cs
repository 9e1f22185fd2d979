using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Routing;

/// <summary>
/// An Ethernet address seen on the own device in switch mode (tinc 1.0 reference, 6.10). Shards touch it for each burst from
/// that address; the control plane reads it when it ages addresses. The only thing in a <see cref="ForwardingTable"/> that
/// shards write; a lost update merely shortens the address's life by one burst.
/// </summary>
public sealed class LearnedMac(MacAddress address, Instant seen)
{
    private long _lastSeen = seen.Milliseconds;

    /// <summary>The address.</summary>
    public MacAddress Address { get; } = address;

    /// <summary>When it was last seen as a source on the device.</summary>
    public Instant LastSeen => new(Volatile.Read(ref _lastSeen));

    /// <summary>Notes that it was seen.</summary>
    public void Touch(Instant now) => Volatile.Write(ref _lastSeen, now.Milliseconds);
}
