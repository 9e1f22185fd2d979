using System.Buffers.Text;
using System.Net;
using System.Text;

namespace FastMesh.Engine.Daemon.Metrics;

/// <summary>What came of reading a request.</summary>
internal enum HttpReading
{
    /// <summary>Its end has not arrived yet.</summary>
    Incomplete,

    /// <summary>It is whole and well-formed.</summary>
    Complete,

    /// <summary>It never will be.</summary>
    Malformed,
}

/// <summary>
/// The head of an HTTP/1 request (RFC 9112), as far as a server of a few read-only documents needs it. Borrows the bytes it was read from. Stricter than
/// it must be: no folded lines, no blank before a colon, the target in origin form, one Host at most.
/// </summary>
internal readonly ref struct HttpRequest
{
    private HttpRequest(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path)
    {
        Method = method;
        Path = path;
    }

    /// <summary>The method.</summary>
    public ReadOnlySpan<byte> Method { get; }

    /// <summary>The target up to its query.</summary>
    public ReadOnlySpan<byte> Path { get; }

    /// <summary>The value of Host; empty if there is none, as from clients of HTTP/1.0.</summary>
    public ReadOnlySpan<byte> Host { get; private init; }

    /// <summary>The value of the last Accept.</summary>
    public ReadOnlySpan<byte> Accept { get; private init; }

    /// <summary>Reads what has arrived so far.</summary>
    public static HttpReading TryRead(ReadOnlySpan<byte> bytes, out HttpRequest request)
    {
        request = default;
        int line = bytes.IndexOf((byte)'\n');
        if (line < 0)
            return HttpReading.Incomplete;
        if (!TryReadRequestLine(WithoutReturn(bytes[..line]), out request, out bool needsHost))
            return HttpReading.Malformed;

        ReadOnlySpan<byte> rest = bytes[(line + 1)..], host = default, accept = default;
        bool hasHost = false;
        while ((line = rest.IndexOf((byte)'\n')) >= 0)
        {
            ReadOnlySpan<byte> field = WithoutReturn(rest[..line]);
            rest = rest[(line + 1)..];
            if (field.IsEmpty)
            {
                request = new(request.Method, request.Path) { Host = host, Accept = accept };
                return hasHost || !needsHost ? HttpReading.Complete : HttpReading.Malformed;
            }

            int colon = field.IndexOf((byte)':');
            if (colon <= 0 || field[..colon].ContainsAny(" \t"u8))
                return HttpReading.Malformed;
            ReadOnlySpan<byte> name = field[..colon], value = field[(colon + 1)..].Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(name, "Accept"u8))
                accept = value;
            if (!Ascii.EqualsIgnoreCase(name, "Host"u8))
                continue;
            if (hasHost)
                return HttpReading.Malformed;
            host = value;
            hasHost = true;
        }

        return HttpReading.Incomplete;
    }

    /// <summary>
    /// Whether <see cref="Host"/> is nobody's domain: a literal address or <c>localhost</c>, or absent. A page of another site that makes its domain point here
    /// (DNS rebinding) shows that domain.
    /// </summary>
    public bool IsForLiteralHost
    {
        get
        {
            ReadOnlySpan<byte> name = Host;
            if (name.IsEmpty)
                return true;
            int colon = name.LastIndexOf((byte)':');
            if (colon >= 0 && name[^1] != ']')
            {
                ReadOnlySpan<byte> port = name[(colon + 1)..];
                if (!port.IsEmpty && (!Utf8Parser.TryParse(port, out ushort _, out int used) || used != port.Length))
                    return false;
                name = name[..colon];
            }

            if (Ascii.EqualsIgnoreCase(name, "localhost"u8))
                return true;
            bool bracketed = name.Length > 2 && name[0] == '[' && name[^1] == ']';
            if (bracketed)
                name = name[1..^1];
            bool isPlain = !name.ContainsAnyExceptInRange((byte)'.', (byte)'9') && name.Count((byte)'.') == 3; // 0x7f.1 is an address to some, too
            return (bracketed ? name.Contains((byte)':') : isPlain) && IPAddress.TryParse(name, out _);
        }
    }

    private static bool TryReadRequestLine(ReadOnlySpan<byte> line, out HttpRequest request, out bool needsHost)
    {
        request = default;
        needsHost = line.EndsWith(" HTTP/1.1"u8);
        int method = line.IndexOf((byte)' ');
        int end = line.Length - " HTTP/1.1".Length;
        if (method <= 0 || method >= end || !(needsHost || line.EndsWith(" HTTP/1.0"u8)))
            return false;
        ReadOnlySpan<byte> target = line[(method + 1)..end];
        if (target.IsEmpty || target[0] != '/' || target.ContainsAnyExceptInRange((byte)'!', (byte)'~'))
            return false;
        int query = target.IndexOf((byte)'?');
        request = new(line[..method], query < 0 ? target : target[..query]);
        return true;
    }

    private static ReadOnlySpan<byte> WithoutReturn(ReadOnlySpan<byte> line) => line is [.., (byte)'\r'] ? line[..^1] : line;
}
