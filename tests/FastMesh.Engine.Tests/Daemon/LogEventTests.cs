using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Tests.Daemon;

public class LogEventTests
{
    private static readonly Endpoint s_address = Endpoint.FromIPv4(0xc0000201, 655), s_address6 = Endpoint.FromIPv6((UInt128)0x20010db8 << 96 | 7, 655);

    [Fact]
    public void A_connection_gives_node_address_and_port()
    {
        Assert.Equal(
            [new("node", "b"), new("address", "192.0.2.1"), new("port", 655), new("seconds", 5L)],
            Fields(log => log.PingTimeout(new MetaConnection(default, s_address, false, default) { Name = "b" }, 5)));
    }

    [Fact]
    public void A_stranger_has_no_name_yet()
        => Assert.Equal([new("address", "192.0.2.1"), new("port", 655)], Fields(log => log.Connected(new MetaConnection(default, s_address, false, default))));

    [Fact]
    public void Fields_are_named_as_in_the_text()
        => Assert.Equal(
            [new("node", "b"), new("address", "192.0.2.1"), new("port", 655), new("mtu", 1400), new("count", 3)],
            Fields(log => log.FixingMtu("b", s_address, 1400, 3)));

    [Fact]
    public void A_claimed_name_does_not_stand_for_a_peer()
    {
        Assert.Equal("192.0.2.1", Peer(log => log.PossibleIntruder(new MetaConnection(default, s_address, false, default) { Name = "b" }, "x")));
        Assert.Equal("192.0.2.1", Peer(log => log.UnknownIdentity(s_address, "b")));
    }

    [Fact]
    public void All_addresses_of_an_IPv6_network_are_one_peer()
        => Assert.Equal("2001:db8::/64", Peer(log => log.Accepted(s_address6)));

    [Fact]
    public void A_node_without_an_address_is_a_peer_by_name() => Assert.Equal("b", Peer(log => log.RenewingKeys("b")));

    [Fact]
    public void An_event_of_ours_has_no_peer() => Assert.Null(Peer(log => log.ExpiringKeys()));

    private static List<KeyValuePair<string, object>> Fields(Action<ILogger> message) => [.. LogEvent.FieldsOf(StateOf(message))];

    private static string? Peer(Action<ILogger> message) => LogEvent.PeerOf(StateOf(message));

    private static object? StateOf(Action<ILogger> message)
    {
        StateCatcher catcher = new();
        message(catcher);
        return catcher.State;
    }

    private sealed class StateCatcher : ILogger
    {
        public object? State { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => State = state;
    }
}
