using FastMesh.Engine.Daemon;

namespace FastMesh.Cli.Tests.Config;

public sealed class InterfaceVariablesTests
{
    [Fact]
    public void Steps_come_in_the_order_in_which_they_can_be_done()
        => Assert.Equal(
            ["mtu 1400", "address 10.0.0.1/24", "address fd00::1/64", "up", "route 10.1.0.0/16", "route 10.2.0.0/16 via 10.0.0.2", "route fd01::/48"],
            Steps("""
                Route = 10.1.0.0/16
                Route = 10.2.0.0/16 10.0.0.2
                Ifconfig = 10.0.0.1/24
                Route = fd01::/48
                Ifconfig = fd00::1/64
                InterfaceMTU = 1400

                """));

    [Theory]
    [InlineData("", "")]
    [InlineData("InterfaceMTU = 1400", "mtu 1400")]
    [InlineData("Ifconfig = 10.0.0.1", "address 10.0.0.1/32, up")]
    [InlineData("Ifconfig = 10.0.0.1/24\nIfconfig = 10.0.0.1/24", "address 10.0.0.1/24, up")]
    [InlineData("Route = 0.0.0.0/0\nDeviceType = tap", "up, route 0.0.0.0/0")]
    public void A_value_means_what_it_says(string lines, string steps) => Assert.Equal(steps, string.Join(", ", Steps(lines + "\n")));

    [Fact]
    public void A_step_knows_where_it_is_asked_for()
    {
        using LoaderFixture fixture = new("Ifconfig = 10.0.0.1/24\n");
        InterfaceStep step = fixture.Load("-o", "Route=10.1.0.0/16")!.Interface[0];
        Assert.Equal($"Ifconfig in {fixture.Net["tinc.conf"]} line 2", step.Source);
        Assert.Equal("Route in command line option 1", fixture.Load("-o", "Route=10.1.0.0/16")!.Interface[^1].Source);
    }

    [Theory]
    [InlineData("Ifconfig = dhcp", "\"dhcp\" cannot be done for configuration variable Ifconfig in tinc.conf line 2; it needs a script tinc-up; here, write it as ADDRESS/PREFIX")]
    [InlineData("Ifconfig = 10.0.0.1/33", "Invalid address \"10.0.0.1/33\" for configuration variable Ifconfig in tinc.conf line 2; write it as ADDRESS/PREFIX")]
    [InlineData("Ifconfig = 10.1/24", "Invalid address \"10.1/24\" for configuration variable Ifconfig in tinc.conf line 2; write it as ADDRESS/PREFIX")]
    [InlineData("Ifconfig = 00:11:22:33:44:55", "Invalid address \"00:11:22:33:44:55\" for configuration variable Ifconfig in tinc.conf line 2; write it as ADDRESS/PREFIX")]
    [InlineData("Ifconfig = fe80::1%eth0/64", "Invalid address \"fe80::1%eth0/64\" for configuration variable Ifconfig in tinc.conf line 2; write it as ADDRESS/PREFIX")]
    [InlineData("Route = 10.1.0.1/16", "Invalid route \"10.1.0.1/16\" for configuration variable Route in tinc.conf line 2; write it as NETWORK/PREFIX [GATEWAY], with zeros after the prefix")]
    [InlineData("Route = 10.1.0.0/16 fd00::1", "Invalid route \"10.1.0.0/16 fd00::1\" for configuration variable Route in tinc.conf line 2; write it as NETWORK/PREFIX [GATEWAY], with zeros after the prefix")]
    [InlineData("Route = 10.1.0.0/16 10.0.0.0/24", "Invalid route \"10.1.0.0/16 10.0.0.0/24\" for configuration variable Route in tinc.conf line 2; write it as NETWORK/PREFIX [GATEWAY], with zeros after the prefix")]
    [InlineData("InterfaceMTU = 67", "Invalid MTU \"67\" for configuration variable InterfaceMTU in tinc.conf line 2; it is a number from 68 to 65535")]
    [InlineData("InterfaceMTU = big", "Invalid MTU \"big\" for configuration variable InterfaceMTU in tinc.conf line 2; it is a number from 68 to 65535")]
    [InlineData("InterfaceMTU = 1279\nRoute = fd00::/64", "Too small an MTU for IPv6 for configuration variable InterfaceMTU in tinc.conf line 2; it is at least 1280 with IPv6 addresses or routes")]
    [InlineData("Ifconfig = 10.0.0.1/24\nDeviceType = dummy", "Only a tun or tap device can be set up for configuration variable Ifconfig in tinc.conf line 2; remove it, or set DeviceType")]
    public void A_value_that_is_wrong_stops_the_start(string lines, string message)
    {
        using LoaderFixture fixture = new(lines + "\n");
        Assert.Null(fixture.Load());
        Assert.Equal([message], fixture.Messages);
    }

    private static string[] Steps(string lines)
    {
        using LoaderFixture fixture = new(lines);
        DaemonOptions? options = fixture.Load();
        Assert.Empty(fixture.Messages);
        return [.. options!.Interface.Select(step => step.ToString())];
    }
}
