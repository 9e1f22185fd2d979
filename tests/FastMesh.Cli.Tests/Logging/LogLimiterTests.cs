using FastMesh.Cli.Logging;

namespace FastMesh.Cli.Tests.Logging;

public class LogLimiterTests
{
    private const int Event = 122, OtherEvent = 123;

    private readonly LogLimiter _limiter = new();

    [Fact]
    public void A_peer_gets_its_share_of_a_minute_and_the_rest_is_counted()
    {
        Assert.Equal(LogLimiter.PerMinute, Admitted(100, "192.0.2.1", 0));
        Assert.Empty(_limiter.TakeEnded(LogLimiter.Window - 1, out bool more));
        Assert.True(more);
        Assert.Equal([new LeftOut(Event, "Accepted", "192.0.2.1", 100 - LogLimiter.PerMinute)], _limiter.TakeEnded(LogLimiter.Window, out more));
        Assert.False(more);
        Assert.Equal(LogLimiter.PerMinute, Admitted(100, "192.0.2.1", LogLimiter.Window));
    }

    [Fact]
    public void Another_peer_and_another_event_have_their_own_share()
    {
        Admitted(100, "192.0.2.1", 0);
        Assert.Equal(1, Admitted(1, "192.0.2.2", 0));
        Assert.True(_limiter.Admit(OtherEvent, "Activated", "192.0.2.1", 0));
    }

    [Fact]
    public void A_slow_peer_is_never_limited()
    {
        for (int i = 0; i < 1000; i++)
            Assert.True(_limiter.Admit(Event, "Accepted", "192.0.2.1", i * LogLimiter.Window / LogLimiter.PerMinute));
    }

    [Fact]
    public void A_crowd_of_strangers_shares_one_allowance()
    {
        int admitted = Enumerable.Range(0, 10_000).Sum(i => Admitted(1, $"10.0.{i >> 8}.{i & 255}", 0));
        Assert.Equal(LogLimiter.MaxPeers + LogLimiter.PerMinuteOfAll, admitted);
        Assert.Equal(
            [new LeftOut(Event, "Accepted", null, 10_000 - admitted)], _limiter.TakeEnded(long.MaxValue, out _));
    }

    [Fact]
    public void The_places_of_peers_that_are_gone_are_given_to_others()
    {
        for (int i = 0; i < LogLimiter.MaxPeers; i++)
            Admitted(1, $"peer{i}", 0);
        Assert.Equal(LogLimiter.PerMinute, Admitted(30, "late", LogLimiter.Window));
    }

    private int Admitted(int messages, string peer, long now) => Enumerable.Range(0, messages).Count(_ => _limiter.Admit(Event, "Accepted", peer, now));
}
