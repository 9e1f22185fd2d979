using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>
/// What a daemon answers on its control socket, to clients of every temper. Expected lines: tinc 1.1 reference, 10.2, and the same lines sent
/// to tincd 1.1pre18 by hand.
/// </summary>
[Collection("process")]
public sealed class ControlSocketTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TestDaemon _daemon;
    private string _announced = "";
    private ConfigurationReading _files = new();

    public ControlSocketTests() => _daemon = new TestDaemon("alpha", options => options with
    {
        Control = new ControlSettings(SocketPath, text => _announced = text),
        Reread = () => _files,
    });

    private string SocketPath => _directory["control.socket"];

    private string Cookie => _announced.Split(' ')[0];

    public void Dispose()
    {
        _daemon.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task The_cookie_opens_and_its_announcement_has_what_the_tinc_program_scans()
    {
        await _daemon.StartAndWaitAsync();
        Assert.Matches($"^[0-9A-F]{{64}} 127\\.0\\.0\\.1 port{_daemon.Port}$", _announced);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
        using Client client = new(SocketPath);
        client.Send($"0 ^{Cookie} 0");
        Assert.Equal(["0 alpha 17.7", $"4 0 {Environment.ProcessId}"], client.Lines(2));
    }

    [Fact]
    public async Task Lists_have_a_row_each_and_an_end()
    {
        await _daemon.StartAndWaitAsync();
        using Client client = Open();
        client.Send("18 3 ignored");
        // alpha's id is the beginning of its SHA-512; the sixteenth field is the time of the start
        Assert.Matches(
            $"^18 3 alpha ba3ce58667ca MYSELF port {_daemon.Port} 0 0 0 0 c [0-9a-f]+ alpha alpha 0 1518 0 1518 [0-9]{{10}} -1 0 0 0 0$",
            client.Line());
        Assert.Equal("18 3", client.Line());
        client.Send("18 4");
        Assert.Equal("18 4", client.Line());
        client.Send("18 5");
        Assert.Equal(
            ["18 5 ff:ff:ff:ff:ff:ff (broadcast)", "18 5 255.255.255.255 (broadcast)", "18 5 10.1.0.0/24 alpha",
                "18 5 224.0.0.0/4 (broadcast)", "18 5 ff00::/8 (broadcast)", "18 5"],
            client.Lines(6));
        client.Send("18 13");
        Assert.Equal(["18 13 alpha 0 0 0 0", "18 13"], client.Lines(2));
        client.Send("18 6");
        Assert.Matches("^18 6 <control> localhost port unix 0 [0-9]+ 200$", client.Line());
        Assert.Equal("18 6", client.Line());
    }

    [Fact]
    public async Task A_snapshot_is_one_line_of_json_and_says_what_the_lists_say()
    {
        await _daemon.StartAndWaitAsync();
        using Client client = Open();
        client.Send("18 100");
        string line = client.Line()!;
        Assert.StartsWith("18 100 {", line, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(line["18 100 ".Length..]);
        JsonElement root = json.RootElement, daemon = root.GetProperty("daemon"), node = Assert.Single(root.GetProperty("nodes").EnumerateArray());
        Assert.Equal(("alpha", "test", Environment.ProcessId, "17.0"), (Text(daemon, "name"), Text(daemon, "net"), daemon.GetProperty("pid").GetInt32(), Text(daemon, "protocol")));
        Assert.Equal(("router", "mmsg", 5), (Text(daemon, "mode"), Text(daemon, "io"), daemon.GetProperty("debugLevel").GetInt32()));
        Assert.EndsWith("Z", Text(root, "time"), StringComparison.Ordinal);
        Assert.Equal(("dummy", JsonValueKind.Null), (Text(root.GetProperty("device"), "kind"), root.GetProperty("device").GetProperty("mtuBytes").ValueKind));
        JsonElement listener = Assert.Single(root.GetProperty("listeners").EnumerateArray());
        Assert.Equal(("127.0.0.1", $"{_daemon.Port}"), (Text(listener, "address"), Text(listener, "port")));
        Assert.Equal(("alpha", "ba3ce58667ca", "self", "legacy"),
            (Text(node, "name"), Text(node, "id"), Text(node.GetProperty("path"), "kind"), Text(node, "protocol")));
        JsonElement subnet = Assert.Single(root.GetProperty("subnets").EnumerateArray());
        Assert.Equal(("10.1.0.0/24", "alpha", 10), (Text(subnet, "subnet"), Text(subnet, "owner"), subnet.GetProperty("weight").GetInt32()));
        Assert.Equal(0, root.GetProperty("totals").GetProperty("droppedPackets").GetProperty("noSubnet").GetInt64());

        static string Text(JsonElement parent, string name) => parent.GetProperty(name).GetString()!;
    }

    [Theory]
    [InlineData("18 2", "18 -1")]
    [InlineData("18 7", "18 -1")]
    [InlineData("18 11 beta", "18 -1")]
    [InlineData("18 16", "18 -1")]
    [InlineData("18 -1", "18 -1")]
    [InlineData("18 2147483647", "18 -1")]
    [InlineData("18 8 more", "18 8 0")]
    [InlineData("18 10", "18 10 0")]
    [InlineData("18 12", "18 12 -1")]
    [InlineData("18 12 nobody", "18 12 -2")]
    [InlineData("18 9 -1", "18 9 5")]
    public async Task A_request_gets_tincs_answer(string request, string answer)
    {
        await _daemon.StartAndWaitAsync();
        using Client client = Open();
        client.Send(request);
        Assert.Equal(answer, client.Line());
    }

    [Theory]
    [InlineData("18")]
    [InlineData("18 x")]
    [InlineData("18 99999999999")]
    [InlineData("18 9")]
    [InlineData("18 9 x")]
    [InlineData("")]
    [InlineData("8")]
    [InlineData("foo")]
    [InlineData("\0\u00ff")]
    public async Task Nonsense_ends_the_connection_and_nothing_else(string line)
    {
        await _daemon.StartAndWaitAsync();
        using Client client = Open(), other = Open();
        client.Send(line);
        Assert.Null(client.Line());
        other.Send("18 9 -1");
        Assert.Equal("18 9 5", other.Line());
    }

    [Fact]
    public async Task A_second_greeting_and_an_endless_line_end_the_connection()
    {
        await _daemon.StartAndWaitAsync();
        using Client again = Open(), endless = Open();
        again.Send($"0 ^{Cookie} 0");
        Assert.Null(again.Line());
        endless.SendRaw(new byte[ControlSession.MaxLine + 1]);
        Assert.Null(endless.Line());
    }

    [Theory]
    [InlineData("0 ^COOKIEx 0")]
    [InlineData("0 ^COOKIE")]
    [InlineData("0 COOKIE 0")]
    [InlineData("0 ^ 0")]
    [InlineData("1 ^COOKIE 0")]
    [InlineData("18 0")]
    [InlineData("")]
    public async Task Without_the_cookie_there_is_silence(string line)
    {
        await _daemon.StartAndWaitAsync();
        using Client stranger = new(SocketPath);
        stranger.Send(line.Replace("COOKIE", Cookie, StringComparison.Ordinal));
        stranger.Send("18 0");
        using Client master = Open(); // it is served after the stranger
        master.Send("18 9 -1");
        Assert.Equal("18 9 5", master.Line());
        Assert.True(stranger.IsSilent);
    }

    [Fact]
    public async Task Strangers_do_not_keep_masters_out()
    {
        await _daemon.StartAndWaitAsync();
        List<Client> strangers = [];
        for (int i = 0; i < 50; i++)
        {
            strangers.Add(new Client(SocketPath));
            strangers[i].Send("0 ^wrong 0");
            using Client master = Open();
        }

        Assert.Null(strangers[0].Line()); // the oldest had to go
        Assert.True(strangers[^1].IsSilent);
        strangers.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task More_clients_than_there_is_room_for_are_turned_away_until_one_goes()
    {
        await _daemon.StartAndWaitAsync();
        List<Client> clients = [.. Enumerable.Range(0, 32).Select(_ => Open())];
        using (Client late = new(SocketPath))
            Assert.Null(late.Line());
        clients[0].Dispose();
        Until(() =>
        {
            using Client next = new(SocketPath);
            next.Send($"0 ^{Cookie} 0");
            return next.Line() is not null;
        });
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Log_lines_come_at_the_level_asked_for_and_in_the_form_asked_for()
    {
        await _daemon.StartAndWaitAsync();
        using Client plain = Open(), dated = Open(), coloured = Open();
        plain.Send("18 15 2");
        dated.Send("18 15 5 0");
        coloured.Send("18 15 5 1");
        using Client other = Open();
        other.Send("18 6"); // by its answer the three watch
        Assert.Equal([0xa00, 0xa00, 0x1a00, 0x200], other.Lines(5)[..4].Select(Status));

        LogTap tap = _daemon.Log.Tap;
        Assert.True(tap.Wants(5));
        Assert.False(tap.Wants(6));
        tap.Add(3, LogLevel.Debug, "too deep");
        tap.Add(2, LogLevel.Warning, "gr\u00fc\u00df dich");
        Assert.Equal("18 15 11", plain.Line());
        Assert.Equal("gr\u00fc\u00df dich", plain.Text(11));
        Assert.Equal("18 15 36", dated.Line());
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d DEBUG   too deep$", dated.Text(36));
        Assert.Equal("18 15 39", dated.Line());
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d WARNING gr\u00fc\u00df dich$", dated.Text(39));
        coloured.Line();
        Assert.Matches("^[-0-9]+ [:0-9]+ \e\\[36mDEBUG  \e\\[0m too deep$", coloured.Text(45));
    }

    [Fact]
    public async Task A_client_that_does_not_read_costs_the_daemon_nothing_but_a_bounded_buffer()
    {
        await _daemon.StartAndWaitAsync();
        using Client lazy = Open(), lazier = Open(), master = Open();
        lazy.Send("18 15 5");
        lazier.SendRaw(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("18 5\n", 200))));
        master.Send("18 9 -1");
        Assert.Equal("18 9 5", master.Line());

        string line = new('x', 1000);
        for (int i = 0; i < 3000; i++)
        {
            _daemon.Log.Tap.Add(0, LogLevel.Information, line);
            if (i % 100 == 0)
            {
                master.Send("18 9 -1");
                Assert.Equal("18 9 5", master.Line());
            }
        }

        lazy.Send("18 9 -1"); // what was lost is lost, but it can go on
        Assert.InRange(Kilobytes(lazy, "18 9 5"), 1, 3000 - 1);
        Assert.Equal(200 * 6, lazier.Lines(200 * 6).Length);
    }

    [Fact]
    public void A_client_that_reads_nothing_for_a_minute_is_dropped()
    {
        using EventFd wake = new();
        using Epoll epoll = new(4);
        LogTap tap = new();
        using ControlSocket control = ControlSocket.Open(new ControlSettings(SocketPath, text => _announced = text), tap, wake, _daemon.Log.Engine)!;
        control.Serve(epoll, 1, 2, new ControlRequests(null!, "alpha", () => []));
        control.Announce(Endpoint.FromIPv4(0, 655));
        using Client client = new(SocketPath);
        control.Accept();
        client.Send($"0 ^{Cookie} 0");
        client.Send("18 15 0");
        control.HandleEvent(2, EpollEvents.In);
        for (int i = 0; i < 1000; i++)
        {
            tap.Add(0, LogLevel.Information, new string('x', 1000));
            control.HandleLog(0);
        }

        Instant now = MonotonicClock.Now;
        control.EndTurn(now + TimeSpan.FromSeconds(59));
        Assert.Single(control.Sessions);
        control.EndTurn(now + TimeSpan.FromSeconds(61));
        Assert.Empty(control.Sessions);
        Assert.False(tap.Wants(0)); // nobody watches any more
    }

    [Fact]
    public async Task Broken_files_are_refused_whole_and_the_daemon_goes_on()
    {
        await _daemon.StartAndWaitAsync();
        using Client client = Open();
        _files = new ConfigurationReading { Errors = ["tinc.conf line 3 is bad", "so is line 4"] };
        client.Send("18 1");
        Assert.Equal("18 1 22", client.Line()); // EINVAL, as from tincd 1.1pre18
        client.Send("18 121");
        ReloadPlan answer = PlanOf(client.Line()!, "18 121 ");
        Assert.Equal((ReloadResult.Refused, "alpha"), (answer.Result, answer.Node));
        Assert.Equal(["tinc.conf line 3 is bad", "so is line 4"], answer.Errors);
        int block = _daemon.Log.Lines.ToList().IndexOf("Reload refused: everything stays as it was until this is mended:");
        Assert.Equal(["  tinc.conf line 3 is bad", "  so is line 4"], _daemon.Log.Lines.Skip(block + 1).Take(2));
    }

    [Fact]
    public async Task A_plan_tells_what_a_reload_then_does_and_changes_nothing_itself()
    {
        await _daemon.StartAndWaitAsync();
        using Client client = Open();
        int accepted = 0;
        Assert.True(Subnet.TryParse("10.9.0.0/16", out Subnet added));
        _files = new ConfigurationReading
        {
            Options = _daemon.Options with { Mesh = _daemon.Options.Mesh with { Subnets = [added], ConnectTo = ["beta"] }, DebugLevel = 3 },
            Variables = [new("Subnet", null, null, new("10.9.0.0/16", "hosts/alpha line 2"), ChangeEffect.Reload)],
            Accept = () => accepted++,
        };
        client.Send("18 120");
        ReloadPlan plan = PlanOf(client.Line()!, "18 120 ");
        Assert.Equal(ReloadResult.Changes, plan.Result);
        Assert.Equal([new("alpha", "10.1.0.0/24#10", false), new("alpha", "10.9.0.0/16#10", true)], plan.Subnets);
        Assert.Equal(("beta", ConnectionStep.Dial), (plan.Connections.Single().Node, plan.Connections.Single().Step));
        Assert.Equal(_files.Variables, plan.Variables);
        Assert.Equal((0, 0, 5), (accepted, _daemon.Log.Reopened, _daemon.Log.DebugLevel));

        client.Send("18 121");
        ReloadPlan done = PlanOf(client.Line()!, "18 121 ");
        Assert.Equal((ReloadResult.Applied, 1, 3), (done.Result, accepted, _daemon.Log.DebugLevel));
        Assert.Equal(plan.Subnets, done.Subnets);
        _daemon.Log.WaitFor("Reloaded the configuration: 1 values and 0 host files differ, 0 connections end, 2 subnets change");
        client.Send("18 5");
        Assert.Contains("18 5 10.9.0.0/16 alpha", client.Lines(6));
    }

    [Fact]
    public async Task Nothing_to_change_is_said_plainly()
    {
        await _daemon.StartAndWaitAsync();
        using Client client = Open();
        _files = new ConfigurationReading { Options = _daemon.Options };
        client.Send("18 120");
        Assert.Equal(ReloadResult.Nothing, PlanOf(client.Line()!, "18 120 ").Result);
        client.Send("18 1");
        Assert.Equal("18 1 0", client.Line());
        _daemon.Log.WaitFor("Reloaded the configuration: nothing has changed");
    }

    private static ReloadPlan PlanOf(string line, string prefix)
    {
        Assert.StartsWith(prefix, line, StringComparison.Ordinal);
        ReloadPlan? plan = JsonSerializer.Deserialize(line[prefix.Length..], ReloadJson.Default.ReloadPlan);
        Assert.NotNull(plan);
        return plan;
    }

    [Fact]
    public async Task Stop_ends_the_daemon_in_order_and_removes_the_socket()
    {
        await _daemon.StartAndWaitAsync();
        using Client client = Open(), other = Open();
        client.Send("18 0");
        Assert.Equal("18 0 0", client.Line());
        Assert.Equal(0, await _daemon.ExitAsync());
        Assert.Equal("Terminating", _daemon.Log.Lines[^1]);
        Assert.False(File.Exists(SocketPath));
        Assert.Null(other.Line());
        Assert.True(client.IsSilent); // its end is that of the process
    }

    [Fact]
    public async Task A_daemon_without_a_control_socket_says_so_and_runs()
    {
        await File.WriteAllTextAsync(SocketPath, "something else");
        await _daemon.StartAndWaitAsync();
        Assert.Contains(_daemon.Log.Lines, line => line.StartsWith("No control socket", StringComparison.Ordinal));
        Assert.Equal(0, await _daemon.StopAsync());
        Assert.Equal("something else", await File.ReadAllTextAsync(SocketPath));
    }

    private static int Status(string row) => int.Parse(row.Split(' ')[^1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>Reads log lines of 1000 bytes up to a line, and counts them.</summary>
    private static int Kilobytes(Client client, string end)
    {
        for (int count = 0; ; count++)
        {
            string? line = client.Line();
            if (line == end)
                return count;
            Assert.Equal("18 15 1000", line);
            client.Text(1000);
        }
    }

    private static void Until(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30));
    }

    private Client Open()
    {
        Client client = new(SocketPath);
        client.Send($"0 ^{Cookie} 0");
        Assert.Equal(2, client.Lines(2).Length);
        return client;
    }

    /// <summary>The other end of the socket.</summary>
    private sealed class Client : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        private readonly BufferedStream _stream;

        public Client(string path)
        {
            _socket.Connect(new UnixDomainSocketEndPoint(path));
            _stream = new BufferedStream(new NetworkStream(_socket), 4096);
        }

        /// <summary>Neither bytes nor an end wait to be read.</summary>
        public bool IsSilent => !_socket.Poll(0, SelectMode.SelectRead);

        public void Send(string line) => SendRaw(Encoding.Latin1.GetBytes(line + "\n"));

        /// <summary>That the other end closes meanwhile is the point of some tests.</summary>
        public void SendRaw(byte[] bytes)
        {
            try
            {
                _socket.Send(bytes);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionReset)
            {
            }
        }

        /// <summary>The next line, or null at the end.</summary>
        public string? Line()
        {
            List<byte> line = [];
            while (ReadByte() is >= 0 and { } next)
            {
                if (next == '\n')
                    return Encoding.UTF8.GetString([.. line]);
                line.Add((byte)next);
            }

            return null;
        }

        public string[] Lines(int count) => [.. Enumerable.Range(0, count).Select(_ => Line() ?? "END")];

        public string Text(int length)
        {
            byte[] text = new byte[length];
            _stream.ReadExactly(text);
            return Encoding.UTF8.GetString(text);
        }

        public void Dispose() => _socket.Dispose();

        /// <summary>A connection that is closed with unread bytes ends with a reset.</summary>
        private int ReadByte()
        {
            try
            {
                return _stream.ReadByte();
            }
            catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
            {
                return -1;
            }
        }
    }
}
