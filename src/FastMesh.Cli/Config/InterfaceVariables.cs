using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Config;

/// <summary>Ifconfig, Route and InterfaceMTU: the first two in the words of tinc 1.1's invitations (tinc 1.1 reference, 9.4).</summary>
internal static class InterfaceVariables
{
    private const int MinMtu = 68, MinMtu6 = 1280, MaxMtu = 65535; // of IPv4, of IPv6, of any tun device

    private const string AddressForm = "write it as ADDRESS/PREFIX", RouteForm = "write it as NETWORK/PREFIX [GATEWAY], with zeros after the prefix";

    /// <summary>What the configuration wants of the interface, in the order in which it can be done.</summary>
    /// <param name="server">The values; what is wrong with them goes to its report.</param>
    /// <param name="device">The kind of the device: only tun and tap have an interface of ours.</param>
    public static IReadOnlyList<InterfaceStep> Read(ConfigTree server, DeviceKind device)
    {
        List<InterfaceStep> steps = [.. ReadMtu(server), .. ReadAddresses(server), .. ReadRoutes(server)];
        if (steps.Count > 0 && device is not (DeviceKind.Tun or DeviceKind.Tap) && FirstEntry(server) is { } entry)
            server.Report.Fail(entry, "Only a tun or tap device can be set up", "remove it, or set DeviceType");
        bool isIPv6(InterfaceStep step) => step.Address?.AddressFamily == AddressFamily.InterNetworkV6;
        if (steps.FirstOrDefault(step => step.Kind == InterfaceStepKind.Mtu && step.Number < MinMtu6) is not null && steps.Any(isIPv6))
            server.Report.Fail(server.First("InterfaceMTU")!, "Too small an MTU for IPv6", $"it is at least {MinMtu6} with IPv6 addresses or routes");
        if (steps.Any(step => step.Kind is InterfaceStepKind.Address or InterfaceStepKind.Route))
            steps.Add(new InterfaceStep(InterfaceStepKind.Up) { Source = "which Ifconfig and Route need" });
        return [.. steps.OrderBy(step => step.Kind).Distinct()];
    }

    /// <summary>Reads the value of an Ifconfig line that is an address; without a prefix it is one of a single host.</summary>
    public static InterfaceStep? ParseAddress(string value)
        => TryParse(value, out IPAddress? address, out int prefix, out _) ? new InterfaceStep(InterfaceStepKind.Address, address, prefix) : null;

    /// <summary>Reads the value of a Route line, <c>SUBNET [GATEWAY]</c>.</summary>
    public static InterfaceStep? ParseRoute(string value)
    {
        string[] words = value.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is not (1 or 2) || !TryParse(words[0], out IPAddress? network, out int prefix, out _)
            || !Subnet.TryParse(words[0], out Subnet subnet) || !subnet.HostBitsAreZero)
            return null;
        if (words.Length == 1)
            return new InterfaceStep(InterfaceStepKind.Route, network, prefix);
        return TryParse(words[1], out IPAddress? gateway, out _, out bool isHost) && isHost && gateway!.AddressFamily == network!.AddressFamily
            ? new InterfaceStep(InterfaceStepKind.Route, network, prefix, gateway) : null;
    }

    private static IEnumerable<InterfaceStep> ReadMtu(ConfigTree server)
    {
        if (server.First("InterfaceMTU") is not { } entry)
            yield break;
        if (ConfigValue.TryParseInteger(entry.Value, out int mtu) && mtu is >= MinMtu and <= MaxMtu)
            yield return new InterfaceStep(InterfaceStepKind.Mtu, null, mtu) { Source = SourceOf(entry) };
        else
            server.Report.Fail(entry, $"Invalid MTU \"{entry.Value}\"", $"it is a number from {MinMtu} to {MaxMtu}");
    }

    private static IEnumerable<InterfaceStep> ReadAddresses(ConfigTree server)
    {
        foreach (ConfigEntry entry in server.All("Ifconfig"))
        {
            if (ParseAddress(entry.Value) is { } step)
                yield return step with { Source = SourceOf(entry) };
            else if (entry.Value.ToLowerInvariant() is "dhcp" or "dhcp6" or "slaac")
                server.Report.Fail(entry, $"\"{entry.Value}\" cannot be done", "it needs a script tinc-up; here, " + AddressForm);
            else
                server.Report.Fail(entry, $"Invalid address \"{entry.Value}\"", AddressForm);
        }
    }

    private static IEnumerable<InterfaceStep> ReadRoutes(ConfigTree server)
    {
        foreach (ConfigEntry entry in server.All("Route"))
        {
            if (ParseRoute(entry.Value) is { } step)
                yield return step with { Source = SourceOf(entry) };
            else
                server.Report.Fail(entry, $"Invalid route \"{entry.Value}\"", RouteForm);
        }
    }

    private static ConfigEntry? FirstEntry(ConfigTree server) => server.First("Ifconfig") ?? server.First("Route") ?? server.First("InterfaceMTU");

    private static string SourceOf(ConfigEntry entry) => $"{entry.Variable} in {entry.Place}";

    private static bool TryParse(string text, out IPAddress? address, out int prefix, out bool isHost)
    {
        string[] parts = text.Split('/');
        (prefix, isHost) = (0, parts.Length == 1);
        if (!IPAddress.TryParse(parts[0], out address) || parts.Length > 2 || (address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0))
            return false;
        if (address.AddressFamily == AddressFamily.InterNetwork && parts[0].Split('.').Length != 4)
            return false; // 10.1 would be 10.0.0.1
        int bits = address.GetAddressBytes().Length * 8;
        prefix = bits;
        return isHost || (int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out prefix) && prefix <= bits);
    }
}
