using System.Globalization;
using System.Net.Sockets;
using System.Text;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>
/// Variables and messages are those of sd_listen_fds(3), sd_notify(3) and sd_watchdog_enabled(3). One collection: variables and signals belong to the process.
/// </summary>
[Collection("process")]
public sealed class ServiceManagerTests : IDisposable
{
    private static readonly string[] s_variables = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS"];

    private readonly TemporaryDirectory _directory = new();
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };

    public ServiceManagerTests()
    {
        _socket.Bind(new UnixDomainSocketEndPoint(_directory["notify"]));
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", _directory["notify"]);
    }

    private bool IsSilent => _socket.Available == 0;

    public void Dispose()
    {
        _socket.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Readiness_is_a_datagram_to_the_notification_socket()
    {
        Environment.SetEnvironmentVariable("WATCHDOG_USEC", "0");
        using ServiceManager manager = ServiceManager.Take(detached: false);
        Assert.All(s_variables, static variable => Assert.Null(Environment.GetEnvironmentVariable(variable)));

        manager.NotifyReady(default);
        Assert.Equal("READY=1\n", Receive());
        manager.Tend(new Instant(1L << 40), static () => true);
        Assert.True(IsSilent);
    }

    [Fact]
    public void Without_a_service_manager_readiness_is_nobodys_business()
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", _directory["nobody"]);
        Environment.SetEnvironmentVariable("WATCHDOG_USEC", "1000000");
        using ServiceManager manager = ServiceManager.Take(detached: false);
        manager.NotifyReady(default);
        Assert.Equal(Instant.Never, manager.NextTimeout);
        Assert.False(manager.IsThere);
        Assert.Equal(0, manager.InheritedSockets);
    }

    [Fact]
    public void A_reload_is_announced_with_its_time_and_ends_with_readiness()
    {
        using ServiceManager manager = ServiceManager.Take(detached: false);
        manager.NotifyReloading(1_234_567);
        manager.NotifyReloaded();
        Assert.Equal("RELOADING=1\nMONOTONIC_USEC=1234567\n", Receive());
        Assert.Equal("READY=1\n", Receive());
    }

    [Fact]
    public void The_status_is_said_when_it_changes_and_the_end_before_it_comes()
    {
        using ServiceManager manager = ServiceManager.Take(detached: false);
        manager.ShowStatus("1 of 2 nodes reachable");
        manager.ShowStatus("1 of 2 nodes reachable");
        manager.ShowStatus("2 of 2 nodes reachable");
        manager.NotifyStopping();
        Assert.Equal("STATUS=1 of 2 nodes reachable\n", Receive());
        Assert.Equal("STATUS=2 of 2 nodes reachable\n", Receive());
        Assert.StartsWith("STOPPING=1\n", Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_watchdog_gets_a_sign_at_least_every_half_of_its_time_and_none_while_something_hangs()
    {
        Environment.SetEnvironmentVariable("WATCHDOG_USEC", "20000000");
        Environment.SetEnvironmentVariable("WATCHDOG_PID", Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        using ServiceManager manager = ServiceManager.Take(detached: false);
        Assert.Equal(Instant.Never, manager.NextTimeout);
        Instant now = new(1000);
        manager.NotifyReady(now);
        Assert.Equal("READY=1\n", Receive());

        for (int i = 0; i < 5; i++)
        {
            Assert.InRange(manager.NextTimeout - now, TimeSpan.Zero, TimeSpan.FromSeconds(10));
            now = manager.NextTimeout;
            manager.Tend(now, static () => true);
            Assert.Equal("WATCHDOG=1\n", Receive());
            manager.Tend(now, static () => true);
            Assert.True(IsSilent);
        }

        now = manager.NextTimeout;
        manager.Tend(now, static () => false);
        Assert.True(IsSilent);
        manager.Tend(manager.NextTimeout, static () => true);
        Assert.Equal("WATCHDOG=1\n", Receive());
    }

    [Fact]
    public void The_watchdog_of_another_process_is_not_ours()
    {
        Environment.SetEnvironmentVariable("WATCHDOG_USEC", "20000000");
        Environment.SetEnvironmentVariable("WATCHDOG_PID", "1");
        using ServiceManager manager = ServiceManager.Take(detached: false);
        manager.NotifyReady(default);
        Assert.Equal(Instant.Never, manager.NextTimeout);
    }

    [Theory]
    [InlineData("0", false, 0)]
    [InlineData("-1", false, 0)]
    [InlineData("many", false, 0)]
    [InlineData("1", true, 0)]
    public void Sockets_are_inherited_only_by_a_daemon_in_the_foreground_with_a_count(string count, bool detached, int expected)
    {
        Environment.SetEnvironmentVariable("LISTEN_FDS", count);
        using ServiceManager manager = ServiceManager.Take(detached);
        Assert.Equal(expected, manager.InheritedSockets);
        Assert.Null(Environment.GetEnvironmentVariable("LISTEN_FDS"));
    }

    private string Receive()
    {
        byte[] buffer = new byte[256];
        return Encoding.ASCII.GetString(buffer, 0, _socket.Receive(buffer));
    }
}
