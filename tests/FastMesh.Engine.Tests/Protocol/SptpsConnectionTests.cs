using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>
/// Meta connections of tinc 1.1 after the handshake (tinc 1.1 reference, 1.2, 1.5, 1.7, 9.6), among them what must not be done to stock peers and
/// what they must not be able to do to us.
/// </summary>
public sealed class SptpsConnectionTests
{
    private static readonly byte[] s_frame = [.. Enumerable.Repeat((byte)7, 60)];

    [Fact]
    public void The_ack_says_17_7_and_FastMesh_and_the_own_edge_says_only_what_the_peer_is()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Shake(mesh);
        Assert.Equal("4 655 0 701000c", Assert.Single(peer.Heard));
        peer.Heard.Clear();
        peer.Say("4 1655 10 7abcd00c and more");
        string edge = Assert.Single(peer.Heard);
        Assert.Equal(["12", "self", "beta", "192.0.2.2", "1655", "7abcd00c", "5"], edge.Split(' ').Where((_, i) => i != 1));
    }

    [Theory]
    [InlineData(false, true, "1000c")] // a directory of tinc 1.0
    [InlineData(false, false, "c")] // ExperimentalProtocol = no
    [InlineData(true, true, "701000c")]
    public void What_the_ack_says_follows_from_the_keys(bool speaks, bool hasIdentity, string options)
    {
        MeshHarness mesh = new MeshHarness(settings => settings with { SpeaksSptps = speaks, Identity = hasIdentity ? SptpsVectors.B : null }).Start();
        ConnectionId id = mesh.Accept();
        mesh.Say(id, "0 beta 17");
        Assert.Equal([speaks ? "0 self 17.7" : "0 self 17", $"4 655 0 {options}"], mesh.Heard(id));
    }

    [Fact]
    public void A_request_is_one_record_of_any_application_type_with_or_without_newline()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh);
        peer.SendRecord(0, "8\n"u8);
        peer.SendRecord(0, "8"u8);
        peer.SendRecord(127, "8 \r\n"u8);
        Assert.Equal(["9", "9", "9"], peer.Heard);
        Assert.All(peer.Records, record => Assert.Equal(0, record.Type));
        Assert.Equal("9\n"u8.ToArray(), peer.Records[^1].Data);
    }

    [Fact]
    public void What_follows_a_request_in_its_record_is_neither_obeyed_nor_passed_on()
    {
        // tincd takes it for junk too, but hands it on line by line to a tinc 1.0 neighbour, for whom it is a request.
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh), other = SptpsPeer.Join(mesh, "gamma");
        other.Listen();
        other.Heard.Clear();
        peer.SendRecord(0, "10 77 beta 10.7.0.0/16\n10 78 beta 10.8.0.0/16\n"u8);
        peer.SendRecord(0, "10 79 beta 10.9.0.0/16\010 80 beta 10.10.0.0/16"u8);
        other.Listen();
        Assert.Equal(["10 77 beta 10.7.0.0/16", "10 79 beta 10.9.0.0/16"], other.Heard);
        Assert.Equal(["10.7.0.0/16#10 owner beta", "10.9.0.0/16#10 owner beta"], mesh.Subnets);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("x")]
    [InlineData("-1")]
    [InlineData("5")]
    [InlineData("6")]
    [InlineData("18 0")]
    [InlineData("19 beta self")]
    [InlineData("20 beta self")]
    [InlineData("24")]
    [InlineData("0 beta 17.7")]
    [InlineData("4 655 10 c")]
    [InlineData("12 99 beta gamma 192.0.2.9 655 c 5 10.0.0.1")] // exactly seven fields
    [InlineData("17 32768")]
    [InlineData("21 11")]
    [InlineData("21 -1")]
    [InlineData("21 65536")]
    [InlineData("21")]
    [InlineData("22 beta self 192.0.2.1")]
    [InlineData("23 beta self 511")]
    public void Bad_requests_end_the_connection_in_the_tarpit(string line)
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh);
        peer.SendRecord(0, System.Text.Encoding.Latin1.GetBytes(line));
        Assert.True(mesh.IsClosed(peer.Id, out bool tarpit) && tarpit);
    }

    [Fact]
    public void A_termreq_ends_the_connection()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh);
        peer.Say("7 whatever");
        Assert.True(mesh.IsClosed(peer.Id, out bool tarpit) && !tarpit);
    }

    [Fact]
    public void Before_the_ack_nothing_but_the_ack_is_allowed()
    {
        foreach (string line in new[] { "7", "8", "10 1 beta 10.0.0.0/8", "1 429 672 0 0 00", "0 beta 17.7", "17 10" })
        {
            MeshHarness mesh = SptpsPeer.Mesh();
            SptpsPeer peer = SptpsPeer.Shake(mesh);
            peer.Say(line);
            Assert.True(peer.IsClosed, line);
        }
    }

    [Fact]
    public void A_packet_is_one_record()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh);
        peer.Say("17 60");
        peer.SendRecord(0, s_frame);
        peer.Say("8");
        Assert.Equal(s_frame, Assert.Single(mesh.Taken<MeshAction.RouteFrame>()).Frame);
        Assert.Equal("9", peer.Heard[^1]);

        mesh.Do((m, now) => m.HandleTcpFrame(NodeId(mesh, "beta"), s_frame, -1, now));
        peer.Listen();
        Assert.Equal(s_frame, peer.Records[^1].Data);
        Assert.Equal("17 60", peer.Heard[^2]);
    }

    [Theory]
    [InlineData(2176)] // DisableBuggyPeers: all zero, right after activation
    [InlineData(9018)]
    [InlineData(32767)]
    public void A_packet_that_is_too_large_for_us_is_dropped_in_silence(int length)
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh);
        peer.Say($"17 {length}");
        byte[] record = peer.Seal(0, new byte[length]);
        for (int at = 0; at < record.Length; at += 1000)
            peer.Feed(record[at..Math.Min(record.Length, at + 1000)]);
        peer.Say("17 0", "8");
        Assert.Empty(mesh.Taken<MeshAction.RouteFrame>());
        Assert.Equal("9", peer.Heard[^1]);
    }

    [Fact]
    public void A_packet_of_another_length_than_announced_ends_the_connection()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh);
        peer.Say("17 59");
        peer.SendRecord(0, s_frame);
        Assert.True(peer.IsClosed);
        Assert.Empty(mesh.Taken<MeshAction.RouteFrame>());
    }

    [Fact]
    public void An_sptps_packet_lies_in_the_stream_outside_of_any_record_however_it_is_cut()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh);
        foreach (int length in new[] { 12, 100, 2176, 9051 })
        {
            byte[] stream = [.. peer.Seal(0, System.Text.Encoding.ASCII.GetBytes($"21 {length}\n")), .. new byte[length], .. peer.Seal(0, "8\n"u8)];
            foreach (int cut in new[] { 1, 36, 37, stream.Length / 2, stream.Length - 1 })
            {
                peer.Heard.Clear();
                if (cut != 1)
                    stream = [.. peer.Seal(0, System.Text.Encoding.ASCII.GetBytes($"21 {length}\n")), .. new byte[length], .. peer.Seal(0, "8\n"u8)];
                peer.Feed(stream[..cut]);
                peer.Feed(stream[cut..]);
                Assert.Equal(["9"], peer.Heard);
            }
        }
    }

    [Fact]
    public void A_renewal_of_the_meta_session_by_the_peer_is_gone_along_with()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh);
        for (int i = 0; i < 3; i++)
        {
            peer.Rekey();
            peer.Say("8");
        }

        Assert.Equal(["9", "9", "9"], peer.Heard);
    }

    [Fact]
    public void A_connection_that_has_just_been_accepted_waits_for_no_more_than_a_kex()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        ConnectionId id = mesh.Accept();
        mesh.Say(id, "0 beta 17.7");
        mesh.Feed(id, [0xff, 0xff]);
        Assert.True(mesh.IsClosed(id, out _));
    }

    [Fact]
    public void What_a_neighbour_of_tinc_1_0_would_hang_up_for_is_not_sent_to_it()
    {
        MeshHarness mesh = new MeshHarness(settings => settings with { SpeaksSptps = true, Identity = SptpsVectors.B }).Start();
        ConnectionId old = mesh.JoinReachable("old"), young = mesh.JoinReachable("young", "700000c");
        mesh.Say(young, "12 7 old far 192.0.2.7 655 700000c 5", "12 8 far old 192.0.2.8 655 c 5", "12 9 young near 192.0.2.6 655 700000c 5", "12 a near young 192.0.2.5 655 700000c 5");
        mesh.Heard(old);
        mesh.Say(young, "22 young far 192.0.2.4 655", "23 young far 1400", "22 young old 192.0.2.4 655", "23 young old 1400");
        mesh.Do((m, now) => m.HandleTcpDatagram(NodeId(mesh, "far"), new byte[100], now));
        Assert.All(mesh.Heard(old), line => Assert.InRange(int.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture), 8, 17));
    }

    [Fact]
    public void Lines_that_are_too_long_for_a_stock_peer_are_not_passed_on()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh), other = SptpsPeer.Join(mesh, "gamma");
        other.Listen();
        other.Heard.Clear();
        peer.Say("10 81 beta 10.7.0.0/16 " + new string('x', 2152)); // 2175 characters
        peer.Say("10 82 beta 10.8.0.0/16 " + new string('x', 2153));
        other.Listen();
        Assert.Equal(2175, Assert.Single(other.Heard).Length);
        Assert.False(peer.IsClosed);
    }

    [Fact]
    public void Local_addresses_of_edges_are_told_kept_passed_on_and_never_told_by_halves()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh);
        peer.Say("12 31 beta far 192.0.2.7 655 c 5 10.9.9.9 655", "12 32 far beta 192.0.2.8 655 c 5");
        peer.Say("12 33 beta far 192.0.2.7 655 c 5"); // as tinc 1.0 writes it anew: no news
        peer.Say("12 34 far beta 192.0.2.8 655 c 5 unspec unspec");
        SptpsPeer late = SptpsPeer.Shake(mesh, "gamma");
        late.Say("4 655 1 700000c");
        string[] edges = [.. late.Heard.Where(line => line.StartsWith("12 ", StringComparison.Ordinal)).Select(line => string.Join(' ', line.Split(' ').Where((_, i) => i != 1)))];
        Assert.Contains("12 beta far 192.0.2.7 655 c 5 10.9.9.9 655", edges);
        Assert.Contains("12 far beta 192.0.2.8 655 c 5", edges);
        Assert.All(edges, edge => Assert.NotEqual(8, edge.Split(' ').Length));
        late.Heard.Clear();
        peer.Say("12 35 beta far 192.0.2.7 655 c 5 10.9.9.8 655 and more"); // a new local address is news
        late.Listen();
        Assert.Equal(["12 35 beta far 192.0.2.7 655 c 5 10.9.9.8 655 and more"], late.Heard);
    }

    [Fact]
    public void The_own_edge_tells_our_end_of_the_connection_with_our_port()
    {
        MeshHarness mesh = new MeshHarness(settings => settings with { Identity = SptpsVectors.B }).Start();
        Assert.True(Endpoint.TryParse("192.0.2.9", "40000", out Endpoint remote));
        Assert.True(Endpoint.TryParse("10.1.1.1", "50001", out Endpoint local));
        ConnectionId id = default;
        mesh.Do((m, now) => id = m.HandleAccepted(remote, now, local));
        mesh.Say(id, "0 beta 17", "4 655 10 c");
        Assert.Contains("12 N self beta 192.0.2.9 655 c 5 10.1.1.1 655", mesh.HeardWithoutNonces(id));
    }

    [Fact]
    public void Places_in_the_burst_come_back_one_per_second_and_with_each_authentication()
    {
        MeshHarness mesh = SptpsPeer.Mesh(settings => settings with { MaxConnectionBurst = 3 });
        for (int i = 0; i < 20; i++)
            SptpsPeer.Join(mesh, i % 2 == 0 ? "beta" : "gamma");
        ConnectionId[] strangers = [.. Enumerable.Range(0, 5).Select(_ => mesh.Accept())];
        Assert.Equal([false, false, false, true, true], strangers.Select(id => mesh.IsClosed(id, out _)));
        mesh.WaitSeconds(2);
        strangers = [.. Enumerable.Range(0, 4).Select(_ => mesh.Accept())];
        Assert.Equal([false, false, true, true], strangers.Select(id => mesh.IsClosed(id, out _)));
        Assert.False(mesh.IsClosed(mesh.Accept("127.0.0.1"), out _));
        Assert.False(mesh.IsClosed(mesh.Accept("::1"), out _));
    }

    [Fact]
    public void After_a_sleep_all_connections_are_made_anew()
    {
        MeshHarness mesh = SptpsPeer.Mesh();
        SptpsPeer peer = SptpsPeer.Join(mesh);
        mesh.WaitSeconds(6);
        Instant awake = mesh.Now + TimeSpan.FromMinutes(10);
        mesh.Mesh.HandleTimeout(awake);
        mesh.Drain();
        Assert.True(peer.IsClosed);
        Assert.Contains(mesh.Log, line => line.Contains("seems to have slept", StringComparison.Ordinal));
    }

    private static int NodeId(MeshHarness mesh, string name) => mesh.Route(name)!.Id;
}
