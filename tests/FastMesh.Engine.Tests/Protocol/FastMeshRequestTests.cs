using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Sessions with FastMesh nodes as they show in requests: when they start, what is retried, what the user is told.</summary>
public sealed class FastMeshRequestTests
{
    private const string Options = "1000c", Legacy = "c";

    private static readonly byte[] s_frame = [.. new byte[12], 8, 0, 0x45, 1, 2, 3];

    private readonly MeshHarness _mesh = new MeshHarness(settings =>
        settings with { Identity = Ed25519Identity.Generate(new TestRandom(1)), KeyExpire = TimeSpan.FromSeconds(60), PingInterval = TimeSpan.FromHours(1) }).Start();

    private readonly FastMeshEnd _end = new("beta", "self", seed: 4);
    private readonly List<string> _heard = [];
    private ConnectionId _connection;

    [Fact]
    public void A_neighbour_gets_a_session_at_once_and_no_key_of_tinc_1_0()
    {
        Join();
        Answer();
        Assert.Equal(NodeProtocol.FastMesh, Beta.Protocol);
        Assert.All(_heard, line => Assert.StartsWith("15 self beta 10", line, StringComparison.Ordinal));
        AssertPasses();
    }

    [Fact]
    public void A_session_that_the_neighbour_starts_is_the_same()
    {
        Join();
        _end.Session.Start(_mesh.Now); // its name sorts lower: its start goes on
        Send();
        Answer();
        AssertPasses();
    }

    [Theory]
    [InlineData("via", false)]
    [InlineData("over TCP", true)]
    public void The_log_tells_protocol_suite_and_way_once(string way, bool isNeighbour)
    {
        if (isNeighbour)
        {
            Join();
        }
        else
        {
            _connection = _mesh.JoinReachable("gamma", Options);
            _mesh.Say(_connection, $"12 5 gamma beta 192.0.2.9 655 {Options} 10", $"12 6 beta gamma 192.0.2.1 655 {Options} 10");
            _mesh.Do((mesh, now) => mesh.HandleTraffic(Beta.Id, keyNeeded: true, now));
        }

        Answer();
        AssertPasses();
        _mesh.WaitSeconds(55);
        string suite = MlKemAgreement.IsSupported ? "X25519 + ML-KEM-768" : "X25519";
        string expected = $"Session with beta established: FastMesh, {(_mesh.Settings.AesIsFast ? "AES-256-GCM" : "ChaCha20-Poly1305")}, {suite}, {(isNeighbour ? way : "via gamma")}";
        Assert.Single(_mesh.Log, line => line == expected);
    }

    [Fact]
    public void A_way_by_udp_is_reported_as_soon_as_it_is_known()
    {
        Join();
        Answer();
        byte[] reply = new byte[1000];
        reply[0] = 1;
        _mesh.Do((mesh, now) => mesh.HandleProbe(Beta.Id, reply, now));
        _mesh.WaitSeconds(0.5);
        Assert.Single(_mesh.Log, line => line.StartsWith("Session with beta established: FastMesh, ", StringComparison.Ordinal)
            && line.EndsWith(", direct", StringComparison.Ordinal));
    }

    [Fact]
    public void Starts_without_answer_are_repeated_at_growing_intervals()
    {
        Join();
        List<double> times = [];
        Instant begin = _mesh.Now;
        for (int i = 0; i < 400; i++)
        {
            if (Listen().Length > 0)
                times.Add(Math.Round((_mesh.Now - begin).TotalSeconds));
            _mesh.WaitSeconds(0.1);
        }

        Assert.Equal([0, 1, 3, 7, 15, 25, 35], times);
        Answer(); // the node is there after all
        _mesh.WaitSeconds(10);
        Answer();
        AssertPasses();
    }

    [Fact]
    public void A_node_that_is_no_neighbour_is_tried_only_as_long_as_there_is_traffic()
    {
        _connection = _mesh.JoinReachable("gamma", Options);
        _mesh.Say(_connection, $"12 5 gamma beta 192.0.2.9 655 {Options} 10", $"12 6 beta gamma 192.0.2.1 655 {Options} 10");
        Assert.Empty(Listen());
        Want();
        Assert.NotEmpty(Listen());
        Want();
        _mesh.WaitSeconds(1.5);
        Assert.NotEmpty(Listen());
        _mesh.WaitSeconds(60);
        Listen();
        _mesh.WaitSeconds(100);
        Assert.Empty(Listen());
        Want();
        Answer();
        AssertPasses();
    }

    [Fact]
    public void New_keys_come_after_key_expire_and_the_old_ones_work_until_then()
    {
        Join();
        Answer();
        PacketSealer? before = Beta.Sealer;
        _mesh.WaitSeconds(59);
        Assert.Empty(Listen());
        _mesh.WaitSeconds(12);
        AssertPasses();
        Assert.Same(before, Beta.Sealer);
        Answer();
        Assert.NotSame(before, Beta.Sealer);
        AssertPasses();
    }

    [Fact]
    public void A_re_key_that_leads_to_nothing_leaves_the_session_alone()
    {
        Join();
        Answer();
        for (int i = 0; i < 20; i++)
        {
            _mesh.WaitSeconds(20);
            AssertPasses();
        }

        Assert.True(Listen().Length > 10);
        Answer();
        _mesh.WaitSeconds(10);
        Answer();
        AssertPasses();
    }

    [Fact]
    public void Datagrams_that_do_not_open_lead_to_new_keys_while_the_old_ones_go_on()
    {
        Join();
        Answer();
        _mesh.WaitSeconds(11);
        PacketSealer? before = Beta.Sealer;
        for (int i = 0; i < 3; i++)
            _mesh.Do((mesh, now) => mesh.HandleOpenFailed(Beta.Id, now));
        Assert.Same(before, Beta.Sealer);
        AssertPasses();
        Answer();
        Assert.NotSame(before, Beta.Sealer);
        AssertPasses();
    }

    [Theory]
    [InlineData("15 beta self")]
    [InlineData("15 beta self 15 AQBB")]
    [InlineData("15 beta self 19")]
    [InlineData("15 beta self 21 AQBB")]
    [InlineData("15 beta self 101")]
    [InlineData("15 beta self 101 AQBB")]
    [InlineData("15 beta self 103 AQBB")]
    [InlineData("15 beta self 106 AQBB")]
    [InlineData("15 beta self 110 !")]
    [InlineData("16 beta self 80 427 672 4 0")]
    [InlineData("14 77 beta")]
    public void Messages_that_make_no_sense_are_ignored_and_leave_the_session_alone(string line)
    {
        Join();
        Answer();
        PacketSealer? before = Beta.Sealer;
        _mesh.Heard(_connection);
        _mesh.Say(_connection, line, "8");
        Assert.Equal(["9"], _mesh.Heard(_connection));
        Assert.Same(before, Beta.Sealer);
        AssertPasses();
    }

    [Fact]
    public void A_node_that_goes_back_to_tinc_1_0_is_served_and_the_user_is_told_once_each_time()
    {
        Join();
        Answer();
        for (int i = 1; i <= 2; i++)
        {
            ConnectionId again = _mesh.Join("beta", Legacy);
            _mesh.Say(again, "8");
            _mesh.WaitSeconds(20);
            Assert.Equal(NodeProtocol.Legacy, Beta.Protocol);
            Assert.Null(Beta.Sealer);
            Assert.Contains(_mesh.Heard(again), line => line.StartsWith("16 self beta ", StringComparison.Ordinal));
            Assert.Equal(i, _mesh.Log.Count(line => line.StartsWith("beta has gone back to tinc 1.0", StringComparison.Ordinal)));
            _connection = _mesh.Join("beta", Options);
            _mesh.Heard(_connection);
            _mesh.WaitSeconds(2);
            Answer();
            AssertPasses();
        }
    }

    [Fact]
    public void Another_key_than_the_learned_one_is_refused_and_nothing_weaker_is_used_instead()
    {
        _mesh.Settings.KnownKeys.Learn("beta", Ed25519Identity.Generate(new TestRandom(5)).Public);
        Join();
        for (int i = 0; i < 30; i++)
        {
            _mesh.WaitSeconds(1);
            Answer();
        }

        Assert.Null(Beta.Sealer);
        Assert.DoesNotContain(_heard, line => line.StartsWith("16 ", StringComparison.Ordinal));
        Assert.Single(_mesh.Log, line => line.StartsWith("Refusing a session with beta: its Ed25519 key is ", StringComparison.Ordinal)
            && line.Contains("remove memory", StringComparison.Ordinal));
    }

    [Fact]
    public void An_address_that_a_relay_has_seen_is_taken_from_an_empty_answer()
    {
        Join();
        Answer();
        _mesh.Say(_connection, "16 beta self 0 -1 -1 -1 0 198.51.100.7 4711");
        Assert.Equal("198.51.100.7 port 4711", Beta.Address.ToString());
        AssertPasses();
    }

    [Fact]
    public void Without_an_identity_every_node_is_one_of_tinc_1_0()
    {
        MeshHarness mesh = new MeshHarness().Start();
        ConnectionId from = mesh.JoinReachable("beta", Options);
        Assert.Equal(NodeProtocol.Legacy, mesh.Route("beta")!.Protocol);
        mesh.Say(from, "15 beta self");
        Assert.StartsWith("16 self beta ", Assert.Single(mesh.Heard(from)), StringComparison.Ordinal);
    }

    private PeerRoute Beta => _mesh.Route("beta")!;

    private void Want() => _mesh.Do((mesh, now) => mesh.HandleTraffic(Beta.Id, keyNeeded: true, now));

    private void Join()
    {
        _connection = _mesh.Join("beta", Options);
        _mesh.Say(_connection, $"12 1234 beta self 192.0.2.1 655 {Options} 10");
    }

    private string[] Listen()
    {
        string[] lines = [.. _mesh.Heard(_connection).Where(line => line.StartsWith("15 self beta", StringComparison.Ordinal)
            || line.StartsWith("16 self beta", StringComparison.Ordinal))];
        _heard.AddRange(lines);
        return lines;
    }

    private void Answer()
    {
        for (string[] lines = Listen(); lines.Length > 0; lines = Listen())
        {
            foreach (string[] fields in lines.Select(line => line.Split(' ')).Where(fields => fields.Length > 4))
            {
                Assert.True(TincBase64.TryDecode(fields[4], out byte[] data));
                _end.Session.Handle((FastMeshMessage)int.Parse(fields[3], System.Globalization.CultureInfo.InvariantCulture), data, _mesh.Now);
            }

            Send();
        }
    }

    private void Send()
    {
        foreach (FastMeshLine line in _end.Session.TakeLines())
            _mesh.Say(_connection, $"15 beta self {(int)line.Message} {TincBase64.Encode(line.Data)}");
    }

    private void AssertPasses()
    {
        PacketSealer? sealer = Beta.Sealer;
        Assert.True(sealer is not null, string.Join('\n', _mesh.Log.TakeLast(20)));
        byte[] output = new byte[sealer.SealedLength(s_frame.Length)];
        byte[] datagram = output[..sealer.Seal([.. new byte[PacketSealer.Room], .. s_frame], output, direct: true)];
        Assert.Equal(OpenResult.Opened, FastMeshPair.Open(_end, datagram, out _));
        datagram = FastMeshPair.Seal(_end, [1, 2, 3]);
        output = new byte[Beta.Opener!.OutputLength(datagram.Length)];
        Assert.Equal(OpenResult.Opened, Beta.Opener.Open(datagram, output, out _, out _));
    }
}
