using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>The rules of AutoConnect (tinc 1.1 reference, 9.1) and the order of addresses (9.2).</summary>
public sealed class AutoConnectTests
{
    private static readonly TimeSpan s_never = TimeSpan.FromHours(1); // the peers here answer no PING

    private static readonly PeerSettings s_unplaced = new() { Ed25519Key = SptpsVectors.B.Public };

    [Fact]
    public void With_fewer_than_three_connections_any_node_that_can_be_found_is_dialled()
    {
        HashSet<string> dialled = [];
        for (int seed = 1; seed <= 40; seed++)
        {
            MeshHarness mesh = Mesh(seed, "beta", "connected", "keyless");
            mesh.HostFiles["gamma"] = mesh.HostFiles["delta"] = s_unplaced;
            mesh.HostFiles["keyless"] = mesh.HostFiles["keyless"] with { Ed25519Key = null };
            mesh.Start();
            Link(mesh, mesh.JoinReachable("connected"), ("connected", "gamma"), ("connected", "stranger")); // of which stranger has no host file
            mesh.WaitSeconds(1);
            string name = Assert.Single(Chosen(mesh));
            dialled.Add(name);
            Assert.Equal(name == "beta" ? "192.0.2.10 port 655" : "198.51.100.2 port 655", Assert.Single(mesh.Taken<MeshAction.Connect>()).Target.ToString());
        }

        Assert.Equal(["beta", "gamma"], dialled.Order());
    }

    [Fact]
    public void A_look_every_five_seconds_goes_on_until_there_are_three()
    {
        MeshHarness mesh = Mesh(1, "b", "c", "d", "e", "f");
        mesh.Start();
        Link(mesh, mesh.JoinReachable("hub"), ("hub", "b"), ("hub", "c"), ("hub", "d"), ("hub", "e"), ("hub", "f"));
        List<int> connections = [];
        for (int second = 1; second <= 30; second++)
        {
            mesh.WaitSeconds(1);
            foreach ((MeshAction.Connect connect, string name) in mesh.Taken<MeshAction.Connect>().Zip(Chosen(mesh)).ToList())
                Activate(mesh, connect, name);
            connections.Add(1 + mesh.Taken<MeshAction.Connect>().Count());
        }

        Assert.Equal((2, 2, 3, 3), (connections[0], connections[4], connections[7], connections[29])); // of which the hub's is one
        Assert.Empty(mesh.Taken<MeshAction.Close>());
    }

    [Fact]
    public void Of_more_than_three_one_that_the_mesh_does_not_need_ends()
    {
        HashSet<string> ended = [];
        for (int seed = 1; seed <= 20; seed++)
        {
            MeshHarness mesh = Dialled(seed, "b", "c", "d", "e");
            Link(mesh, Connections(mesh)["b"], ("b", "c"), ("d", "only")); // "only" can be reached by d alone
            mesh.WaitSeconds(120);
            string name = Assert.Single(Names(mesh, "Autodisconnecting from "));
            Assert.Contains($"Autodisconnecting from {name}", mesh.Log); // as tincd 1.1pre18 says it
            Assert.True(mesh.IsClosed(Connections(mesh)[name], out bool tarpit) && !tarpit);
            ended.Add(name);
            Assert.Equal(4, mesh.Taken<MeshAction.Connect>().Count()); // ConnectTo is no reason to dial it again
            Assert.NotNull(mesh.Route("only"));
        }

        Assert.Equal(["b", "c"], ended.Order());
    }

    [Fact]
    public void Connections_that_others_made_are_not_ended()
    {
        MeshHarness mesh = Mesh(1).Start();
        ConnectionId first = mesh.JoinReachable("b");
        foreach (string name in (string[])["c", "d", "e", "f"])
            mesh.JoinReachable(name);
        Link(mesh, first, ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f"));
        mesh.WaitSeconds(40);
        Assert.Empty(mesh.Taken<MeshAction.Close>());
    }

    [Fact]
    public void With_three_connections_what_is_not_connected_is_dialled_no_more_but_now_and_then_a_node_that_is_gone()
    {
        MeshHarness mesh = Mesh(1, "gone", "present");
        mesh.HostFiles["unplaced"] = s_unplaced;
        MeshSettings settings = mesh.Settings with { ConnectTo = ["unplaced"] };
        mesh.Start();
        mesh.Do((m, now) => m.Reload(settings, now)); // it waits for MaxTimeout, having no address
        foreach (string name in (string[])["b", "c", "d"])
            Link(mesh, mesh.JoinReachable(name), (name, "present"));
        mesh.Log.Clear();
        for (int i = 0; i < 30; i++)
        {
            mesh.WaitSeconds(6);
            foreach (MeshAction.Connect connect in mesh.Taken<MeshAction.Connect>().ToList())
                mesh.Do((m, now) => m.HandleClosed(connect.Connection, CloseReason.Failed, "Connection refused", now));
        }

        Assert.Equal(["gone"], Chosen(mesh).Distinct());
        Assert.InRange(Chosen(mesh).Length, 2, 20); // one in three, and each attempt is cancelled before the next
        Assert.Equal(["gone", "unplaced"], Names(mesh, "Cancelled outgoing connection to ").Distinct().Order());
        Assert.All(mesh.Taken<MeshAction.Connect>(), connect => Assert.Equal("192.0.2.10 port 655", connect.Target.ToString()));
    }

    [Fact]
    public void Without_AutoConnect_only_ConnectTo_is_dialled()
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["b"] });
        mesh.HostFiles["b"] = mesh.HostFiles["c"] = Placed(0);
        mesh.Start().WaitSeconds(60);
        Assert.Empty(Chosen(mesh));
        Assert.All(mesh.Taken<MeshAction.Connect>(), connect => Assert.Equal("192.0.2.10 port 655", connect.Target.ToString()));
    }

    [Fact]
    public void A_reload_turns_it_on_and_off()
    {
        MeshHarness mesh = new();
        mesh.HostFiles["b"] = Placed(0);
        mesh.Start().WaitSeconds(30);
        Assert.Empty(mesh.Taken<MeshAction.Connect>());

        MeshSettings on = mesh.Settings with { AutoConnect = true };
        Assert.Empty(mesh.Mesh.PlanReload(on).Connections);
        mesh.Do((m, now) => m.Reload(on, now));
        mesh.WaitSeconds(1);
        Activate(mesh, Assert.Single(mesh.Taken<MeshAction.Connect>()));
        Assert.Empty(mesh.Mesh.PlanReload(on).Connections); // what it has chosen is not ConnectTo's to release
        mesh.Do((m, now) => m.Reload(on, now));

        ConnectionChange change = Assert.Single(mesh.Mesh.PlanReload(mesh.Settings).Connections);
        Assert.Equal(("b", ConnectionStep.Release, "AutoConnect, which has chosen it, is turned off"), (change.Node, change.Step, change.Reason));
        mesh.Do((m, now) => m.Reload(mesh.Settings, now));
        Assert.Empty(mesh.Taken<MeshAction.Close>());
        mesh.Do((m, now) => m.HandleClosed(Connections(mesh)["b"], CloseReason.EndOfStream, "", now));
        mesh.WaitSeconds(60);
        Assert.Single(mesh.Taken<MeshAction.Connect>());
    }

    [Fact]
    public void A_node_that_ConnectTo_no_longer_names_is_released_although_AutoConnect_goes_on()
    {
        MeshHarness mesh = Dialled(1, "b");
        MeshSettings without = mesh.Settings with { ConnectTo = [] };
        ConnectionChange change = Assert.Single(mesh.Mesh.PlanReload(without).Connections);
        Assert.Equal(("b", ConnectionStep.Release, "ConnectTo no longer names it"), (change.Node, change.Step, change.Reason));
    }

    [Fact]
    public void A_host_file_that_a_reload_finds_counts()
    {
        MeshHarness mesh = Mesh(1).Start();
        mesh.HostFiles["late"] = Placed(7);
        mesh.WaitSeconds(20);
        Assert.Empty(Chosen(mesh));
        mesh.Do((m, now) => m.Reload(mesh.Settings, now));
        mesh.WaitSeconds(6);
        Assert.Equal(["late"], Chosen(mesh));
    }

    [Theory]
    [InlineData(true, "203.0.113.1 port 700", "203.0.113.2 port 655", "198.51.100.9 port 655", "198.51.100.8 port 655", "192.0.2.10 port 655")]
    [InlineData(false, "203.0.113.2 port 655", "192.0.2.10 port 655")] // tinc 1.0 reference, 4.10
    public void Addresses_are_tried_as_kept_then_as_seen_then_as_in_the_host_file(bool learns, params string[] expected)
    {
        AddressesInMemory known = new();
        known.Keep("b", [At("203.0.113.1", "700"), At("203.0.113.2", "655")]);
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["b"], AutoConnect = learns, KnownAddresses = known });
        mesh.HostFiles["b"] = Placed(0) with { Addresses = [new("203.0.113.2", "655"), new("192.0.2.10", "655")] };
        mesh.Mesh.Start(mesh.Now);
        ConnectionId neighbour = mesh.JoinReachable("hub");
        mesh.Say(neighbour, "12 a1 hub b 198.51.100.8 655 c 1", "12 a2 c b 198.51.100.9 655 c 1", "12 a3 d b 198.51.100.9 655 c 1");
        mesh.Say(neighbour, "12 a4 b hub 198.51.100.1 655 c 1", "12 a5 b c 198.51.100.2 655 c 1", "12 a6 b d 198.51.100.3 655 c 1");
        mesh.Do((m, now) => m.StartOutgoing("655", now));

        List<string> tried = [];
        while (mesh.Taken<MeshAction.Connect>().ElementAtOrDefault(tried.Count) is { } connect)
        {
            tried.Add(connect.Target.ToString());
            mesh.Do((m, now) => m.HandleClosed(connect.Connection, CloseReason.Failed, "Connection refused", now));
        }

        Assert.Equal(expected, tried);
    }

    [Fact]
    public void The_address_that_led_to_a_node_is_kept_once_it_has_let_us_in_and_eight_are_enough()
    {
        AddressesInMemory known = new();
        known.Keep("b", [.. Enumerable.Range(1, 8).Select(i => At($"203.0.113.{i}", "655"))]);
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["b"], AutoConnect = true, KnownAddresses = known });
        mesh.HostFiles["b"] = Placed(0);
        mesh.Start();
        for (int i = 0; i < 8; i++)
        {
            MeshAction.Connect connect = mesh.Taken<MeshAction.Connect>().Last();
            mesh.Do((m, now) => m.HandleConnected(connect.Connection, now)); // something listens there, but it is not the node
            mesh.Do((m, now) => m.HandleClosed(connect.Connection, CloseReason.EndOfStream, "", now));
        }

        Assert.Equal("203.0.113.1 port 655", known.Find("b")[0].ToString());
        Activate(mesh, mesh.Taken<MeshAction.Connect>().Last());
        Assert.Equal(["192.0.2.10 port 655", .. Enumerable.Range(1, 7).Select(i => $"203.0.113.{i} port 655")], known.Find("b").Select(address => address.ToString()));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public void A_node_of_tinc_10_keeps_no_addresses(bool learns, int count)
    {
        AddressesInMemory known = new();
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["b"], AutoConnect = learns, KnownAddresses = known });
        mesh.HostFiles["b"] = Placed(0);
        Activate(mesh.Start(), mesh.Taken<MeshAction.Connect>().Single());
        Assert.Equal(count, known.Find("b").Count);
    }

    /// <summary>A mesh with AutoConnect and host files of nodes, the first of them at 192.0.2.10.</summary>
    private static MeshHarness Mesh(int seed, params string[] names)
    {
        MeshHarness mesh = new(settings => settings with { AutoConnect = true, PingInterval = s_never }, seed);
        for (int i = 0; i < names.Length; i++)
            mesh.HostFiles[names[i]] = Placed(i);
        return mesh;
    }

    /// <summary>A mesh with AutoConnect that is connected with everyone of its ConnectTo.</summary>
    private static MeshHarness Dialled(int seed, params string[] names)
    {
        MeshHarness mesh = new(settings => settings with { AutoConnect = true, ConnectTo = names, PingInterval = s_never }, seed);
        for (int i = 0; i < names.Length; i++)
            mesh.HostFiles[names[i]] = Placed(i);
        mesh.Start();
        foreach (MeshAction.Connect connect in mesh.Taken<MeshAction.Connect>().ToList())
            Activate(mesh, connect);
        return mesh;
    }

    private static PeerSettings Placed(int index) => s_unplaced with { Addresses = [new($"192.0.2.{10 + index}", "655")] };

    private static Endpoint At(string address, string port)
    {
        Assert.True(Endpoint.TryParse(address, port, out Endpoint endpoint));
        return endpoint;
    }

    /// <summary>The node that was dialled lets us in and announces its edge.</summary>
    private static void Activate(MeshHarness mesh, MeshAction.Connect connect, string? name = null)
    {
        name ??= NameAt(mesh, connect.Target);
        if (mesh.Route(name) is { HasConnection: true })
            return;
        mesh.Do((m, now) => m.HandleConnected(connect.Connection, now));
        mesh.Say(connect.Connection, $"0 {name} 17", "4 655 10 c", $"12 {connect.Connection.Value:x}0 {name} self 192.0.2.1 655 c 10");
    }

    private static string NameAt(MeshHarness mesh, Endpoint target) =>
        mesh.HostFiles.First(file => file.Value.Addresses.Any(address => address.ToString() == target.ToString())).Key;

    /// <summary>Connections between others become known; each sees the other at 198.51.100.2.</summary>
    private static void Link(MeshHarness mesh, ConnectionId teller, params (string One, string Other)[] links)
    {
        int nonce = 0x1000 * teller.Value;
        foreach ((string one, string other) in links)
            mesh.Say(teller, $"12 {nonce++:x} {one} {other} 198.51.100.2 655 c 5", $"12 {nonce++:x} {other} {one} 198.51.100.2 655 c 5");
    }

    private static Dictionary<string, ConnectionId> Connections(MeshHarness mesh) =>
        mesh.Taken<MeshAction.Connect>().ToDictionary(connect => NameAt(mesh, connect.Target), connect => connect.Connection);

    private static string[] Chosen(MeshHarness mesh) => Names(mesh, "Autoconnecting to ");

    private static string[] Names(MeshHarness mesh, string text) =>
        [.. mesh.Log.Where(line => line.StartsWith(text, StringComparison.Ordinal)).Select(line => line[text.Length..].Split(' ')[0])];
}
