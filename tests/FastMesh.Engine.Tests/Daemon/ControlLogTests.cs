using System.Globalization;
using System.Text;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>The log by the control socket, and clients of it that do not read.</summary>
[Collection("process")]
public sealed class ControlLogTests : IDisposable
{
    private readonly ControlledDaemon _alpha = new();

    public void Dispose() => _alpha.Dispose();

    [Fact]
    public async Task Log_lines_come_at_the_level_asked_for_and_in_the_form_asked_for()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient plain = _alpha.Open(), dated = _alpha.Open(), coloured = _alpha.Open();
        plain.Send("18 15 2");
        dated.Send("18 15 5 0");
        coloured.Send("18 15 5 1");
        using ControlSocketClient other = _alpha.Open();
        other.Send("18 6"); // by its answer the three watch
        Assert.Equal([0xa00, 0xa00, 0x1a00, 0x200], other.Lines(5)[..4].Select(Status));

        LogTap tap = _alpha.Daemon.Log.Tap;
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
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient lazy = _alpha.Open(), lazier = _alpha.Open(), master = _alpha.Open();
        lazy.Send("18 15 5");
        lazier.SendRaw(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("18 5\n", 200))));
        master.Send("18 9 -1");
        Assert.Equal("18 9 5", master.Line());

        string line = new('x', 1000);
        for (int i = 0; i < 3000; i++)
        {
            _alpha.Daemon.Log.Tap.Add(0, LogLevel.Information, line);
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
        using ControlSocket control = ControlSocket.Open(new ControlSettings(_alpha.SocketPath, text => _alpha.Announced = text), tap, wake, _alpha.Daemon.Log.Engine)!;
        control.Serve(epoll, 1, 2, new ControlRequests(null!, "alpha", () => []));
        control.Announce(Endpoint.FromIPv4(0, 655));
        using ControlSocketClient client = new(_alpha.SocketPath);
        control.Accept();
        client.Send($"0 ^{_alpha.Cookie} 0");
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

    private static int Status(string row) => int.Parse(row.Split(' ')[^1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>Reads log lines of 1000 bytes up to a line, and counts them.</summary>
    private static int Kilobytes(ControlSocketClient client, string end)
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
}
