using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>What Prometheus and a browser find out about a mesh of three nodes.</summary>
public sealed class MetricsTests
{
    private const int Port = 9655, Pings = 40;

    [SkippableFact]
    public void Prometheus_finds_nothing_wrong_with_the_metrics_and_they_tell_what_happened()
    {
        Programs.SkipUnlessPromtool();
        using TestNetwork network = Chain(Programs.FastMesh11, out MeshNode alpha);
        network.Until(() => alpha.Host.Ping("10.20.3.1", count: Pings, size: 1000).Lost == 0, "pings to gamma");
        network.Until(() => Value(Metrics(alpha), "fastmesh_node_path{node=\"gamma\",path=\"direct\"}") == 1, "a direct way to gamma");

        string text = Metrics(alpha);
        Assert.Equal(1, Value(text, "fastmesh_node_reachable{node=\"beta\"}"));
        Assert.Equal(2, Value(text, "fastmesh_node_hops{node=\"gamma\"}"));
        Assert.Equal(3, Value(text, "fastmesh_nodes"));
        Assert.Equal(4, Value(text, "fastmesh_edges"));
        Assert.Equal(6, Value(text, "fastmesh_subnets"));
        Assert.Equal(1, Value(text, "fastmesh_meta_connections{state=\"active\"}"));
        Assert.Equal(1, Value(text, "fastmesh_handshakes_total{kind=\"meta\",result=\"activated\"}"));
        Assert.Equal(1, Value(text, "fastmesh_scripts_total{result=\"ok\"}")); // tinc-up
        Assert.True(Value(text, "fastmesh_node_packets_total{node=\"gamma\",direction=\"sent\"}") >= Pings);
        Assert.True(Value(text, "fastmesh_node_bytes_total{node=\"gamma\",direction=\"received\"}") >= Pings * (14 + 20 + 8 + 1000));
        Assert.True(Value(text, "fastmesh_node_rtt_seconds_count{node=\"gamma\"}") > 0);
        Assert.True(Value(text, "fastmesh_node_mtu_bytes{node=\"beta\"}") > 1000);
        Assert.InRange(Value(text, "fastmesh_node_key_age_seconds{node=\"gamma\"}"), 0, 600);
        Assert.Matches("(?m)^fastmesh_node_session_info{node=\"gamma\",protocol=\"FastMesh\",suite=\"[^\"]+\",scope=\"end-to-end\"} 1$", text);
        foreach (string batch in new[] { "deviceRead", "receive", "send" })
            Assert.True(Value(text, $"fastmesh_shard_batch_packets_sum{{shard=\"0\",batch=\"{batch}\"}}") >= Value(text, $"fastmesh_shard_batch_packets_count{{shard=\"0\",batch=\"{batch}\"}}"));
        Assert.Equal(
            Value(text, "fastmesh_shard_datagrams_total{shard=\"0\",direction=\"sent\"}"),
            Value(text, "fastmesh_shard_batch_packets_sum{shard=\"0\",batch=\"send\"}"));

        string file = Path.Combine(network.Directory, "metrics.txt");
        File.WriteAllText(file, Get(alpha, "/metrics", "text/plain"));
        ShellResult check = Shell.Try("sh", "-c", $"'{Programs.PromtoolPath}' check metrics <'{file}'");
        Assert.Equal((0, ""), (check.ExitCode, check.Output + check.Error));
    }

    [SkippableFact]
    public void A_node_that_goes_is_seen_to_be_unreachable()
    {
        using TestNetwork network = Chain(Programs.FastMesh, out MeshNode alpha);
        MeshNode gamma = network.Nodes[2];
        gamma.Stop();
        network.Until(() => Value(Metrics(alpha), "fastmesh_node_reachable{node=\"gamma\"}") == 0, "gamma's end");
        Assert.Equal(1, Value(Metrics(alpha), "fastmesh_node_path{node=\"gamma\",path=\"unreachable\"}"));
        Assert.Equal("ok\n", Get(alpha, "/healthz"));
        using JsonDocument status = JsonDocument.Parse(Get(alpha, "/status.json"));
        Assert.Equal(["alpha", "beta", "gamma"], status.RootElement.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("name").GetString()));
    }

    [SkippableFact]
    public void The_page_shows_the_mesh_in_a_browser()
    {
        Programs.SkipUnlessChromium();
        using TestNetwork network = Chain(Programs.FastMesh, out MeshNode alpha);
        ShellResult browser = alpha.Host.Try(
            "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", $"--user-data-dir={network.Directory}/chromium",
            "--enable-logging=stderr", "--virtual-time-budget=4000", "--dump-dom", $"http://127.0.0.1:{Port}/");
        Assert.True(browser.ExitCode == 0, browser.Error);
        Assert.DoesNotContain("Content Security Policy", browser.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Uncaught", browser.Error, StringComparison.Ordinal);
        string map = Regex.Match(browser.Output, "<svg.*</svg>", RegexOptions.Singleline).Value, table = Regex.Match(browser.Output, "<tbody.*</tbody>", RegexOptions.Singleline).Value;
        foreach (string name in new[] { "alpha", "beta", "gamma" })
        {
            Assert.Contains($"data-node=\"{name}\"", map, StringComparison.Ordinal);
            Assert.Contains($"data-node=\"{name}\"", table, StringComparison.Ordinal);
        }

        Assert.Equal(2, Regex.Count(map, "<line "));
        Assert.Contains("10.20.2.0/24", table, StringComparison.Ordinal);
        Assert.Matches("role=\"alert\" hidden", browser.Output);
    }

    [SkippableFact]
    public void The_alerts_do_what_their_tests_say()
    {
        Programs.SkipUnlessPromtool();
        string directory = Path.Combine(Programs.Root, "contrib", "prometheus");
        Shell.Run("sh", "-c", $"cd '{directory}' && '{Programs.PromtoolPath}' check config prometheus.yml && '{Programs.PromtoolPath}' test rules fastmesh.test.yml");
    }

    /// <summary>alpha - beta - gamma, all on one network; alpha serves metrics.</summary>
    private static TestNetwork Chain(string kind, out MeshNode alpha)
    {
        TestNetwork network = new();
        Skip.If(Programs.IsReferenceOnly, "metrics are FastMesh's");
        alpha = network.AddNode("alpha", kind);
        MeshNode beta = network.AddNode("beta", kind), gamma = network.AddNode("gamma", kind);
        alpha.Settings.Add($"MetricsAddress = 127.0.0.1:{Port}");
        alpha.ConnectTo(beta);
        gamma.ConnectTo(beta);
        network.Start();
        MeshNode first = alpha;
        network.Until(() => Value(Metrics(first), "fastmesh_node_reachable{node=\"gamma\"}") == 1, "a way to gamma");
        return network;
    }

    private static string Metrics(MeshNode node) => Get(node, "/metrics");

    /// <summary>The value of a sample, or NaN if there is none.</summary>
    private static double Value(string text, string sample) =>
        Regex.Match(text, $"(?m)^{Regex.Escape(sample)} (\\S+)$") is { Success: true } match ? double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : double.NaN;

    private static string Get(MeshNode node, string path, string accept = "*/*")
    {
        using Socket socket = NetworkNamespace.Run(node.Host, () => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        socket.Connect(new IPEndPoint(IPAddress.Loopback, Port));
        using NetworkStream stream = new(socket);
        using StreamReader reader = new(stream);
        stream.Write(System.Text.Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n\r\n"));
        string[] parts = reader.ReadToEnd().Split("\r\n\r\n", 2);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", parts[0], StringComparison.Ordinal);
        return parts[1];
    }
}
