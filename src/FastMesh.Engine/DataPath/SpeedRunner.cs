using System.Diagnostics;
using System.Runtime.InteropServices;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// One shard's part in a speed test: sends load to a node by the way that packets take, acknowledges and counts load that arrives. What is sent waits for
/// acknowledgements as TCP does: a window that grows, and shrinks when something gets lost or round trips become long, so that a test takes what is free
/// rather than pushing other traffic aside. At most one burst per turn, after everything else has been done.
/// </summary>
internal sealed class SpeedRunner(ShardState state, PeerSender sender, ShardMail mail)
{
    // A burst is a train. The widest window is what half of a FastMesh replay window takes: 50 ms at 1 Gbit/s.
    private const int Burst = 64, FirstWindow = 16, LeastWindow = 4, WidestWindow = 4096;

    /// <summary>How many records may seem lost because they only came in another order.</summary>
    private const int Reordered = 3;

    /// <summary>Every eighth record is acknowledged, and the last of each burst.</summary>
    private const int AckMask = 7;

    private const int PingLength = 64, PingMilliseconds = 20, PollMilliseconds = 5;
    private const double CutForLoss = 0.7, CutForDelay = 0.9, GrowthPerRoundTrip = 2;

    private static readonly long s_leastTimeout = Stopwatch.Frequency / 20;

    /// <summary>How much longer than twice the shortest one a round trip may be before it shows a queue.</summary>
    private static readonly long s_patience = Stopwatch.Frequency / 100;

    private readonly byte[] _record = GC.AllocateUninitializedArray<byte>(Frame.Room + Node.MaxFrameLength, pinned: true);
    private readonly byte[] _ack = new byte[Frame.Room + SpeedRecord.LengthOf(3)];
    private SpeedOrder _order; // Stop: there is no test
    private int _node = -1;
    private bool _sends, _slowStart;
    private Instant _endAt, _nextPing;
    private long _next, _acknowledged, _lost, _recovery, _lastProgress, _started, _smoothed, _shortest;
    private long _highestReceived, _firstReceived;
    private double _window;

    /// <summary>Milliseconds until there is something to do; -1: never.</summary>
    public int WaitLimit(Instant now)
    {
        if (!_sends)
            return -1;
        if (_order.Task == SpeedTask.Ping)
            return (int)Math.Clamp(_nextPing.Milliseconds - now.Milliseconds, 0, PingMilliseconds);
        return _next - _acknowledged < (long)_window ? 0 : PollMilliseconds;
    }

    /// <summary>Begins, changes or ends a test with a node.</summary>
    /// <param name="node">The node's id.</param>
    /// <param name="bytes">A <see cref="SpeedOrder"/> as it lies in memory.</param>
    public void Obey(int node, ReadOnlySpan<byte> bytes)
    {
        SpeedOrder order = MemoryMarshal.Read<SpeedOrder>(bytes);
        SpeedMeter meter = state.Speed;
        if (order.Task == SpeedTask.Stop || order.Test != _order.Test || node != _node)
        {
            meter.Reset(order.Test);
            (_highestReceived, _firstReceived) = (-1, 0);
        }

        (_order, _node, _sends) = (order, node, order.Task > SpeedTask.Listen);
        if (!_sends)
            return;
        meter.BeginSending(order.Run);
        _record.AsSpan().Fill((byte)'F');
        (_next, _acknowledged, _lost, _recovery, _smoothed, _shortest) = (0, 0, 0, 0, 0, long.MaxValue);
        (_window, _slowStart) = (FirstWindow, true);
        _started = _lastProgress = Stopwatch.GetTimestamp();
        (_endAt, _nextPing) = (state.Now + TimeSpan.FromMilliseconds(order.Milliseconds), state.Now);
    }

    /// <summary>Takes a record that a node sent. What belongs to no test here, or is malformed, is a counted drop.</summary>
    public void Handle(PeerRoute from, ReadOnlySpan<byte> frame)
    {
        if (from.Protocol != NodeProtocol.FastMesh || !SpeedRecord.TryRead(frame, out SpeedRecord record))
        {
            state.Drop(DropReason.StrayTest, from.Id);
            return;
        }

        if (record.Kind >= SpeedKind.Request)
        {
            mail.SpeedRecord(from.Id, frame);
            return;
        }

        bool isOurs = _order.Task != SpeedTask.Stop && from.Id == _node && record.Test == _order.Test;
        if (!isOurs || !(record.Kind == SpeedKind.Ack ? TryTakeAck(record) : TryTakeData(from, record, frame.Length)))
            state.Drop(DropReason.StrayTest, from.Id);
    }

    /// <summary>Sends what is due; once per turn.</summary>
    public void Turn()
    {
        if (!_sends)
            return;
        PeerRoute? peer = state.Table.Find(_node);
        if (peer is not { Reachable: true, Protocol: NodeProtocol.FastMesh } || state.Now >= _endAt || state.Speed.SentBytes >= _order.Bytes)
        {
            _sends = false;
            state.Speed.EndSending();
        }
        else if (_order.Task == SpeedTask.Load)
        {
            SendBurst(peer);
        }
        else if (state.Now >= _nextPing)
        {
            _nextPing = state.Now + TimeSpan.FromMilliseconds(PingMilliseconds);
            Send(peer, PingLength, SpeedKind.AskingData);
        }
    }

    private void SendBurst(PeerRoute peer)
    {
        long now = Stopwatch.GetTimestamp(), underWay = _next - _acknowledged;
        if (underWay > 0 && now - _lastProgress > Math.Max(s_leastTimeout, 3 * _smoothed))
        {
            // Nothing has come back for so long that nothing will.
            (_window, _slowStart, underWay) = (Math.Max(LeastWindow, _window / 2), false, 0);
            (_acknowledged, _recovery, _lastProgress) = (_next, _next, now);
        }

        int count = (int)Math.Min(Burst, (long)_window - underWay), length = sender.LongestTestRecord(peer);
        for (int i = 1; i <= count; i++)
            Send(peer, length, i == count || (_next & AckMask) == AckMask ? SpeedKind.AskingData : SpeedKind.Data);
    }

    private void Send(PeerRoute peer, int length, SpeedKind kind)
    {
        long now = Stopwatch.GetTimestamp();
        Span<byte> record = _record.AsSpan(0, Frame.Room + length);
        SpeedRecord.Write(record[Frame.Room..], kind, _order.Test, _next++, Nanoseconds(now));
        sender.SendTestRecord(peer, new Frame(record));
        state.Speed.CountSent(length, Microseconds(now - _started));
    }

    private bool TryTakeData(PeerRoute from, SpeedRecord record, int length)
    {
        long now = Stopwatch.GetTimestamp();
        if (_firstReceived == 0)
            _firstReceived = now;
        SpeedMeter meter = state.Speed;
        if (length > PingLength) // a ping is no load
            meter.CountReceived(length, Microseconds(now - _firstReceived));
        _highestReceived = Math.Max(_highestReceived, record[0]);
        if (record.Kind != SpeedKind.AskingData)
            return true;
        SpeedRecord.Write(_ack.AsSpan(Frame.Room), SpeedKind.Ack, record.Test, record[0], record[1], meter.ReceivedPackets);
        sender.SendTestRecord(from, new Frame(_ack));
        return true;
    }

    /// <summary>False if it acknowledges what was never sent.</summary>
    private bool TryTakeAck(SpeedRecord ack)
    {
        long now = Stopwatch.GetTimestamp(), end = ack[0] + 1, roundTrip = Nanoseconds(now) - ack[1];
        if (!_sends)
            return true; // a late one
        if (end <= 0 || end > _next || ack[2] < 0 || roundTrip < 0 || roundTrip > Nanoseconds(now - _started))
            return false;
        state.Speed.CountRoundTrip(roundTrip / 1000);
        long ticks = (long)(roundTrip / 1e9 * Stopwatch.Frequency);
        _smoothed = _smoothed == 0 ? ticks : _smoothed + ((ticks - _smoothed) / 8);
        _shortest = Math.Min(_shortest, ticks);
        long acknowledged = end - _acknowledged;
        if (acknowledged <= 0 || _order.Task != SpeedTask.Load)
            return true;
        (_acknowledged, _lastProgress) = (end, now);
        Adapt(end, end - ack[2], acknowledged);
        return true;
    }

    /// <summary>Sets the window by what an acknowledgement says; it is cut once per window at most.</summary>
    private void Adapt(long end, long lost, long acknowledged)
    {
        bool hasLost = lost > _lost + Reordered, isSlow = _smoothed > (2 * _shortest) + s_patience;
        if (!hasLost && !isSlow)
        {
            _window = Math.Min(WidestWindow, _window + (_slowStart ? acknowledged : GrowthPerRoundTrip * acknowledged / _window));
            return;
        }

        _lost = Math.Max(_lost, lost);
        if (end > _recovery)
            (_window, _slowStart, _recovery) = (Math.Max(LeastWindow, _window * (hasLost ? CutForLoss : CutForDelay)), false, _next);
    }

    private static long Nanoseconds(long ticks) => (long)(ticks * (1e9 / Stopwatch.Frequency));

    private static long Microseconds(long ticks) => (long)(ticks * (1e6 / Stopwatch.Frequency));
}

/// <summary>What one shard counts of a speed test. Only the shard writes; any thread may read, and may see one number a moment before the next.</summary>
internal sealed class SpeedMeter
{
    private uint _test;
    private long _run, _sentPackets, _sentBytes, _sentTime, _receivedPackets, _receivedBytes, _receivedTime;
    private long _count, _sum, _min, _max;
    private bool _sending;

    /// <summary>Bytes sent.</summary>
    public long SentBytes => _sentBytes;

    /// <summary>Records received.</summary>
    public long ReceivedPackets => _receivedPackets;

    /// <summary>Another test begins.</summary>
    public void Reset(uint test)
    {
        (_receivedPackets, _receivedBytes, _receivedTime) = (0, 0, 0);
        BeginSending(0);
        Volatile.Write(ref _sending, false);
        Volatile.Write(ref _test, test);
    }

    /// <summary>The count of what is sent begins anew.</summary>
    public void BeginSending(int run)
    {
        (_sentPackets, _sentBytes, _sentTime) = (0, 0, 0);
        (_count, _sum, _min, _max) = (0, 0, 0, 0);
        Volatile.Write(ref _sending, true);
        Volatile.Write(ref _run, run);
    }

    /// <summary>No more is sent.</summary>
    public void EndSending() => Volatile.Write(ref _sending, false);

    /// <summary>Counts a record sent.</summary>
    public void CountSent(int bytes, long microseconds) => (_sentPackets, _sentBytes, _sentTime) = (_sentPackets + 1, _sentBytes + bytes, microseconds);

    /// <summary>Counts a record received.</summary>
    public void CountReceived(int bytes, long microseconds) =>
        (_receivedPackets, _receivedBytes, _receivedTime) = (_receivedPackets + 1, _receivedBytes + bytes, microseconds);

    /// <summary>Counts a round trip.</summary>
    public void CountRoundTrip(long microseconds)
    {
        _min = _count == 0 ? microseconds : Math.Min(_min, microseconds);
        (_count, _sum, _max) = (_count + 1, _sum + microseconds, Math.Max(_max, microseconds));
    }

    /// <summary>What several shards have counted of a test together. Load is sent by one of them at a time.</summary>
    public static SpeedCounts Sum(IEnumerable<SpeedMeter> shards, uint test)
    {
        SpeedCounts sum = default;
        foreach (SpeedMeter shard in shards.Where(shard => Volatile.Read(ref shard._test) == test))
        {
            SpeedCounts own = shard.Read();
            SpeedCounts sender = own.Run > sum.Run ? own : sum;
            sum = sender with
            {
                ReceivedPackets = sum.ReceivedPackets + own.ReceivedPackets,
                ReceivedBytes = sum.ReceivedBytes + own.ReceivedBytes,
                ReceivedMicroseconds = Math.Max(sum.ReceivedMicroseconds, own.ReceivedMicroseconds),
            };
        }

        return sum;
    }

    private SpeedCounts Read() => new(
        Volatile.Read(ref _run), Volatile.Read(ref _sending), Volatile.Read(ref _sentPackets), Volatile.Read(ref _sentBytes), Volatile.Read(ref _sentTime),
        Volatile.Read(ref _receivedPackets), Volatile.Read(ref _receivedBytes), Volatile.Read(ref _receivedTime), new(_count, _sum, _min, _max));
}
