using System.Globalization;
using System.Net;
using System.Net.Sockets;
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
        return TryParse(value, out IPAddress? address, out int? prefix) && Add($"ip addr replace {Text(address!, prefix)} dev \"$INTERFACE\"");
    }

    /// <summary>Takes the value of a Route line, <c>SUBNET [GATEWAY]</c>; false if it cannot be understood.</summary>
    public bool TryAddRoute(string value)
    {
        string[] words = value.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is not (1 or 2) || !TryParse(words[0], out IPAddress? network, out int? prefix)
            || !Subnet.TryParse(words[0], out Subnet subnet) || !subnet.HostBitsAreZero)
            return false;
        if (words.Length == 1)
            return Add($"ip route add {Text(network!, prefix)} dev \"$INTERFACE\"");
        return TryParse(words[1], out IPAddress? gateway, out int? none) && none is null && gateway!.AddressFamily == network!.AddressFamily
            && Add($"ip route add {Text(network, prefix)} via {gateway} dev \"$INTERFACE\" onlink");
    }

    /// <summary>The script. The interface is brought up first, because no route leads to one that is down.</summary>
    public override string ToString() => $"#!/bin/sh\nip link set dev \"$INTERFACE\" up\n{string.Concat(_lines.Select(l => l + "\n"))}";

    private bool Add(string line)
    {
        _lines.Add(line);
        IsEmpty = false;
        return true;
    }

    private static string Text(IPAddress address, int? prefix)
        => prefix is null ? $"{address}" : string.Create(CultureInfo.InvariantCulture, $"{address}/{prefix}");

    private static bool TryParse(string text, out IPAddress? address, out int? prefix)
    {
        prefix = null;
        string[] parts = text.Split('/');
        if (!IPAddress.TryParse(parts[0], out address) || parts.Length > 2 || address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0)
            return false;
        if (address.AddressFamily == AddressFamily.InterNetwork && parts[0].Split('.').Length != 4)
            return false; // 10.1 would be 10.0.0.1
        if (parts.Length == 1)
            return true;
        bool valid = int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int bits) && bits <= address.GetAddressBytes().Length * 8;
        prefix = bits;
        return valid;
    }
}
