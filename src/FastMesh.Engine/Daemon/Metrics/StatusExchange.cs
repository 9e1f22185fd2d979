using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon.Metrics;

/// <summary>
/// Where the server's thread asks the control loop for a snapshot, and gets it: neither waits for the other, and many wishes in a short time make one snapshot.
/// </summary>
/// <param name="loop">Wakes the control loop.</param>
internal sealed class StatusExchange(EventFd loop) : IDisposable
{
    /// <summary>A snapshot this old is as good as a new one, so that five a second are the most that anybody can cause.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMilliseconds(200);

    private readonly EventFd _answered = new();
    private int _isWanted;
    private Answer? _latest;

    private sealed record Answer(DaemonStatus Status, Instant Time);

    /// <summary>Readable after an answer, until <see cref="Drain"/>.</summary>
    public int Descriptor => _answered.Descriptor;

    /// <summary>The latest snapshot if it was taken then or later, else null, and one is asked for.</summary>
    public DaemonStatus? TryTake(Instant since)
    {
        Answer? latest = Volatile.Read(ref _latest);
        if (latest is not null && latest.Time >= since)
            return latest.Status;
        if (Interlocked.Exchange(ref _isWanted, 1) == 0)
            loop.Signal();
        return null;
    }

    /// <summary>Takes the wake-ups that came.</summary>
    public void Drain() => _answered.Drain();

    /// <summary>Wakes the server's thread.</summary>
    public void Wake() => _answered.Signal();

    /// <summary>Control loop: answers if something was asked.</summary>
    public void Serve(Func<Instant, DaemonStatus> take)
    {
        if (Volatile.Read(ref _isWanted) == 0)
            return;
        Volatile.Write(ref _isWanted, 0); // before the snapshot: who asks from now on wants a later one
        Instant now = MonotonicClock.Now;
        Volatile.Write(ref _latest, new(take(now), now));
        _answered.Signal();
    }

    /// <inheritdoc/>
    public void Dispose() => _answered.Dispose();
}
