using System.Diagnostics.CodeAnalysis;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Routing;

/// <summary>Who announced one prefix, by <see cref="Node.Id"/>: the most preferred node, and the others in the order of preference.</summary>
internal readonly record struct PrefixOwners(int First, int[]? Others);

/// <summary>
/// The prefixes of one kind with their owners: a hash table for each prefix length in use, the longest first. The control plane changes it and takes
/// snapshots for shards. A table is cut into parts, and a change copies only the part that a snapshot refers to: it costs the same in a mesh of
/// a hundred thousand subnets as in a small one.
/// </summary>
internal sealed class PrefixMap
{
    private readonly List<Level> _levels = [];
    private PrefixSnapshot? _snapshot;

    /// <summary>Sets the owners of a prefix; null removes it.</summary>
    public void Set(Subnet subnet, PrefixOwners? owners)
    {
        _snapshot = null;
        int index = _levels.FindIndex(level => level.Length <= subnet.PrefixLength);
        if (index < 0 || _levels[index].Length != subnet.PrefixLength)
            _levels.Insert(index < 0 ? index = _levels.Count : index, new Level(subnet.PrefixLength, MaskOf(subnet)));
        Level level = _levels[index];
        level.Set(subnet.Address & level.Mask, owners);
        if (level.Count == 0)
            _levels.RemoveAt(index);
    }

    /// <summary>The owners of a prefix.</summary>
    public bool TryGet(Subnet subnet, out PrefixOwners owners)
    {
        owners = default;
        UInt128 mask = MaskOf(subnet);
        return _levels.Find(level => level.Length == subnet.PrefixLength) is { } level && level.TryGet(subnet.Address & mask, out owners);
    }

    /// <summary>What there is at this moment, for any thread.</summary>
    public PrefixSnapshot Snapshot() => _snapshot ??= new([.. _levels.Select(level => level.Share())]);

    /// <summary>The network bits; those above the kind's address are set as well, and zero in every address.</summary>
    private static UInt128 MaskOf(Subnet subnet)
    {
        int host = subnet.AddressBits - subnet.PrefixLength;
        return host >= 128 ? 0 : UInt128.MaxValue << host;
    }

    /// <summary>All prefixes of one length.</summary>
    private sealed class Level(int length, UInt128 mask)
    {
        private readonly bool[] _shared = new bool[PrefixSnapshot.Parts];
        private Dictionary<UInt128, PrefixOwners>?[] _parts = new Dictionary<UInt128, PrefixOwners>?[PrefixSnapshot.Parts];
        private bool _partsShared;

        public int Length => length;

        public UInt128 Mask => mask;

        public int Count { get; private set; }

        public bool TryGet(UInt128 prefix, out PrefixOwners owners)
        {
            owners = default;
            return _parts[PrefixSnapshot.PartOf(prefix)] is { } part && part.TryGetValue(prefix, out owners);
        }

        public void Set(UInt128 prefix, PrefixOwners? owners)
        {
            Dictionary<UInt128, PrefixOwners> part = Own(PrefixSnapshot.PartOf(prefix));
            Count -= part.Count;
            if (owners is { } some)
                part[prefix] = some;
            else
                part.Remove(prefix);
            Count += part.Count;
        }

        public PrefixSnapshot.Level Share()
        {
            _partsShared = true;
            Array.Fill(_shared, true);
            return new(mask, _parts);
        }

        /// <summary>A part that no snapshot refers to.</summary>
        private Dictionary<UInt128, PrefixOwners> Own(int index)
        {
            if (_partsShared)
                _parts = [.. _parts];
            if (_shared[index] && _parts[index] is { } shared)
                _parts[index] = new(shared);
            (_partsShared, _shared[index]) = (false, false);
            return _parts[index] ??= [];
        }
    }
}

/// <summary>A <see cref="PrefixMap"/> as it was at one moment. Never changes.</summary>
internal sealed class PrefixSnapshot(PrefixSnapshot.Level[] levels)
{
    /// <summary>Parts of each hash table: of a hundred thousand prefixes, a change copies some 400.</summary>
    public const int Parts = 256;

    private const int PartBits = 8;
    private const ulong Multiplier = 0x9e37_79b9_7f4a_7c15; // 2^64 divided by the golden ratio, which spreads neighbouring numbers best

    /// <summary>
    /// The owner of an address: of all matching prefixes whose owner is reachable the longest, most preferred; if none is reachable an unreachable owner;
    /// null if no prefix matches (tinc 1.0 reference, 6.2).
    /// </summary>
    /// <param name="address">The address.</param>
    /// <param name="nodes">All nodes by <see cref="Node.Id"/>.</param>
    public PeerRoute? Find(UInt128 address, PeerRoute?[] nodes)
    {
        PeerRoute? unreachable = null;
        foreach (Level level in levels)
        {
            UInt128 prefix = address & level.Mask;
            if (level.Parts[PartOf(prefix)] is { } part && part.TryGetValue(prefix, out PrefixOwners owners)
                && TryFindReachable(owners, nodes, ref unreachable, out PeerRoute? owner))
                return owner;
        }

        return unreachable;
    }

    /// <summary>In which part a prefix is.</summary>
    public static int PartOf(UInt128 prefix) =>
        (int)(unchecked(((ulong)prefix ^ ((ulong)(prefix >> 64) * Multiplier)) * Multiplier) >> (64 - PartBits));

    private static bool TryFindReachable(
        in PrefixOwners owners, PeerRoute?[] nodes, ref PeerRoute? unreachable, [NotNullWhen(true)] out PeerRoute? owner)
    {
        owner = Node(owners.First);
        for (int i = 0; owner is not { Reachable: true } && i < (owners.Others?.Length ?? 0); i++)
        {
            unreachable ??= owner;
            owner = Node(owners.Others![i]);
        }

        if (owner is { Reachable: true })
            return true;
        unreachable ??= owner;
        return false;

        PeerRoute? Node(int id) => (uint)id < (uint)nodes.Length ? nodes[id] : id == SubnetTable.Everyone.Id ? PeerRoute.Everyone : null;
    }

    /// <summary>All prefixes of one length.</summary>
    public readonly record struct Level(UInt128 Mask, Dictionary<UInt128, PrefixOwners>?[] Parts);
}
