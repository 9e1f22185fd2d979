using FastMesh.Engine.Daemon;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.Daemon;

[Collection("process")] // signals reach every daemon in this process
public sealed class SignalsTests : IDisposable
{
    private readonly EventFd _wake = new();
    private readonly Epoll _epoll = new(4);
    private readonly List<int> _exits = [];

    public SignalsTests() => _epoll.Add(_wake.Descriptor, EpollEvents.In, 1);

    public void Dispose()
    {
        _epoll.Dispose();
        _wake.Dispose();
    }

    [Theory]
    [InlineData(Signals.Usr1, null)]
    [InlineData(Signals.Hup, "HUP")]
    [InlineData(Signals.Alrm, "ALRM")]
    [InlineData(Signals.Winch, "WINCH")]
    public void A_signal_to_the_process_wakes_the_loop_and_is_taken_once(int number, string? name)
    {
        using Signals signals = new(detached: false, _wake, _exits.Add);
        Assert.Equal(0, ProcessControl.Kill(Environment.ProcessId, number));
        Assert.Equal(1, WaitForWake());
        Assert.True(signals.TryTake(out int taken));
        Assert.Equal(number, taken);
        Assert.False(signals.TryTake(out _));
        if (name is not null)
            Assert.Equal(name, Signals.NameOf(taken));
    }

    [Fact]
    public void A_detached_daemon_catches_signals_without_meaning_too()
    {
        const int PowerFailure = 30;
        using Signals signals = new(detached: true, _wake, _exits.Add);
        Assert.Equal(0, ProcessControl.Kill(Environment.ProcessId, PowerFailure));
        Assert.Equal(1, WaitForWake());
        Assert.True(signals.TryTake(out int taken));
        Assert.Equal(PowerFailure, taken);
        Assert.Null(Signals.NameOf(taken));
    }

    [Fact]
    public void The_first_request_to_end_is_queued_and_the_second_exits_with_1_at_once()
    {
        using Signals signals = new(detached: false, _wake, _exits.Add);
        signals.EnterLoop();
        signals.Post(Signals.Term);
        Assert.Empty(_exits);
        signals.Post(Signals.Quit);
        Assert.Equal([1], _exits);
    }

    [Fact]
    public void A_request_to_end_before_the_loop_runs_exits_with_1_at_once()
    {
        using Signals signals = new(detached: false, _wake, _exits.Add);
        signals.Post(Signals.Hup);
        signals.Post(Signals.Term);
        Assert.Equal([1], _exits);
    }

    /// <summary>The runtime's own signals may end a wait early.</summary>
    private int WaitForWake()
    {
        int count = 0;
        for (int i = 0; i < 100 && count == 0; i++)
            count = _epoll.Wait(1000);
        return count;
    }
}
