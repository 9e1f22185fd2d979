using System.Text;
using System.Text.RegularExpressions;
using FastMesh.Engine.Daemon.Metrics;

namespace FastMesh.Fuzz.Targets;

/// <summary>Requests to the server of metrics, as anybody may send them.</summary>
internal sealed partial class HttpHead : FuzzTarget
{
    public override int MaxLength => 400;

    public override IEnumerable<byte[]> Seeds =>
    [
        "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9655\r\nAccept: text/plain;version=0.0.4\r\n\r\n"u8.ToArray(),
        "HEAD /?a=b HTTP/1.1\r\nHost: [::1]:9655\r\nAccept-Encoding: gzip\r\n\r\n"u8.ToArray(),
        "GET / HTTP/1.0\n\n"u8.ToArray(), "GET /healthz HTTP/1.1\r\nhost:localhost\r\n\r\n"u8.ToArray(), "GET HTTP/1.1\r\n\r\n"u8.ToArray(),
    ];

    public override void Run(Span<byte> input)
    {
        HttpReading reading = HttpRequest.TryRead(input, out HttpRequest request);
        string text = Encoding.Latin1.GetString(input);
        bool hasEnd = text.Contains("\n\n", StringComparison.Ordinal) || text.Contains("\n\r\n", StringComparison.Ordinal);
        if (reading == HttpReading.Complete && !hasEnd)
            throw new InvalidOperationException("A request without an end was taken");
        if (reading == HttpReading.Incomplete && hasEnd)
            throw new InvalidOperationException("A request with an end is waited for");
        if (reading != HttpReading.Complete)
            return;

        string[] line = text[..text.IndexOf('\n')].TrimEnd('\r').Split(' ');
        if (line.Length != 3 || line[0] != Encoding.Latin1.GetString(request.Method) || line[1].Split('?')[0] != Encoding.Latin1.GetString(request.Path))
            throw new InvalidOperationException("The request line says something else");
        string host = Encoding.Latin1.GetString(request.Host);
        if (request.IsForLiteralHost && !LiteralHost().IsMatch(host))
            throw new InvalidOperationException($"{host} is a name");
        _ = StatusSite.Find(request);
    }

    [GeneratedRegex(@"\A((?i:localhost)|[0-9.]+|\[[0-9a-fA-F:.]+(%[^\]]*)?\])?(:[0-9]*)?\z")]
    private static partial Regex LiteralHost();
}
