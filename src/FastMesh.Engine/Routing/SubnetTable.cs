using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Routing;

/// <summary>A subnet and the node it belongs to.</summary>
/// <param name="Subnet">The subnet with its weight.</param>
/// <param name="Owner">The node that announced it.</param>
public readonly record struct OwnedSubnet(Subnet Subnet, Node Owner);

/// <summary>All known subnets in the global order of tinc (tinc 1.0 reference, 6.2). Owned by the control plane.</summary>
public sealed class SubnetTable
{
    private static readonly Comparer<OwnedSubnet> s_order = Comparer<OwnedSubnet>.Create((x, y) =>
    {
        int order = x.Subnet.CompareTo(y.Subnet);
        return order == 0 ? string.CompareOrdinal(x.Owner.Name, y.Owner.Name) : order;
    });

    /// <summary>Stands for every node, as owner of what is to be broadcast (BroadcastSubnet); part of no graph. The name is tinc 1.1's.</summary>
    public static Node Everyone { get; } = new("(broadcast)", -1);

    // Before and after all nodes in the order of names.
    private static readonly Node s_first = new("", -1), s_last = new("\uffff", -1);

    private readonly SortedSet<OwnedSubnet> _all = new(s_order);
    private readonly PrefixMap[] _prefixes = [.. Enum.GetValues<SubnetKind>().Select(_ => new PrefixMap())];
    private readonly Dictionary<Node, SortedSet<Subnet>> _byOwner = [];

    /// <summary>Every subnet: kind, longer prefix first, address, weight, owner.</summary>
    public IReadOnlyCollection<OwnedSubnet> All => _all;

    /// <summary>The subnets of one node, in order.</summary>
    public IReadOnlyCollection<Subnet> Of(Node owner) =>
        _byOwner.TryGetValue(owner, out SortedSet<Subnet>? set) ? set : [];

    /// <summary>Whether exactly this subnet (kind, prefix, address and weight) is known for the owner.</summary>
    public bool Contains(Node owner, Subnet subnet) =>
        _byOwner.TryGetValue(owner, out SortedSet<Subnet>? set) && set.Contains(subnet);

    /// <summary>All subnets of a kind as they are now, for lookups by any thread.</summary>
    internal PrefixSnapshot Prefixes(SubnetKind kind) => _prefixes[(int)kind].Snapshot();

    /// <summary>Adds a subnet; false if it was known.</summary>
    public bool Add(Node owner, Subnet subnet)
    {
        if (!_byOwner.TryGetValue(owner, out SortedSet<Subnet>? set))
            _byOwner.Add(owner, set = []);
        if (!set.Add(subnet))
            return false;
        _all.Add(new OwnedSubnet(subnet, owner));
        PrefixMap map = _prefixes[(int)subnet.Kind];
        map.Set(subnet, map.TryGet(subnet, out _) ? OwnersOf(subnet) : new(owner.Id, null));
        return true;
    }

    /// <summary>Removes a subnet; false if it was not known.</summary>
    public bool Remove(Node owner, Subnet subnet)
    {
        if (!_byOwner.TryGetValue(owner, out SortedSet<Subnet>? set) || !set.Remove(subnet))
            return false;
        if (set.Count == 0)
            _byOwner.Remove(owner);
        _all.Remove(new OwnedSubnet(subnet, owner));
        PrefixMap map = _prefixes[(int)subnet.Kind];
        map.Set(subnet, map.TryGet(subnet, out PrefixOwners owners) && owners.Others is not null ? OwnersOf(subnet) : null);
        return true;
    }

    /// <summary>Who announced the prefix of a subnet, in the global order; an owner counts as often as its subnets differ in weight or host bits.</summary>
    private PrefixOwners? OwnersOf(Subnet subnet)
    {
        (UInt128 first, UInt128 last) = subnet.Range;
        int[] owners = [.. _all.GetViewBetween(
            new(subnet with { Address = first, Weight = int.MinValue }, s_first),
            new(subnet with { Address = last, Weight = int.MaxValue }, s_last)).Select(owned => owned.Owner.Id)];
        return owners.Length == 0 ? null : new(owners[0], owners.Length > 1 ? owners[1..] : null);
    }
}
