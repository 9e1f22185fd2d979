using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace FastMesh.Interop.Tests.Support;

/// <summary>One namespace with an interface <c>eth0</c>, <c>eth1</c> ... on each of its segments.</summary>
public sealed partial class NetworkHost : IDisposable
{
    private static readonly string[] s_networks = ["192.0.2", "198.51.100", "203.0.113", "198.18.3", "198.18.4"];
    private readonly List<Process> _background = [];

    internal NetworkHost(TestNetwork network, string name, string netns, int number, int[] segments) =>
        (Network, Name, Namespace, Number, Segments) = (network, name, netns, number, segments);

    public TestNetwork Network { get; }
    public string Name { get; }
    public string Namespace { get; }
    public int Number { get; }
    public IReadOnlyList<int> Segments { get; }

    public string Address(int segment = 0) => string.Create(CultureInfo.InvariantCulture, $"{s_networks[segment]}.{Number}");

    public string Address6(int segment = 0) => string.Create(CultureInfo.InvariantCulture, $"2001:db8:{segment}::{Number}");

    /// <summary>Prefixes a command so that it runs in this namespace, as the same process (its pid is the command's).</summary>
    public string[] Inside(params ReadOnlySpan<string> command) => ["nsenter", $"--net=/run/netns/{Namespace}", "--", .. command];

    public string Run(params string[] command) => Shell.Run(Inside(command));

    public ShellResult Try(params string[] command) => Shell.Try(Inside(command));

    /// <summary>Runs a line of shell.</summary>
    public string Sh(string line) => Run("sh", "-c", line);

    /// <summary>Starts something that runs beside the test; it is killed with the network at the latest.</summary>
    public Process Start(params string[] command)
    {
        Process process = Process.Start(Shell.StartInfo(Inside(command)))!;
        _background.Add(process);
        return process;
    }

    /// <summary>Adds rules in nft's syntax to a fresh table; the chains are called input, output and forward.</summary>
    public void Filter(params string[] rules) => Sh("nft add table inet filter;" +
        string.Concat(new[] { "input", "output", "forward" }.Select(hook =>
            $"nft 'add chain inet filter {hook} {{ type filter hook {hook} priority 0; }}';")) +
        string.Concat(rules.Select(rule => $"nft 'add rule inet filter {rule}';")));

    public void SetMtu(int mtu, int segment = 0) => Run("ip", "link", "set", $"eth{segment}", "mtu", $"{mtu}");

    /// <summary>Sends echo requests, each after the answer of the one before or, with an interval in seconds, without waiting, and counts the answers; never fails by itself.</summary>
    public PingResult Ping(string address, int count = 1, double? interval = null, int size = 56) =>
        Pinger.Run(this, IPAddress.Parse(address), count, interval is { } seconds ? TimeSpan.FromSeconds(seconds) : null, size);

    public bool CanPing(string address) => Ping(address).Received == 1;

    /// <summary>
    /// UDP messages that left this host, over both address families. A train of segments counts once, so a busy FastMesh
    /// shows fewer than it carried packets: count packets that were sent one by one.
    /// </summary>
    public long UdpSent() => UdpOut().Matches(Sh("cat /proc/net/snmp /proc/net/snmp6")).Sum(match =>
        long.Parse(match.Groups["v4"].Success ? match.Groups["v4"].ValueSpan : match.Groups["v6"].ValueSpan, CultureInfo.InvariantCulture));

    /// <summary>Received megabits per second of one short TCP stream to a host's inner address.</summary>
    public double Iperf(NetworkHost server, string address, int seconds = 1)
    {
        server.Start("iperf3", "-s", "-1", "-B", address);
        server.Network.Until(() => server.Sh("ss -Hltn sport = 5201").Length > 0, "iperf3 listening");
        string report = Run("iperf3", "-c", address, "-t", $"{seconds}", "-f", "m");
        return double.Parse(IperfReceived().Match(report).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        foreach (Process process in _background)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }
    }

    [GeneratedRegex(@"^Udp: \d+ \d+ \d+ (?<v4>\d+)|^Udp6OutDatagrams\s+(?<v6>\d+)", RegexOptions.Multiline)]
    private static partial Regex UdpOut();

    [GeneratedRegex(@"([\d.]+) Mbits/sec\s+receiver")]
    private static partial Regex IperfReceived();
}
