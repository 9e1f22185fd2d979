using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Path MTU discovery outside, and what the senders inside are told about it.</summary>
[Collection(nameof(Undisturbed))]
public sealed class PathMtuTests
{
    /// <summary>
    /// Outside MTU less IP and UDP headers and 4 bytes of MAC, down to whole AES blocks, less one byte of padding at
    /// least and 4 of sequence number (tinc 1.0 reference, 5.8).
    /// </summary>
    public static int Expected(int mtu, bool isV6) => (mtu - (isV6 ? 40 : 20) - 8 - 4) / 16 * 16 - 1 - 4;

    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd, 1400, "ipv4")]
    [InlineData(Programs.Tincd, Programs.FastMesh, 1280, "ipv6")]
    public void Both_ends_find_the_mtu_of_the_path(string dialler, string listener, int mtu, string family)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, dialler, listener, family);
        alpha.Host.SetMtu(mtu);
        beta.Host.SetMtu(mtu);
        network.Start();
        int expected = Expected(mtu, family == "ipv6");
        foreach ((MeshNode from, MeshNode to) in new[] { (alpha, beta), (beta, alpha) })
        {
            Match match = from.WaitForLog($@"^Fixing MTU of {to.Name} \(.*\) to (\d+) after", limit: TimeSpan.FromSeconds(90));
            Assert.Equal($"{expected}", match.Groups[1].Value);
            Assert.Equal(expected, StateDump.Of(from).Nodes[to.Name].Mtu);
        }

        long sent = alpha.Host.UdpSent();
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 10, size: expected - 14 - 28).Lost);
        Assert.True(alpha.Host.UdpSent() - sent >= 5, "packets of the whole MTU must go by UDP");
        AssertSendersAreTold(alpha, beta, expected);
    }

    /// <summary>A hop in the middle is narrower than both ends and says nothing about it: only lost probes tell.</summary>
    [SkippableFact]
    public void A_black_hole_in_the_path_is_found_by_probes()
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, Programs.FastMesh, Programs.Tincd, "ipv4");
        foreach (MeshNode node in network.Nodes)
        {
            // A veth hands trains of datagrams over whole; the filter has to see them one by one, as a wire would.
            node.Host.Sh("ip link set eth0 gso_max_segs 1");
            node.Host.Filter("input udp dport 655 meta length > 1200 drop");
        }

        network.Start();
        Match match = alpha.WaitForLog(@"^Fixing MTU of beta \(.*\) to (\d+) after", limit: TimeSpan.FromSeconds(90));

        // Probes have random lengths and only 30 bursts: close to the truth, never above it.
        int found = int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(found, Expected(1200, false) - 100, Expected(1200, false));
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 10, size: 1400).Lost);
    }

    /// <summary>As behind a network card that claims to cut trains of datagrams and loses them. A veth hands them over whole, so the filter can tell.</summary>
    [SkippableTheory]
    [InlineData(Programs.FastMesh)]
    [InlineData(Programs.Tincd)]
    public void A_path_that_loses_trains_is_found_by_probes_and_packets_go_one_by_one(string listener)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, Programs.FastMesh, listener, "ipv4");
        beta.Host.Filter("input udp dport 655 meta length > 1600 drop");
        network.Start();
        alpha.WaitForLog("^Fixing MTU of beta", limit: TimeSpan.FromSeconds(45));
        beta.Host.Start("iperf3", "-s", "-1", "-B", beta.Inner);
        network.Until(() => beta.Host.Sh("ss -Hltn sport = 5201").Length > 0, "iperf3 listening");
        System.Diagnostics.Process stream = alpha.Host.Start("iperf3", "-c", beta.Inner, "-t", "60");
        alpha.WaitForLog(@"^Datagrams sent to beta \(192\.0\.2\.2 port 655\) several at once get lost", limit: TimeSpan.FromSeconds(45));
        stream.Kill();
        network.Until(() => beta.Host.Sh("ss -Hltn sport = 5201").Length == 0, "the end of iperf3");
        Assert.True(alpha.Host.Iperf(beta.Host, beta.Inner) > 10);
    }

    /// <summary>What was sealed for the old MTU is cut by the kernel until the new one is known; only probes may be refused.</summary>
    [SkippableTheory]
    [InlineData("ipv4")]
    [InlineData("ipv6")]
    public void A_path_that_gets_narrower_under_load_costs_no_packets(string family)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, Programs.FastMesh, Programs.FastMesh, family);
        network.Start();
        alpha.WaitForLog("^Fixing MTU of beta", limit: TimeSpan.FromSeconds(90));
        beta.Host.Start("iperf3", "-s", "-1", "-B", beta.Inner);
        network.Until(() => beta.Host.Sh("ss -Hltn sport = 5201").Length > 0, "iperf3 listening");
        alpha.Host.Start("iperf3", "-c", beta.Inner, "-t", "120");
        WaitForDatagrams(5000);
        foreach (int mtu in (ReadOnlySpan<int>)[1440, 1400, 1320, 1290])
        {
            alpha.Host.Sh($"ip route replace {(family == "ipv4" ? beta.Host.Address() : beta.Host.Address6())} dev eth0 mtu {mtu}");
            network.Until(() => StateDump.Of(alpha).Nodes["beta"].Mtu < mtu, "the new MTU");
            WaitForDatagrams(5000);
        }

        Assert.InRange(DataCounters.Of(alpha)["SendFailed"], 0, 63); // less than one train

        void WaitForDatagrams(int more)
        {
            long start = DataCounters.Of(alpha)["datagrams out"];
            network.Until(() => DataCounters.Of(alpha)["datagrams out"] - start > more, "traffic");
        }
    }

    [SkippableFact]
    public void A_tcp_stream_through_a_narrow_path_is_clamped_and_flows()
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, Programs.FastMesh, Programs.Tincd, "ipv4");
        alpha.Host.SetMtu(1300);
        beta.Host.SetMtu(1300);
        network.Start();
        alpha.WaitForLog(@"^Fixing MTU of beta", limit: TimeSpan.FromSeconds(90));
        beta.WaitForLog(@"^Fixing MTU of alpha", limit: TimeSpan.FromSeconds(90));
        PacketCapture syn = new(beta.Host, "mesh", "tcp[tcpflags] & tcp-syn != 0 and dst port 5201");
        Assert.True(alpha.Host.Iperf(beta.Host, beta.Inner) > 1);
        Assert.Equal($"{Expected(1300, false) - 14 - 40}", syn.WaitFor(@"mss (\d+)").Groups[1].Value);
    }

    /// <summary>Frames above the MTU: fragmented when that is allowed, answered with the MTU when it is not.</summary>
    private static void AssertSendersAreTold(MeshNode alpha, MeshNode beta, int mtu)
    {
        // 590 and 1294 bytes of frame are the least that discovery may enforce.
        int v4 = Math.Max(mtu, 590) - 14, v6 = Math.Max(mtu, 1294) - 14;
        PacketCapture incoming = new(beta.Host, "mesh", "icmp or icmp6", "-v");
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 2, size: 1450).Lost);
        incoming.WaitFor(@"flags \[\+\]");

        PacketCapture told = new(alpha.Host, "mesh", "icmp[icmptype] == icmp-unreach or (icmp6 and ip6[40] == 2)", "-v");
        alpha.Host.Try("ping", "-n", "-c", "2", "-i", "0.3", "-W", "1", "-M", "do", "-s", "1450", beta.Inner);
        Match answer = told.WaitFor(@"tos 0x0, ttl 255, id 0, .*ICMP (\S+) unreachable - need to frag \(mtu (\d+)\), length (\d+)");
        Assert.Equal((beta.Inner, $"{v4}", "556"), (answer.Groups[1].Value, answer.Groups[2].Value, answer.Groups[3].Value));
        alpha.Host.Try("ping", "-n", "-c", "2", "-i", "0.3", "-W", "1", "-M", "do", "-s", "1450", beta.Inner6);
        Assert.Equal($"{v6}", told.WaitFor(@"hlim 255.*packet too big, mtu (\d+)").Groups[1].Value);
    }

    private static (MeshNode Alpha, MeshNode Beta) Pair(TestNetwork network, string dialler, string listener, string family)
    {
        MeshNode alpha = network.AddNode("alpha", dialler), beta = network.AddNode("beta", listener);
        foreach (MeshNode node in network.Nodes) node.Addresses = [family == "ipv4" ? node.Host.Address() : node.Host.Address6()];
        alpha.ConnectTo(beta);
        return (alpha, beta);
    }
}
