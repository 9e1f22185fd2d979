using System.Text;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Dialling through proxies and the rules of the address round (tinc 1.0 reference, 4.10).</summary>
public sealed class OutgoingTests
{
    private static readonly HostPort s_proxy = new("198.51.100.1", "1080");

    [Theory]
    [InlineData(ProxyKind.Socks4, "", "04 01 02 8f c0 00 02 02 00", "00 5a 00 00 00 00 00 00")]
    [InlineData(ProxyKind.Socks4, "me", "04 01 02 8f c0 00 02 02 6d 65 00", "00 5a 02 8f c0 00 02 02")]
    [InlineData(ProxyKind.Socks5, "", "05 01 00 05 01 00 01 c0 00 02 02 02 8f", "05 00 05 00 00 01 00 00 00 00 00 00")]
    [InlineData(ProxyKind.Socks5, "me:pw", "05 01 02 01 02 6d 65 02 70 77 05 01 00 01 c0 00 02 02 02 8f",
        "05 02 05 00 05 00 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")]
    [InlineData(ProxyKind.Socks5, "me:pw", "05 01 02 01 02 6d 65 02 70 77 05 01 00 01 c0 00 02 02 02 8f",
        "05 02 01 00 05 00 00 03 02 61 62 00 00")] // RFC 1929's reply, and a name as bound address
    public void Socks_proxies_get_the_bytes_of_the_protocol_in_one_flight(ProxyKind kind, string login, string request, string reply)
    {
        MeshHarness mesh = Dial(kind, login, new("192.0.2.2", "655"), out ConnectionId id);
        Assert.Equal(Bytes(request), mesh.HeardBytes(id));
        byte[] answer = Bytes(reply);
        mesh.Feed(id, answer.AsSpan(0, 3));
        mesh.Feed(id, answer.AsSpan(3..^1));
        Assert.Empty(mesh.Heard(id));
        mesh.Feed(id, [answer[^1], .. "0 beta 17\n4 655 0 c\n"u8]); // what follows is the peer's
        Assert.Equal(["0 self 17", "4 655 0 c"], mesh.Heard(id).Take(2));
        Assert.Contains("Connection with beta (192.0.2.2 port 655) activated", mesh.Log);
    }

    [Fact]
    public void An_http_proxy_is_asked_to_connect_and_its_headers_are_skipped()
    {
        MeshHarness mesh = Dial(ProxyKind.Http, "", new("2001:db8::2", "655"), out ConnectionId id);
        Assert.Equal("CONNECT 2001:db8::2:655 HTTP/1.1\r\n\r\n", Encoding.ASCII.GetString(mesh.HeardBytes(id)));
        mesh.Feed(id, "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"u8);
        Assert.Equal(["0 self 17"], mesh.Heard(id));
    }

    [Theory]
    [InlineData(ProxyKind.Socks4, "00 5b 00 00 00 00 00 00")]
    [InlineData(ProxyKind.Socks4, "05 5a 00 00 00 00 00 00")]
    [InlineData(ProxyKind.Socks5, "05 ff")]
    [InlineData(ProxyKind.Socks5, "05 00 05 01")]
    [InlineData(ProxyKind.Socks5, "05 00 05 00 00 02 00")]
    [InlineData(ProxyKind.Http, "48 54 54 50 2f 31 2e 31 20 34")] // HTTP/1.1 4
    public void A_refusal_moves_on_to_the_next_address(ProxyKind kind, string reply)
    {
        MeshHarness mesh = Dial(kind, "", new("192.0.2.2", "655"), out ConnectionId id);
        mesh.Feed(id, Bytes(reply));
        Assert.True(mesh.IsClosed(id, out bool tarpit) && !tarpit);
        Assert.Equal(2, mesh.Taken<MeshAction.Connect>().Count());
    }

    [Fact]
    public void An_endless_proxy_answer_is_not_read_for_ever()
    {
        MeshHarness mesh = Dial(ProxyKind.Http, "", new("192.0.2.2", "655"), out ConnectionId id);
        mesh.Feed(id, "HTTP/1.1 200 OK\r\n"u8);
        for (int i = 0; i < 20 && !mesh.IsClosed(id, out _); i++)
            mesh.Feed(id, new byte[1000]);
        Assert.True(mesh.IsClosed(id, out _));
    }

    [Theory]
    [InlineData(ProxyKind.Socks4a, "04 01 02 8f 00 00 00 01 00 68 6f 73 74 2e 78 00")]
    [InlineData(ProxyKind.Socks5, "05 01 00 05 01 00 03 06 68 6f 73 74 2e 78 02 8f")]
    public void A_name_that_does_not_resolve_is_left_to_the_proxy(ProxyKind kind, string request)
    {
        MeshHarness mesh = Dial(kind, "", new("host.x", "655"), out ConnectionId id);
        Assert.Equal(Bytes(request), mesh.HeardBytes(id));
        Assert.Contains("Trying to connect to beta (0.0.0.1 port 0)", mesh.Log);
    }

    [Fact]
    public void Socks4_cannot_pass_names_or_ipv6_and_such_addresses_are_skipped()
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["beta"], Proxy = new(ProxyKind.Socks4, s_proxy) });
        mesh.HostFiles["beta"] = new PeerSettings { Addresses = [new("host.x", "655"), new("2001:db8::2", "655"), new("192.0.2.2", "655")] };
        mesh.Start();
        mesh.Do((m, now) => m.HandleResolved(Assert.Single(mesh.Taken<MeshAction.Resolve>()).Ticket, [], now));
        MeshAction.Connect connect = Assert.Single(mesh.Taken<MeshAction.Connect>());
        mesh.Do((m, now) => m.HandleConnected(connect.Connection, now));
        Assert.Equal(Bytes("04 01 02 8f c0 00 02 02 00"), mesh.HeardBytes(connect.Connection));
        Assert.Equal("198.51.100.1 port 1080", connect.Target.ToString());
    }

    [Fact]
    public void The_name_of_the_proxy_is_resolved_too()
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["beta"], Proxy = new(ProxyKind.Socks5, new("proxy.x", "1080")) });
        mesh.HostFiles["beta"] = new PeerSettings { Addresses = [new("192.0.2.2", "655"), new("192.0.2.3", "655")] };
        mesh.Start();
        MeshAction.Resolve resolve = Assert.Single(mesh.Taken<MeshAction.Resolve>());
        Assert.Equal("proxy.x port 1080", resolve.Target.ToString());
        mesh.Do((m, now) => m.HandleResolved(resolve.Ticket, [], now));
        MeshAction.Resolve again = mesh.Taken<MeshAction.Resolve>().Last();
        Assert.NotEqual(resolve.Ticket, again.Ticket); // the next address is tried
        mesh.Do((m, now) => m.HandleResolved(again.Ticket, [Endpoint.FromIPv4(0xc6336401, 1080)], now));
        Assert.Single(mesh.Taken<MeshAction.Connect>());
    }

    [Fact]
    public void A_proxy_command_knows_the_node_and_its_address()
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["beta"], Proxy = new(ProxyKind.Exec, default, Command: "nc x") });
        mesh.HostFiles["beta"] = new PeerSettings { Addresses = [new("192.0.2.2", "655")] };
        mesh.Start();
        MeshAction.ConnectCommand command = Assert.Single(mesh.Taken<MeshAction.ConnectCommand>());
        Assert.Equal("nc x", command.Command);
        Assert.Equal([new("NODE", "beta"), new("REMOTEADDRESS", "192.0.2.2"), new("REMOTEPORT", "655")], command.Variables);
        mesh.Do((m, now) => m.HandleConnected(command.Connection, now));
        Assert.Equal(["0 self 17"], mesh.Heard(command.Connection));
    }

    [Fact]
    public void Without_host_file_or_address_the_next_look_is_after_the_maximum_timeout()
    {
        MeshHarness mesh = new MeshHarness(settings => settings with { ConnectTo = ["beta"], MaxTimeout = TimeSpan.FromSeconds(50) }).Start();
        mesh.HostFiles["beta"] = new PeerSettings { Addresses = [new("192.0.2.2", "655")] };
        mesh.WaitSeconds(49.9);
        Assert.Empty(mesh.Taken<MeshAction.Connect>());
        mesh.WaitSeconds(0.1);
        Assert.Single(mesh.Taken<MeshAction.Connect>());
    }

    [Fact]
    public void The_back_off_starts_at_the_minimum_timeout()
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["beta"], MinTimeout = TimeSpan.FromSeconds(30) });
        mesh.HostFiles["beta"] = new PeerSettings { Addresses = [new("192.0.2.2", "655")] };
        mesh.Start();
        List<double> times = [];
        for (int i = 0; i < 3; i++)
        {
            ConnectionId id = mesh.Taken<MeshAction.Connect>().Last().Connection;
            double failed = mesh.Now.Milliseconds;
            mesh.Do((m, now) => m.HandleClosed(id, CloseReason.Failed, "refused", now));
            int before = mesh.Taken<MeshAction.Connect>().Count();
            while (mesh.Taken<MeshAction.Connect>().Count() == before)
                mesh.WaitSeconds(0.5);
            times.Add((mesh.Now.Milliseconds - failed) / 1000);
        }

        Assert.Equal([30, 35, 40], times);
    }

    [Fact]
    public void A_tcp_connect_that_hangs_moves_on_to_the_next_address()
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["beta"] });
        mesh.HostFiles["beta"] = new PeerSettings { Addresses = [new("192.0.2.2", "655"), new("192.0.2.3", "656")] };
        mesh.Start();
        mesh.WaitSeconds(10);
        Assert.Equal(["192.0.2.2 port 655", "192.0.2.3 port 656"], mesh.Taken<MeshAction.Connect>().Select(connect => connect.Target.ToString()).Take(2));
    }

    [Fact]
    public void A_peer_with_another_name_than_the_wanted_one_is_refused()
    {
        MeshHarness mesh = Dial(null, "", new("192.0.2.2", "655"), out ConnectionId id);
        mesh.Say(id, "0 gamma 17");
        Assert.True(mesh.IsClosed(id, out bool tarpit) && tarpit);
        Assert.Contains("Peer 192.0.2.2 port 655 is gamma instead of beta", mesh.Log);
    }

    /// <summary>Dials beta, which has the given address twice; a name does not resolve.</summary>
    private static MeshHarness Dial(ProxyKind? kind, string login, HostPort address, out ConnectionId id)
    {
        string[] parts = login.Split(':');
        ProxySettings? proxy = kind is null
            ? null
            : new(kind.Value, s_proxy, login.Length > 0 ? parts[0] : null, parts.Length > 1 ? parts[1] : null);
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["beta"], Proxy = proxy });
        mesh.HostFiles["beta"] = new PeerSettings { Addresses = [address, address] };
        mesh.Start();
        foreach (MeshAction.Resolve resolve in mesh.Taken<MeshAction.Resolve>().ToList())
            mesh.Do((m, now) => m.HandleResolved(resolve.Ticket, [], now));
        ConnectionId connection = mesh.Taken<MeshAction.Connect>().First().Connection;
        mesh.Do((m, now) => m.HandleConnected(connection, now));
        id = connection;
        return mesh;
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
