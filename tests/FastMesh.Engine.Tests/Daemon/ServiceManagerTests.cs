using System.Net.Sockets;
using System.Text;
using FastMesh.Engine.Daemon;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>The variables are those of sd_listen_fds(3) and sd_notify(3). One collection: variables and signals belong to the process.</summary>
[Collection("process")]
public sealed class ServiceManagerTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Readiness_is_a_datagram_to_the_notification_socket()
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        socket.Bind(new UnixDomainSocketEndPoint(_directory["notify"]));
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", _directory["notify"]);
        using ServiceManager manager = ServiceManager.Take(detached: false);
        Assert.Null(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));

        manager.NotifyReady();
        byte[] buffer = new byte[64];
        Assert.Equal("READY=1\n", Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer)));
    }

    [Fact]
    public void Without_a_service_manager_readiness_is_nobodys_business()
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", _directory["nobody"]);
        using ServiceManager manager = ServiceManager.Take(detached: false);
        manager.NotifyReady();
        Assert.Equal(0, manager.InheritedSockets);
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
}
