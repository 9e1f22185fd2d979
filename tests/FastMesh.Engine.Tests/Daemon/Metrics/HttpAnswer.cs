using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FastMesh.Engine.Tests.Daemon.Metrics;

/// <summary>An answer of the server, taken apart by hand.</summary>
internal sealed record HttpAnswer(string Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    /// <summary>Sends bytes, and reads until the server closes.</summary>
    public static HttpAnswer To(EndPoint server, string request)
    {
        using Socket socket = Connect(server);
        socket.Send(Encoding.Latin1.GetBytes(request));
        return From(socket);
    }

    /// <summary>GET as a scraper sends it.</summary>
    public static HttpAnswer Get(EndPoint server, string path, string accept = "*/*", string method = "GET", string host = "127.0.0.1") =>
        To(server, $"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n");

    public static Socket Connect(EndPoint server)
    {
        Socket socket = new(server.AddressFamily, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 60_000 };
        socket.Connect(server);
        return socket;
    }

    public static HttpAnswer From(Socket socket)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[65536];
        for (int count; (count = socket.Receive(buffer)) > 0;)
            all.Write(buffer, 0, count);
        string text = Encoding.UTF8.GetString(all.ToArray());
        int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        Assert.True(end > 0, $"No answer but \"{text}\"");
        string[] head = text[..end].Split("\r\n");
        Assert.StartsWith("HTTP/1.1 ", head[0], StringComparison.Ordinal);
        return new(
            head[0]["HTTP/1.1 ".Length..],
            head[1..].Select(line => line.Split(": ", 2)).ToDictionary(field => field[0], field => field[1], StringComparer.OrdinalIgnoreCase),
            text[(end + 4)..]);
    }
}
