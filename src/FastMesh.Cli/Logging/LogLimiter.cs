namespace FastMesh.Cli.Logging;

/// <summary>
/// Keeps peers and strangers from filling the log: of an event about one peer the first <see cref="PerMinute"/> in a minute are admitted. Time is
/// an argument, in milliseconds. One thread at a time.
/// </summary>
internal sealed class LogLimiter
{
    /// <summary>Messages of one event about one peer in a minute: more than any peer that only loses its connection again and again causes.</summary>
    public const int PerMinute = 20;

    /// <summary>The same of an event that names no peer, and of all peers together that are not counted one by one.</summary>
    public const int PerMinuteOfAll = 200;

    /// <summary>A minute in milliseconds.</summary>
    public const long Window = 60_000;

    /// <summary>Peers counted one by one; those beyond are counted together, so that a million strangers cost neither memory nor log.</summary>
    public const int MaxPeers = 256;

    private readonly Dictionary<(int Event, string? Peer), Count> _counts = [];

    /// <summary>Whether a message may be logged now; if not, it is counted.</summary>
    /// <param name="id">The event's number.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="peer">Whom it is about, or null.</param>
    /// <param name="now">The time.</param>
    public bool Admit(int id, string name, string? peer, long now)
    {
        if (!_counts.TryGetValue((id, peer), out Count? count))
        {
            if (_counts.Count >= MaxPeers)
                DropEnded(now);
            peer = _counts.Count >= MaxPeers ? null : peer;
            if (!_counts.TryGetValue((id, peer), out count))
                _counts[(id, peer)] = count = new Count(name, now);
        }

        if (count.LeftOut == 0 && now - count.Since >= Window)
            (count.Since, count.Admitted) = (now, 0);
        if (count.Admitted < (peer is null ? PerMinuteOfAll : PerMinute))
        {
            count.Admitted++;
            return true;
        }

        count.LeftOut++;
        return false;
    }

    /// <summary>Forgets the minutes that are over.</summary>
    /// <param name="now">The time; <see cref="long.MaxValue"/> ends all.</param>
    /// <param name="more">Whether something is left out in minutes that are not over.</param>
    /// <returns>What was left out in them.</returns>
    public List<LeftOut> TakeEnded(long now, out bool more)
    {
        List<LeftOut> told = [];
        more = false;
        foreach (((int id, string? peer), Count count) in _counts)
        {
            if (count.LeftOut == 0)
                continue;
            if (now - count.Since >= Window)
                told.Add(new LeftOut(id, count.Name, peer, count.LeftOut));
            else
                more = true;
        }

        foreach (LeftOut item in told)
            _counts.Remove((item.Event, item.Peer));
        return told;
    }

    private void DropEnded(long now)
    {
        foreach (((int Event, string? Peer) key, Count count) in _counts)
        {
            if (now - count.Since >= Window && count.LeftOut == 0)
                _counts.Remove(key);
        }
    }

    private sealed class Count(string name, long since)
    {
        public string Name { get; } = name;

        public long Since { get; set; } = since;

        public int Admitted { get; set; }

        public int LeftOut { get; set; }
    }
}

/// <summary>What a limit kept out of the log.</summary>
/// <param name="Event">The event's number.</param>
/// <param name="Name">The event's name.</param>
/// <param name="Peer">Whom it was about; null: several, or nobody.</param>
/// <param name="Messages">How many messages.</param>
internal readonly record struct LeftOut(int Event, string Name, string? Peer, int Messages);
