using System.Runtime.InteropServices;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Crypto;

/// <summary>What both directions of a session with node ids have in common.</summary>
/// <param name="Format">Sptps or FastMesh.</param>
/// <param name="Suite">The AEAD.</param>
/// <param name="Self">Id of this node.</param>
/// <param name="Peer">Id of the other.</param>
/// <param name="WithEthernet">Whether frames travel whole (switch and hub mode).</param>
/// <param name="HasIds">Whether datagrams begin with the two ids; false towards tinc 1.1 nodes with minor version below 4.</param>
/// <param name="Owner">Index of the shard that uses the session.</param>
/// <param name="PartialChecksums">Whether the other end takes packets whose transport checksum covers only the pseudo header.</param>
/// <param name="Lane">Of <see cref="Lanes"/>; 0 in SPTPS.</param>
public readonly record struct DatagramSession(
    SessionFormat Format, DataSuite Suite, NodeId Self, NodeId Peer, bool WithEthernet, bool HasIds, int Owner, bool PartialChecksums = false,
    byte Lane = 0);

/// <summary>
/// The count of records sent in one direction of a session, or in one lane of it; in SPTPS it goes on across keys. Usable from any thread.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 2 * Padding)]
public sealed class RecordCounter
{
    private const int Padding = 128; // counters of lanes lie next to each other, and the prefetcher fetches cache lines in pairs

    /// <summary>SPTPS counts up to here: it has no way to go on (tinc 1.1 reference, 3.6).</summary>
    internal const ulong SptpsLimit = 1UL << 32;

    /// <summary>A lane of FastMesh counts up to here.</summary>
    internal const ulong LaneLimit = 1UL << Lanes.Shift;

    [FieldOffset(Padding)]
    private long _next;

    /// <summary>Number of the next record.</summary>
    public ulong Next => (ulong)Interlocked.Read(ref _next);

    /// <summary>Takes <paramref name="count"/> numbers; returns the first of them.</summary>
    public ulong Take(int count) => (ulong)(Interlocked.Add(ref _next, count) - count);
}
