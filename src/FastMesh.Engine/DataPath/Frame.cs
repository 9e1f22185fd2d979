namespace FastMesh.Engine.DataPath;

/// <summary>
/// One Ethernet-framed packet in memory that may be written to, with <see cref="Room"/> bytes in front of it for the sequence number, so that
/// it is sealed where it lies. Owns nothing.
/// </summary>
internal readonly ref struct Frame
{
    /// <summary>Bytes in front of the frame.</summary>
    public const int Room = 4;

    private readonly Span<byte> _packet;

    /// <summary>Views <see cref="Room"/> bytes and the frame behind them.</summary>
    public Frame(Span<byte> packet) => _packet = packet;

    /// <summary>Whether its transport checksum covers only the pseudo header (<see cref="PartialChecksum"/>).</summary>
    public bool HasPartialChecksum { get; init; }

    /// <summary>The frame.</summary>
    public Span<byte> Bytes => _packet[Room..];

    /// <summary>The frame with the room in front.</summary>
    public Span<byte> WithRoom => _packet;

    /// <summary>Bytes of the frame.</summary>
    public int Length => _packet.Length - Room;
}
