using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Datagrams of sessions on meta connections, for this node and for others (tinc 1.1 reference, 6.4).</summary>
public sealed class DatagramRequestTests
{
    private static readonly byte[] s_body = [.. Enumerable.Range(0, 60).Select(i => (byte)i)];

    private readonly MeshHarness _mesh = SptpsNode.Mesh();

    [Theory]
    [InlineData("700000c", 21)]
    [InlineData("1000c", 110)]
    [InlineData("701000c", 110)]
    public void A_sealed_datagram_travels_as_text_in_a_request(string options, int subtype)
    {
        ConnectionId relay = _mesh.JoinReachable("relay");
        Reach(relay, "beta", options);
        _mesh.Do((mesh, now) => mesh.HandleTcpDatagram(_mesh.Route("beta")!.Id, Datagram("beta", "self"), now));
        Assert.Equal([$"15 self beta {subtype} {TincBase64.Encode(s_body)}"], Requests(relay));
    }

    /// <summary>Stock nodes of tinc 1.1 drop SPTPS_PACKETs for nodes with which they have no session: among them neighbours with TCPOnly.</summary>
    [Theory]
    [InlineData("700000c", "700000c", 0)]
    [InlineData("700000c", "701000c", 0)]
    [InlineData("700000c", "700000b", 21)] // b: TCPOnly, IndirectData, ClampMSS
    [InlineData("700000c", "701000b", 110)]
    [InlineData("700000c", "c", 21)] // tinc 1.0
    [InlineData("701000c", "701000b", 0)] // a FastMesh relay knows how to go on
    public void A_relay_of_tinc_11_gets_text_for_nodes_with_which_it_has_no_session(string relayOptions, string options, int subtype)
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer relay = SptpsPeer.Join(mesh, "gamma", relayOptions);
        relay.Say($"12 71 gamma beta 192.0.2.9 655 {options} 10", $"12 72 beta gamma 192.0.2.8 655 c 10");
        relay.Listen();
        relay.Heard.Clear();
        mesh.Do((inner, now) => inner.HandleTcpDatagram(mesh.Route("beta")!.Id, Datagram("beta", "self"), now));
        relay.Listen();
        string[] expected = subtype == 0
            ? [$"21 {s_body.Length + 12}", "raw " + Convert.ToHexStringLower(Datagram("beta", "self"))]
            : [$"15 self beta {subtype} {TincBase64.Encode(s_body)}"];
        Assert.Equal(expected, relay.Heard);
    }

    [Theory]
    [InlineData("700000c", 21)]
    [InlineData("1000c", 110)]
    public void A_datagram_in_a_request_is_opened_as_one_that_came_by_tcp(string options, int subtype)
    {
        MeshHarness mesh = SptpsNode.Mesh();
        SptpsNode? beta = options == "1000c" ? null : new SptpsNode(mesh);
        ConnectionId from = beta?.Connection ?? mesh.JoinReachable("beta", options);
        if (beta is not null)
        {
            beta.Start();
            beta.Answer();
        }
        else
        {
            Establish(mesh, from);
        }

        mesh.Say(from, $"15 beta self {subtype} {TincBase64.Encode(s_body)}");
        MeshAction.OpenDatagram open = Assert.Single(mesh.Taken<MeshAction.OpenDatagram>());
        Assert.Equal((mesh.Route("beta")!.Id, true), (open.Node, open.ByTcp));
        Assert.Equal(Datagram("self", "beta"), open.Datagram);
    }

    [Fact]
    public void A_datagram_for_another_node_is_passed_on_as_text_while_udp_does_not_carry_it()
    {
        ConnectionId beta = _mesh.JoinReachable("beta", "700000c");
        SptpsNode node = new(_mesh, name: "delta");
        ConnectionId delta = node.Connection;
        string line = $"15 beta delta 21 {TincBase64.Encode(s_body)}";
        _mesh.Say(beta, line);
        Assert.Equal([line], Requests(delta));

        node.Start();
        node.Answer();
        node.ProveUdp(longest: 700);
        Assert.InRange(_mesh.Route("delta")!.MinMtu, 500, 714);
        Requests(delta);
        _mesh.Say(beta, line, $"15 beta delta 21 {TincBase64.Encode(new byte[800])}");
        MeshAction.SendDatagram sent = Assert.Single(_mesh.Taken<MeshAction.SendDatagram>());
        Assert.Equal(_mesh.Route("delta")!.Id, sent.Node);
        Assert.Equal(Datagram("delta", "beta"), sent.Datagram);
        Assert.Single(Requests(delta));
    }

    [Fact]
    public void Forwarding_other_than_internal_passes_no_such_requests_on()
    {
        MeshHarness mesh = SptpsNode.Mesh(settings => settings with { Forwarding = settings.Forwarding with { Forwarding = ForwardingMode.Kernel } });
        ConnectionId beta = mesh.JoinReachable("beta", "700000c"), delta = mesh.JoinReachable("delta", "700000c");
        mesh.Say(beta, $"15 beta delta 21 {TincBase64.Encode(s_body)}");
        Assert.DoesNotContain(mesh.Heard(delta), text => text.StartsWith("15 ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("delta", "beta")] // nobody knows delta
    [InlineData("beta", "delta")]
    [InlineData("beta", "beta")]
    [InlineData("self", "self")]
    public void Datagrams_of_or_for_nobody_are_dropped(string target, string source)
    {
        ConnectionId beta = _mesh.JoinReachable("beta", "700000c");
        _mesh.Do((mesh, now) => mesh.HandleTcpDatagram(_mesh.Route("beta")!.Id, Datagram(target, source).AsSpan(0, 12), now));
        _mesh.Do((mesh, now) => mesh.HandleTcpDatagram(99, Datagram(target, source), now));
        _mesh.Say(beta, $"15 {source} {target} 21 {TincBase64.Encode(s_body)}", "8");
        Assert.Empty(_mesh.Taken<MeshAction.OpenDatagram>());
        Assert.Empty(_mesh.Taken<MeshAction.SendDatagram>());
        Assert.Contains("9", _mesh.Heard(beta));
    }

    [Fact]
    public void A_datagram_that_does_not_fit_a_request_is_dropped()
    {
        ConnectionId beta = _mesh.JoinReachable("beta", "700000c");
        byte[] Long(int body) => [.. Datagram("beta", "self")[..12], .. new byte[body]];
        _mesh.Do((mesh, now) => mesh.HandleTcpDatagram(_mesh.Route("beta")!.Id, Long(1537), now));
        Assert.Empty(Requests(beta));
        _mesh.Do((mesh, now) => mesh.HandleTcpDatagram(_mesh.Route("beta")!.Id, Long(1536), now));
        Assert.Equal("15 self beta 21 ".Length + 2048, Assert.Single(Requests(beta)).Length);
    }

    [Fact]
    public void A_datagram_for_us_without_a_session_makes_us_start_one()
    {
        SptpsNode beta = new(_mesh);
        _mesh.Say(beta.Connection, $"15 beta self 21 {TincBase64.Encode(s_body)}");
        Assert.Contains(beta.Listen(), line => line.StartsWith("15 self beta 15 ", StringComparison.Ordinal));
        Assert.Empty(_mesh.Taken<MeshAction.OpenDatagram>());
    }

    [Fact]
    public void Full_output_drops_datagrams_by_chance()
    {
        MeshHarness mesh = SptpsNode.Mesh(settings => settings with { MaxOutputBufferSize = 3000 });
        ConnectionId from = mesh.JoinReachable("beta", "700000c");
        int id = mesh.Route("beta")!.Id;
        for (int i = 0; i < 20; i++)
            mesh.Mesh.HandleTcpDatagram(id, [.. Datagram("beta", "self")[..12], .. new byte[700]], mesh.Now);
        Assert.InRange(mesh.Mesh.PendingOutput(from).Length, 1000, 5000);
    }

    private void Reach(ConnectionId relay, string name, string options) =>
        _mesh.Say(relay, $"12 71 relay {name} 192.0.2.9 655 {options} 10", $"12 72 {name} relay 192.0.2.8 655 c 10");

    private string[] Requests(ConnectionId connection) =>
        [.. _mesh.Heard(connection).Where(line => line.StartsWith("15 ", StringComparison.Ordinal) && line.Split(' ')[3] is "21" or "110")];

    private static void Establish(MeshHarness mesh, ConnectionId from)
    {
        FastMeshEnd end = new("beta", "self", seed: 4);
        end.Session.Start(mesh.Now);
        for (int i = 0; i < 4; i++)
        {
            foreach (FastMeshLine line in end.Session.TakeLines())
                mesh.Say(from, $"15 beta self {(int)line.Message} {TincBase64.Encode(line.Data)}");
            foreach (string[] fields in mesh.Heard(from).Select(line => line.Split(' ')).Where(fields => fields is ["15", _, _, _, _]))
            {
                Assert.True(TincBase64.TryDecode(fields[4], out byte[] data));
                end.Session.Handle((FastMeshMessage)int.Parse(fields[3], System.Globalization.CultureInfo.InvariantCulture), data, mesh.Now);
            }
        }

        Assert.NotNull(mesh.Route("beta")!.Opener);
    }

    private static byte[] Datagram(string target, string source)
    {
        byte[] datagram = [.. new byte[12], .. s_body];
        NodeId.Of(target).Write(datagram);
        NodeId.Of(source).Write(datagram.AsSpan(6));
        return datagram;
    }
}
