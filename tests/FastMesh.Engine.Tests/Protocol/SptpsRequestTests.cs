using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Sessions with tinc 1.1 nodes as they show in requests, and what stock nodes do wrong (tinc 1.1 reference, 5, 6.4).</summary>
public sealed class SptpsRequestTests
{
    private static readonly byte[] s_frame = [.. new byte[12], 8, 0, 0x45, 1, 2, 3];

    private readonly MeshHarness _mesh = SptpsNode.Mesh();

    [Fact]
    public void A_session_is_started_when_there_is_traffic()
    {
        SptpsNode beta = new(_mesh);
        Assert.Equal(NodeProtocol.Sptps, Beta.Protocol);
        Want();
        beta.Answer();
        Assert.Matches("^15 self beta 15 [A-Za-z0-9+/]{94}$", beta.Heard[0]);
        Assert.Matches("^16 self beta [A-Za-z0-9+/]{92} -1 -1 -1 0$", beta.Heard[1]);
        Assert.Equal(2, beta.Heard.Count);
        AssertPasses(beta);
    }

    [Fact]
    public void A_session_that_the_node_starts_is_answered_by_ans_key()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        Assert.All(beta.Heard, line => Assert.StartsWith("16 self beta ", line, StringComparison.Ordinal));
        Assert.Equal(2, beta.Heard.Count);
        AssertPasses(beta);
    }

    [Fact]
    public void The_end_of_the_wait_is_reported_once_with_what_protects_the_session()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        _mesh.WaitSeconds(20);
        Assert.Single(_mesh.Log, line => line == "Session with beta established: tinc 1.1 SPTPS, ChaCha20-Poly1305, over TCP");
    }

    [Fact]
    public void A_plain_request_for_a_key_never_goes_to_a_node_with_sessions()
    {
        SptpsNode beta = new(_mesh);
        _mesh.Say(beta.Connection, "14 1 beta"); // KEY_CHANGED
        for (int i = 0; i < 40; i++)
        {
            _mesh.Do((mesh, now) => mesh.HandleTcpFrame(Beta.Id, s_frame, Beta.Id, now));
            Want();
            _mesh.WaitSeconds(1);
        }

        Assert.Contains(beta.Listen(), line => line.StartsWith("15 self beta 15 ", StringComparison.Ordinal));
        Assert.DoesNotContain("15 self beta", beta.Heard);
        Assert.DoesNotContain(beta.Heard, line => line.StartsWith("16 ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("15 beta self")] // ends the stock daemon
    [InlineData("15 beta self 0")]
    [InlineData("16 beta self 0123456789ABCDEF 427 672 4 0")] // a key of tinc 1.0
    [InlineData("15 beta self 99")]
    [InlineData("15 beta self 101 AQBB")]
    [InlineData("15 beta self 110 AQBB")]
    [InlineData("15 beta self 20 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] // nobody has asked
    [InlineData("15 beta self 15 !")]
    [InlineData("15 beta self 21 !")]
    [InlineData("16 beta self ! -1 -1 -1 0")]
    [InlineData("14 1 beta")]
    public void Messages_that_make_no_sense_are_ignored_and_leave_the_session_alone(string line)
    {
        SptpsNode beta = new(_mesh);
        _mesh.Say(beta.Connection, line, "8");
        Assert.Equal(["9"], _mesh.Heard(beta.Connection));
        beta.Start();
        beta.Answer();
        _mesh.Say(beta.Connection, line, "8");
        Assert.Equal(["9"], _mesh.Heard(beta.Connection));
        AssertPasses(beta);
    }

    [Fact]
    public void The_public_key_is_asked_for_and_the_session_follows()
    {
        SptpsNode beta = new(_mesh, isKnown: false);
        Want();
        Want();
        beta.Answer();
        Assert.Equal("15 self beta 19", beta.Heard[0]);
        Assert.StartsWith("15 self beta 15 ", beta.Heard[1], StringComparison.Ordinal);
        AssertPasses(beta);
        Assert.Equal(beta.Identity.Public, _mesh.Settings.KnownKeys.Find("beta"));
    }

    [Fact]
    public void Who_asks_for_our_key_is_asked_for_its_own_first()
    {
        SptpsNode beta = new(_mesh, isKnown: false);
        _mesh.Say(beta.Connection, "15 beta self 19");
        Assert.Equal(["15 self beta 19", $"15 self beta 20 {_mesh.Settings.Identity!.Public}"], beta.Listen());
        _mesh.Say(beta.Connection, $"15 beta self 20 {beta.Identity.Public}", "15 beta self 19");
        Assert.Equal(beta.Identity.Public, _mesh.Settings.KnownKeys.Find("beta"));
        Assert.Equal($"15 self beta 20 {_mesh.Settings.Identity.Public}", beta.Listen()[^1]);
    }

    [Fact]
    public void A_start_of_a_node_whose_key_is_unknown_makes_us_ask_for_it()
    {
        SptpsNode beta = new(_mesh, isKnown: false);
        beta.Start();
        Assert.Equal(["15 self beta 19"], beta.Listen());
    }

    [Fact]
    public void Another_key_than_the_known_one_gives_no_session()
    {
        SptpsNode beta = new(_mesh, isKnown: false);
        _mesh.Settings.KnownKeys.Learn("beta", Ed25519Identity.Generate(new TestRandom(5)).Public);
        beta.Start();
        beta.Answer();
        Assert.Null(Beta.Sealer);
    }

    [Fact]
    public void When_both_start_at_once_ours_goes_on_because_tincd_gives_up_its_own()
    {
        SptpsNode beta = new(_mesh);
        Want();
        beta.Start(); // before it has read ours
        beta.Answer();
        AssertPasses(beta);
    }

    [Fact]
    public void A_start_without_answer_is_repeated_after_ten_seconds_and_a_random_while()
    {
        SptpsNode beta = new(_mesh);
        Want();
        Assert.Single(beta.Listen());
        _mesh.WaitSeconds(12.9); // ours is the name that sorts higher
        Want();
        Assert.Empty(beta.Listen());
        _mesh.WaitSeconds(2.2);
        Want();
        Assert.Single(beta.Listen());
        beta.Start(); // ours goes before it
        Assert.Empty(beta.Listen());
        beta.Start(); // but this node insists
        beta.Answer();
        AssertPasses(beta);
    }

    [Fact]
    public void A_new_start_replaces_a_session_that_is_in_use()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        PacketSealer? before = Beta.Sealer;
        beta.Start();
        Assert.Null(Beta.Sealer);
        beta.Answer();
        Assert.NotSame(before, Beta.Sealer);
        AssertPasses(beta);
    }

    [Fact]
    public void A_record_that_fails_restarts_the_session_only_if_it_is_ten_seconds_old()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        string bad = $"16 beta self {TincBase64.Encode(new byte[80])} -1 -1 -1 0";
        _mesh.Say(beta.Connection, bad);
        Assert.Empty(beta.Listen());
        AssertPasses(beta);
        _mesh.WaitSeconds(11);
        _mesh.Say(beta.Connection, bad);
        beta.Answer();
        Assert.StartsWith("15 self beta 15 ", beta.Heard[2], StringComparison.Ordinal);
        AssertPasses(beta);
    }

    [Fact]
    public void Datagrams_that_do_not_open_restart_a_session_only_if_none_does_for_a_while()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        _mesh.WaitSeconds(11);
        for (int i = 0; i < 10; i++)
        {
            Fail();
            AssertPasses(beta); // someone else sends rubbish in beta's name
        }

        Assert.Empty(beta.Listen());
        for (int i = 0; i < 3; i++)
            Fail();
        Assert.Single(beta.Listen());
        for (int i = 0; i < 10; i++)
            Fail(); // too young
        Assert.Empty(beta.Listen());

        void Fail() => _mesh.Do((mesh, now) => mesh.HandleOpenFailed(Beta.Id, now));
    }

    [Theory]
    [InlineData("0", true)]
    [InlineData("12", true)]
    [InlineData("13", false)]
    [InlineData("-1", false)]
    public void An_answer_with_an_unknown_compression_is_ignored(string level, bool isTaken)
    {
        SptpsNode beta = new(_mesh);
        Want();
        beta.Listen();
        // The answer to our start, from a peer that wants this level.
        SptpsNode other = new(_mesh, name: "beta2");
        Assert.NotNull(other);
        beta.Start();
        byte[] kex = new byte[70];
        kex[4] = 128;
        _mesh.Say(beta.Connection, $"16 beta self {TincBase64.Encode(kex)} -1 -1 -1 {level}");
        Assert.Equal(isTaken ? 1 : 0, beta.Listen().Length); // our signature follows
    }

    [Fact]
    public void The_peer_s_compression_is_used_and_our_own_is_announced()
    {
        MeshHarness mesh = SptpsNode.Mesh(settings => settings with { Compression = 11 });
        SptpsNode beta = new(mesh) { Compression = 12 };
        beta.Start();
        beta.Answer();
        Assert.All(beta.Heard, line => Assert.EndsWith(" -1 -1 -1 11", line, StringComparison.Ordinal));
        byte[] frame = [.. new byte[12], 8, 0, 0x45, .. new byte[1000]];
        PacketSealer sealer = mesh.Route("beta")!.Sealer!;
        byte[] output = new byte[sealer.SealedLength(frame.Length)];
        int length = sealer.Seal([.. new byte[PacketSealer.Room], .. frame], output, direct: true);
        Assert.InRange(length, 30, 100);
    }

    [Fact]
    public void A_reflexive_address_counts_once_the_session_stands()
    {
        SptpsNode beta = new(_mesh);
        Endpoint before = Beta.Address;
        beta.Start();
        byte[] none = new byte[70];
        _mesh.Say(beta.Connection, $"16 beta self {TincBase64.Encode(none)} -1 -1 -1 0 198.51.100.7 4711");
        Assert.Equal(before, Beta.Address);
        foreach (string line in beta.Listen())
        {
            Assert.True(TincBase64.TryDecode(line.Split(' ')[3], out byte[] bytes));
            beta.Session!.Handle(bytes, _mesh.Now);
        }

        foreach (byte[] record in beta.Session!.TakeDatagrams())
            _mesh.Say(beta.Connection, $"16 beta self {TincBase64.Encode(record)} -1 -1 -1 0 198.51.100.7 4711");
        Assert.NotNull(Beta.Sealer);
        Assert.Equal("198.51.100.7 port 4711", Beta.Address.ToString());
    }

    [Fact]
    public void A_change_of_reachability_ends_the_session()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        _mesh.Say(beta.Connection, "13 2 beta self");
        Assert.Null(Beta.Sealer);
        Assert.Null(Beta.Opener);
        _mesh.Say(beta.Connection, "12 3 beta self 192.0.2.1 655 700000c 10");
        Assert.Null(Beta.Sealer);
        beta.Start();
        beta.Answer();
        AssertPasses(beta);
    }

    [Fact]
    public void A_change_of_protocol_ends_the_session()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        ConnectionId again = _mesh.Join("beta", "c");
        Assert.Equal(NodeProtocol.Legacy, Beta.Protocol);
        Assert.Null(Beta.Sealer);
        Assert.Contains(_mesh.Heard(again), line => line.StartsWith("16 self beta ", StringComparison.Ordinal) && line.EndsWith(" 427 672 4 0", StringComparison.Ordinal));
    }

    [Fact]
    public void All_kinds_of_requests_pass_unchanged_on_their_way_to_others()
    {
        SptpsNode beta = new(_mesh), delta = new(_mesh, name: "delta");
        string[] lines =
        [
            "15 beta delta", "15 beta delta 15 KEX", "15 beta delta 19", "15 beta delta 20 KEY", "15 beta delta 101 blob more", "15 beta delta 105 x",
            "15 beta delta 200", "16 beta delta DATA -1 -1 -1 12",
        ];
        _mesh.Say(beta.Connection, lines);
        Assert.Equal(lines, _mesh.Heard(delta.Connection).Where(line => line.StartsWith("15", StringComparison.Ordinal) || line.StartsWith("16", StringComparison.Ordinal)));
        Assert.NotNull(beta);
    }

    [Fact]
    public void A_tunnel_server_passes_nothing_on()
    {
        MeshHarness mesh = SptpsNode.Mesh(settings => settings with { TunnelServer = true });
        SptpsNode beta = new(mesh), delta = new(mesh, name: "delta");
        mesh.Say(beta.Connection, "15 beta delta 15 KEX", "15 beta delta 21 AQBB", "15 beta delta 101 x");
        Assert.DoesNotContain(mesh.Heard(delta.Connection), line => line.StartsWith("15 ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_neighbour_with_tcponly_gets_no_session()
    {
        MeshHarness mesh = SptpsNode.Mesh(settings => settings with { TcpOnly = true });
        SptpsNode beta = new(mesh);
        mesh.Do((m, now) => m.HandleTraffic(mesh.Route("beta")!.Id, keyNeeded: true, now));
        Assert.Empty(beta.Listen());
    }

    [Fact]
    public void A_node_of_tinc_1_0_that_we_are_to_others_answers_any_request_with_a_key()
    {
        MeshHarness mesh = new MeshHarness(settings => settings with { Identity = Ed25519Identity.Generate(new TestRandom(1)) }).Start();
        ConnectionId from = mesh.JoinReachable("beta", SptpsNode.Options);
        Assert.Equal(NodeProtocol.Legacy, mesh.Route("beta")!.Protocol);
        mesh.Say(from, "15 beta self", "15 beta self 15 AQBB");
        Assert.All(mesh.Heard(from), line => Assert.Matches("^16 self beta [0-9A-F]{96} 427 672 4 0$", line));
    }

    [Fact]
    public void New_keys_come_after_key_expire_and_udp_pauses_while_they_change()
    {
        MeshHarness mesh = SptpsNode.Mesh(settings => settings with { KeyExpire = TimeSpan.FromSeconds(60), PingInterval = TimeSpan.FromHours(1) });
        SptpsNode beta = new(mesh);
        beta.Start();
        beta.Answer();
        PeerRoute Route() => mesh.Route("beta")!;
        beta.ProveUdp();
        Assert.True(Route().MinMtu > 0);
        PacketSealer? before = Route().Sealer;
        int heard = beta.Heard.Count;
        for (int i = 0; i < 140 && Route().MinMtu > 0; i++)
        {
            mesh.Do((m, now) => m.HandleProbe(mesh.Route("beta")!.Id, [2, .. new byte[17]], now)); // keeps it confirmed
            mesh.WaitSeconds(0.5);
            beta.Answer();
        }

        Assert.Equal(0, Route().MinMtu);
        Assert.Same(before, Route().Sealer);
        Assert.Equal(115, beta.Heard[heard].Split(' ')[3].Length); // 86 bytes: KEX in a record (3.7)
        mesh.WaitSeconds(0.1);
        Assert.NotSame(before, Route().Sealer);
        Assert.Equal(0, Route().MinMtu);
        beta.Answer();
        AssertPasses(mesh, beta);
        mesh.WaitSeconds(0.1);
        Assert.True(Route().MinMtu > 0);
        AssertPasses(mesh, beta);
    }

    [Fact]
    public void A_re_key_that_got_stuck_ends_in_a_new_session()
    {
        MeshHarness mesh = SptpsNode.Mesh(settings => settings with { KeyExpire = TimeSpan.FromSeconds(60), PingInterval = TimeSpan.FromHours(1) });
        SptpsNode beta = new(mesh);
        beta.Start();
        beta.Answer();
        mesh.WaitSeconds(70);
        Assert.Single(beta.Listen()); // KEX, unanswered
        mesh.WaitSeconds(60);
        beta.Answer();
        Assert.Contains(beta.Heard, line => line.StartsWith("15 self beta 15 ", StringComparison.Ordinal));
        AssertPasses(mesh, beta);
    }

    private PeerRoute Beta => _mesh.Route("beta")!;

    private void Want() => _mesh.Do((mesh, now) => mesh.HandleTraffic(Beta.Id, keyNeeded: true, now));

    private void AssertPasses(SptpsNode peer) => AssertPasses(_mesh, peer);

    private static void AssertPasses(MeshHarness mesh, SptpsNode peer)
    {
        PeerRoute route = mesh.Route(peer.Name)!;
        Assert.NotNull(route.Sealer);
        byte[] output = new byte[route.Sealer.SealedLength(s_frame.Length)];
        byte[] datagram = output[..route.Sealer.Seal([.. new byte[PacketSealer.Room], .. s_frame], output, direct: true)];
        Assert.Equal(OpenResult.Opened, peer.Open(datagram));
        datagram = peer.Seal(s_frame);
        output = new byte[route.Opener!.OutputLength(datagram.Length)];
        Assert.Equal(OpenResult.Opened, route.Opener.Open(datagram, output, out _, out _));
    }
}
