using System.Net;
using FastMesh.Native.Linux;

namespace FastMesh.Native.Tests.Linux;

/// <summary>What rtnetlink did is read back with the program ip.</summary>
public sealed class RouteSocketTests
{
    [SkippableFact]
    public void An_interface_gets_its_mtu_and_goes_up_and_down() => With(static (net, socket, index) =>
    {
        Assert.Equal(0, socket.SetMtu(index, 1400));
        Assert.Equal(1400, NetworkInterface.Mtu("t0"));
        Assert.Equal(0, NetworkInterface.IsUp("t0"));
        Assert.Equal(0, socket.SetUp(index, up: true));
        Assert.Equal(1, NetworkInterface.IsUp("t0"));
        Assert.Contains(" mtu 1400 ", net.Ip("link show t0"), StringComparison.Ordinal);
        Assert.Equal(0, socket.SetUp(index, up: false));
        Assert.Equal(0, NetworkInterface.IsUp("t0"));
        Assert.Equal(-Errno.EINVAL, socket.SetMtu(index, 1_000_000));
    });

    [SkippableTheory]
    [InlineData("10.9.0.1", 24, "inet 10.9.0.1/24 scope global t0")]
    [InlineData("10.9.0.1", 32, "inet 10.9.0.1/32 scope global t0")]
    [InlineData("fd00::1", 64, "inet6 fd00::1/64 scope global")]
    public void An_address_comes_and_goes(string address, int prefix, string shown) => With((net, socket, index) =>
    {
        byte[] bytes = IPAddress.Parse(address).GetAddressBytes();
        Assert.Equal(0, socket.AddAddress(index, bytes, prefix));
        Assert.Contains(shown, net.Ip("addr show t0"), StringComparison.Ordinal);
        Assert.Equal(-Errno.EEXIST, socket.AddAddress(index, bytes, prefix));
        Assert.Equal(0, socket.DeleteAddress(index, bytes, prefix));
        Assert.DoesNotContain(address, net.Ip("addr show t0"), StringComparison.Ordinal);
        Assert.Equal(-Errno.EADDRNOTAVAIL, socket.DeleteAddress(index, bytes, prefix));
    });

    [SkippableTheory]
    [InlineData("10.8.0.0", 16, null, "10.8.0.0/16 dev t0 proto static scope link")]
    [InlineData("10.8.0.0", 16, "10.77.0.1", "10.8.0.0/16 via 10.77.0.1 dev t0 proto static onlink")]
    [InlineData("0.0.0.0", 0, null, "default dev t0 proto static scope link")]
    [InlineData("fd08::", 32, null, "fd08::/32 dev t0 proto static metric 1024")]
    [InlineData("fd08::", 32, "fd77::1", "fd08::/32 via fd77::1 dev t0 proto static metric 1024 onlink")]
    public void A_route_comes_and_goes(string network, int prefix, string? gateway, string shown) => With((net, socket, index) =>
    {
        (byte[] to, byte[] via) = (IPAddress.Parse(network).GetAddressBytes(), gateway is null ? [] : IPAddress.Parse(gateway).GetAddressBytes());
        string family = to.Length == 4 ? "-4" : "-6";
        Assert.Equal(-Errno.ENETDOWN, socket.AddRoute(index, to, prefix, via));
        socket.SetUp(index, up: true);
        Assert.Equal(0, socket.AddRoute(index, to, prefix, via));
        Assert.Contains(shown, net.Ip($"{family} route show {network}/{prefix}"), StringComparison.Ordinal);
        Assert.Equal(-Errno.EEXIST, socket.AddRoute(index, to, prefix, via));
        Assert.Equal(0, socket.DeleteRoute(index, to, prefix, via));
        Assert.Equal(-Errno.ESRCH, socket.DeleteRoute(index, to, prefix, via));
    });

    [SkippableFact]
    public void A_route_by_another_interface_is_not_deleted() => With(static (net, socket, index) =>
    {
        net.Ip("route add 10.8.0.0/16 dev lo");
        socket.SetUp(index, up: true);
        byte[] network = [10, 8, 0, 0];
        Assert.Equal(-Errno.EEXIST, socket.AddRoute(index, network, 16, []));
        Assert.Equal(-Errno.ESRCH, socket.DeleteRoute(index, network, 16, []));
        Assert.Contains("10.8.0.0/16 dev lo", net.Ip("route"), StringComparison.Ordinal);
    });

    private static void With(Action<PrivateNetwork, RouteSocket, int> test) => PrivateNetwork.Run(net =>
    {
        using TunDevice device = TunDevice.Open(new() { Name = "t0" });
        net.Ip("link set lo up"); // without any address the kernel takes every gateway for invalid
        using RouteSocket socket = RouteSocket.Open();
        test(net, socket, NetworkInterface.Index("t0"));
    });
}
