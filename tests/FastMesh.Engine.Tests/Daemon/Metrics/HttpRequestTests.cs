using System.Text;
using FastMesh.Engine.Daemon.Metrics;

namespace FastMesh.Engine.Tests.Daemon.Metrics;

/// <summary>Requests as RFC 9112 has them, and what is none.</summary>
public sealed class HttpRequestTests
{
    [Fact]
    public void A_request_is_read_as_soon_as_it_is_whole()
    {
        byte[] whole = Encoding.ASCII.GetBytes("GET /metrics?x=1 HTTP/1.1\r\nhost:127.0.0.1:9655\r\nX-Else: \r\nACCEPT: \t text/plain \r\n\r\n");
        for (int length = 0; length < whole.Length; length++)
            Assert.Equal(HttpReading.Incomplete, HttpRequest.TryRead(whole.AsSpan(0, length), out _));
        Assert.Equal(HttpReading.Complete, HttpRequest.TryRead(whole, out HttpRequest request));
        Assert.Equal("GET", Encoding.ASCII.GetString(request.Method));
        Assert.Equal("/metrics", Encoding.ASCII.GetString(request.Path));
        Assert.Equal("127.0.0.1:9655", Encoding.ASCII.GetString(request.Host));
        Assert.Equal("text/plain", Encoding.ASCII.GetString(request.Accept));
    }

    [Theory]
    [InlineData("GET / HTTP/1.0\r\n\r\n")]
    [InlineData("GET / HTTP/1.0\n\n")]
    [InlineData("HEAD / HTTP/1.1\nHost: a\n\n")]
    [InlineData("DELETE /anything HTTP/1.1\r\nHost:\r\n\r\n")]
    public void Older_and_plainer_forms_are_read_too(string text) => Assert.Equal(HttpReading.Complete, Read(text));

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")] // HTTP/1.1 must have a Host
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost : a\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nno colon\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n: empty\r\n\r\n")]
    [InlineData("GET / HTTP/2.0\r\nHost: a\r\n\r\n")]
    [InlineData("GET /\r\n\r\n")]
    [InlineData("GET HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData(" / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET  HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET metrics HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET /\u0001 HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001\n")] // TLS
    public void What_is_malformed_is_told_apart(string text) => Assert.Equal(HttpReading.Malformed, Read(text));

    [Theory]
    [InlineData("127.0.0.1:9655", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("192.0.2.7:80", true)]
    [InlineData("localhost", true)]
    [InlineData("LocalHost:9655", true)]
    [InlineData("[::1]:9655", true)]
    [InlineData("[2001:db8::1]", true)]
    [InlineData("", true)]
    [InlineData("evil.example", false)]
    [InlineData("evil.example:9655", false)]
    [InlineData("localhost.evil.example:9655", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("localhost:", true)] // RFC 3986: the port may be empty
    [InlineData("localhost:port", false)]
    [InlineData("2130706433:9655", false)] // 127.0.0.1 to some
    [InlineData("0x7f.1:9655", false)]
    [InlineData("::1", false)]
    [InlineData("[::1", false)]
    [InlineData("[127.0.0.1]", false)]
    [InlineData("[evil.example]:9655", false)]
    public void Only_a_literal_host_is_nobodys_domain(string host, bool literal)
    {
        Assert.Equal(HttpReading.Complete, HttpRequest.TryRead(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), out HttpRequest request));
        Assert.Equal(literal, request.IsForLiteralHost);
    }

    private static HttpReading Read(string text) => HttpRequest.TryRead(Encoding.ASCII.GetBytes(text), out _);
}
