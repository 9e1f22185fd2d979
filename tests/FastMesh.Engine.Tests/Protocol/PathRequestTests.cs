using System.Globalization;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>
/// What the mesh asks the data path to send so that UDP works, and what it makes of datagrams from addresses it does not know (tinc 1.1 reference, 6.3, 7.2).
/// "gamma" is a neighbour that relays, "beta" a node behind it.
/// </summary>
public sealed class PathRequestTests
{
    private const string Options = "1000c", ByRelay = "1000d", TcpOnly = "10003";

    private static readonly Endpoint s_known = Address("192.0.2.9"), s_new = Address("198.51.100.7");

    private readonly FastMeshEnd _beta = new("beta", "self", seed: 4), _gamma = new("gamma", "self", seed: 5);
    private readonly MeshHarness _mesh = Mesh();
    private ConnectionId _connection;

    [Fact]
    public void Nothing_is_sent_to_an_idle_node_that_is_no_neighbour()
    {
        Join();
        Assert.Empty(Sent("beta", 60));
        Want();
        Answer(_beta);
        Assert.NotEmpty(Sent("beta", 3));
        Sent("beta", 3);
        Assert.Empty(Sent("beta", 60));
    }

    [Fact]
    public void While_UDP_is_not_confirmed_every_known_address_is_tried_every_two_seconds()
    {
        Join(local: "10.1.2.3 655");
        _mesh.Say(_connection, $"12 21 gamma delta 192.0.2.30 655 {Options} 10", $"12 22 delta gamma 192.0.2.3 655 {Options} 10",
            $"12 23 delta beta 203.0.113.8 4711 {Options} 10", $"12 24 beta delta 192.0.2.30 655 {Options} 10 10.1.2.3 655");
        Want();
        Answer(_beta);
        List<MeshAction.SendProbe> probes = [];
        for (int second = 0; second < 20; second++)
        {
            Want();
            probes.AddRange(Sent("beta", 1));
        }

        Assert.All(probes, probe => Assert.Equal(18, probe.Frame.Length));
        Assert.Equal(11, probes.Count(probe => !probe.Destination.IsSet)); // to the address in use: at 0, 2, ... 20 seconds
        Assert.InRange(probes.Count(probe => probe.Destination == Address("203.0.113.8", 4711)), 5, 11); // as delta sees it
        Assert.InRange(probes.Count(probe => probe.Destination == Address("10.1.2.3")), 5, 11); // as it calls itself
    }

    [Fact]
    public void A_confirmed_way_is_measured_with_the_kernels_help_and_the_round_trip_kept()
    {
        Ready();
        byte[] request = Sent("beta", 0)[0].Frame;
        Want();
        Reply(request);
        MeshAction.MeasureMtu asked = _mesh.Taken<MeshAction.MeasureMtu>().Last(action => action.Node == Beta.Id);
        Assert.Equal(s_known, asked.Address);
        Assert.Empty(Sent("beta", 0.3));
        _mesh.Do((mesh, now) => mesh.HandleKernelMtu(Beta.Id, 1500, now));
        MeshAction.SendProbe probe = Assert.Single(Sent("beta", 0));
        Assert.Equal(1435, probe.Frame.Length); // 1500 less IPv4, UDP, ids, sequence number, type and tag
        Assert.Equal(0, Beta.MaxDatagram - 37 - 18);
        Reply(probe.Frame);
        Assert.Equal(1435, Beta.MaxDatagram - 37);
        Assert.Contains("Fixing MTU of beta (192.0.2.9 port 655) to 1435 after 1 probes", _mesh.Log);
    }

    [Fact]
    public void A_request_is_answered_where_it_came_from_and_asked_back_while_UDP_is_not_confirmed()
    {
        Ready();
        Sent("beta", 1);
        byte[] request = new byte[700];
        request[17] = 9;
        _mesh.Do((mesh, now) => mesh.HandleProbe(Beta.Id, request, now));
        List<MeshAction.SendProbe> sent = Sent("beta", 0);
        Assert.Equal((2, 700 / 256, 700 % 256, 9), (sent[0].Frame[0], sent[0].Frame[1], sent[0].Frame[2], sent[0].Frame[17]));
        Assert.False(sent[0].Destination.IsSet);
        Assert.Contains(sent.Skip(1), probe => probe.Frame[0] == 0);
    }

    [Fact]
    public void For_a_node_with_a_static_relay_everything_is_done_towards_the_relay()
    {
        Join(options: ByRelay);
        Want();
        Answer(_beta, _gamma);
        for (int second = 0; second < 5; second++)
        {
            Want();
            _mesh.WaitSeconds(1);
        }

        Assert.NotNull(Beta.Sealer);
        Assert.Empty(Sent("beta", 0));
        Assert.NotEmpty(Sent("gamma", 0));
    }

    [Fact]
    public void A_neighbour_with_TCPOnly_gets_no_session_and_no_probes()
    {
        _connection = _mesh.JoinReachable("gamma", TcpOnly);
        _mesh.Do((mesh, now) => mesh.HandleTraffic(_mesh.Route("gamma")!.Id, keyNeeded: true, now));
        Assert.Empty(Sent("gamma", 10));
        Assert.DoesNotContain(_mesh.Heard(_connection), line => line.StartsWith("15 ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_direct_datagram_from_a_new_address_moves_its_sender_there()
    {
        Confirm();
        byte[] datagram = FastMeshPair.Seal(_beta, [1]);
        Arrive(s_new, datagram);
        Assert.Equal((s_new, false, 0), (Beta.Address, Beta.UdpConfirmed, Beta.MinMtu));
        Assert.Equal(datagram, Assert.Single(_mesh.Taken<MeshAction.OpenDatagram>()).Datagram);
        Assert.Contains(Sent("beta", 0), probe => probe.Frame.Length == 18 && !probe.Destination.IsSet); // is UDP to there all right?
    }

    [Fact]
    public void A_recorded_datagram_moves_nobody()
    {
        Confirm();
        byte[] recorded = FastMeshPair.Seal(_beta, [1]), newer = FastMeshPair.Seal(_beta, [2]);
        Open(newer);
        Arrive(s_new, recorded);
        Assert.Equal((s_known, true), (Beta.Address, Beta.UdpConfirmed));
        Assert.Single(_mesh.Taken<MeshAction.OpenDatagram>()); // it may only have been slow: the replay window decides
    }

    [Fact]
    public void A_forged_datagram_moves_nobody()
    {
        Confirm();
        byte[] datagram = FastMeshPair.Seal(_beta, [1]);
        datagram[^1] ^= 1;
        Arrive(s_new, datagram);
        Assert.Equal(s_known, Beta.Address);
        Assert.Empty(_mesh.Taken<MeshAction.OpenDatagram>());
        Assert.Contains("Received UDP packet from unknown source 198.51.100.7 port 655", _mesh.Log);
    }

    /// <summary>Only those relay to us whose address is confirmed (tinc 1.1 reference, 6.3).</summary>
    [Fact]
    public void A_relayed_datagram_from_an_unknown_address_is_dropped()
    {
        Confirm();
        byte[] datagram = FastMeshPair.Seal(_beta, [1]);
        NodeId.Of("self").Write(datagram);
        Arrive(s_new, datagram);
        Assert.Equal(s_known, Beta.Address);
        Assert.Empty(_mesh.Taken<MeshAction.OpenDatagram>());
    }

    [Fact]
    public void An_address_just_confirmed_is_not_given_up_for_another_that_works_too()
    {
        Ready();
        Reply(Sent("beta", 0)[0].Frame);
        Arrive(s_new, FastMeshPair.Seal(_beta, [1]));
        Assert.Equal((s_known, true), (Beta.Address, Beta.UdpConfirmed));
        Assert.Single(_mesh.Taken<MeshAction.OpenDatagram>());
        _mesh.WaitSeconds(1);
        Arrive(s_new, FastMeshPair.Seal(_beta, [2]));
        Assert.Equal((s_new, false), (Beta.Address, Beta.UdpConfirmed));
    }

    [Fact]
    public void Strangers_cost_a_bounded_number_of_checks_per_second()
    {
        Confirm();
        byte[] forged = FastMeshPair.Seal(_beta, [1]);
        forged[^1] ^= 1;
        for (int i = 0; i < ProtocolLimits.SearchesPerSecond; i++)
            _mesh.Do((mesh, now) => mesh.HandleUnknownDatagram(s_new, 0, forged, now));
        Arrive(s_new, FastMeshPair.Seal(_beta, [2]));
        Assert.Equal(s_known, Beta.Address);
        _mesh.WaitSeconds(1);
        Arrive(s_new, FastMeshPair.Seal(_beta, [3]));
        Assert.Equal(s_new, Beta.Address);
    }

    [Theory]
    [InlineData("16 beta self 0 -1 -1 -1 0 203.0.113.5 4711")]
    [InlineData("22 beta self 203.0.113.5 4711")]
    public void What_others_say_of_an_address_counts_only_while_none_is_confirmed(string line)
    {
        Ready();
        _mesh.Say(_connection, line);
        Assert.Equal(Address("203.0.113.5", 4711), Beta.Address);

        _mesh.Say(_connection, "22 beta self 192.0.2.9 655");
        Want();
        Reply(Sent("beta", 0)[^1].Frame);
        _mesh.Say(_connection, line);
        Assert.Equal((s_known, true), (Beta.Address, Beta.UdpConfirmed));
    }

    /// <summary>
    /// There the probe would come from a confirmed address with a zero destination and not open, for which tinc 1.1 ends its session with us
    /// (tinc 1.1 reference, 13.2: "never do this").
    /// </summary>
    [Fact]
    public void No_probe_goes_to_an_address_where_another_node_lives()
    {
        Join(local: "192.0.2.30 655"); // beta calls itself on its network as delta is called on ours
        _mesh.Say(_connection, $"12 21 gamma delta 192.0.2.30 655 {Options} 10", $"12 22 delta gamma 192.0.2.3 655 {Options} 10");
        Assert.Equal(Address("192.0.2.30"), _mesh.Route("delta")!.Address);
        Want();
        Answer(_beta);
        List<MeshAction.SendProbe> probes = [];
        for (int second = 0; second < 20; second++)
        {
            Want();
            probes.AddRange(Sent("beta", 1));
        }

        Assert.NotEmpty(probes);
        Assert.All(probes, probe => Assert.NotEqual(Address("192.0.2.30"), probe.Destination));
    }

    private PeerRoute Beta => _mesh.Route("beta")!;

    private static MeshHarness Mesh() => new MeshHarness(settings => settings with
    {
        Identity = Ed25519Identity.Generate(new TestRandom(1)),
        PingInterval = TimeSpan.FromHours(1),
    }).Start();

    private static Endpoint Address(string address, ushort port = 655)
    {
        Assert.True(Endpoint.TryParse(address, port.ToString(CultureInfo.InvariantCulture), out Endpoint endpoint));
        return endpoint;
    }

    private void Join(string options = Options, string local = "")
    {
        _connection = _mesh.Join("gamma", Options);
        _mesh.Say(_connection, $"12 4 gamma self 192.0.2.1 655 {Options} 10", $"12 5 gamma beta 192.0.2.9 655 {options} 10", $"12 6 beta gamma 192.0.2.1 655 {Options} 10 {local}");
        Answer(_gamma);
    }

    /// <summary>A session with beta.</summary>
    private void Ready()
    {
        Join();
        Want();
        Answer(_beta);
    }

    /// <summary>A session with beta, and UDP confirmed for some time.</summary>
    private void Confirm()
    {
        Ready();
        Reply(Sent("beta", 0)[0].Frame);
        Want();
        _mesh.WaitSeconds(2);
        Sent("beta", 0);
    }

    private void Want() => _mesh.Do((mesh, now) => mesh.HandleTraffic(Beta.Id, keyNeeded: true, now));

    private void Arrive(Endpoint source, byte[] datagram) => _mesh.Do((mesh, now) => mesh.HandleUnknownDatagram(source, 0, datagram, now));

    /// <summary>What the data path would do with a datagram of beta.</summary>
    private void Open(byte[] datagram)
    {
        byte[] output = new byte[Beta.Opener!.OutputLength(datagram.Length)];
        Assert.Equal(OpenResult.Opened, Beta.Opener.Open(datagram, output, out _, out _));
    }

    private void Reply(byte[] request)
    {
        byte[] reply = [.. request[..18]];
        (reply[0], reply[1], reply[2]) = (2, (byte)(request.Length >> 8), (byte)request.Length);
        _mesh.Do((mesh, now) => mesh.HandleProbe(Beta.Id, reply, now));
    }

    /// <summary>Probes and replies to a node since the last call and in the seconds to come.</summary>
    private List<MeshAction.SendProbe> Sent(string name, double seconds)
    {
        _mesh.WaitSeconds(seconds);
        List<MeshAction.SendProbe> probes = [.. _mesh.Taken<MeshAction.SendProbe>().Where(action => action.Node == _mesh.Route(name)!.Id)];
        _mesh.Actions.RemoveAll(probes.Contains);
        return probes;
    }

    /// <summary>The nodes complete the handshakes that the mesh has begun.</summary>
    private void Answer(params FastMeshEnd[] ends)
    {
        for (string[] lines = _mesh.Heard(_connection); lines.Length > 0; lines = _mesh.Heard(_connection))
        {
            foreach (string[] fields in lines.Select(line => line.Split(' ')).Where(fields => fields[0] == "15" && fields.Length > 4))
            {
                if (ends.FirstOrDefault(end => end.Name == fields[2]) is not { } end)
                    continue;
                Assert.True(TincBase64.TryDecode(fields[4], out byte[] data));
                end.Session.Handle((FastMeshMessage)int.Parse(fields[3], CultureInfo.InvariantCulture), data, _mesh.Now);
                foreach (FastMeshLine line in end.Session.TakeLines())
                    _mesh.Say(_connection, $"15 {end.Name} self {(int)line.Message} {TincBase64.Encode(line.Data)}");
            }
        }
    }
}
