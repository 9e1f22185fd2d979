using FastMesh.Cli.Commands;

namespace FastMesh.Cli.Tests.Migration;

/// <summary>tincd 1.0 ends an unfinished handshake at the first of its checks, one every PingTimeout, at which it is at least that old.</summary>
public class HandshakeLimitTests
{
    [Theory]
    [InlineData("", "", 11)]
    [InlineData("PingTimeout = 20", "", 41)]
    [InlineData("PingTimeout = 20", "-o PingTimeout=2", 5)]
    [InlineData("PingTimeout = 0\nPingInterval = 9", "", 19)]
    [InlineData("PingTimeout = soon", "", 11)]
    public void The_wait_for_strangers_to_go_follows_PingTimeout(string settings, string options, int seconds)
    {
        using TemporaryDirectory net = new();
        net.Write("tinc.conf", $"Name = alpha\n{settings}\n");
        net.Write("hosts/alpha", "");
        Assert.Null(CommandLine.TryParse([$"--config={net.Root}", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)], out CommandLine line));
        Assert.Equal(TimeSpan.FromSeconds(seconds), MigrationCommand.HandshakeLimit(NetPaths.From(line), line));
    }
}
