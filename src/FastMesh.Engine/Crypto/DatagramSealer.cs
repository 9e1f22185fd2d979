using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Crypto;

/// <summary>What both directions of a session with node ids have in common.</summary>
/// <param name="Format">Sptps or FastMesh.</param>
/// <param name="Suite">The AEAD.</param>
/// <param name="Self">Id of this node.</param>
/// <param name="Peer">Id of the other.</param>
/// <param name="WithEthernet">Whether frames travel whole (switch and hub mode).</param>
/// <param name="HasIds">Whether datagrams begin with the two ids; false towards tinc 1.1 nodes with minor version below 4.</param>
/// <param name="Owner">Index of the shard that uses the session.</param>
public readonly record struct DatagramSession(
    SessionFormat Format, DataSuite Suite, NodeId Self, NodeId Peer, bool WithEthernet, bool HasIds, int Owner);

/// <summary>The count of records sent in one direction of a session; in SPTPS it goes on across keys. Usable from any thread.</summary>
public sealed class RecordCounter
{
    private long _next;

    /// <summary>Number of the next record.</summary>
    public ulong Next => (ulong)Interlocked.Read(ref _next);

    /// <summary>Takes <paramref name="count"/> numbers; returns the first of them.</summary>
    public ulong Take(int count) => (ulong)(Interlocked.Add(ref _next, count) - count);
}

/// <summary>Seals frames in the formats with node ids (tinc 1.1 reference, 3.2, 6.1, 6.2).</summary>
public sealed class DatagramSealer : PacketSealer
{
    /// <summary>Prepares a key.</summary>
    /// <param name="session">The session.</param>
    /// <param name="key">Key material as for <see cref="DatagramKey"/>.</param>
    /// <param name="counter">Counts the records of this direction, handshake records included.</param>
    /// <param name="compression">Level the receiver wants: 0 none, 1..9 zlib, 10 and 11 LZO, 12 LZ4.</param>
    public DatagramSealer(in DatagramSession session, ReadOnlySpan<byte> key, RecordCounter counter, int compression)
        : base(session.Format, session.Owner) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override int SealedLength(int frameLength) => throw new NotImplementedException();

    /// <inheritdoc/>
    internal override int SealTrain(
        Span<byte> headers, ReadOnlySpan<byte> payloads, Span<byte> output, Span<TrainPacket> packets, bool direct) => throw new NotImplementedException();
}

/// <summary>
/// Opens datagrams in the formats with node ids. It knows its predecessor and tries the key that last worked first, so that no packet is lost while keys
/// change, whichever side switches first.
/// </summary>
public sealed class DatagramOpener : PacketOpener
{
    /// <summary>Prepares a key.</summary>
    /// <param name="session">The session.</param>
    /// <param name="key">Key material as for <see cref="DatagramKey"/>.</param>
    /// <param name="replayWindowBytes">Bitmap, bytes; 0 turns the check off. Ignored when the window is taken over.</param>
    /// <param name="compression">Level that we asked for.</param>
    /// <param name="previous">The opener this one replaces, or null; it forgets its own predecessor.</param>
    /// <param name="nextSequence">The first sequence number that can arrive: 2 in a new SPTPS session, 0 in FastMesh.
    /// In SPTPS with a predecessor of the same session the window is shared with it.</param>
    public DatagramOpener(
        in DatagramSession session, ReadOnlySpan<byte> key, int replayWindowBytes, int compression, DatagramOpener? previous, ulong nextSequence)
        : base(session.Format, session.Owner) => throw new NotImplementedException();

    /// <summary>Number of datagrams opened under this key. May be read from any thread.</summary>
    public long Opened => throw new NotImplementedException();

    /// <inheritdoc/>
    internal override int MinDatagram => throw new NotImplementedException();

    /// <inheritdoc/>
    public override int OutputLength(int datagramLength) => throw new NotImplementedException();

    /// <inheritdoc/>
    internal override ulong Verify(ReadOnlySpan<byte> memory, ReadOnlySpan<(int Offset, int Length)> datagrams) => throw new NotImplementedException();

    /// <inheritdoc/>
    internal override OpenResult OpenVerified(
        ReadOnlySpan<byte> datagram, bool genuine, Span<byte> output, out int frameOffset, out int frameLength) => throw new NotImplementedException();
}
