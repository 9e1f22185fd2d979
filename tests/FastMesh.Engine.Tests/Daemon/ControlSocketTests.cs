using System.Diagnostics;
using FastMesh.Engine.Daemon;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>Who gets in by a daemon's control socket, and what keeps others from it. Expected lines: tinc 1.1 reference, 10.2, and the same lines sent to tincd 1.1pre18 by hand.</summary>
[Collection("process")]
public sealed class ControlSocketTests : IDisposable
{
    private readonly ControlledDaemon _alpha = new();

    public void Dispose() => _alpha.Dispose();

    [Fact]
    public async Task The_cookie_opens_and_its_announcement_has_what_the_tinc_program_scans()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        Assert.Matches($"^[0-9A-F]{{64}} 127\\.0\\.0\\.1 port{_alpha.Daemon.Port}$", _alpha.Announced);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_alpha.SocketPath));
        using ControlSocketClient client = new(_alpha.SocketPath);
        client.Send($"0 ^{_alpha.Cookie} 0");
        Assert.Equal(["0 alpha 17.7", $"4 0 {Environment.ProcessId}"], client.Lines(2));
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
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient client = _alpha.Open(), other = _alpha.Open();
        client.Send(line);
        Assert.Null(client.Line());
        other.Send("18 9 -1");
        Assert.Equal("18 9 5", other.Line());
    }

    [Fact]
    public async Task A_second_greeting_and_an_endless_line_end_the_connection()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient again = _alpha.Open(), endless = _alpha.Open();
        again.Send($"0 ^{_alpha.Cookie} 0");
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
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient stranger = new(_alpha.SocketPath);
        stranger.Send(line.Replace("COOKIE", _alpha.Cookie, StringComparison.Ordinal));
        stranger.Send("18 0");
        using ControlSocketClient master = _alpha.Open(); // it is served after the stranger
        master.Send("18 9 -1");
        Assert.Equal("18 9 5", master.Line());
        Assert.True(stranger.IsSilent);
    }

    [Fact]
    public async Task Strangers_do_not_keep_masters_out()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        List<ControlSocketClient> strangers = [];
        for (int i = 0; i < 50; i++)
        {
            strangers.Add(new ControlSocketClient(_alpha.SocketPath));
            strangers[i].Send("0 ^wrong 0");
            using ControlSocketClient master = _alpha.Open();
        }

        Assert.Null(strangers[0].Line()); // the oldest had to go
        Assert.True(strangers[^1].IsSilent);
        strangers.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task More_clients_than_there_is_room_for_are_turned_away_until_one_goes()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        List<ControlSocketClient> clients = [.. Enumerable.Range(0, 32).Select(_ => _alpha.Open())];
        using (ControlSocketClient late = new(_alpha.SocketPath))
            Assert.Null(late.Line());
        clients[0].Dispose();
        Until(() =>
        {
            using ControlSocketClient next = new(_alpha.SocketPath);
            next.Send($"0 ^{_alpha.Cookie} 0");
            return next.Line() is not null;
        });
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Stop_ends_the_daemon_in_order_and_removes_the_socket()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient client = _alpha.Open(), other = _alpha.Open();
        client.Send("18 0");
        Assert.Equal("18 0 0", client.Line());
        Assert.Equal(0, await _alpha.Daemon.ExitAsync());
        Assert.Equal("Terminating", _alpha.Daemon.Log.Lines[^1]);
        Assert.False(File.Exists(_alpha.SocketPath));
        Assert.Null(other.Line());
        Assert.True(client.IsSilent); // its end is that of the process
    }

    [Fact]
    public async Task A_daemon_without_a_control_socket_says_so_and_runs()
    {
        await File.WriteAllTextAsync(_alpha.SocketPath, "something else");
        await _alpha.Daemon.StartAndWaitAsync();
        Assert.Contains(_alpha.Daemon.Log.Lines, line => line.StartsWith("No control socket", StringComparison.Ordinal));
        Assert.Equal(0, await _alpha.Daemon.StopAsync());
        Assert.Equal("something else", await File.ReadAllTextAsync(_alpha.SocketPath));
    }

    private static void Until(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30));
    }
}
