using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>The program <c>tinc</c> of tinc 1.1 drives a running FastMesh, and finds what it would find in tincd 1.1.</summary>
[Collection(nameof(Undisturbed))]
public sealed class ControlTests
{
    private const string BitOfFastMesh = "10000";
    private static readonly UnixFileMode s_ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.FastMesh, Programs.FastMesh)]
    [InlineData(Programs.FastMesh11, Programs.Tinc11), InlineData(Programs.Tinc11, Programs.Tinc11)]
    public void Every_command_does_its_work(string kind, string others)
    {
        using TestNetwork network = Chain(kind, others);
        (MeshNode alpha, MeshNode beta, MeshNode gamma) = Start(network);
        Assert.Equal($"{alpha.ProcessId}\n", Tinc(alpha, "pid"));
        Assert.Equal("655\n", Tinc(alpha, "get", "Port"));

        Assert.Matches("(?m)^gamma id 833c636f4398 at 192.0.2.3 port 655 .* nexthop beta via gamma distance 2 ", Tinc(alpha, "dump", "nodes"));
        Assert.Equal(Tinc(alpha, "dump", "nodes").Count(c => c == '\n'), Tinc(alpha, "dump", "reachable", "nodes").Count(c => c == '\n'));
        Assert.Matches("(?m)^beta to gamma at 192.0.2.3 port 655 local .* options [0-9a-f]+ weight [0-9]+$", Tinc(alpha, "dump", "edges"));
        Assert.Contains("\n10.20.3.0/24 owner gamma\n", Tinc(alpha, "dump", "subnets"), StringComparison.Ordinal);
        Assert.Contains("\n<control> at localhost port unix options 0 socket ", Tinc(alpha, "dump", "connections"), StringComparison.Ordinal);
        Assert.Matches("(?s)^graph {\n \"alpha\" \\[label = \"alpha\", color = \"green\", style = \"filled\"\\];\n.*\"gamma\" -- \"beta\" .*}\n$", Tinc(alpha, "dump", "graph"));
        Assert.Contains("\"beta\" -> \"gamma\"", Tinc(alpha, "dump", "digraph"), StringComparison.Ordinal);

        Assert.Matches(@"(?s)Node ID: +833c636f4398\n.*Online since: +\d.*Status: .*visited reachable.*Reachability: +directly with UDP\n.*Subnets: +10\.20\.3\.0/24 ", Tinc(alpha, "info", "gamma"));
        Assert.Equal("Subnet: 10.20.3.0/24\nOwner:  gamma\n", Tinc(alpha, "info", "10.20.3.0/24"));
        Assert.Equal("Subnet: fd20:0:0:2::/64\nOwner:  beta\n", Tinc(alpha, "info", beta.Inner6));
        Assert.Equal(1, TryTinc(alpha, "info", "nobody").ExitCode);

        Assert.Equal("Old level 5, new level 2.\n", TryTinc(alpha, "debug", "2").Error);
        Assert.Equal("Old level 2, new level 5.\n", TryTinc(alpha, "debug", "5").Error);
        Tinc(alpha, "retry");
        Tinc(alpha, "purge");

        int mark = alpha.LogMark();
        Assert.Equal(1, TryTinc(alpha, "disconnect", "nobody").ExitCode);
        Tinc(alpha, "disconnect", "beta");
        alpha.WaitForConnection(beta, mark);

        Assert.Equal(1, TryTinc(alpha, "connect", "beta").ExitCode);
        Tinc(alpha, "stop");
        Assert.Equal(0, alpha.WaitForExit());
        Assert.Empty(Directory.GetFiles(alpha.Directory, "pid*"));
        Assert.Equal(1, TryTinc(alpha, "pid").ExitCode);
        Assert.True(gamma.IsRunning);
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tinc11)]
    public void A_reload_takes_new_subnets_and_a_broken_file_is_an_error_but_not_the_end(string kind)
    {
        using TestNetwork network = new();
        Programs.SkipUnlessTinc11();
        MeshNode alpha = network.AddNode("alpha", kind);
        network.Start();
        File.AppendAllText(Path.Combine(alpha.Directory, "hosts", "alpha"), "\nSubnet = 10.77.0.0/16\n");
        Tinc(alpha, "reload");
        Assert.Contains("\n10.77.0.0/16 owner alpha\n", Tinc(alpha, "dump", "subnets"), StringComparison.Ordinal);

        File.Move(Path.Combine(alpha.Directory, "tinc.conf"), Path.Combine(alpha.Directory, "gone"));
        Assert.Equal(1, TryTinc(alpha, "reload").ExitCode);
        File.Move(Path.Combine(alpha.Directory, "gone"), Path.Combine(alpha.Directory, "tinc.conf"));
        Tinc(alpha, "reload");
        Assert.True(alpha.IsRunning);
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tinc11), InlineData(Programs.Tinc11, Programs.Tinc11), InlineData(Programs.FastMesh, Programs.FastMesh)]
    public void Log_packets_and_counters_can_be_watched_and_a_stalled_watcher_stops_nothing(string kind, string watcher)
    {
        string program = watcher == Programs.Tinc11 ? Programs.Tinc11ControlPath : Programs.FastMeshPath;
        Skip.If(watcher == Programs.FastMesh && Programs.IsReferenceOnly, "tinc has one program for this");
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", Programs.Tincd);
        Programs.SkipUnlessTinc11();
        if (kind == Programs.Tinc11) alpha.Settings.Add("ExperimentalProtocol = no");
        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.Ping(beta.Inner, count: 20, size: 1200).Lost == 0, "large packets");
        Tinc(alpha, "debug", "0");
        int mark = alpha.LogMark();

        string log = Path.Combine(alpha.Directory, "watched.log"), packets = Path.Combine(alpha.Directory, "packets.pcap"), cut = Path.Combine(alpha.Directory, "cut.pcap");
        Process logger = Watch(program, alpha, log, "log", "5"), capture = Watch(program, alpha, packets, "pcap"), cutter = Watch(program, alpha, cut, "pcap", "60");
        Process stalled = Watch(program, alpha, Path.Combine(alpha.Directory, "stalled.pcap"), "pcap"), deaf = Watch(program, alpha, Path.Combine(alpha.Directory, "deaf.log"), "log", "5");
        network.Until(() => Tinc(alpha, "dump", "connections").Split('\n').Count(row => Regex.IsMatch(row, "^<control> .* status [64ac]00$")) == 5, "five watchers");
        foreach (Process process in new[] { stalled, deaf }) Shell.Run("kill", "-STOP", $"{process.Id}");

        int lost = alpha.Host.Ping(beta.Inner, count: 400, interval: 0.002, size: 1200).Lost;
        if (kind == Programs.Tinc11) Skip.If(lost > 0, "tinc 1.1 has lost packets to its stalled watchers");
        Assert.Equal(0, lost);
        network.Until(() => Dump(packets).Count(line => line.Contains($"{alpha.Inner} > {beta.Inner}: ICMP echo request", StringComparison.Ordinal)) >= 400, "400 packets");
        network.Until(() => Dump(packets).Count(line => line.Contains($"{beta.Inner} > {alpha.Inner}: ICMP echo reply", StringComparison.Ordinal)) >= 400, "400 answers");
        Assert.Contains(Dump(cut), line => line.Contains("truncated-ip - 1182 bytes missing!", StringComparison.Ordinal)); // of 20 + 8 + 1200 less 46

        Match row = Regex.Match(Tinc(alpha, "info", "beta"), @"RX: +(\d+) packets +(\d+) bytes\nTX: +(\d+) packets +(\d+) bytes");
        Assert.All(new[] { 1, 3 }, group => Assert.InRange(Number(row, group), 400, 500));
        Assert.All(new[] { 2, 4 }, group => Assert.InRange(Number(row, group), 400 * 1242, 500 * 1242)); // with the Ethernet header
        Tinc(alpha, "disconnect", "beta");
        network.Until(() => File.ReadAllText(log).Contains("Closing connection with beta", StringComparison.Ordinal), "a line of the log");
        Assert.False(alpha.HasLogged("Closing connection with beta", mark), "the daemon's own log stays at its own level");
        foreach (Process process in new[] { stalled, deaf, logger, capture, cutter }) process.Kill();
        Assert.Equal($"{alpha.ProcessId}\n", Tinc(alpha, "pid"));
    }

    /// <summary>As seen by the same programs: once with a node of tinc 1.1 and once with FastMesh in its place.</summary>
    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.FastMesh11, Programs.Tinc11)]
    public void The_lists_are_those_of_tinc_11_field_by_field(string kind, string others)
    {
        bool sptps = kind == Programs.FastMesh11;
        string[] reference = Lists(Programs.Tinc11, others, $"ExperimentalProtocol = {(sptps ? "yes" : "no")}"), ours = Lists(kind, others, "# nothing");
        if (!sptps) reference[0] = reference[0].Replace("options 700000c", "options c", StringComparison.Ordinal); // it has forgotten that it may not
        Assert.True(reference.SequenceEqual(ours), $"tinc 1.1:\n{string.Join('\n', reference.Except(ours))}\nFastMesh:\n{string.Join('\n', ours.Except(reference))}");
    }

    [SkippableFact]
    public void All_programs_and_scripts_read_the_pid_file()
    {
        using TestNetwork network = new();
        Programs.SkipUnlessTinc11();
        MeshNode node = network.AddNode("alone", Programs.FastMesh);
        string[] options = ["-c", node.Directory, $"--pidfile={node.PidFile}"];
        foreach (string[] end in new string[][]
        {
            [Programs.PathOf(Programs.Tincd), .. options, "-k"],
            [Programs.PathOf(Programs.FastMesh), .. options, "-k"],
            [Programs.Tinc11ControlPath, .. options, "stop"],
            ["sh", "-c", $"kill $(head -1 {node.PidFile})"],
            ["bash", "-c", $"kill $(cat {node.PidFile})"],
            ["pkill", "-F", node.PidFile],
        })
        {
            node.Start();
            Assert.Matches(@"\A\d+\n[0-9A-F]{64} 127\.0\.0\.1 port655\n\z", File.ReadAllText(node.PidFile));
            Assert.Equal(s_ownerOnly, File.GetUnixFileMode(node.PidFile));
            Assert.Equal(s_ownerOnly, File.GetUnixFileMode(node.PidFile + ".socket"));
            Assert.Equal(0, Shell.Try(end).ExitCode);
            Assert.Equal(0, node.WaitForExit());
            Assert.False(File.Exists(node.PidFile + ".socket"));
        }
    }

    [SkippableFact]
    public void The_socket_serves_after_the_root_and_the_user_have_changed_and_a_stale_one_is_replaced()
    {
        using TestNetwork network = new();
        Programs.SkipUnlessTinc11();
        MeshNode node = network.AddNode("alone", Programs.FastMesh);
        node.Arguments.AddRange(["-U", "nobody", "-R"]);
        for (int i = 0; i < 2; i++)
        {
            node.Start();
            string status = $"/proc/{node.ProcessId}/status", nobody = Shell.Run("id", "-u", "nobody").Trim();
            network.Until(() => Regex.IsMatch(File.ReadAllText(status), $@"\nUid:\t{nobody}\t"), "the change of user");
            Assert.Contains("alone id ", Tinc(node, "dump", "nodes"), StringComparison.Ordinal);
            Tinc(node, "reload");
            Tinc(node, "stop");
            Assert.Equal(0, node.WaitForExit());
        }

        node.Arguments.Clear();
        node.Start();
        node.Kill();
        node.Start();
        Assert.Equal($"{node.ProcessId}\n", Tinc(node, "pid"));
    }

    /// <summary>alpha and gamma dial beta; the weights do not depend on the time it takes.</summary>
    private static TestNetwork Chain(string kind, string others, params string[] settings)
    {
        TestNetwork network = new();
        Programs.SkipUnlessTinc11();
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", others), gamma = network.AddNode("gamma", others);
        foreach (MeshNode node in network.Nodes) node.HostSettings.Add("Weight = 7");
        alpha.HostSettings.Add("Port = 655");
        alpha.Settings.AddRange(settings);
        alpha.ConnectTo(beta);
        gamma.ConnectTo(beta);
        return network;
    }

    /// <summary>Starts the three and waits until UDP works from the first to both others.</summary>
    private static (MeshNode Alpha, MeshNode Beta, MeshNode Gamma) Start(TestNetwork network)
    {
        (MeshNode alpha, MeshNode beta, MeshNode gamma) = (network.Nodes[0], network.Nodes[1], network.Nodes[2]);
        network.Start();
        network.Until(() => Reaches(beta) && Reaches(gamma), "UDP to both");
        return (alpha, beta, gamma);

        bool Reaches(MeshNode peer) => alpha.Host.CanPing(peer.Inner) && peer.Host.CanPing(alpha.Inner)
            && Tinc(alpha, "info", peer.Name).Contains("directly with UDP", StringComparison.Ordinal);
    }

    /// <summary>All lists with what differs from run to run put away, once it has been found to be well formed.</summary>
    private static string[] Lists(string kind, string others, string settings)
    {
        using TestNetwork network = Chain(kind, others, settings);
        (MeshNode alpha, _, _) = Start(network);
        network.Until(() => !Tinc(alpha, "dump", "nodes").Contains(" min 0 ", StringComparison.Ordinal), "path MTUs");
        return
        [
            .. Lines(Tinc(alpha, "dump", "nodes")).Select(NodeWithoutNumbers),
            .. Lines(Tinc(alpha, "dump", "edges")).Select(WithoutBit),
            .. Lines(Tinc(alpha, "dump", "subnets")),
            .. Lines(Tinc(alpha, "dump", "connections")).Select(line => WithoutBit(Regex.Replace(line, @"socket \d+ ", "socket N "))),
            .. Lines(Tinc(alpha, "dump", "graph")),
            .. Lines(Tinc(alpha, "info", "gamma")).Where(line => !Regex.IsMatch(line, "^(PMTU|RTT|RX|TX|Online since): +[0-9]")),
        ];
    }

    /// <summary>Path MTU, counters and round trip time by their form; bit 12 of the status says that a probe is under way.</summary>
    private static string NodeWithoutNumbers(string line)
    {
        Match match = Regex.Match(line, @"^(.* options [0-9a-f]+ status )([0-9a-f]{4})( nexthop .* distance \d) pmtu (\d+) \(min (\d+) max (\d+)\) rx \d+ \d+ tx \d+ \d+( rtt \d+\.\d{3})?$");
        Assert.True(match.Success, line);
        Assert.True(match.Groups[7].Success || line.StartsWith("alpha", StringComparison.Ordinal), line);
        Assert.InRange(Number(match, 4), Number(match, 5), Number(match, 6));
        int status = int.Parse(match.Groups[2].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture) & ~0x1000;
        return WithoutBit($"{match.Groups[1]}{status:x4}{match.Groups[3]}");
    }

    /// <summary>Options as tinc 1.1 would have them: without the bit that FastMesh nodes know each other by.</summary>
    private static string WithoutBit(string line) => Regex.Replace(line, "options ([0-9a-f]+)", match => string.Create(CultureInfo.InvariantCulture,
        $"options {uint.Parse(match.Groups[1].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture) & ~uint.Parse(BitOfFastMesh, NumberStyles.HexNumber, CultureInfo.InvariantCulture):x}"));

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Dump(string file) => Lines(Shell.Try("tcpdump", "-nr", file).Output);

    private static string Tinc(MeshNode node, params string[] command) =>
        Shell.Run([Programs.Tinc11ControlPath, "-b", "-c", node.Directory, $"--pidfile={node.PidFile}", .. command]);

    private static ShellResult TryTinc(MeshNode node, params string[] command) =>
        Shell.Try([Programs.Tinc11ControlPath, "-b", "-c", node.Directory, $"--pidfile={node.PidFile}", .. command]);

    /// <summary>Starts a command that goes on until it is killed; the shell becomes the program, so that the process is the program's.</summary>
    private static Process Watch(string program, MeshNode node, string file, params string[] command) => node.Host.Start(
        "sh", "-c", $"exec {program} -c {node.Directory} --pidfile={node.PidFile} {string.Join(' ', command)} >{file}");
}
