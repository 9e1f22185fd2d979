using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// What a log message says beyond its text. Every message is an event with a number and a name that do not change (docs/EVENTS.md): 1 to 99
/// the program, 100 to 299 the control plane, 300 to 399 the daemon, 400 to 499 the data path.
/// </summary>
public static class LogEvent
{
    private const int RedeemedInvitations = 20, ProgramEnd = 99, ControlPlane = 100, DataPath = 400, LookupFailed = 330, AcceptFailed = 331;

    /// <summary>Whether strangers or peers can cause an event as often as they like, so that it needs a limit.</summary>
    public static bool CanBeProvoked(int id)
        => id is (>= ControlPlane and < 300) or (>= DataPath and < 500) or (>= RedeemedInvitations and <= ProgramEnd) or LookupFailed or AcceptFailed;

    /// <summary>The fields of a message: names in camelCase; values are numbers or texts. A connection gives node, address and port.</summary>
    /// <param name="state">What the logger got.</param>
    public static IEnumerable<KeyValuePair<string, object>> FieldsOf(object? state)
    {
        foreach ((string name, object? value) in Arguments(state))
        {
            if (value is MetaConnection { Name: { } node })
                yield return new("node", node);
            if (TryGetAddress(value, out Endpoint address))
            {
                yield return new("address", address.AddressText);
                yield return new("port", (int)address.Port);
            }
            else if (value is not null and not MetaConnection)
            {
                object plain = value is int or long or double ? value : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
                yield return new(char.ToLowerInvariant(name[0]) + name[1..], plain);
            }
        }
    }

    /// <summary>
    /// Whom a message is about, or null: the address of a connection, because until it has proved who it is its name is only a claim; of IPv6
    /// the network, because whoever has one has 2^64 addresses; else the name of a node.
    /// </summary>
    /// <param name="state">What the logger got.</param>
    public static string? PeerOf(object? state)
    {
        string? peer = null;
        foreach ((string name, object? value) in Arguments(state))
        {
            if (TryGetAddress(value, out Endpoint address))
                return Network(address);
            if (name is "Node" or "Owner" && value is string node)
                peer ??= node;
        }

        return peer;
    }

    /// <summary>The addresses in a message, which its text has in the form <c>ADDRESS port PORT</c>.</summary>
    /// <param name="state">What the logger got.</param>
    public static IEnumerable<Endpoint> AddressesOf(object? state)
    {
        foreach ((_, object? value) in Arguments(state))
        {
            if (TryGetAddress(value, out Endpoint address))
                yield return address;
        }
    }

    private static IEnumerable<KeyValuePair<string, object?>> Arguments(object? state)
        => state is IEnumerable<KeyValuePair<string, object?>> arguments ? arguments.Where(argument => argument.Key != "{OriginalFormat}") : [];

    private static bool TryGetAddress([NotNullWhen(true)] object? value, out Endpoint address)
    {
        address = value switch { MetaConnection connection => connection.Remote, Endpoint endpoint => endpoint, _ => default };
        return address.IsSet;
    }

    private static string Network(Endpoint address)
        => address.IsIPv6 ? $"{Endpoint.FromIPv6(address.IPv6 >> 64 << 64, 0).AddressText}/64" : address.AddressText;
}
