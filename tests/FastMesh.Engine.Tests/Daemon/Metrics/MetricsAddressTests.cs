using FastMesh.Engine.Daemon.Metrics;

namespace FastMesh.Engine.Tests.Daemon.Metrics;

public sealed class MetricsAddressTests
{
    [Theory]
    [InlineData("127.0.0.1:9655", "127.0.0.1 port 9655", null, false)]
    [InlineData("0.0.0.0:1", "0.0.0.0 port 1", null, true)]
    [InlineData("192.0.2.1:65535", "192.0.2.1 port 65535", null, true)]
    [InlineData("[::1]:9655", "::1 port 9655", null, false)]
    [InlineData("[2001:db8::1]:9655", "2001:db8::1 port 9655", null, true)]
    [InlineData("unix:/run/fastmesh.sock", "unknown port unknown", "/run/fastmesh.sock", false)]
    public void An_address_is_read(string text, string endpoint, string? path, bool exposed)
    {
        Assert.True(MetricsAddress.TryParse(text, out MetricsAddress? address));
        Assert.Equal((endpoint, path, exposed, text), (address.Endpoint.ToString(), address.Path, address.IsExposed, address.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("9655")]
    [InlineData(":9655")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:+1")]
    [InlineData("127.1:9655")]
    [InlineData("localhost:9655")]
    [InlineData("::1:9655")]
    [InlineData("[::1]")]
    [InlineData("[127.0.0.1]:9655")]
    [InlineData("[]:9655")]
    [InlineData("unix:")]
    [InlineData("unix:relative")]
    [InlineData("unix:/run/")]
    [InlineData("/run/fastmesh.sock")]
    public void Anything_else_is_not(string text) => Assert.False(MetricsAddress.TryParse(text, out _));
}
