using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Wire;

/// <summary>Expected values: tinc 1.0 reference, 6.1 and 6.2, and the compressed spellings of tinc 1.1 named in 0.2.</summary>
public class SubnetTests
{
    [Theory]
    [InlineData("10.1.0.0/16", "10.1.0.0/16#10")]
    [InlineData("10.1.0.0/16#10", "10.1.0.0/16#10")]
    [InlineData("10.20.1.1", "10.20.1.1/32#10")]
    [InlineData("01.2.3.4", "1.2.3.4/32#10")]
    [InlineData("10.0.0.0/8#-3", "10.0.0.0/8#-3")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0#10")]
    [InlineData("0:1a:b:c:d:e#10", "0:1a:b:c:d:e#10")]
    [InlineData("00:1a:0b:0c:0d:0e", "0:1a:b:c:d:e#10")]
    [InlineData("fd00::/64", "fd00:0:0:0:0:0:0:0/64#10")]
    [InlineData("fd00:0:0:0:0:0:0:0/64#7", "fd00:0:0:0:0:0:0:0/64#7")]
    [InlineData("::1", "0:0:0:0:0:0:0:1/128#10")]
    [InlineData("::", "0:0:0:0:0:0:0:0/128#10")]
    [InlineData("1::", "1:0:0:0:0:0:0:0/128#10")]
    [InlineData("::ffff:192.0.2.1", "0:0:0:0:0:ffff:c000:201/128#10")]
    [InlineData("1:2:3:4:5:6:7:8/127", "1:2:3:4:5:6:7:8/127#10")]
    public void A_subnet_is_read_in_every_spelling_and_written_in_the_release_form(string text, string emitted)
    {
        Assert.True(Subnet.TryParse(text, out Subnet subnet));
        Assert.Equal(emitted, subnet.ToString());
    }

    /// <summary>What tincd 1.1pre18 made of them in its list of subnets.</summary>
    [Theory]
    [InlineData("2001:db8:0:1:0:0:0:1/128", "2001:db8:0:1::1")]
    [InlineData("::/0", "::/0")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("1:0:2:0:0:5:0:0/96", "1:0:2::5:0:0/96")]
    [InlineData("1:2:3:0:5:6:7:8", "1:2:3:0:5:6:7:8")]
    [InlineData("::ffff:1.2.3.4", "::ffff:102:304")]
    [InlineData("::1.2.3.4", "::102:304")]
    [InlineData("fd20:0:0:1::/64", "fd20:0:0:1::/64")]
    [InlineData("0:1a:2:3:4:5#5", "00:1a:02:03:04:05#5")]
    [InlineData("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff")]
    [InlineData("10.99.0.0/16#7", "10.99.0.0/16#7")]
    [InlineData("10.98.0.1#10", "10.98.0.1")]
    [InlineData("2001:db8::1#3", "2001:db8::1#3")]
    public void The_short_form_is_that_of_the_development_branch(string text, string emitted)
    {
        Assert.True(Subnet.TryParse(text, out Subnet subnet));
        Assert.Equal(emitted, subnet.ShortText);
        Assert.True(Subnet.TryParse(emitted, out Subnet again));
        Assert.Equal(subnet, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0#")]
    [InlineData("10.0.0.0/24x")]
    [InlineData("10.0.0.0/24#5x")]
    [InlineData("10.0.0")]
    [InlineData("10.0.0.0.0")]
    [InlineData("256.0.0.1")]
    [InlineData("0:1a:b:c:d:e/48")]
    [InlineData("1::2::3")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1:2:3:4:5:6:7:8::")]
    [InlineData("12345::")]
    [InlineData("::/129")]
    [InlineData("fd00::1.2.3")]
    [InlineData("hello")]
    public void Nonsense_is_refused(string text) => Assert.False(Subnet.TryParse(text, out _));

    [Theory]
    [InlineData("10.1.0.0/16", "10.1.255.1", true)]
    [InlineData("10.1.0.0/16", "10.2.0.0", false)]
    [InlineData("0.0.0.0/0", "255.1.2.3", true)]
    [InlineData("fd00::/64", "fd00::1234:0:0:1", true)]
    [InlineData("fd00::/64", "fd00:0:0:1::", false)]
    public void A_subnet_contains_the_addresses_under_its_prefix(string subnet, string address, bool inside)
    {
        Assert.True(Subnet.TryParse(subnet, out Subnet network));
        Assert.True(Subnet.TryParse(address, out Subnet host));
        Assert.Equal(inside, network.Contains(host.Address));
    }

    [Theory]
    [InlineData("10.1.0.0/16", true)]
    [InlineData("10.1.0.1/16", false)]
    [InlineData("fd00::1/64", false)]
    [InlineData("0:1:2:3:4:5", true)]
    public void Host_bits_are_seen(string text, bool zero)
    {
        Assert.True(Subnet.TryParse(text, out Subnet subnet));
        Assert.Equal(zero, subnet.HostBitsAreZero);
    }

    [Fact]
    public void Subnets_sort_by_kind_longer_prefix_address_weight()
    {
        string[] ordered =
        [
            "0:0:0:0:0:1#10", "0:0:0:0:0:2#10", "10.0.0.1/32#10", "10.0.0.0/24#1", "10.0.0.0/24#2", "10.0.1.0/24#1",
            "9.0.0.0/8#10", "fd00:0:0:0:0:0:0:0/64#10", "0:0:0:0:0:0:0:0/0#10",
        ];
        var subnets = ordered.Select(text => Subnet.TryParse(text, out Subnet subnet) ? subnet : default).Reverse().ToList();
        subnets.Sort();
        Assert.Equal(ordered, subnets.Select(subnet => subnet.ToString()));
    }
}
