using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Daemon.Metrics;

namespace FastMesh.Engine.Tests.Daemon.Metrics;

/// <summary>A whole daemon that serves metrics, and clients of every temper.</summary>
[Collection("process")]
public sealed partial class MetricsServerTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<TestDaemon> _daemons = [];

    public void Dispose()
    {
        _daemons.ForEach(daemon => daemon.Dispose());
        _directory.Dispose();
    }

    [Theory]
    [InlineData("*/*", "application/openmetrics-text; version=1.0.0; charset=utf-8")]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", "application/openmetrics-text; version=1.0.0; charset=utf-8")]
    [InlineData("text/plain;version=0.0.4;q=0.3,*/*;q=0.2", "text/plain; version=0.0.4; charset=utf-8")]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", "text/plain; version=0.0.4; charset=utf-8")]
    public async Task Metrics_come_in_the_format_that_is_asked_for(string accept, string contentType)
    {
        EndPoint server = await StartAsync();
        HttpAnswer answer = HttpAnswer.Get(server, "/metrics", accept);
        Assert.Equal("200 OK", answer.Status);
        Assert.Equal(contentType, answer.Headers["Content-Type"]);
        Assert.Equal(answer.Headers["Content-Length"], Encoding.UTF8.GetByteCount(answer.Body).ToString(CultureInfo.InvariantCulture));
        Assert.Equal(contentType.Contains("openmetrics", StringComparison.Ordinal), answer.Body.EndsWith("\n# EOF\n", StringComparison.Ordinal));
        Assert.Matches("(?m)^fastmesh_daemon_info{node=\"alpha\",net=\"test\",mode=\"router\",protocol=\"17.0\",io=\"mmsg\"} 1$", answer.Body);
        Assert.Matches("(?m)^fastmesh_shard_turns_total{shard=\"0\"} [0-9]+$", answer.Body);
        Assert.Matches("(?m)^process_cpu_seconds_total [0-9.]+$", answer.Body);
    }

    [Fact]
    public async Task What_is_exposed_is_what_the_documentation_says()
    {
        EndPoint server = await StartAsync();
        string[] exposed = [.. Regex.Matches(HttpAnswer.Get(server, "/metrics").Body, "(?m)^# TYPE (\\S+) (\\S+)$").Select(match => $"{match.Groups[1]} {match.Groups[2]}")];
        Assert.Equal(exposed, MetricsDocument.Families.Select(family => $"{family.Name} {family.Type.ToString().ToLowerInvariant()}"));

        string text = File.ReadAllText(Path.Combine(Root(), "docs", "METRICS.md"));
        string[] documented = [.. DocumentedRow().Matches(text).Select(row => row.Value)];
        Assert.Equal(MetricsDocument.Families.Select(DescribeRow), documented);
    }

    [Fact]
    public async Task Status_and_page_are_served_and_the_page_may_run_nothing_but_its_own_script()
    {
        EndPoint server = await StartAsync();
        HttpAnswer status = HttpAnswer.Get(server, "/status.json");
        Assert.Equal("application/json", status.Headers["Content-Type"]);
        using JsonDocument json = JsonDocument.Parse(status.Body);
        Assert.Equal("alpha", json.RootElement.GetProperty("daemon").GetProperty("name").GetString());

        HttpAnswer page = HttpAnswer.Get(server, "/?any=query");
        Assert.Equal("text/html; charset=utf-8", page.Headers["Content-Type"]);
        string script = Regex.Match(page.Body, "<script>(.*)</script>", RegexOptions.Singleline).Groups[1].Value;
        string policy = page.Headers["Content-Security-Policy"];
        Assert.StartsWith("default-src 'none'; ", policy, StringComparison.Ordinal);
        Assert.Contains($"script-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)))}';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotMatch("(?i)(src|href|url)\\s*[=(]\\s*[\"']?(https?:)?//", page.Body);
        Assert.DoesNotContain("innerHTML", script, StringComparison.Ordinal);
        Assert.All([status, page], answer => Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]));
    }

    [Theory]
    [InlineData("GET", "/nothing", "127.0.0.1", "404 Not Found")]
    [InlineData("POST", "/metrics", "127.0.0.1", "405 Method Not Allowed")]
    [InlineData("DELETE", "/", "localhost:1", "405 Method Not Allowed")]
    [InlineData("GET", "/metrics", "rebound.example", "421 Misdirected Request")]
    [InlineData("GET", "metrics", "127.0.0.1", "400 Bad Request")]
    public async Task What_there_is_not_is_refused_with_a_reason(string method, string path, string host, string status)
    {
        EndPoint server = await StartAsync();
        HttpAnswer answer = HttpAnswer.Get(server, path, method: method, host: host);
        Assert.Equal(status, answer.Status);
        Assert.Matches("^[^\n]+\\.\n$", answer.Body);
        Assert.Equal("200 OK", HttpAnswer.Get(server, "/healthz").Status);
    }

    [Fact]
    public async Task Head_is_answered_without_a_body()
    {
        EndPoint server = await StartAsync();
        HttpAnswer answer = HttpAnswer.Get(server, "/metrics", method: "HEAD");
        Assert.Equal("200 OK", answer.Status);
        Assert.Empty(answer.Body);
        Assert.True(int.Parse(answer.Headers["Content-Length"], CultureInfo.InvariantCulture) > 1000);
    }

    [Fact]
    public async Task A_request_without_end_is_refused()
    {
        EndPoint server = await StartAsync();
        Assert.Equal("431 Request Header Fields Too Large", HttpAnswer.To(server, "GET / HTTP/1.1\r\nHost: a\r\nX: " + new string('x', HttpConnection.MaxRequest)).Status);
    }

    [Fact]
    public async Task Clients_that_say_nothing_or_read_nothing_keep_nobody_waiting()
    {
        EndPoint server = await StartAsync();
        List<Socket> idle = [];
        for (int i = 0; i < HttpServer.MaxConnections; i++)
        {
            idle.Add(HttpAnswer.Connect(server));
            idle[i].Send(i % 2 == 0 ? "GET"u8 : "GET /status.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8);
        }

        Assert.Equal("ok\n", HttpAnswer.Get(server, "/healthz").Body);
        idle.ForEach(socket => socket.Dispose());
        Assert.Equal("ok\n", HttpAnswer.Get(server, "/healthz").Body);
    }

    [Fact]
    public async Task A_control_loop_that_stands_still_is_reported_and_the_server_goes_on()
    {
        using ManualResetEventSlim gate = new();
        EndPoint server = await StartAsync(options => options with
        {
            Reread = () =>
            {
                gate.Wait();
                return new ConfigurationReading();
            },
        });
        _daemons[0].Signal(Signals.Hup);
        _daemons[0].Log.WaitFor("Got HUP signal");
        Task<HttpAnswer> metrics = Task.Run(() => HttpAnswer.Get(server, "/metrics"));
        HttpAnswer health = HttpAnswer.Get(server, "/healthz");
        Assert.Equal(("503 Service Unavailable", "No progress for 5 seconds: the control loop\n"), (health.Status, health.Body));
        Assert.Equal("503 Service Unavailable", (await metrics).Status);
        Assert.Equal("200 OK", HttpAnswer.Get(server, "/").Status);
        gate.Set();
        Assert.Equal("ok\n", HttpAnswer.Get(server, "/healthz").Body);
    }

    [Fact]
    public async Task A_taken_port_ends_the_start_with_one_line()
    {
        IPEndPoint taken = (IPEndPoint)await StartAsync();
        TestDaemon other = Make($"127.0.0.1:{taken.Port}");
        other.Start();
        Assert.Equal(1, await other.ExitAsync());
        Assert.Contains($"MetricsAddress 127.0.0.1:{taken.Port}: Address already in use", other.Log.Lines);
        Assert.Equal("ok\n", HttpAnswer.Get(taken, "/healthz").Body);
    }

    [Theory]
    [InlineData("127.0.0.1:0", false)]
    [InlineData("0.0.0.0:0", true)]
    public async Task An_address_that_others_reach_gets_a_warning(string address, bool warned)
    {
        await StartAsync(address: address);
        string warning = $"MetricsAddress {address} can be reached from other machines, and whoever asks there is answered: no name or password is asked for";
        Assert.Equal(warned ? 1 : 0, _daemons[0].Log.Lines.Count(line => line == warning));
    }

    [Fact]
    public async Task A_unix_socket_is_the_owners_alone_and_goes_with_the_daemon()
    {
        string path = _directory["metrics.socket"];
        TestDaemon daemon = Make($"unix:{path}");
        await daemon.StartAndWaitAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal("ok\n", HttpAnswer.Get(new UnixDomainSocketEndPoint(path), "/healthz", host: "any.name").Body);
        Assert.Equal(0, await daemon.StopAsync());
        Assert.False(File.Exists(path));
    }

    private static string DescribeRow(MetricFamily family) => $"| `{family.SampleName}` | {family.Type.ToString().ToLowerInvariant()} | "
        + $"{string.Join(", ", family.LabelNames.Select(name => $"`{name}`"))} | {family.Help} |";

    private TestDaemon Make(string address, Func<DaemonOptions, DaemonOptions>? change = null)
    {
        Assert.True(MetricsAddress.TryParse(address, out MetricsAddress? metrics));
        TestDaemon daemon = new("alpha", options => (change?.Invoke(options) ?? options) with { Metrics = metrics });
        _daemons.Add(daemon);
        return daemon;
    }

    private async Task<EndPoint> StartAsync(Func<DaemonOptions, DaemonOptions>? change = null, string address = "127.0.0.1:0")
    {
        TestDaemon daemon = Make(address, change);
        await daemon.StartAndWaitAsync();
        Match served = daemon.Log.Lines.Select(line => ServedLine().Match(line)).First(match => match.Success);
        return new IPEndPoint(IPAddress.Loopback, int.Parse(served.Groups[1].Value, CultureInfo.InvariantCulture));
    }

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "FastMesh.sln")))
            directory = Path.GetDirectoryName(directory)!;
        return directory;
    }

    [GeneratedRegex(@"^Serving metrics on http://[^/]+:(\d+)/$")]
    private static partial Regex ServedLine();

    [GeneratedRegex(@"^\| `\w+` \|.*\|$", RegexOptions.Multiline)]
    private static partial Regex DocumentedRow();
}
