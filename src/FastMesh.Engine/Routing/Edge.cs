using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Routing;

/// <summary>
/// The directed statement "<see cref="From"/> has a meta connection to <see cref="To"/>". Mutable; owned by the one
/// <see cref="Graph"/> that made it. Usable only when <see cref="Reverse"/> exists (tinc 1.0 reference, 7.1).
/// </summary>
public sealed class Edge
{
    internal Edge(Node from, Node to) => (From, To) = (from, to);

    /// <summary>The node that announced the edge.</summary>
    public Node From { get; }

    /// <summary>The node at the other end.</summary>
    public Node To { get; }

    /// <summary>Address and UDP port at which From sees To, as text, exactly as announced (it may be no numeric address).</summary>
    public (string Address, string Port) AddressText { get; set; } = ("unspec", "unspec");

    /// <summary>The numeric form of <see cref="AddressText"/>, or "no address".</summary>
    public Endpoint Address { get; set; }

    /// <summary>From's own address and UDP port on the connection, or "no address"; fields 7 and 8 of ADD_EDGE (tinc 1.1 reference, 1.7).</summary>
    public Endpoint LocalAddress { get; set; }

    /// <summary>Option bits, unknown ones included.</summary>
    public EdgeOptions Options { get; set; }

    /// <summary>Weight in milliseconds or as configured; lower is nearer.</summary>
    public int Weight { get; set; }

    /// <summary>The opposite edge, if it is known.</summary>
    public Edge? Reverse { get; internal set; }

    /// <summary>By weight, then from-name, then to-name (tinc 1.0 reference, 7.1).</summary>
    internal static readonly Comparer<Edge> ByWeight = Comparer<Edge>.Create((x, y) =>
    {
        int order = x.Weight.CompareTo(y.Weight);
        if (order == 0)
            order = string.CompareOrdinal(x.From.Name, y.From.Name);
        return order == 0 ? string.CompareOrdinal(x.To.Name, y.To.Name) : order;
    });
}
