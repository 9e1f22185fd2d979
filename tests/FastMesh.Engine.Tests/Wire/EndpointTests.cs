using System.Net;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Wire;

public class EndpointTests
{
    [Theory]
    [InlineData("192.0.2.1", "655", "192.0.2.1 port 655")]
    [InlineData("2001:db8:0:0::1", "1", "2001:db8::1 port 1")]
    [InlineData("::ffff:192.0.2.1", "655", "192.0.2.1 port 655")]
    public void Numeric_texts_become_addresses(string address, string port, string text)
    {
        Assert.True(Endpoint.TryParse(address, port, out Endpoint endpoint));
        Assert.Equal(text, endpoint.ToString());
    }

    [Theory]
    [InlineData("unspec", "unspec")]
    [InlineData("localhost", "655")]
    [InlineData("192.0.2.1", "65536")]
    [InlineData("192.0.2.1", "-1")]
    [InlineData("1", "655")]
    [InlineData("192.0.2", "655")]
    [InlineData("", "")]
    public void Anything_else_is_no_address(string address, string port) => Assert.False(Endpoint.TryParse(address, port, out _));

    [Fact]
    public void Socket_addresses_have_the_layout_of_linux()
    {
        // linux-dataplane reference 2.1: family 2 little endian, port and address big endian, 16 bytes; family 10, 28 bytes.
        byte[] bytes = new byte[Endpoint.MaxSockaddrLength];
        Assert.Equal(16, Endpoint.FromIPv4(0xC0000201, 655).WriteSockaddr(bytes));
        Assert.Equal("0200028FC00002010000000000000000", Convert.ToHexString(bytes.AsSpan(0, 16)));

        var v6 = Endpoint.From(IPAddress.Parse("fe80::1%3"), 655);
        Assert.Equal(28, v6.WriteSockaddr(bytes));
        Assert.Equal("0A00028F00000000FE80000000000000000000000000000103000000", Convert.ToHexString(bytes));
        Assert.Equal(v6, Endpoint.FromSockaddr(bytes));
    }

    [Fact]
    public void A_mapped_socket_address_is_read_as_IPv4()
    {
        byte[] bytes = new byte[28];
        bytes[0] = 10;
        (bytes[2], bytes[3]) = (0x02, 0x8F);
        (bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]) = (0xff, 0xff, 192, 0, 2, 1);
        Assert.Equal(Endpoint.FromIPv4(0xC0000201, 655), Endpoint.FromSockaddr(bytes));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    public void A_short_socket_address_is_no_address(int length) => Assert.False(Endpoint.FromSockaddr(new byte[length]).IsSet);
}
