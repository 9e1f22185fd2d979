using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>StrictSubnets, TunnelServer, learning in switch mode, reload, purge (tinc 1.0 reference, 1.6, 6.6, 6.10, 7.4).</summary>
public sealed class ModeTests
{
    private static readonly MacAddress s_mac = new(0x001a2b3c4d5e);

    [Fact]
    public void Strict_subnets_come_from_host_files_and_others_are_only_passed_on()
    {
        MeshHarness mesh = new(settings => settings with { StrictSubnets = true });
        mesh.HostFiles["beta"] = new PeerSettings { Subnets = [Parse("10.2.0.0/16")] };
        mesh.Start();
        Assert.Equal(["10.2.0.0/16#10 owner beta"], mesh.Subnets);
        ConnectionId beta = mesh.JoinReachable("beta"), delta = mesh.JoinReachable("delta");
        mesh.Say(beta, "10 1 beta 10.3.0.0/16", "11 2 beta 10.2.0.0/16", "10 3 beta 10.2.0.0/16", "11 4 beta 10.9.0.0/16");
        Assert.Equal(["10 1 beta 10.3.0.0/16", "11 2 beta 10.2.0.0/16", "11 4 beta 10.9.0.0/16"], mesh.Heard(delta));
        Assert.Equal(["10.2.0.0/16#10 owner beta"], mesh.Subnets);
    }

    [Fact]
    public void On_reload_strict_subnets_are_read_again_and_differences_announced()
    {
        MeshHarness mesh = new(settings => settings with { StrictSubnets = true });
        mesh.HostFiles["beta"] = new PeerSettings { Subnets = [Parse("10.2.0.0/16"), Parse("10.4.0.0/16")] };
        mesh.HostFiles["delta"] = new PeerSettings();
        mesh.Start();
        mesh.JoinReachable("beta");
        ConnectionId delta = mesh.JoinReachable("delta");
        mesh.Actions.Clear();
        mesh.HostFiles["beta"] = new PeerSettings { Subnets = [Parse("10.3.0.0/16"), Parse("10.4.0.0/16")] };
        mesh.Do((m, now) => m.Reload(mesh.Settings, now));
        Assert.Equal(["11 N beta 10.2.0.0/16#10", "10 N beta 10.3.0.0/16#10"], mesh.HeardWithoutNonces(delta));
        Assert.Equal(["subnet-down 10.2.0.0/16", "subnet-up 10.3.0.0/16"],
            mesh.Taken<MeshAction.RunScript>().Select(script => $"{script.Name} {script.Variables.Single(pair => pair.Key == "SUBNET").Value}"));
    }

    [Fact]
    public void Broadcast_subnets_have_no_owner_run_no_script_are_announced_to_nobody_and_change_with_a_reload()
    {
        MeshHarness mesh = new(settings => settings with { Subnets = [Parse("10.1.0.0/16")], BroadcastSubnets = [Parse("10.1.255.0/24"), Parse("10.8.0.0/16")] });
        mesh.Start();
        ConnectionId beta = mesh.Accept();
        mesh.Say(beta, "0 beta 17", "4 655 10 c", "12 1 beta self 192.0.2.1 655 c 10");
        Assert.Equal(["10 N self 10.1.0.0/16#10"], mesh.HeardWithoutNonces(beta).Where(line => line.StartsWith("10 ", StringComparison.Ordinal)));
        Assert.Equal(["10.1.255.0/24#10 owner (broadcast)", "10.1.0.0/16#10 owner self", "10.8.0.0/16#10 owner (broadcast)"], mesh.Subnets);
        Assert.True(mesh.Table.FindOwner(0x0a01ff01u)!.IsEveryone && mesh.Table.FindOwner(0x0a0100ffu)!.IsSelf);
        mesh.Do((m, now) => m.Reload(mesh.Settings with { BroadcastSubnets = [Parse("10.8.0.0/16"), Parse("10.9.0.0/16")] }, now));
        Assert.Equal(["10.1.0.0/16#10 owner self", "10.8.0.0/16#10 owner (broadcast)", "10.9.0.0/16#10 owner (broadcast)"], mesh.Subnets);
        Assert.True(mesh.Table.FindOwner(0x0a01ff01u)!.IsSelf && mesh.Table.FindOwner(0x0a090001u)!.IsEveryone);
        Assert.Empty(mesh.Heard(beta));
        Assert.Equal("10.1.0.0/16", Assert.Single(mesh.Taken<MeshAction.RunScript>(), script => script.Name == "subnet-up").Variables.Single(pair => pair.Key == "SUBNET").Value);
        Assert.DoesNotContain(mesh.Taken<MeshAction.RunScript>(), script => script.Name == "subnet-down");
    }

    /// <summary>The order is that of tinc 1.1pre18.</summary>
    [Fact]
    public void With_DeviceStandby_the_interface_comes_with_the_first_node_and_goes_with_the_last()
    {
        MeshHarness mesh = new(settings => settings with { DeviceStandby = true, Subnets = [Parse("10.1.0.0/16")] });
        mesh.HostFiles["delta"] = new PeerSettings();
        mesh.Start();
        Assert.Equal(["subnet-up"], Steps(mesh));
        ConnectionId beta = mesh.JoinReachable("beta");
        Assert.Equal(["up", "host-up", "hosts/beta-up", "tinc-up"], Steps(mesh));
        ConnectionId delta = mesh.JoinReachable("delta");
        Assert.Equal(["host-up", "hosts/delta-up"], Steps(mesh));
        mesh.Do((m, now) => m.HandleClosed(beta, CloseReason.EndOfStream, "", now));
        mesh.Do((m, now) => m.Reload(mesh.Settings with { DeviceStandby = false }, now)); // takes effect at a start
        Assert.Equal(["host-down", "hosts/beta-down"], Steps(mesh));
        mesh.Do((m, now) => m.HandleClosed(delta, CloseReason.EndOfStream, "", now));
        Assert.Equal(["host-down", "hosts/delta-down", "tinc-down", "down"], Steps(mesh));
        mesh.JoinReachable("beta");
        Assert.Equal(["up", "host-up", "hosts/beta-up", "tinc-up"], Steps(mesh));
        mesh.Do((m, now) => m.Stop(now));
        Assert.Equal(["host-down", "hosts/beta-down", "tinc-down", "down", "subnet-down"], Steps(mesh));
    }

    [Fact]
    public void A_node_that_stays_alone_with_DeviceStandby_never_touches_the_interface()
    {
        MeshHarness mesh = new(settings => settings with { DeviceStandby = true });
        mesh.Start();
        mesh.Do((m, now) => m.Stop(now));
        Assert.Empty(Steps(mesh));
    }

    [Fact]
    public void A_tunnel_server_tells_each_client_only_about_itself_and_believes_them_only_about_themselves()
    {
        MeshHarness mesh = new(settings => settings with { TunnelServer = true, StrictSubnets = true, Subnets = [Parse("10.1.0.0/16")] });
        mesh.HostFiles["beta"] = new PeerSettings { Subnets = [Parse("10.2.0.0/16")] };
        mesh.Start();
        ConnectionId beta = mesh.JoinReachable("beta");
        ConnectionId delta = mesh.Join("delta");
        Assert.Equal(["0 self 17", "4 655 0 c", "10 N self 10.1.0.0/16#10", "12 N self delta 192.0.2.2 655 c 5"], mesh.HeardWithoutNonces(delta));
        Assert.Empty(mesh.Heard(beta));

        mesh.Say(beta, "10 1 gamma 10.7.0.0/16", "10 2 beta 10.8.0.0/16", "12 3 gamma epsilon 192.0.2.1 655 c 1",
            "12 4 beta gamma 192.0.2.1 655 c 1", "14 5 gamma", "15 beta delta", "16 beta delta 00 0 0 0 0");
        Assert.Empty(mesh.Heard(delta));
        Assert.Equal(["10.1.0.0/16#10 owner self", "10.2.0.0/16#10 owner beta"], mesh.Subnets.Order());
        Assert.DoesNotContain(mesh.Edges, line => line.Contains("epsilon", StringComparison.Ordinal));
        mesh.Do((m, now) => m.HandleClosed(beta, CloseReason.EndOfStream, "", now));
        Assert.Empty(mesh.Heard(delta));
    }

    [Fact]
    public void A_learned_address_is_announced_aged_and_given_up_when_it_moves()
    {
        MeshHarness mesh = new MeshHarness(settings => settings with
        {
            MacExpire = TimeSpan.FromSeconds(20),
            PingInterval = TimeSpan.FromHours(1),
        }).Start();
        ConnectionId beta = mesh.JoinReachable("beta");
        mesh.Do((m, now) => m.HandleLearned(s_mac, now));
        mesh.Do((m, now) => m.HandleLearned(s_mac, now));
        Assert.Equal(["10 N self 0:1a:2b:3c:4d:5e#10"], mesh.HeardWithoutNonces(beta));
        Assert.Contains(mesh.Taken<MeshAction.RunScript>(), script => script.Name == "subnet-up"
            && script.Variables.SequenceEqual([new("NODE", "self"), new("SUBNET", "0:1a:2b:3c:4d:5e"), new("WEIGHT", "10")]));

        mesh.WaitSeconds(15);
        Assert.True(mesh.Table.TryFindLearned(s_mac, out LearnedMac? learned));
        learned.Touch(mesh.Now); // a shard has seen it
        mesh.WaitSeconds(19);
        Assert.Empty(mesh.Heard(beta));
        mesh.WaitSeconds(6);
        Assert.Equal(["11 N self 0:1a:2b:3c:4d:5e#10"], mesh.HeardWithoutNonces(beta));
        Assert.False(mesh.Table.TryFindLearned(s_mac, out _));

        mesh.Do((m, now) => m.HandleLearned(s_mac, now));
        mesh.Say(beta, "10 99 beta 0:1a:2b:3c:4d:5e#10");
        mesh.Heard(beta);
        mesh.WaitSeconds(5);
        Assert.Equal(["11 N self 0:1a:2b:3c:4d:5e#10"], mesh.HeardWithoutNonces(beta));
        Assert.Equal(["0:1a:2b:3c:4d:5e#10 owner beta"], mesh.Subnets);
    }

    [Fact]
    public void Ageing_leaves_configured_subnets_alone()
    {
        MeshHarness mesh = new MeshHarness(settings => settings with
        {
            StrictSubnets = true,
            MacExpire = TimeSpan.FromSeconds(5),
            Subnets = [Subnet.FromMac(s_mac), Parse("10.1.0.0/16")],
        }).Start();
        mesh.Do((m, now) => m.HandleLearned(s_mac, now));
        mesh.WaitSeconds(20);
        Assert.Equal(["0:1a:2b:3c:4d:5e#10 owner self", "10.1.0.0/16#10 owner self"], mesh.Subnets);
    }

    [Fact]
    public void Reload_keeps_connections_whose_host_file_is_unchanged_and_drops_the_others()
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["zeta"] });
        mesh.HostFiles["zeta"] = new PeerSettings { Addresses = [new("192.0.2.9", "655")] };
        mesh.HostFiles["beta"] = new PeerSettings { Addresses = [new("192.0.2.2", "655")] };
        mesh.Start();
        ConnectionId dialling = mesh.Taken<MeshAction.Connect>().Single().Connection;
        ConnectionId beta = mesh.JoinReachable("beta"), gone = mesh.JoinReachable("gone");
        mesh.Actions.Clear();
        mesh.Do((m, now) => m.Reload(mesh.Settings with { ConnectTo = ["beta"] }, now));
        Assert.True(mesh.IsClosed(dialling, out _));
        Assert.True(mesh.IsClosed(gone, out bool tarpit) && !tarpit);
        Assert.False(mesh.IsClosed(beta, out _));
        Assert.Empty(mesh.Taken<MeshAction.Connect>()); // beta is connected: it is attached
        mesh.Do((m, now) => m.HandleClosed(beta, CloseReason.EndOfStream, "", now));
        mesh.WaitSeconds(10);
        Assert.NotEmpty(mesh.Taken<MeshAction.Connect>());
    }

    [Fact]
    public void Purge_announces_the_end_of_what_unreachable_nodes_had_and_forgets_them()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId beta = mesh.JoinReachable("beta");
        mesh.Say(beta, "10 1 gamma 10.7.0.0/16", "12 2 gamma delta 192.0.2.1 655 c 1", "12 3 beta epsilon 192.0.2.1 655 c 1");
        mesh.Do((m, now) => m.Purge(now));
        Assert.Equal(["11 N gamma 10.7.0.0/16#10", "13 N gamma delta"], mesh.HeardWithoutNonces(beta));
        Assert.Equal(["beta", "epsilon", "self"], mesh.Graph.Skip(1).TakeWhile(line => line != "End of nodes.").Select(line => line.Split(' ')[1]));
    }

    private static Subnet Parse(string text)
    {
        Assert.True(Subnet.TryParse(text, out Subnet subnet), text);
        return subnet;
    }

    /// <summary>Scripts and changes of the interface since the last call.</summary>
    private static string[] Steps(MeshHarness mesh)
    {
        string[] steps = [.. mesh.Actions.Select(action => action switch
        {
            MeshAction.RunScript script => script.Name,
            MeshAction.SetUpInterface change => change.Up ? "up" : "down",
            _ => "",
        }).Where(step => step.Length > 0)];
        mesh.Actions.Clear();
        return steps;
    }
}
