using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>UPnP, with miniupnpd as the home router.</summary>
public sealed class UpnpTests
{
    /// <summary>
    /// <code>
    ///   inside ── router ── outside
    ///      segment 0   segment 1
    /// </code>
    /// </summary>
    [SkippableTheory, InlineData(Programs.Tinc11), InlineData(Programs.FastMesh)]
    public void A_node_behind_a_router_has_its_ports_forwarded_as_long_as_it_runs(string kind)
    {
        Programs.SkipUnlessUpnp();
        using TestNetwork network = new();
        MeshNode inside = network.AddNode("inside", kind, 0), outside = network.AddNode("outside", Programs.Tincd, 1);
        UpnpRouter router = new(network);
        router.Start();
        Ask(inside, router, "yes");
        inside.Addresses = [router.Host.Address(1)];
        outside.ConnectTo(inside);
        network.Start();
        string[] wanted = [$"TCP:655:{inside.Host.Address()}:655:tinc.mesh", $"UDP:655:{inside.Host.Address()}:655:tinc.mesh"];
        network.Until(() => router.Forwarded.SequenceEqual(wanted), "both ports forwarded");
        network.Until(() => outside.Host.CanPing(inside.Inner), "a ping from outside");
        long end = router.FirstEnd;
        network.Until(() => router.FirstEnd > end, "the lease being renewed");

        Assert.Equal(0, inside.Stop());
        if (kind == Programs.Tinc11)
            return; // it waits for the lease's end
        Assert.Empty(router.Forwarded);
        Assert.Equal(
            [$"UPnP: the router {router.Host.Address()} forwards TCP port 655, UDP port 655 of {UpnpRouter.Outside} to this node"],
            inside.Log().Where(line => line.StartsWith("UPnP", StringComparison.Ordinal)));
    }

    [SkippableFact]
    public void What_a_router_refuses_and_that_there_is_none_is_said_once_and_the_daemon_goes_on()
    {
        Programs.SkipUnlessUpnp();
        using TestNetwork network = new();
        MeshNode node = network.AddNode("node", Programs.FastMesh, 0);
        UpnpRouter router = new(network);
        Ask(node, router, "udponly");
        node.Settings.AddRange(["ListenAddress = * 655", "ListenAddress = * 700"]);
        network.Start();
        node.WaitForLog("^UPnP: no router that forwards ports has answered$");

        router.Start(ports: "655");
        node.WaitForLog($"^UPnP: the router {router.Host.Address()} does not forward UDP port 700: .*[(]606[)]$");
        network.Until(() => router.Forwarded.SequenceEqual([$"UDP:655:{node.Host.Address()}:655:tinc.mesh"]), "the other port forwarded");
        long end = router.FirstEnd;
        network.Until(() => router.FirstEnd > end, "the lease being renewed");
        Assert.Equal(0, node.Stop());
        Assert.Empty(router.Forwarded);
        Assert.Equal(2, node.Log().Count(line => line.StartsWith("UPnP", StringComparison.Ordinal)));
    }

    [SkippableFact]
    public void Without_libminiupnpc_one_line_names_the_package_and_the_daemon_goes_on()
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("node", Programs.FastMesh, 0);
        node.Settings.Add("UPnP = yes");
        string hide = string.Concat(UpnpRouter.Libraries.Select(library => $"mount --bind /dev/null {library}; "));
        node.Launcher.AddRange(["unshare", "--mount", "sh", "-c", $"{hide}exec \"$0\" \"$@\""]);
        network.Start();
        Assert.Equal(0, node.Stop());
        string line = Assert.Single(node.Log(), line => line.StartsWith("UPnP", StringComparison.Ordinal));
        Assert.Contains("install Debian's package libminiupnpc17 or libminiupnpc18", line, StringComparison.Ordinal);
    }

    private static void Ask(MeshNode node, UpnpRouter router, string value)
    {
        node.Settings.AddRange([$"UPnP = {value}", "UPnPDiscoverWait = 1", "UPnPRefreshPeriod = 2"]);
        node.Host.Sh($"ip route add default via {router.Host.Address()}");
    }
}
