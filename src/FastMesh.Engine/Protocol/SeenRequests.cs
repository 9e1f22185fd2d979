using System.Buffers.Binary;
using System.Security.Cryptography;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Which flooded request lines were seen lately, so that each is processed once (tinc 1.0 reference, 4.7). Lines are kept as
/// 128 bits of their SHA-256, so that long lines cost no memory and nobody can make two lines collide.
/// </summary>
internal sealed class SeenRequests
{
    private readonly HashSet<UInt128> _seen = [];
    private readonly Queue<(UInt128 Line, Instant At)> _order = new();

    /// <summary>How many lines are remembered.</summary>
    public int Count => _order.Count;

    /// <summary>Remembers a line; false if it is already remembered.</summary>
    public bool TryAdd(ReadOnlySpan<byte> line, Instant now)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(line, hash);
        UInt128 key = BinaryPrimitives.ReadUInt128BigEndian(hash);
        if (!_seen.Add(key))
            return false;

        _order.Enqueue((key, now));
        if (_order.Count > ProtocolLimits.MaxSeenRequests)
            _seen.Remove(_order.Dequeue().Line);
        return true;
    }

    /// <summary>Forgets what was seen at or before a moment.</summary>
    public void ForgetUntil(Instant moment)
    {
        while (_order.TryPeek(out (UInt128 Line, Instant At) oldest) && oldest.At <= moment)
            _seen.Remove(_order.Dequeue().Line);
    }
}
