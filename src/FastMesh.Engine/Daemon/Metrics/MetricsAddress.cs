using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Daemon.Metrics;

/// <summary>Where metrics and the page are served: an IP address with a port, or a UNIX socket.</summary>
public sealed record MetricsAddress
{
    private const string UnixPrefix = "unix:";

    private MetricsAddress(string text, Endpoint endpoint, string? path) => (Text, Endpoint, Path) = (text, endpoint, path);

    /// <summary>As configured.</summary>
    public string Text { get; }

    /// <summary>The address, or "no address" if it is a UNIX socket.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>Absolute path of the UNIX socket, or null.</summary>
    public string? Path { get; }

    /// <summary>Whether other machines may reach it.</summary>
    public bool IsExposed => Endpoint.IsSet && !Endpoint.IsLoopback;

    /// <summary>Reads <c>A.B.C.D:PORT</c>, <c>[IPV6]:PORT</c> or <c>unix:/PATH</c>.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out MetricsAddress? address)
    {
        ArgumentNullException.ThrowIfNull(text);
        address = null;
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            string path = text[UnixPrefix.Length..];
            if (path.StartsWith('/') && !path.EndsWith('/'))
                address = new(text, default, path);
        }
        else if (text.LastIndexOf(':') is > 0 and int colon && TryHost(text.AsSpan(0, colon), out ReadOnlySpan<char> host)
            && Endpoint.TryParse(host, text.AsSpan(colon + 1), out Endpoint endpoint))
        {
            address = new(text, endpoint, null);
        }

        return address is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>How a browser reaches an address: <c>http://127.0.0.1:9655/</c>.</summary>
    internal static string Url(Endpoint endpoint) => string.Create(CultureInfo.InvariantCulture,
        $"http://{(endpoint.IsIPv6 ? $"[{endpoint.AddressText}]" : endpoint.AddressText)}:{endpoint.Port}/");

    /// <summary>An IPv6 address stands in brackets, an IPv4 address does not.</summary>
    private static bool TryHost(ReadOnlySpan<char> text, out ReadOnlySpan<char> host)
    {
        bool bracketed = text is ['[', .., ']'];
        host = bracketed ? text[1..^1] : text;
        return bracketed == host.Contains(':');
    }
}
