using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>What a shard is asked to do with the bytes that come along.</summary>
internal enum OrderKind : byte
{
    /// <summary>Route a frame that came from <c>Node</c> by TCP.</summary>
    Route,

    /// <summary>Seal a frame for <c>Node</c> and send it by UDP to <c>Endpoint</c>, or to the node's own address.</summary>
    Seal,

    /// <summary>The same for a probe: <c>Copies</c> of it as a train, or one alone.</summary>
    Probe,

    /// <summary>Send a frame in the session with <c>Node</c>, which has ids, by whatever way.</summary>
    Send,

    /// <summary>Send a datagram as it is by UDP to <c>Node</c>.</summary>
    SendSealed,

    /// <summary>
    /// Open a datagram of <c>Node</c> that came straight from it on <c>Socket</c>, or on an unknown one if that is negative; or by <c>Relay</c> or by TCP.
    /// </summary>
    Open,

    /// <summary>Send a record of a speed test to <c>Node</c> as packets travel.</summary>
    SendTest,

    /// <summary>The bytes are a <see cref="SpeedOrder"/> about a test with <c>Node</c>.</summary>
    Speed,
}

/// <summary>One order, from the control loop or from another shard that does not own the session.</summary>
internal record struct ShardOrder(OrderKind Kind, int Node)
{
    /// <summary>Index of the UDP socket, or -1.</summary>
    public int Socket { get; set; } = -1;

    /// <summary>Whether the frame counts as arrived by TCP, or the datagram did.</summary>
    public bool ByTcp { get; set; }

    /// <summary>Id of the node that relayed a datagram, or -1.</summary>
    public int Relay { get; set; } = -1;

    /// <summary>Whether a datagram met congestion on the way.</summary>
    public bool IsMarked { get; set; }

    /// <summary>TOS byte or traffic class.</summary>
    public byte TrafficClass { get; set; }

    /// <summary>How many times a probe is sent.</summary>
    public byte Copies { get; set; }

    /// <summary>Where to, or "no address".</summary>
    public Endpoint Endpoint { get; set; }
}

/// <summary>The fixed part of a <see cref="ShardReport"/>.</summary>
internal record struct ReportHeader(ShardReportKind Kind)
{
    /// <summary>Node id, or -1.</summary>
    public int Node { get; set; } = -1;

    /// <summary>Node id, or -1.</summary>
    public int KeyNeededFor { get; set; } = -1;

    /// <summary>Socket index.</summary>
    public int Socket { get; set; }

    /// <summary>Frame length.</summary>
    public int Length { get; set; }

    /// <summary>Sender.</summary>
    public Endpoint Source { get; set; }
}

/// <summary>
/// Everything a shard sends to other threads: reports to the control loop, orders to the shards that own a session or lane. A full ring means a
/// counted drop. Nobody is woken before <see cref="Flush"/>.
/// </summary>
internal sealed class ShardMail
{
    private readonly ShardState _state;
    private readonly ShardMailbox<ReportHeader> _control;
    private readonly ShardMailbox<ShardOrder>[] _shards;
    private readonly bool[] _ordered;
    private bool _reported;

    /// <summary>Sends as shard <paramref name="state"/>.Index.</summary>
    /// <param name="state">The sending shard.</param>
    /// <param name="control">The control loop's mailbox; its sender number is the shard's index.</param>
    /// <param name="shards">The mailboxes of all shards; sender 0 is the control loop, then the shards.</param>
    public ShardMail(ShardState state, ShardMailbox<ReportHeader> control, ShardMailbox<ShardOrder>[] shards)
    {
        (_state, _control, _shards) = (state, control, shards);
        _ordered = new bool[shards.Length];
    }

    /// <summary>A frame that must go by TCP to a neighbour; <paramref name="keyNeededFor"/> is a node id or -1.</summary>
    public void TcpFrame(int neighbour, ReadOnlySpan<byte> frame, int keyNeededFor) => Report(
        new(ShardReportKind.TcpFrame) { Node = neighbour, KeyNeededFor = keyNeededFor, Length = frame.Length }, frame, _control.Capacity / 8);

    /// <summary>An MTU probe or reply.</summary>
    public void Probe(int node, ReadOnlySpan<byte> frame) =>
        Report(new(ShardReportKind.Probe) { Node = node, Length = frame.Length }, frame, 0);

    /// <summary>A sealed datagram with both ids that must go by TCP to a node, or in its direction.</summary>
    public void TcpDatagram(int node, ReadOnlySpan<byte> datagram) =>
        Report(new(ShardReportKind.TcpDatagram) { Node = node }, datagram, _control.Capacity / 8);

    /// <summary>There is traffic for a node, which <paramref name="keyNeeded"/> or not has a session.</summary>
    public void Traffic(int node, bool keyNeeded) =>
        Report(new(ShardReportKind.Traffic) { Node = node, KeyNeededFor = keyNeeded ? node : -1 }, default, 0);

    /// <summary>A datagram said to be from a node does not open.</summary>
    public void OpenFailed(int node) => Report(new(ShardReportKind.OpenFailed) { Node = node }, default, _control.Capacity / 4);

    /// <summary>A genuine datagram of a node came by way of another.</summary>
    public void Relayed(int node, int relay) =>
        Report(new(ShardReportKind.Relayed) { Node = node, KeyNeededFor = relay }, default, _control.Capacity / 4);

    /// <summary>A datagram from no known address. Strangers may fill half of the ring at most.</summary>
    public void UnknownDatagram(in Endpoint source, int socket, ReadOnlySpan<byte> datagram) =>
        Report(new(ShardReportKind.UnknownDatagram) { Source = source, Socket = socket }, datagram, _control.Capacity / 2);

    /// <summary>A frame that the kernel found too large for the path.</summary>
    public void TooBig(int node, int frameLength) =>
        Report(new(ShardReportKind.TooBig) { Node = node, Length = frameLength }, default, 0);

    /// <summary>A record of a speed test that is no load.</summary>
    public void SpeedRecord(int node, ReadOnlySpan<byte> record) =>
        Report(new(ShardReportKind.SpeedRecord) { Node = node, Length = record.Length }, record, _control.Capacity / 4);

    /// <summary>The kernel refuses to send trains to a node.</summary>
    public void TrainRefused(int node, int errno) => Report(new(ShardReportKind.TrainRefused) { Node = node, Length = errno }, default, 0);

    /// <summary>A new source address on the own device.</summary>
    public void Learned(ReadOnlySpan<byte> address) => Report(new(ShardReportKind.Learned), address, _control.Capacity / 4);

    /// <summary>A routed frame, cut at <paramref name="snapLength"/> bytes. Captures may fill half of the ring at most.</summary>
    public void Captured(ReadOnlySpan<byte> frame, int snapLength) => Report(
        new(ShardReportKind.Captured) { Length = frame.Length }, frame[..Math.Min(frame.Length, snapLength)], _control.Capacity / 2);

    /// <summary>The device is gone.</summary>
    public void DeviceFailed() => Report(new(ShardReportKind.DeviceFailed), default, 0);

    /// <summary>Hands a frame or datagram to another shard.</summary>
    public void Order(int shard, in ShardOrder order, ReadOnlySpan<byte> bytes)
    {
        if ((uint)shard < (uint)_shards.Length && _shards[shard].TryAdd(1 + _state.Index, order, bytes))
            _ordered[shard] = true;
        else
            _state.Drop(DropReason.RingFull, order.Node);
    }

    /// <summary>Wakes whoever got something and sleeps; once per batch that was read, and at the end of a turn.</summary>
    public void Flush()
    {
        if (_reported)
            _control.Wake();
        _reported = false;
        for (int shard = 0; shard < _ordered.Length; shard++)
        {
            if (_ordered[shard])
                _shards[shard].Wake();
            _ordered[shard] = false;
        }
    }

    private void Report(in ReportHeader header, ReadOnlySpan<byte> bytes, int reserve)
    {
        if (_control.TryAdd(_state.Index, header, bytes, reserve))
            _reported = true;
        else
            _state.Drop(DropReason.RingFull, header.Node);
    }
}
