using System.Net;
using System.Net.Sockets;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Daemon;

/// <summary>Turns host names into addresses as the daemon does.</summary>
public static class NameLookup
{
    /// <summary>Looks one name up, waiting for the answer.</summary>
    /// <exception cref="SocketException">There is no such name or service, or no address of that family; the message says which.</exception>
    public static List<Endpoint> LookUp(HostPort target, AddressFamilyChoice family)
    {
        if (!ServiceNames.TryGetPort(target.Port, out ushort port))
            throw new SocketException((int)SocketError.TypeNotFound, "Servname not supported for ai_socktype");

        List<Endpoint> found = [];
        foreach (IPAddress address in Addresses(target.Host))
        {
            if (Matches(address.AddressFamily, family))
                found.Add(Endpoint.From(address, port));
        }

        return found.Count > 0
            ? found
            : throw new SocketException((int)SocketError.NoData, "Address family for hostname not supported");
    }

    /// <summary>The C library's words for a failed lookup.</summary>
    public static string Describe(SocketException failure) => failure.SocketErrorCode switch
    {
        SocketError.HostNotFound => "Name or service not known",
        SocketError.TryAgain => "Temporary failure in name resolution",
        _ => failure.Message,
    };

    /// <summary>The resolver itself refuses "any" addresses and over-long names in ways of its own.</summary>
    private static IPAddress[] Addresses(string host)
    {
        if (IPAddress.TryParse(host, out IPAddress? numeric))
            return [numeric];
        const int MaxName = 255;
        return host.Length is > 0 and <= MaxName ? Dns.GetHostAddresses(host) : throw new SocketException((int)SocketError.HostNotFound);
    }

    private static bool Matches(AddressFamily family, AddressFamilyChoice wanted) => wanted switch
    {
        AddressFamilyChoice.IPv4 => family == AddressFamily.InterNetwork,
        AddressFamilyChoice.IPv6 => family == AddressFamily.InterNetworkV6,
        _ => family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6,
    };
}
