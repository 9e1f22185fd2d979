using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;
using FastMesh.Tests;

namespace FastMesh.Interop.Tests;

/// <summary>What <c>status</c> and its kin say of a mesh of all generations, held against what the mesh was made to be, and against the program <c>tinc</c>.</summary>
[Collection(nameof(Undisturbed))]
public sealed class StatusTests
{
    private static readonly string[] s_dumps =
        ["dump nodes", "dump reachable nodes", "dump edges", "dump subnets", "dump connections", "dump graph", "dump digraph", "dump invitations",
            "list subnets", "info alpha", "info beta", "info gamma", "info delta", "info epsilon", "info 10.20.3.0/24", "info 10.20.3.4", "info nobody", "pid"];

    [SkippableFact]
    public void Status_names_protocol_suite_and_path_of_every_generation_and_lists_are_those_of_tinc()
    {
        using TestNetwork network = new();
        Programs.SkipUnlessUsable();
        Programs.SkipUnlessTinc11();
        Skip.If(Programs.IsReferenceOnly, "tinc has no status");
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh11), beta = network.AddNode("beta", Programs.FastMesh11), gamma = network.AddNode("gamma", Programs.Tincd);
        MeshNode delta = network.AddNode("delta", Programs.Tinc11), epsilon = network.AddNode("epsilon", Programs.FastMesh11);
        epsilon.Settings.Add("TCPOnly = yes");
        delta.Settings.Add("AutoConnect = no");
        foreach (MeshNode node in new[] { alpha, gamma, delta, epsilon }) node.ConnectTo(beta);
        network.Start();

        Dictionary<string, JsonElement> nodes = [];
        network.Until(
            () =>
            {
                bool carried = new[] { beta, gamma, delta, epsilon }.All(peer => alpha.Host.CanPing(peer.Inner));
                nodes = NodesOf(alpha);
                return carried && nodes.Count == 5 && new[] { "beta", "gamma", "delta" }.All(name => Path(nodes[name]) == "direct none") && Path(nodes["epsilon"]) == "relay tcpOnlyThere";
            },
            "all paths");

        Assert.Equal(
            ["fastMesh", "fastMesh", "legacy", "sptps", "fastMesh"],
            new[] { "alpha", "beta", "gamma", "delta", "epsilon" }.Select(name => nodes[name].GetProperty("protocol").GetString()));
        Assert.StartsWith("AES-256-GCM, X25519", Suite(nodes["beta"]), StringComparison.Ordinal);
        Assert.Equal("AES-256-CBC with SHA-256/4", Suite(nodes["gamma"]));
        Assert.Equal("ChaCha20-Poly1305", Suite(nodes["delta"]));
        Assert.Equal("beta", nodes["epsilon"].GetProperty("path").GetProperty("by").GetString());
        Assert.Equal("192.0.2.3", nodes["gamma"].GetProperty("udpAddress").GetProperty("address").GetString());
        Assert.All(new[] { "beta", "gamma", "delta", "epsilon" }, name => Assert.InRange(nodes[name].GetProperty("traffic").GetProperty("packetsOut").GetInt64(), 1, 1000));
        Assert.All(new[] { "beta", "delta" }, name => Assert.InRange(nodes[name].GetProperty("udpRttMicroseconds").GetInt64(), 1, 10_000_000));

        string screen = Run(alpha, "status").Output;
        Assert.Contains("alpha in net mesh, FastMesh ", screen, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^beta +direct +fastmesh +AES-256-GCM +1\d{3}\+? +[\d.]+ m?s ", screen);
        Assert.Matches("(?m)^delta +direct +tinc 1.1 +ChaCha20-Poly1305 ", screen);
        Assert.Matches("(?m)^gamma +direct +tinc 1.0 +AES-256-CBC", screen);
        Assert.Matches("(?m)^epsilon +via beta +fastmesh +AES-256-GCM", screen);
        Assert.Matches("(?m)^Not direct\n  epsilon  TCPOnly is set there$", screen);
        Assert.All(screen.Split('\n'), line => Assert.InRange(line.Length, 0, 80));
        Assert.DoesNotContain('\e', screen);

        foreach (MeshNode asked in new[] { alpha, delta })
        {
            foreach (string dump in s_dumps) AssertSame(network, asked, dump);
        }

        Validate(alpha);
        Assert.Equal((2, "The daemon does not know this command: it is tincd, or an older fastmesh.\n"), Problem(delta, "status"));
        Assert.Equal((2, $"The daemon for net `mesh', process {gamma.ProcessId}, takes no commands: it is tincd 1.0, or has just been started.\n"), Problem(gamma, "status"));
    }

    /// <summary>Nothing to talk to, whatever the reason: one line, exit code 2, and the daemon is none the worse.</summary>
    [SkippableFact]
    public void Without_a_daemon_to_talk_to_one_line_says_why()
    {
        using TestNetwork network = new();
        Programs.SkipUnlessUsable();
        Skip.If(Programs.IsReferenceOnly, "tinc has no status");
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh11);
        Assert.Equal((2, $"No daemon is running for net `mesh': there is no {alpha.PidFile}.\n"), Problem(alpha, "status"));
        network.Start();
        Assert.Equal((1, "Unknown node nobody.\n"), Problem(alpha, "info", "nobody", "--json"));
        Assert.Equal((2, "Too many arguments!\n"), Problem(alpha, "status", "more"));
        Assert.Equal((2, "Unknown form of graph `png': dot or svg.\n"), Problem(alpha, "graph", "png"));

        string[] asNobody = ["setpriv", "--reuid=65534", "--clear-groups", .. Command(alpha, "status")];
        ShellResult other = Shell.Try(asNobody);
        Assert.Equal((2, $"You may not control the daemon for net `mesh': {alpha.PidFile} is for another user. Try again as root.\n"), (other.ExitCode, other.Error));

        string pidFile = File.ReadAllText(alpha.PidFile);
        File.WriteAllText(alpha.PidFile, Regex.Replace(pidFile, "[0-9A-F]{64}", new string('0', 64)));
        Assert.Equal((2, "The daemon does not answer: it is stopped or busy, or what listens on its control socket is another program.\n"), Problem(alpha, "status"));
        File.WriteAllText(alpha.PidFile, pidFile);
        File.Move(alpha.PidFile + ".socket", alpha.PidFile + ".gone");
        Assert.Equal((2, $"Cannot talk to the daemon for net `mesh', process {alpha.ProcessId}: {alpha.PidFile}.socket does not exist.\n"), Problem(alpha, "status"));
        File.Move(alpha.PidFile + ".gone", alpha.PidFile + ".socket");
        Assert.Equal(0, Run(alpha, "status").ExitCode);
        Assert.Equal(0, Run(alpha, "stop").ExitCode);
        Assert.Equal(0, alpha.WaitForExit());
    }

    private static void Validate(MeshNode node)
    {
        Skip.IfNot(JsonSchemaCheck.IsPossible, "needs the peer python3-jsonschema");
        Dictionary<string, string> schemas = new()
        {
            ["status"] = "status.json",
            ["top"] = "nodes.json",
            ["dump nodes"] = "nodes.json",
            ["dump reachable nodes"] = "nodes.json",
            ["dump edges"] = "edges.json",
            ["dump subnets"] = "subnets.json",
            ["dump connections"] = "connections.json",
            ["dump graph"] = "graph.json",
            ["dump invitations"] = "invitations.json",
            ["info beta"] = "node.json",
            ["info 10.20.3.0/24"] = "owners.json",
        };
        foreach ((string command, string schema) in schemas)
            JsonSchemaCheck.Validate(schema, Run(node, [.. command.Split(' '), "--json"]).Output);
    }

    /// <summary>The same text, of the same moment: what changes meanwhile is given another chance.</summary>
    private static void AssertSame(TestNetwork network, MeshNode node, string command)
    {
        ShellResult ours = new(0, "", ""), theirs = ours;
        network.Until(
            () =>
            {
                ours = Run(node, command.Split(' '));
                theirs = Shell.Try([Programs.Tinc11ControlPath, "-b", "-c", node.Directory, $"--pidfile={node.PidFile}", .. command.Split(' ')]);
                return Settled(ours) == Settled(theirs);
            },
            $"the same answer to {command} of {node.Name}");

        static (int, string, string) Settled(ShellResult result) => (result.ExitCode, result.Output, result.Error);
    }

    private static Dictionary<string, JsonElement> NodesOf(MeshNode node)
    {
        using JsonDocument status = JsonDocument.Parse(Run(node, "--json", "status").Output);
        return status.RootElement.GetProperty("nodes").Clone().EnumerateArray().ToDictionary(item => item.GetProperty("name").GetString()!);
    }

    private static string Path(JsonElement node) =>
        string.Create(CultureInfo.InvariantCulture, $"{node.GetProperty("path").GetProperty("kind").GetString()} {node.GetProperty("path").GetProperty("reason").GetString()}");

    private static string Suite(JsonElement node) => node.GetProperty("session").GetProperty("suite").GetString()!;

    private static (int ExitCode, string Error) Problem(MeshNode node, params string[] arguments)
    {
        ShellResult result = Run(node, arguments);
        return (result.ExitCode, result.Error);
    }

    private static ShellResult Run(MeshNode node, params string[] arguments) => Shell.Try(Command(node, arguments));

    private static string[] Command(MeshNode node, params string[] arguments) =>
        [Programs.FastMeshPath, "-n", "mesh", "-c", node.Directory, $"--pidfile={node.PidFile}", .. arguments];
}
