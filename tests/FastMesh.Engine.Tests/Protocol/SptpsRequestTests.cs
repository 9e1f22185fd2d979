using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Sessions with tinc 1.1 nodes as they show in requests, and what stock nodes do wrong (tinc 1.1 reference, 5, 6.4).</summary>
public sealed class SptpsRequestTests
{
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
        beta.AssertPasses();
    }

    [Fact]
    public void A_session_that_the_node_starts_is_answered_by_ans_key()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        Assert.All(beta.Heard, line => Assert.StartsWith("16 self beta ", line, StringComparison.Ordinal));
        Assert.Equal(2, beta.Heard.Count);
        beta.AssertPasses();
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
            _mesh.Do((mesh, now) => mesh.HandleTcpFrame(Beta.Id, SptpsNode.Frame, Beta.Id, now));
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
        beta.AssertPasses();
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
        beta.AssertPasses();
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

    private PeerRoute Beta => _mesh.Route("beta")!;

    private void Want() => _mesh.Do((mesh, now) => mesh.HandleTraffic(Beta.Id, keyNeeded: true, now));
}
