using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Ifconfig, Route and InterfaceMTU: an interface that no script and no program sets up.</summary>
public sealed class ProvisioningTests
{
    [SkippableTheory, InlineData("tun"), InlineData("tap")]
    public void Two_nodes_reach_each_other_without_scripts_and_programs(string device)
    {
        using TestNetwork network = new();
        MeshNode alpha = AddNode(network, "alpha"), beta = AddNode(network, "beta");
        foreach (MeshNode node in network.Nodes)
            node.Settings.AddRange(["InterfaceMTU = 1400", $"DeviceType = {device}"]);
        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping over IPv4");
        network.Until(() => beta.Host.CanPing(alpha.Inner6), "a ping over IPv6");
        Assert.Contains(" mtu 1400 ", alpha.Host.Sh("ip link show mesh"), StringComparison.Ordinal);
        Assert.Equal(0, alpha.Stop());
        Assert.NotEqual(0, alpha.Host.Try("ip", "link", "show", "mesh").ExitCode);
    }

    [SkippableFact]
    public void A_device_that_stays_is_left_as_it_was()
    {
        using TestNetwork network = new();
        MeshNode node = AddNode(network, "node");
        node.Settings.AddRange(["InterfaceMTU = 1400", "Route = 10.30.0.0/16", "Ifconfig = 10.40.0.1/24", $"Route = 10.50.0.0/16 {node.Inner}0"]);
        node.Host.Sh("ip tuntap add mesh mode tun; ip link set mesh mtu 1450; ip addr add 10.40.0.1/24 dev mesh; ip route add 10.30.0.0/16 dev eth0");
        string before = StateOf(node);
        node.Start();
        node.WaitForLog(@"^mesh has address 10\.40\.0\.1/24 already \(Ifconfig in .*/tinc\.conf line \d+\)");
        node.WaitForLog(@"^mesh has route 10\.30\.0\.0/16 already \(Route in .*/tinc\.conf line \d+\), or there is such a route by another interface: left as it is$");
        string meanwhile = StateOf(node);
        Assert.Contains($"10.50.0.0/16 via {node.Inner}0 dev mesh proto static onlink", meanwhile, StringComparison.Ordinal);
        Assert.Contains($"inet {node.Inner}/24 ", meanwhile, StringComparison.Ordinal);
        Assert.Contains("mtu 1400 ", meanwhile, StringComparison.Ordinal);
        Assert.Equal(0, node.Stop());
        Assert.Equal(before, StateOf(node));
    }

    /// <summary>What else was on the device, before and meanwhile, stays.</summary>
    [SkippableFact]
    public void What_a_killed_daemon_has_left_on_a_device_that_stays_is_the_next_one_s_to_undo()
    {
        using TestNetwork network = new();
        MeshNode node = AddNode(network, "node");
        node.Settings.AddRange(["InterfaceMTU = 1400", "Ifconfig = 10.40.0.1/24", "Ifconfig = 10.41.0.1/24", "Route = 10.30.0.0/16"]);
        node.Host.Sh("ip tuntap add mesh mode tun; ip link set mesh mtu 1450; ip addr add 10.40.0.1/24 dev mesh");
        string before = StateOf(node);
        node.Start();
        node.Kill();
        string left = StateOf(node);
        Assert.Contains("inet 10.41.0.1/24 ", left, StringComparison.Ordinal);
        node.Host.Sh("ip route del 10.30.0.0/16; ip addr add 10.42.0.1/24 dev mesh");

        node.Settings.Remove("Ifconfig = 10.41.0.1/24"); // not wanted any more
        node.Start();
        string now = StateOf(node);
        Assert.DoesNotContain("inet 10.41.0.1/24 ", now, StringComparison.Ordinal);
        Assert.Contains("10.30.0.0/16 dev mesh", now, StringComparison.Ordinal);
        Assert.Equal(0, node.Stop());
        node.Host.Sh("ip addr del 10.42.0.1/24 dev mesh");
        Assert.Equal(before, StateOf(node));
        Assert.Empty(Directory.GetFiles(node.Directory, "*.interface"));
    }

    [SkippableFact]
    public void What_another_user_may_not_undo_is_undone_by_the_next_root()
    {
        using TestNetwork network = new();
        MeshNode node = AddNode(network, "node");
        node.Host.Sh("ip tuntap add mesh mode tun");
        string before = StateOf(node);
        node.Arguments.AddRange(["-U", "nobody"]);
        node.Start();
        Assert.Equal(0, node.Stop());
        node.Arguments.Clear();
        node.Settings.RemoveAll(line => line.StartsWith("Ifconfig", StringComparison.Ordinal) || line.StartsWith("Route", StringComparison.Ordinal));
        node.Start();
        Assert.Equal(before, StateOf(node));
        Assert.Equal(0, node.Stop());
    }

    [SkippableFact]
    public void What_the_kernel_refuses_stops_the_start_and_changes_nothing()
    {
        using TestNetwork network = new();
        MeshNode node = AddNode(network, "node");
        node.Settings.AddRange(["InterfaceMTU = 1400", "Route = 10.30.0.0/16 127.0.0.1"]);
        node.HasTincUp = true;
        node.WriteScript("tinc-up", $"touch {node.Directory}/was-run\n");
        node.Host.Sh("ip tuntap add mesh mode tun");
        string before = StateOf(node);
        node.WriteConfiguration();
        node.StartWith("-D");
        Assert.Equal(1, node.WaitForExit());
        node.WaitForLog(@"^Could not set route 10\.30\.0\.0/16 via 127\.0\.0\.1 of mesh \(Route in .*/tinc\.conf line \d+\): Invalid argument$");
        Assert.False(File.Exists(Path.Combine(node.Directory, "was-run")));
        Assert.Equal(before, StateOf(node));
    }

    [SkippableFact]
    public void Another_user_does_not_stand_in_the_way()
    {
        using TestNetwork network = new();
        MeshNode node = AddNode(network, "node");
        node.Arguments.AddRange(["-U", "nobody"]);
        node.Start();
        Assert.Contains($"inet {node.Inner}/24 ", StateOf(node), StringComparison.Ordinal);
        int mark = node.LogMark();
        Assert.Equal(0, node.Stop());
        Assert.False(node.HasLogged("Could not undo", mark));
        Assert.NotEqual(0, node.Host.Try("ip", "link", "show", "mesh").ExitCode);
    }

    [SkippableFact]
    public void With_DeviceStandby_the_interface_is_set_up_only_while_another_node_is_there()
    {
        using TestNetwork network = new();
        MeshNode alpha = AddNode(network, "alpha"), beta = AddNode(network, "beta");
        alpha.Settings.Add("DeviceStandby = yes");
        alpha.Host.Sh("ip tuntap add mesh mode tun");
        alpha.WriteScript("tinc-down", $"/usr/sbin/ip addr show mesh >{alpha.Directory}/at-tinc-down\n");
        beta.ConnectTo(alpha);
        string before = StateOf(alpha);
        network.ExchangeHostFiles();
        alpha.Start();
        Reload(alpha);
        alpha.WaitForLog("^Reloaded ");
        Assert.Equal(before, StateOf(alpha));

        beta.Start();
        network.Until(() => beta.Host.CanPing(alpha.Inner), "a ping");
        beta.Stop();
        network.Until(() => StateOf(alpha) == before, "the interface as it was");
        Assert.Contains($"inet {alpha.Inner}/24 ", File.ReadAllText(Path.Combine(alpha.Directory, "at-tinc-down")), StringComparison.Ordinal);
        alpha.Settings.Add("Route = 10.30.0.0/16");
        Reload(alpha);
        alpha.WaitForLog("^Reloaded .*1 values");
        beta.Start();
        network.Until(() => StateOf(alpha).Contains("10.30.0.0/16 dev mesh", StringComparison.Ordinal), "the new route");
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping again");

        alpha.Kill();
        beta.Stop();
        Assert.NotEqual(before, StateOf(alpha));
        alpha.Start();
        Assert.Equal(before, StateOf(alpha));
        beta.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping once more");
        Assert.Equal(0, alpha.Stop());
        Assert.Equal(before, StateOf(alpha));
    }

    [SkippableFact]
    public void A_reload_changes_what_has_changed_and_no_more()
    {
        using TestNetwork network = new();
        MeshNode alpha = AddNode(network, "alpha"), beta = AddNode(network, "beta");
        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping");

        // Another prefix for the same address, one route more, the MTU for the first time.
        alpha.Settings.Remove($"Ifconfig = {alpha.Inner}/24");
        alpha.Settings.AddRange([$"Ifconfig = {alpha.Inner}/25", "Route = 10.30.0.0/16", "InterfaceMTU = 1400"]);
        Reload(alpha);
        network.Until(() => StateOf(alpha).Contains("10.30.0.0/16 dev mesh proto static", StringComparison.Ordinal), "the new route");
        string state = StateOf(alpha);
        Assert.Contains($"inet {alpha.Inner}/25 ", state, StringComparison.Ordinal);
        Assert.DoesNotContain($"inet {alpha.Inner}/24 ", state, StringComparison.Ordinal);
        Assert.Contains("mtu 1400 ", state, StringComparison.Ordinal);
        Assert.Contains("10.20.0.0/16 dev mesh proto static", state, StringComparison.Ordinal);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping after the reload");

        // What the kernel refuses changes nothing.
        alpha.Settings.AddRange(["Route = 10.31.0.0/16", "Route = 10.32.0.0/16 127.0.0.1"]);
        Reload(alpha);
        alpha.WaitForLog(@"^  Could not set route 10\.32\.0\.0/16 via 127\.0\.0\.1 of mesh ");
        Assert.Equal(state, StateOf(alpha));

        alpha.Settings.RemoveAll(line => line.StartsWith("Route = 10.3", StringComparison.Ordinal) || line.StartsWith("InterfaceMTU", StringComparison.Ordinal));
        Reload(alpha);
        network.Until(() => !StateOf(alpha).Contains("10.30.0.0/16", StringComparison.Ordinal), "the route's end");
        Assert.Contains("mtu 1500 ", StateOf(alpha), StringComparison.Ordinal);
    }

    private static MeshNode AddNode(TestNetwork network, string name)
    {
        MeshNode node = network.AddNode(name, Programs.FastMesh);
        node.HasTincUp = false;
        node.Environment["PATH"] = "";
        node.Settings.AddRange([$"Ifconfig = {node.Inner}/24", $"Ifconfig = {node.Inner6}/64", "Route = 10.20.0.0/16", "Route = fd20::/48"]);
        return node;
    }

    private static void Reload(MeshNode node)
    {
        node.WriteConfiguration();
        node.Signal("HUP");
    }

    /// <summary>
    /// Addresses, flags, MTU and routes in the node's namespace, but nothing that the kernel makes up: its own addresses, and the queueing
    /// discipline that an interface keeps once it was up.
    /// </summary>
    private static string StateOf(MeshNode node) => Regex.Replace(
        node.Host.Sh("ip -o link show mesh; ip addr show mesh scope global; ip -4 route show table main; ip -6 route show table main | grep -v ^fe80"), @",LOWER_UP|qdisc \w+ |group default( qlen \d+)?", "");
}
