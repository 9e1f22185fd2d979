using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>What a deadline is for.</summary>
internal enum TimerKind
{
    /// <summary>Every PingTimeout: dead connections, ageing, key expiry, name clashes. One.</summary>
    PeriodicCheck,

    /// <summary>Every minute: the graph dump. One.</summary>
    GraphDump,

    /// <summary>The next attempt of an outgoing connection; the key is its index.</summary>
    Reconnect,

    /// <summary>The next look whether there are enough connections. One.</summary>
    AutoConnect,

    /// <summary>The next MTU probe of a node; the key is the node's id.</summary>
    Probe,

    /// <summary>The beginning or the end of a check whether trains arrive at a node; the key is the node's id.</summary>
    Trains,

    /// <summary>The next step of a session; the key is the node's id.</summary>
    Session,

    /// <summary>The log is told of a session as soon as the way of its packets is known; the key is the node's id.</summary>
    SessionReport,

    /// <summary>The next step of the own speed test. One.</summary>
    SpeedTest,

    /// <summary>The end of a speed test that another node makes. One.</summary>
    SpeedGuest,

    /// <summary>End of the quiet time after a name clash. One.</summary>
    ClashEnd,

    /// <summary>Some time after the last wrong statement about an own edge. One.</summary>
    Settle,
}

/// <summary>
/// All deadlines of the state machine, at most one per kind and key, in order of time. Equal times come out in the order of
/// kind and key, so that runs are repeatable.
/// </summary>
internal sealed class DeadlineTable
{
    private readonly SortedSet<(long At, TimerKind Kind, int Key)> _order = [];
    private readonly Dictionary<(TimerKind Kind, int Key), long> _times = [];

    /// <summary>The earliest deadline, or null.</summary>
    public Instant? Next => _order.Count == 0 ? null : new Instant(_order.Min.At);

    /// <summary>Whether this deadline is armed.</summary>
    public bool IsSet(TimerKind kind, int key = 0) => _times.ContainsKey((kind, key));

    /// <summary>When a deadline is due, or null if it is not armed.</summary>
    public Instant? At(TimerKind kind, int key = 0) => _times.TryGetValue((kind, key), out long at) ? new Instant(at) : null;

    /// <summary>Arms a deadline, in place of an earlier one of the same kind and key.</summary>
    public void Set(TimerKind kind, int key, Instant at)
    {
        Cancel(kind, key);
        _times[(kind, key)] = at.Milliseconds;
        _order.Add((at.Milliseconds, kind, key));
    }

    /// <summary>Disarms a deadline if it is armed.</summary>
    public void Cancel(TimerKind kind, int key = 0)
    {
        if (_times.Remove((kind, key), out long at))
            _order.Remove((at, kind, key));
    }

    /// <summary>Moves all armed deadlines of a kind to <paramref name="now"/>.</summary>
    public void Hasten(TimerKind kind, Instant now)
    {
        foreach ((_, _, int key) in _order.Where(entry => entry.Kind == kind).ToList())
            Set(kind, key, now);
    }

    /// <summary>Takes the earliest deadline that is due.</summary>
    public bool TryTakeDue(Instant now, out TimerKind kind, out int key)
    {
        (long at, kind, key) = _order.Min;
        if (_order.Count == 0 || at > now.Milliseconds)
            return false;
        Cancel(kind, key);
        return true;
    }
}
