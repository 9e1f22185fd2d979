using FastMesh.Cli.Config;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Commands;

/// <summary>
/// The <c>tinc-up</c> that the Ifconfig and Route lines of an invitation ask for (tinc 1.1 reference, 9.4). Every value is parsed and written anew, so
/// that nothing of what an inviter writes reaches the shell.
/// </summary>
internal sealed class InterfaceScript
{
    private readonly List<string> _lines = [];

    /// <summary>Whether there was no line for it.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>Takes the value of an Ifconfig line; false if it cannot be understood.</summary>
    public bool TryAddIfconfig(string value)
    {
        switch (value.ToLowerInvariant())
        {
            case "dhcp": return Add("dhclient -nw \"$INTERFACE\"");
            case "dhcp6": return Add("dhclient -6 -nw \"$INTERFACE\"");
            case "slaac":
                return Add("echo 1 >\"/proc/sys/net/ipv6/conf/$INTERFACE/accept_ra\"")
                    && Add("echo 1 >\"/proc/sys/net/ipv6/conf/$INTERFACE/autoconf\"");
        }

        if (Subnet.TryParse(value, out Subnet subnet) && subnet.Kind == SubnetKind.Mac)
            return true; // tinc makes nothing of it either
        return InterfaceVariables.ParseAddress(value) is { } address && Add($"ip addr replace {address.Network} dev \"$INTERFACE\"");
    }

    /// <summary>Takes the value of a Route line, <c>SUBNET [GATEWAY]</c>; false if it cannot be understood.</summary>
    public bool TryAddRoute(string value)
    {
        if (InterfaceVariables.ParseRoute(value) is not { } route)
            return false;
        return Add(route.Gateway is null
            ? $"ip route add {route.Network} dev \"$INTERFACE\""
            : $"ip route add {route.Network} via {route.Gateway} dev \"$INTERFACE\" onlink");
    }

    /// <summary>The script. The interface is brought up first, because no route leads to one that is down.</summary>
    public override string ToString() => $"#!/bin/sh\nip link set dev \"$INTERFACE\" up\n{string.Concat(_lines.Select(l => l + "\n"))}";

    private bool Add(string line)
    {
        _lines.Add(line);
        IsEmpty = false;
        return true;
    }
}
