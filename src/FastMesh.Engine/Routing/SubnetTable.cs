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

    private readonly SortedSet<OwnedSubnet> _all = new(s_order);
    private readonly Dictionary<Node, SortedSet<Subnet>> _byOwner = [];

    /// <summary>Every subnet: kind, longer prefix first, address, weight, owner.</summary>
    public IReadOnlyCollection<OwnedSubnet> All => _all;

    /// <summary>The subnets of one node, in order.</summary>
    public IReadOnlyCollection<Subnet> Of(Node owner) =>
        _byOwner.TryGetValue(owner, out SortedSet<Subnet>? set) ? set : [];

    /// <summary>Whether exactly this subnet (kind, prefix, address and weight) is known for the owner.</summary>
    public bool Contains(Node owner, Subnet subnet) =>
        _byOwner.TryGetValue(owner, out SortedSet<Subnet>? set) && set.Contains(subnet);

    /// <summary>Adds a subnet; false if it was known.</summary>
    public bool Add(Node owner, Subnet subnet)
    {
        if (!_byOwner.TryGetValue(owner, out SortedSet<Subnet>? set))
            _byOwner.Add(owner, set = []);
        return set.Add(subnet) && _all.Add(new OwnedSubnet(subnet, owner));
    }

    /// <summary>Removes a subnet; false if it was not known.</summary>
    public bool Remove(Node owner, Subnet subnet)
    {
        if (!_byOwner.TryGetValue(owner, out SortedSet<Subnet>? set) || !set.Remove(subnet))
            return false;
        if (set.Count == 0)
            _byOwner.Remove(owner);
        return _all.Remove(new OwnedSubnet(subnet, owner));
    }
}
