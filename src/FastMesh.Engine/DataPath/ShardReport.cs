using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>What a shard tells the control loop; the fields a kind does not name are default.</summary>
public enum ShardReportKind
{
    /// <summary>Send <c>Bytes</c>, a frame, in a PACKET to the neighbour <c>Node</c>; <c>KeyNeededFor</c> may name a node without key.</summary>
    TcpFrame,

    /// <summary><c>Bytes</c> is an MTU probe or reply that <c>Node</c> sent.</summary>
    Probe,

    /// <summary><c>Bytes</c> is a datagram from <c>Source</c>, which is no node's address, received on <c>Socket</c>.</summary>
    UnknownDatagram,

    /// <summary>A frame of <c>Length</c> bytes was too large for the path to <c>Node</c>.</summary>
    TooBig,

    /// <summary>The kernel refuses to send several datagrams at once to <c>Node</c> (<c>Length</c>: the errno); reported once, not for each.</summary>
    TrainRefused,

    /// <summary>The first six bytes of <c>Bytes</c> are an Ethernet address new on the own device.</summary>
    Learned,

    /// <summary>Carry <c>Bytes</c>, a datagram with both its node ids set, by TCP to <c>Node</c>, its destination.</summary>
    TcpDatagram,

    /// <summary>There is traffic for <c>Node</c>, its destination or a relay of it (<c>KeyNeededFor</c>: and no session); at most once a second per node.</summary>
    Traffic,

    /// <summary>A datagram of <c>Node</c> did not open; at most once a second per node.</summary>
    OpenFailed,

    /// <summary>A datagram of <c>Node</c> came by way of the relay <c>KeyNeededFor</c>; at most once a second per node.</summary>
    Relayed,

    /// <summary><c>Bytes</c> is a record of a speed test that <c>Node</c> sent, and no load.</summary>
    SpeedRecord,

    /// <summary><c>Bytes</c> is the beginning of a routed frame of <c>Length</c> bytes, while frames are captured.</summary>
    Captured,

    /// <summary>Reading the device failed more than ten times in a row: the daemon must end (tinc 1.0 reference, chapter 8).</summary>
    DeviceFailed,
}

/// <summary>One report; borrowed until the next one is taken.</summary>
public readonly ref struct ShardReport
{
    /// <summary>What it is.</summary>
    public ShardReportKind Kind { get; init; }

    /// <summary>Node id, or -1.</summary>
    public int Node { get; init; }

    /// <summary>Node id whose key is missing, or -1.</summary>
    public int KeyNeededFor { get; init; }

    /// <summary>Index of the UDP socket.</summary>
    public int Socket { get; init; }

    /// <summary>Length of a frame, bytes.</summary>
    public int Length { get; init; }

    /// <summary>Sender of a datagram.</summary>
    public Endpoint Source { get; init; }

    /// <summary>Frame, datagram or address.</summary>
    public ReadOnlySpan<byte> Bytes { get; init; }
}
