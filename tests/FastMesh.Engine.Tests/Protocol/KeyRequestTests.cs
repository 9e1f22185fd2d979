using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>REQ_KEY, ANS_KEY, PACKET, probes and unknown datagrams (tinc 1.0 reference, 4.8, 5.1, 5.6, 5.8, 11.1, 11.3).</summary>
public sealed class KeyRequestTests
{
    private const string Key = "807531CF8CC61CB3BE46EC3878FF472005C36584F3C436EE1C8696F03F8992D194B05BA37989E053F94B165891033014";

    private readonly MeshHarness _mesh = new MeshHarness().Start();

    [Fact]
    public void A_neighbour_gets_a_key_unasked_when_it_becomes_reachable()
    {
        ConnectionId from = _mesh.Join("beta");
        _mesh.Heard(from);
        Assert.Null(_mesh.Route("beta")!.Opener);
        _mesh.Say(from, "12 1 beta self 192.0.2.1 655 c 10");
        string line = Assert.Single(_mesh.Heard(from));
        Assert.Matches("^16 self beta [0-9A-F]{96} 427 672 4 0$", line);
        Assert.NotNull(_mesh.Route("beta")!.Opener);
    }

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("192.0.2.2")]
    [InlineData("192.0.2.3")]
    public void Both_sessions_belong_to_the_shard_that_the_node_s_address_chooses(string address)
    {
        MeshHarness mesh = new MeshHarness(settings => settings with { Forwarding = settings.Forwarding with { Shards = 3 } }).Start();
        ConnectionId from = mesh.Accept(address);
        mesh.Say(from, "0 beta 17", "4 655 10 c", "12 1 beta self 192.0.2.77 655 c 10", $"16 beta self {Key} 427 672 4 0");
        PeerRoute route = mesh.Route("beta")!;
        Assert.Equal(address, route.Address.AddressText);
        int owner = ForwardingTable.OwnerShard(route.Address, 0, 3);
        Assert.Equal((owner, owner), (route.Opener!.Owner, route.Sealer!.Owner));
    }

    [Fact]
    public void Req_key_is_answered_with_a_new_key_each_time()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        PacketOpener? first = _mesh.Route("beta")!.Opener;
        _mesh.Say(from, "15 beta self", "15 beta self 17 extra");
        string[] lines = _mesh.Heard(from);
        Assert.Equal(2, lines.Distinct().Count());
        Assert.All(lines, line => Assert.StartsWith("16 self beta ", line, StringComparison.Ordinal));
        Assert.NotSame(first, _mesh.Route("beta")!.Opener);
    }

    [Fact]
    public void Keys_that_may_have_crossed_on_two_ways_are_asked_for_once_more()
    {
        ConnectionId relay = _mesh.JoinReachable("relay");
        _mesh.Say(relay, "12 1 relay beta 192.0.2.9 655 c 10", "12 2 beta relay 192.0.2.1 655 c 10", $"16 beta self {Key} 427 672 4 0");
        ConnectionId beta = _mesh.JoinReachable("beta");
        _mesh.Heard(relay);
        _mesh.Heard(beta);
        _mesh.Say(beta, $"16 beta self {Key} 427 672 4 0");
        Assert.Contains("15 self beta", _mesh.Heard(beta));
        _mesh.Say(beta, $"16 beta self {Key} 427 672 4 0", $"16 beta self {Key} 427 672 4 0");
        Assert.DoesNotContain("15 self beta", _mesh.Heard(beta));
    }

    [Theory]
    [InlineData("15 ghost self")] // known from a subnet only: kills the release
    [InlineData("15 nobody self")]
    [InlineData("15 self beta")]
    [InlineData("15 self self")]
    [InlineData("15 beta ghost")]
    [InlineData("16 self beta " + Key + " 427 672 4 0")]
    [InlineData("16 self self " + Key + " 427 672 4 0")]
    [InlineData("16 nobody self " + Key + " 427 672 4 0")]
    public void Requests_about_self_or_unreachable_nodes_are_ignored(string line)
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, "10 1 ghost 10.2.0.0/16", line, "8");
        Assert.Equal(["9"], _mesh.Heard(from));
        Assert.Empty(_mesh.Taken<MeshAction.SendProbe>());
    }

    [Fact]
    public void Ans_key_makes_the_node_addressable_and_starts_probing()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, $"16 beta self {Key} 427 672 4 0 198.51.100.7 4711");
        PeerRoute route = _mesh.Route("beta")!;
        Assert.NotNull(route.Sealer);
        Assert.Equal("198.51.100.7 port 4711", route.Address.ToString());
        MeshAction.SendProbe[] probes = [.. _mesh.Taken<MeshAction.SendProbe>()];
        Assert.Equal(3, probes.Length);
        Assert.All(probes, probe =>
        {
            Assert.InRange(probe.Frame.Length, 64, 1518);
            Assert.True(probe.Frame.AsSpan(0, 14).IndexOfAnyExcept((byte)0) < 0);
        });
    }

    [Theory]
    [InlineData(Key + " 427 672 4 0", "AES-256-CBC with SHA-256/4")]
    [InlineData(Key + " 427 64 10 9", "AES-256-CBC with SHA-1/10")]
    [InlineData("80 0 0 0 0", "no cipher with no digest")]
    public void The_log_tells_once_what_protects_packets_and_which_way_they_go(string fields, string suite)
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, $"16 beta self {fields}", $"16 beta self {fields}");
        _mesh.WaitSeconds(20);
        Assert.Single(_mesh.Log, line => line == $"Session with beta established: tinc 1.0, {suite}, over TCP");
    }

    [Theory]
    [InlineData("80 0 672 4 0", true)] // cipher none has a one-byte key
    [InlineData(Key + " 0 672 4 0", false)] // CVE-2018-16758: cipher none with another key
    [InlineData("80 427 672 4 0", false)]
    [InlineData(Key + " 1 672 4 0", false)]
    [InlineData(Key + " 427 1 4 0", false)]
    [InlineData(Key + " 427 672 33 0", false)]
    [InlineData(Key + " 427 672 -1 0", false)]
    [InlineData(Key + " 427 672 4 12", false)]
    [InlineData(Key + " 427 672 4 -1", false)]
    [InlineData(Key + " 427 0 99 0", true)]
    [InlineData("zz" + " 427 672 4 0", false)]
    public void A_key_that_cannot_be_used_leaves_the_node_without_key_and_the_connection_up(string fields, bool usable)
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, $"16 beta self {Key} 427 672 4 0", $"16 beta self {fields}", "8");
        Assert.Equal(["9"], _mesh.Heard(from));
        Assert.Equal(usable, _mesh.Route("beta")!.Sealer is not null);
    }

    [Theory]
    [InlineData("somewhere http")]
    [InlineData("192.0.2.2 0")]
    [InlineData("192.0.2.1 655")] // that is where beta sees self
    [InlineData("198.51.100.7")]
    public void A_useless_reflexive_address_is_ignored(string address)
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, $"16 beta self {Key} 427 672 4 0 {address}");
        Assert.Equal("192.0.2.2 port 655", _mesh.Route("beta")!.Address.ToString());
    }

    [Fact]
    public void A_relay_passes_keys_on_and_appends_the_address_once_udp_is_confirmed()
    {
        ConnectionId beta = _mesh.JoinReachable("beta"), delta = _mesh.JoinReachable("delta");
        _mesh.Heard(beta);
        _mesh.Say(beta, "15 beta delta 100 blob", $"16 beta delta {Key} 427 672 4 0");
        Assert.Equal(["15 beta delta 100 blob", $"16 beta delta {Key} 427 672 4 0"], _mesh.Heard(delta));

        _mesh.Say(delta, $"16 delta self {Key} 427 672 4 0");
        byte[] reply = new byte[500];
        reply[0] = 1;
        _mesh.Do((mesh, now) => mesh.HandleProbe(_mesh.Route("delta")!.Id, reply, now));
        _mesh.Say(beta, $"16 beta delta {Key} 427 672 4 1 ", $"16 beta delta {Key} 427 672 4 0 203.0.113.1 1 more");
        Assert.Equal([$"16 beta delta {Key} 427 672 4 1 192.0.2.2 655", $"16 beta delta {Key} 427 672 4 0 203.0.113.1 1 more"], _mesh.Heard(delta));
    }

    [Fact]
    public void A_missing_key_is_asked_for_at_most_every_ten_seconds_until_key_changed()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        int id = _mesh.Route("beta")!.Id;
        byte[] frame = [.. new byte[12], 8, 0, 1, 2, 3];
        void Need() => _mesh.Do((mesh, now) => mesh.HandleTcpFrame(id, frame, id, now));

        Need();
        Need();
        Assert.Equal(["15 self beta", "17 17"], _mesh.Heard(from).Take(2));
        _mesh.WaitSeconds(9);
        Need();
        Assert.DoesNotContain("15 self beta", _mesh.Heard(from));
        _mesh.WaitSeconds(1);
        Need();
        Assert.Contains("15 self beta", _mesh.Heard(from));
        _mesh.Say(from, "14 1 beta");
        Need();
        Assert.Contains("15 self beta", _mesh.Heard(from));
    }

    [Fact]
    public void Packets_cross_the_meta_connection_unchanged()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        byte[] frame = [.. new byte[12], 8, 0, .. Encoding.ASCII.GetBytes("line\nfeeds\0and all")];
        _mesh.Feed(from, [.. Encoding.ASCII.GetBytes($"17 {frame.Length}\n"), .. frame, .. "8\n"u8]);
        MeshAction.RouteFrame routed = Assert.Single(_mesh.Taken<MeshAction.RouteFrame>());
        Assert.Equal((_mesh.Route("beta")!.Id, true), (routed.From, routed.ByTcp));
        Assert.Equal(frame, routed.Frame);
        Assert.Equal(["9"], _mesh.Heard(from));

        _mesh.Do((mesh, now) => mesh.HandleTcpFrame(_mesh.Route("beta")!.Id, "abc\ndef"u8, -1, now));
        Assert.Equal(["17 7", "abc", "def"], _mesh.Heard(from));
    }

    [Fact]
    public void A_packet_over_a_tcponly_edge_is_not_marked_as_arrived_by_tcp()
    {
        ConnectionId from = _mesh.JoinReachable("beta", options: "3");
        _mesh.Feed(from, [.. "17 20\n"u8, .. new byte[20]]);
        Assert.False(Assert.Single(_mesh.Taken<MeshAction.RouteFrame>()).ByTcp);
    }

    [Fact]
    public void Oversized_packets_that_fit_the_buffer_are_dropped_silently()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Feed(from, [.. "17 1662\n"u8, .. new byte[1662], .. "17 1661\n"u8, .. new byte[1661], .. "17 65536\n8\n"u8]);
        Assert.Equal(1661, Assert.Single(_mesh.Taken<MeshAction.RouteFrame>()).Frame.Length);
        Assert.Equal(["9"], _mesh.Heard(from));
    }

    [Fact]
    public void A_probe_is_sent_back_with_only_its_type_changed()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        byte[] probe = [.. new byte[14], .. Enumerable.Range(1, 90).Select(i => (byte)i)];
        int id = _mesh.Route("beta")!.Id;
        _mesh.Do((mesh, now) => mesh.HandleProbe(id, probe, now));
        Assert.Empty(_mesh.Taken<MeshAction.SendProbe>());
        Assert.Equal(["15 self beta"], _mesh.Heard(from)); // an answer needs a key

        _mesh.Say(from, $"16 beta self {Key} 427 672 4 0");
        _mesh.Actions.Clear();
        _mesh.Do((mesh, now) => mesh.HandleProbe(id, probe, now));
        byte[] expected = [1, .. probe.AsSpan(1)];
        Assert.Equal(expected, Assert.Single(_mesh.Taken<MeshAction.SendProbe>()).Frame);
        _mesh.Do((mesh, now) => mesh.HandleProbe(id, probe.AsSpan(0, 13), now));
        _mesh.Do((mesh, now) => mesh.HandleProbe(99, probe, now));
        Assert.Single(_mesh.Taken<MeshAction.SendProbe>());
    }

    [Fact]
    public void The_sender_of_an_unknown_datagram_is_found_by_its_mac_once_per_second()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, "15 beta self");
        string hex = _mesh.Heard(from)[0].Split(' ')[3];
        Assert.True(LegacyKey.TryParse(hex, LegacySuite.Default, out LegacyKey? key, out _));
        var sealer = new LegacySealer(key, 0);
        byte[] Datagram()
        {
            byte[] output = new byte[sealer.SealedLength(64)];
            return output[..sealer.Seal(new byte[4 + 64], output)];
        }

        Assert.True(Endpoint.TryParse("203.0.113.9", "7777", out Endpoint moved));
        Assert.True(Endpoint.TryParse("192.0.2.2", "7778", out Endpoint samePlace));
        byte[] forged = Datagram();
        forged[^1] ^= 1;
        for (int i = 0; i < 5000; i++)
            _mesh.Do((mesh, now) => mesh.HandleUnknownDatagram(moved, 2, forged, now));
        _mesh.Do((mesh, now) => mesh.HandleUnknownDatagram(moved, 2, Datagram(), now));
        Assert.Empty(_mesh.Taken<MeshAction.OpenDatagram>()); // the checks of this second are spent on strangers
        Assert.Contains("Received UDP packet from unknown source 203.0.113.9 port 7777", _mesh.Log);

        _mesh.Do((mesh, now) => mesh.HandleUnknownDatagram(samePlace, 2, Datagram(), now));
        Assert.Single(_mesh.Taken<MeshAction.OpenDatagram>());
        Assert.Equal(samePlace, _mesh.Route("beta")!.Address);
        _mesh.WaitSeconds(1);
        _mesh.Do((mesh, now) => mesh.HandleUnknownDatagram(moved, 3, Datagram(), now));
        Assert.Equal((moved, 3), (_mesh.Route("beta")!.Address, _mesh.Route("beta")!.Socket));
    }

    [Fact]
    public void A_node_that_answers_no_probe_gets_and_gives_a_new_key_once()
    {
        ConnectionId from = _mesh.JoinReachable("beta");
        _mesh.Say(from, $"16 beta self {Key} 427 672 4 0");
        _mesh.Heard(from);
        _mesh.WaitSeconds(12);
        string[] lines = [.. _mesh.Heard(from).Where(line => line.StartsWith("15 ", StringComparison.Ordinal) || line.StartsWith("16 ", StringComparison.Ordinal))];
        Assert.Equal(2, lines.Length);
        Assert.Equal("15 self beta", lines[0]);
        Assert.StartsWith("16 self beta ", lines[1], StringComparison.Ordinal);

        _mesh.Actions.Clear();
        _mesh.Say(from, $"16 beta self {Key} 427 672 4 0"); // probing starts over at once, and gives up for good
        Assert.Equal(3, _mesh.Taken<MeshAction.SendProbe>().Count());
        _mesh.WaitSeconds(30);
        Assert.DoesNotContain(_mesh.Heard(from), line => line.StartsWith("15 ", StringComparison.Ordinal));
    }

    [Fact]
    public void Full_output_drops_packets_by_chance()
    {
        // Nothing is ever written here, so each packet adds to what is queued: 3 of 1000 bytes and their lines make 3021 of 3000.
        MeshHarness mesh = new MeshHarness(settings => settings with { MaxOutputBufferSize = 3000 }).Start();
        ConnectionId from = mesh.JoinReachable("beta");
        int id = mesh.Route("beta")!.Id;
        List<int> lengths = [];
        for (int i = 0; i < 8; i++)
        {
            mesh.Mesh.HandleTcpFrame(id, new byte[1000], -1, mesh.Now);
            lengths.Add(mesh.Mesh.PendingOutput(from).Length);
        }

        Assert.Equal([1008, 2016], lengths.Take(2));
        Assert.InRange(lengths[^1], 2016, 4032); // at 3000 queued bytes every packet is dropped
    }
}
