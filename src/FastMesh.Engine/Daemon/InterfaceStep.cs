using System.Globalization;
using System.Net;

namespace FastMesh.Engine.Daemon;

/// <summary>Something that can be set up of an interface.</summary>
public enum InterfaceStepKind
{
    /// <summary>Its MTU.</summary>
    Mtu,

    /// <summary>An address with the length of its network's prefix.</summary>
    Address,

    /// <summary>That it is up.</summary>
    Up,

    /// <summary>A route that leads to it, with or without a gateway behind it.</summary>
    Route,
}

/// <summary>One thing that the configuration wants of the interface (Ifconfig, Route, InterfaceMTU), in the order of <see cref="InterfaceStepKind"/>.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Address">The address, or a route's network, with its prefix; else null.</param>
/// <param name="Number">Length of the prefix, or the MTU in bytes.</param>
/// <param name="Gateway">A route's gateway, of the same family, or null.</param>
public sealed record InterfaceStep(InterfaceStepKind Kind, IPAddress? Address = null, int Number = 0, IPAddress? Gateway = null)
{
    /// <summary>Where it is asked for, as messages name it: <c>Route in /etc/tinc/x/tinc.conf line 3</c>. Not part of what it is.</summary>
    public string Source { get; init; } = "";

    /// <summary>As <c>status</c> shows it: <c>address 10.0.0.1/24</c>, <c>route 10.1.0.0/16 via 10.0.0.2</c>, <c>mtu 1400</c>, <c>up</c>.</summary>
    public override string ToString() => Kind switch
    {
        InterfaceStepKind.Mtu => string.Create(CultureInfo.InvariantCulture, $"mtu {Number}"),
        InterfaceStepKind.Address => $"address {Network}",
        InterfaceStepKind.Route => Gateway is null ? $"route {Network}" : $"route {Network} via {Gateway}",
        _ => "up",
    };

    /// <summary>Address and prefix: <c>10.0.0.1/24</c>.</summary>
    public string Network => string.Create(CultureInfo.InvariantCulture, $"{Address}/{Number}");

    /// <summary>Whether both ask for the same, wherever.</summary>
    public bool Equals(InterfaceStep? other)
        => other is not null && Kind == other.Kind && Number == other.Number && Equals(Address, other.Address) && Equals(Gateway, other.Gateway);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Address, Number, Gateway);
}
