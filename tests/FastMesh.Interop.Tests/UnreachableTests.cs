using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>The ICMP errors a node makes, compared with those that tincd makes for the same packet.</summary>
public sealed class UnreachableTests
{
    private static readonly (string Case, string Target, string Expected)[] s_cases =
    [
        ("no subnet", "10.20.200.1", "net 10.20.200.1 unreachable - unknown"),
        ("owner down", "10.20.2.1", "net 10.20.2.1 unreachable"),
        ("no subnet, v6", "fd20:0:0:c8::1", "unreachable address fd20:0:0:c8::1"),
        ("owner down, v6", "fd20:0:0:2::1", "unreachable route fd20:0:0:2::1"),
    ];

    [SkippableFact]
    public void Errors_for_packets_without_a_way_are_the_references_byte_for_byte()
    {
        string[] expected = Answers(Programs.Tincd), actual = Answers(Programs.FastMesh);
        for (int i = 0; i < s_cases.Length; i++) Assert.Contains(s_cases[i].Expected, expected[i], StringComparison.Ordinal);
        for (int i = 0; i < s_cases.Length; i++) Assert.Equal(expected[i], actual[i]);
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void No_more_than_three_errors_leave_within_a_second(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("alone", kind);
        network.Start();
        PacketCapture errors = new(node.Host, "mesh", "icmp[icmptype] == icmp-unreach");
        node.Host.Ping("10.20.200.1", count: 50, interval: 0.005);
        errors.WaitFor("unreachable");
        Assert.InRange(errors.Count("unreachable"), 1, 9);
    }

    [SkippableTheory, InlineData("no"), InlineData("yes")]
    public void A_relay_decrements_the_ttl_only_when_told_to(string setting)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.Tincd, 0), relay = network.AddNode("relay", Programs.FastMesh, 0, 1), gamma = network.AddNode("gamma", Programs.Tincd, 1);
        relay.Settings.Add($"DecrementTTL = {setting}");
        alpha.ConnectTo(relay);
        gamma.ConnectTo(relay);
        network.Start();
        network.Until(() => alpha.Host.CanPing(gamma.Inner), "the first ping");
        PacketCapture arriving = new(gamma.Host, "mesh", "icmp or icmp6", "-v");
        alpha.Host.Try("ping", "-n", "-c", "1", "-t", "20", gamma.Inner);
        alpha.Host.Try("ping", "-n", "-c", "1", "-t", "20", gamma.Inner6);
        string expected = setting == "yes" ? "19" : "20";
        Assert.Equal(expected, arriving.WaitFor(@"ttl (\d+).*ICMP echo request").Groups[1].Value);
        Assert.Equal(expected, arriving.WaitFor(@"hlim (\d+).*ICMP6, echo request").Groups[1].Value);

        ShellResult expired = alpha.Host.Try("ping", "-n", "-c", "1", "-W", "1", "-t", "1", gamma.Inner);
        Assert.Equal(setting == "yes", expired.Output.Contains("Time to live exceeded", StringComparison.Ordinal));
        Assert.Equal(setting == "no", expired.ExitCode == 0);
    }

    [SkippableTheory, InlineData("off"), InlineData("internal")]
    public void Forwarding_off_refuses_transit(string setting)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.Tincd, 0), relay = network.AddNode("relay", Programs.FastMesh, 0, 1), gamma = network.AddNode("gamma", Programs.Tincd, 1);
        relay.Settings.Add($"Forwarding = {setting}");
        alpha.ConnectTo(relay);
        gamma.ConnectTo(relay);
        network.Start();
        network.Until(() => alpha.Host.CanPing(relay.Inner) && StateDump.Of(alpha).SubnetsOf(gamma).Length == 2, "the mesh");
        network.Until(() => relay.Host.CanPing(gamma.Inner), "a ping from the relay");
        ShellResult ping = alpha.Host.Try("ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", gamma.Inner);
        if (setting == "off") Assert.Contains("Net Prohibited", ping.Output, StringComparison.Ordinal);
        else Assert.Equal(0, ping.ExitCode);
    }

    /// <summary>The first answer for each case, without what the kernel chooses at random in the quoted packet.</summary>
    private static string[] Answers(string kind)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", Programs.Tincd), gamma = network.AddNode("gamma", Programs.Tincd);
        beta.ConnectTo(alpha);
        gamma.ConnectTo(alpha);
        network.Start();
        // A node that loses its only connection forgets all others, so gamma must be there as well.
        network.Until(() => alpha.Host.CanPing(beta.Inner) && alpha.Host.CanPing(gamma.Inner), "the first pings");
        int mark = alpha.LogMark();
        beta.Kill();
        alpha.WaitForLog("^Node beta .* became unreachable", mark);
        List<string> answers = [];
        foreach ((_, string target, _) in s_cases)
        {
            PacketCapture errors = new(alpha.Host, "mesh", "icmp[icmptype] == icmp-unreach or (icmp6 and ip6[40] == 1)", "-vv", "-x");
            network.Until(() =>
            {
                alpha.Host.Try("ping", "-n", "-c", "1", "-W", "1", "-p", "5a", "-s", "600", target);
                return errors.Count("unreachable") > 1; // The first is complete when the second has begun.
            }, $"answers for {target}");
            answers.Add(WithoutChance(errors.Packets()[0]));
        }

        return [.. answers];
    }

    private static string WithoutChance(string packet)
    {
        string text = Regex.Replace(packet[..packet.IndexOf("0x0000:", StringComparison.Ordinal)], @"id \d+(?=, offset 0, flags \[DF\])|flowlabel 0x\w+|, seq \d+|cksum 0x\w+|id \d+, ", "~");
        return text + Regex.Count(packet, "5a5a");
    }
}
