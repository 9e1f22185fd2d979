using System.Text;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Life of meta connections: limits, timeouts, duplicates, options and weights (tinc 1.0 reference, 4.2, 4.4, 4.6, 4.8, 4.9).</summary>
public sealed class ConnectionTests
{
    [Theory]
    [InlineData("default", "c", "c")]
    [InlineData("tcponly", "b", "b")]
    [InlineData("indirect", "d", "d")]
    [InlineData("nopmtu", "8", "8")]
    [InlineData("noclamp", "4", "c")] // the peer's own bit is or-ed in
    [InlineData("peer-tcponly", "b", "b")]
    [InlineData("peer-noclamp", "4", "4")]
    public void Options_of_ack_and_edge_are_those_of_the_reference(string configuration, string ack, string edge)
    {
        MeshHarness mesh = new(settings => configuration switch
        {
            "tcponly" => settings with { TcpOnly = true, PmtuDiscovery = false },
            "indirect" => settings with { IndirectData = true },
            "nopmtu" => settings with { PmtuDiscovery = false },
            "noclamp" => settings with { ClampMss = false },
            _ => settings,
        } with
        { ConnectTo = ["beta"] });
        mesh.HostFiles["beta"] = new PeerSettings
        {
            Addresses = [new("192.0.2.2", "655")],
            TcpOnly = configuration == "peer-tcponly",
            ClampMss = configuration == "peer-noclamp" ? false : null,
            Weight = 30,
        };
        mesh.Start();
        ConnectionId id = Assert.Single(mesh.Taken<MeshAction.Connect>()).Connection;
        mesh.Do((m, now) => m.HandleConnected(id, now));
        mesh.Say(id, "0 beta 17");
        Assert.Equal(["0 self 17", $"4 655 30 {ack}"], mesh.Heard(id));
        mesh.Say(id, "4 0 11 c");
        Assert.Equal([$"12 N self beta 192.0.2.2 655 {edge} 20"], mesh.HeardWithoutNonces(id)); // port 0: the TCP port; (30 + 11) / 2
    }

    [Fact]
    public void Unknown_option_bits_are_kept()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId id = mesh.Join("beta", options: "7a0000c");
        Assert.Contains("12 N self beta 192.0.2.2 655 7a0000c 5", mesh.HeardWithoutNonces(id));
    }

    [Fact]
    public void The_eleventh_connection_of_a_second_goes_to_the_tarpit()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId[] ids = [.. Enumerable.Range(0, 12).Select(_ => mesh.Accept())];
        Assert.Equal([11, 12], ids.Where(id => mesh.IsClosed(id, out bool tarpit) && tarpit).Select(id => id.Value));
        Assert.Single(mesh.Log, line => line.Contains("Too many connections", StringComparison.Ordinal));
        mesh.Say(ids[10], "0 beta 17");
        Assert.Empty(mesh.Heard(ids[10]));
        mesh.WaitSeconds(1);
        Assert.False(mesh.IsClosed(mesh.Accept(), out _));
    }

    [Fact]
    public void A_handshake_that_takes_too_long_ends_in_the_tarpit_within_five_to_ten_seconds()
    {
        MeshHarness mesh = new MeshHarness().Start();
        mesh.WaitSeconds(1);
        ConnectionId id = mesh.Accept();
        mesh.WaitSeconds(4);
        Assert.False(mesh.IsClosed(id, out _));
        mesh.WaitSeconds(5);
        Assert.True(mesh.IsClosed(id, out bool tarpit) && tarpit);
        Assert.Contains("Timeout from <unknown> (192.0.2.2 port 50000) during authentication", mesh.Log);
    }

    [Fact]
    public void A_ping_that_is_not_answered_by_a_pong_ends_the_connection_whatever_else_arrives()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId good = mesh.JoinReachable("beta"), bad = mesh.JoinReachable("delta");
        for (int i = 0; i < 14; i++)
        {
            mesh.WaitSeconds(5);
            mesh.Say(bad, "8");
            if (mesh.Heard(good).Contains("8"))
                mesh.Say(good, "9");
        }

        Assert.True(mesh.IsClosed(bad, out bool tarpit) && !tarpit);
        Assert.False(mesh.IsClosed(good, out _));
        Assert.Contains("delta (192.0.2.2 port 50000) didn't respond to PING in 5 seconds", mesh.Log);
    }

    [Fact]
    public void A_peer_that_is_silent_after_its_ack_is_found_out_long_before_PingInterval()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId silent = mesh.Join("beta"), good = mesh.JoinReachable("delta");
        mesh.WaitSeconds(10);
        Assert.Equal("8", mesh.Heard(silent)[^1]);
        mesh.WaitSeconds(5);
        Assert.True(mesh.IsClosed(silent, out bool tarpit) && !tarpit);
        mesh.WaitSeconds(40);
        Assert.DoesNotContain("8", mesh.Heard(good));
    }

    [Fact]
    public void A_peer_that_does_not_read_is_dropped_after_the_ping_timeout()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId id = mesh.JoinReachable("beta");
        mesh.Mesh.HandleMeta(id, "8\n"u8, mesh.Now); // the answer is not taken
        mesh.WaitSeconds(10);
        Assert.True(mesh.IsClosed(id, out _));
    }

    [Fact]
    public void A_second_connection_replaces_the_first_without_a_word_to_the_others()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId first = mesh.JoinReachable("beta"), other = mesh.JoinReachable("delta");
        mesh.Actions.Clear();
        ConnectionId second = mesh.Join("beta", options: "8");
        Assert.True(mesh.IsClosed(first, out bool tarpit) && !tarpit);
        Assert.Equal(["12 N self beta 192.0.2.2 655 8 5"], mesh.HeardWithoutNonces(other));
        Assert.Equal(["host-down", "hosts/beta-down", "host-up", "hosts/beta-up"], mesh.Taken<MeshAction.RunScript>().Select(script => script.Name));
        Assert.Contains("Established a second connection with beta (192.0.2.2 port 50000), closing old connection", mesh.Log);
        mesh.Say(second, "8");
        Assert.Equal("9", mesh.Heard(second)[^1]);
    }

    [Fact]
    public void Lines_may_be_as_long_as_the_buffer_and_no_longer()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId id = mesh.JoinReachable("beta");
        mesh.Say(id, "8 " + new string('x', 2173)); // 2175 bytes and LF
        Assert.Equal(["9"], mesh.Heard(id));
        mesh.Feed(id, Encoding.ASCII.GetBytes("8 " + new string('x', 2174)));
        Assert.False(mesh.IsClosed(id, out _));
        mesh.Feed(id, "\n"u8);
        Assert.True(mesh.IsClosed(id, out bool tarpit) && tarpit);
    }

    [Fact]
    public void The_zeros_that_DisableBuggyPeers_makes_tinc_1_1_send_are_dropped_in_silence()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId id = mesh.JoinReachable("beta");
        mesh.Feed(id, [.. "17 2176\n"u8, .. new byte[2176], .. "8\n"u8]);
        Assert.Empty(mesh.Taken<MeshAction.RouteFrame>());
        Assert.Equal(["9"], mesh.Heard(id));
    }

    /// <summary>As seen of tinc 1.1pre18: before anything else, on connections of either protocol.</summary>
    [Fact]
    public void With_DisableBuggyPeers_the_zeros_are_the_first_that_is_sent_on_an_active_connection()
    {
        MeshHarness mesh = new MeshHarness(settings => settings with { DisableBuggyPeers = true }).Start();
        ConnectionId id = mesh.Accept();
        mesh.Say(id, "0 beta 17");
        mesh.Heard(id);
        mesh.Say(id, "4 655 10 c");
        byte[] said = mesh.HeardBytes(id);
        int first = said.AsSpan().IndexOf("17 2176\n"u8), next = first + "17 2176\n".Length;
        Assert.True(said.AsSpan(next, 2176).IndexOfAnyExcept((byte)0) < 0);
        Assert.StartsWith("12 ", Encoding.ASCII.GetString(said[(next + 2176)..]), StringComparison.Ordinal);

        mesh = SptpsPeer.Mesh(settings => settings with { DisableBuggyPeers = true });
        SptpsPeer peer = SptpsPeer.Shake(mesh);
        peer.Say("4 655 10 700000c");
        int at = peer.Records.FindIndex(record => record.Data.AsSpan().SequenceEqual("17 2176\n"u8));
        Assert.Equal(new byte[2176], peer.Records[at + 1].Data);
        Assert.StartsWith("12 ", Encoding.ASCII.GetString(peer.Records[at + 2].Data), StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_is_said_in_one_go_or_byte_by_byte()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId id = mesh.Accept();
        byte[] all = Encoding.ASCII.GetBytes("0 beta 17\n4 655 10 c\n12 1 beta self 192.0.2.1 655 c 10\n8\n17 3\nab\n8\n" + string.Concat(Enumerable.Repeat("8\n", 3000)));
        mesh.Feed(id, all);
        Assert.Equal(3002, mesh.Heard(id).Count(line => line == "9"));
        foreach (byte one in all.AsSpan(21..60))
            mesh.Feed(id, [one]);
        Assert.False(mesh.IsClosed(id, out _));
    }

    [Fact]
    public void Reports_about_connections_that_are_gone_change_nothing()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId id = mesh.JoinReachable("beta");
        mesh.Do((m, now) => m.HandleClosed(id, CloseReason.Failed, "Connection reset by peer", now));
        int actions = mesh.Actions.Count;
        mesh.Do((m, now) => m.HandleClosed(id, CloseReason.Failed, "again", now));
        mesh.Do((m, now) => m.HandleConnected(id, now));
        mesh.Do((m, now) => m.HandleSent(id, 5, now));
        mesh.Say(id, "8");
        Assert.Equal(0, mesh.Mesh.PendingOutput(id).Length);
        Assert.Equal(actions, mesh.Actions.Count);
    }

    [Fact]
    public void The_table_is_rebuilt_only_when_something_in_it_changed()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId id = mesh.JoinReachable("beta");
        int before = mesh.Tables;
        mesh.Say(id, "8", "9", "13 1 x y", "12 2 beta self 192.0.2.1 655 c 10", "10 3 self 10.0.0.0/8");
        mesh.WaitSeconds(3);
        Assert.Equal(before, mesh.Tables);
        mesh.Say(id, "10 4 beta 10.0.0.0/8");
        Assert.Equal(before + 1, mesh.Tables);
    }

    [Fact]
    public void A_mesh_of_a_thousand_nodes_is_taken_up_with_one_graph_run_per_input()
    {
        MeshHarness mesh = new MeshHarness(settings => settings with { MaxOutputBufferSize = 1 << 24 }).Start();
        ConnectionId id = mesh.JoinReachable("n0");
        StringBuilder text = new();
        for (int i = 1; i < 1000; i++)
        {
            foreach (int other in new[] { i / 2, i / 3 }.Distinct())
                text.Append($"12 {i:x} n{i} n{other} 192.0.2.7 655 c 5\n12 {i:x} n{other} n{i} 192.0.2.7 {1000 + i} c 5\n");
            text.Append($"10 {i:x} n{i} 10.{i / 256}.{i % 256}.0/24\n");
        }

        int before = mesh.Tables;
        byte[] dump = Encoding.ASCII.GetBytes(text.ToString());
        for (int at = 0; at < dump.Length; at += 65536)
            mesh.Feed(id, dump.AsSpan(at, Math.Min(65536, dump.Length - at)));
        Assert.Equal(1000, mesh.Table.Peers.Count(peer => peer.Reachable));
        Assert.InRange(mesh.Tables - before, 1, (dump.Length / 65536) + 1);
        Assert.Equal("n999", mesh.Table.FindOwner(0x0a03e705)?.Name);
    }

    [Fact]
    public void Stop_closes_everything_and_runs_the_down_scripts()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId id = mesh.JoinReachable("beta");
        mesh.Actions.Clear();
        mesh.Do((m, now) => m.Stop(now));
        Assert.Empty(mesh.Heard(id)); // no DEL_EDGE
        Assert.True(mesh.IsClosed(id, out bool tarpit) && !tarpit);
        Assert.Equal(["host-down", "hosts/beta-down"], mesh.Taken<MeshAction.RunScript>().Select(script => script.Name));
        Assert.Contains("Closing connection with self (MYSELF)", mesh.Log);
    }

    [Fact]
    public void Alarm_pings_everyone_and_dials_at_once()
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["delta"] });
        mesh.HostFiles["delta"] = new PeerSettings { Addresses = [new("192.0.2.3", "655")] };
        mesh.Start();
        ConnectionId id = mesh.JoinReachable("beta");
        ConnectionId dialled = mesh.Taken<MeshAction.Connect>().Single().Connection;
        mesh.Do((m, now) => m.HandleClosed(dialled, CloseReason.Failed, "refused", now));
        mesh.Do((m, now) => m.Retry(now));
        Assert.Equal(["8"], mesh.Heard(id));
        Assert.Equal(2, mesh.Taken<MeshAction.Connect>().Count());
    }

    [Fact]
    public void Dumps_have_tincs_form()
    {
        MeshHarness mesh = new MeshHarness().Start();
        mesh.JoinReachable("beta");
        Assert.Matches(@"^ beta at 192\.0\.2\.2 port 50000 options c socket 1 status 0102 outbuf \d+/0/0$",
            Assert.Single(mesh.Mesh.DescribeConnections()));
        Assert.Contains(mesh.Graph, line => line == " beta at 192.0.2.2 port 655 cipher 0 digest 0 maclength 0 compression 0"
            + " options c status 0018 nexthop beta via beta pmtu 1518 (min 0 max 1518)");
        Assert.Contains(mesh.Graph, line => line == " self at MYSELF cipher 0 digest 0 maclength 0 compression 0"
            + " options c status 0018 nexthop self via self pmtu 1518 (min 0 max 1518)");
    }

    [Fact]
    public void The_graph_dump_is_graphviz_and_written_only_after_changes()
    {
        MeshHarness mesh = new MeshHarness(settings => settings with { DumpGraph = true }).Start();
        mesh.JoinReachable("beta");
        mesh.WaitSeconds(59);
        Assert.Empty(mesh.Taken<MeshAction.DumpGraph>());
        mesh.WaitSeconds(1);
        Assert.Equal("""
            digraph {
            	"beta" [label = "beta"];
            	"self" [label = "self"];
            	"self" -> "beta";
            	"beta" -> "self";
            }

            """, Assert.Single(mesh.Taken<MeshAction.DumpGraph>()).Text);
    }
}
