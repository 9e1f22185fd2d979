using System.Globalization;
using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Traffic on the screens of <c>fastmesh top</c> and of tinc 1.1's <c>tinc top</c>, each on a terminal, held against what was sent.</summary>
public sealed class TopTests
{
    private const int Packets = 300, Size = 1000, FrameLength = 14 + 20 + 8 + Size;

    [SkippableFact]
    public void FastMesh_shows_rates_and_totals_in_the_order_typed_and_gives_the_terminal_back()
    {
        using TestNetwork network = new();
        Skip.If(Programs.IsReferenceOnly, "tinc has another top");
        (MeshNode alpha, MeshNode beta) = Start(network, Programs.FastMesh);
        using Terminal terminal = new(
            alpha.Host, "sh", "-c", "\"$@\"; echo \"exit code $?\"; stty -a; read end", "sh",
            Programs.FastMeshPath, "-n", "mesh", "-c", alpha.Directory, $"--pidfile={alpha.PidFile}", "top");
        Screen screen = new(network, terminal, "  ");
        screen.Until(() => Regex.IsMatch(screen.Text, "^alpha in net mesh: 3 nodes, 3 reachable; rates, sorted by total\nNODE +PATH +RTT +IN pkt/s +IN bit/s +OUT pkt/s "), "the table");
        using (new PingLoad((alpha.Host, beta.Inner))) // 50 a second
            screen.Until(() => screen.Row("beta") is ["direct", _, string packetsIn, _, string packetsOut, _] && IsRate(packetsIn) && IsRate(packetsOut), "rates");

        Send(alpha, beta);
        terminal.Type('c');
        terminal.Type('n');
        long[] totals = Totals(alpha, beta);
        screen.Until(
            () => screen.Text.Contains("; totals since the start, sorted by name\n", StringComparison.Ordinal)
                && screen.Row("beta") is ["direct", _, string packetsIn, string bytesIn, string packetsOut, string bytesOut]
                && IsNear(packetsIn, totals[0]) && IsNear(bytesIn, totals[1]) && IsNear(packetsOut, totals[2]) && IsNear(bytesOut, totals[3]),
            $"totals of {string.Join(' ', totals)}");
        Assert.Matches("(?s)\nalpha .*\nbeta .*\ngamma ", screen.Text);

        terminal.Type('q');
        screen.Until(() => Regex.IsMatch(screen.Text, @"(?s)exit code 0\n.*[^-]icanon .*[^-]echo "), "the end of it");
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tinc11)]
    public void Tinc_shows_rates_and_totals(string kind)
    {
        using TestNetwork network = new();
        Programs.SkipUnlessTinc11();
        (MeshNode alpha, MeshNode beta) = Start(network, kind);
        using Terminal terminal = new(alpha.Host, Programs.Tinc11ControlPath, "-c", alpha.Directory, $"--pidfile={alpha.PidFile}", "top");
        Screen screen = new(network, terminal, " ");
        screen.Until(() => Regex.IsMatch(screen.Text, "^Tinc +Nodes: +3 +Sort: name +Current\n\nNode +IN pkts +IN bytes +OUT pkts +OUT bytes\nalpha .*\nbeta .*\ngamma "), "the table");
        using (new PingLoad((alpha.Host, beta.Inner)))
            screen.Until(() => screen.Row("beta") is [string packetsIn, _, string packetsOut, _] && IsRate(packetsIn) && IsRate(packetsOut), "rates");

        Send(alpha, beta);
        terminal.Type('c');
        string[] totals = [.. Totals(alpha, beta).Select(total => total.ToString(CultureInfo.InvariantCulture))];
        screen.Until(() => screen.Text.Contains(" Cumulative\n", StringComparison.Ordinal) && screen.Row("beta").SequenceEqual(totals), string.Join(' ', totals));
        terminal.Type('q');
        Assert.Equal(0, terminal.WaitForExit());
    }

    /// <summary>Three nodes of which two will have traffic.</summary>
    private static (MeshNode Alpha, MeshNode Beta) Start(TestNetwork network, string kind)
    {
        Programs.SkipUnlessTinc11();
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", Programs.Tincd), gamma = network.AddNode("gamma", Programs.Tincd);
        if (kind == Programs.Tinc11) alpha.Settings.Add("ExperimentalProtocol = no");
        alpha.ConnectTo(beta);
        gamma.ConnectTo(alpha);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner) && alpha.Host.CanPing(gamma.Inner), "pings");
        return (alpha, beta);
    }

    private static void Send(MeshNode from, MeshNode to) => Assert.Equal(0, from.Host.Ping(to.Inner, Packets, size: Size).Lost);

    /// <summary>Packets and bytes from a node, packets and bytes for it, as <c>tinc info</c> has them; all that was sent is among them.</summary>
    private static long[] Totals(MeshNode asked, MeshNode node)
    {
        string info = Shell.Run(Programs.Tinc11ControlPath, "-b", "-c", asked.Directory, $"--pidfile={asked.PidFile}", "info", node.Name);
        Match match = Regex.Match(info, @"RX: +(\d+) packets +(\d+) bytes\nTX: +(\d+) packets +(\d+) bytes");
        long[] totals = [.. match.Groups.Values.Skip(1).Select(group => long.Parse(group.ValueSpan, CultureInfo.InvariantCulture))];
        Assert.All([totals[0], totals[2]], packets => Assert.InRange(packets, Packets, long.MaxValue));
        Assert.All([totals[1], totals[3]], bytes => Assert.InRange(bytes, Packets * FrameLength, long.MaxValue));
        return totals;
    }

    /// <summary>A count of packets per second of a load that is 50, if the machine has time for it.</summary>
    private static bool IsRate(string text) => int.TryParse(text, out int rate) && rate is >= 5 and <= 100;

    /// <summary>Whether a number of three digits and its unit, such as 1.23 M, is another one.</summary>
    private static bool IsNear(string text, long value)
    {
        string[] words = text.Split(' ');
        double scale = words is [_, string unit] ? Math.Pow(1000, 1 + "kMG".IndexOf(unit, StringComparison.Ordinal)) : 1;
        return Math.Abs((double.Parse(words[0], CultureInfo.InvariantCulture) * scale) - value) <= value * 0.0051;
    }

    /// <summary>What stands on a terminal, as of the last look.</summary>
    private sealed class Screen(TestNetwork network, Terminal terminal, string gap)
    {
        public string Text { get; private set; } = "";

        /// <summary>The cells of a node's row after its name, or none.</summary>
        public string[] Row(string node) =>
            [.. (Text.Split('\n').FirstOrDefault(line => line.StartsWith(node + " ", StringComparison.Ordinal)) ?? "")
                .Split(gap, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Skip(1)];

        public void Until(Func<bool> condition, string what)
        {
            bool happened = Poll.TryUntil(() =>
            {
                Text = terminal.Screen().TrimEnd();
                return condition();
            });
            Assert.True(happened, $"{what} did not show:\n{Text}\n{network.LogTails()}");
        }
    }
}
