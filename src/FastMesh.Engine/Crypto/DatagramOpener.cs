using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// Opens datagrams in the formats with node ids. It knows its predecessor and tries the key that last worked first, so that no packet is lost while keys
/// change, whichever side switches first. Used by one shard, its owner.
/// </summary>
/// <remarks>
/// The decrypted record is placed so that an IP packet or frame of this session's mode lies where the frame has to begin; the record's type then
/// precedes it and is overwritten by the rebuilt Ethernet header.
/// </remarks>
public sealed class DatagramOpener : PacketOpener
{
    /// <summary>Datagrams under the new key after which the previous one is forgotten.</summary>
    public const int GracePackets = 64;

    /// <summary>The longest data that come out of decompression, bytes (tinc 1.1 reference, 8).</summary>
    public const int MaxExpandedData = 1673;

    private const int TypeLength = 1, EtherTypeOffset = 12, MaxCompressedDatagram = 4096;

    private readonly DatagramKey _key;
    private readonly FrameCompressor? _compressor;
    private readonly byte[] _scratch = [];
    private readonly SptpsWindow? _sptpsWindow;
    private readonly SequenceWindow? _window; // one of the two
    private readonly ulong _lane;
    private readonly bool _withEthernet;
    private readonly int _idsLength;
    private DatagramOpener[] _byLane = []; // of lane 0, if it is not the only one
    private volatile DatagramOpener? _previous;
    private bool _previousWorkedLast = true;
    private long _opened;

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
        : base(session.Format, session.Owner)
    {
        _key = new DatagramKey(session.Format, session.Suite, key);
        (_withEthernet, _idsLength) = (session.WithEthernet, session.HasIds ? 2 * NodeId.Length : 0);
        _lane = (ulong)session.Lane << Lanes.Shift;
        _compressor = FrameCompressor.TryCreate(compression);
        _scratch = _compressor is null ? [] : new byte[MaxCompressedDatagram];
        if (previous is not null)
        {
            previous._previous = null;
            _previous = previous.Owner == Owner && previous.Format == Format ? previous : null; // native state is never shared between threads
        }

        if (Format == SessionFormat.Sptps)
            _sptpsWindow = _previous?._sptpsWindow ?? new SptpsWindow(replayWindowBytes, nextSequence);
        else
            _window = new SequenceWindow(replayWindowBytes);
    }

    /// <summary>The opener of a new FastMesh session: that of lane 0, which knows those of the others.</summary>
    /// <param name="session">The session; its owner is that of lane 0.</param>
    /// <param name="key">As of the constructor.</param>
    /// <param name="replayWindowBytes">Bitmap of each lane, bytes.</param>
    /// <param name="compression">Level that we asked for.</param>
    /// <param name="previous">What such a call returned for the session before, or null; it forgets its own predecessor.</param>
    /// <param name="lanes">In how many lanes the peer sends, 1 to <see cref="Lanes.Max"/>: if more than one, in lane 1 and following.</param>
    /// <param name="shards">Number of own shards, which share the lanes.</param>
    public static DatagramOpener Create(
        in DatagramSession session, ReadOnlySpan<byte> key, int replayWindowBytes, int compression, DatagramOpener? previous, int lanes, int shards)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lanes, Lanes.Max);
        var first = new DatagramOpener(session with { Lane = 0 }, key, replayWindowBytes, compression, previous, nextSequence: 0);
        if (lanes <= 1)
            return first;
        var all = new DatagramOpener[1 + lanes];
        all[0] = first;
        for (int lane = 1; lane <= lanes; lane++)
        {
            DatagramSession own = session with { Owner = Lanes.OwnerShard(lane, shards), Lane = (byte)lane };
            DatagramOpener? before = lane < previous?._byLane.Length ? previous._byLane[lane] : null;
            all[lane] = new DatagramOpener(own, key, replayWindowBytes, compression, before, nextSequence: 0);
        }

        first._byLane = all;
        return first;
    }

    /// <summary>Number of datagrams opened under this key, in all lanes. May be read from any thread.</summary>
    public long Opened => _byLane.Length == 0 ? Volatile.Read(ref _opened) : _byLane.Sum(static lane => Volatile.Read(ref lane._opened));

    /// <summary>
    /// Whether a datagram, ids included, has a higher sequence number than any received in its lane. May be asked from any thread: the answer may be a moment old.
    /// </summary>
    public bool IsNewest(ReadOnlySpan<byte> datagram) => datagram.Length >= MinDatagram && ((DatagramOpener)Of(datagram)).IsNewestOfLane(datagram);

    /// <inheritdoc/>
    public override PacketOpener Of(ReadOnlySpan<byte> datagram) =>
        datagram.Length > _idsLength && datagram[_idsLength] < _byLane.Length ? _byLane[datagram[_idsLength]] : this;

    /// <inheritdoc/>
    internal override int MinDatagram => _idsLength + _key.SequenceLength + TypeLength + DatagramKey.TagLength;

    /// <inheritdoc/>
    public override int OutputLength(int datagramLength) =>
        FrameOffset + EthernetFrame.HeaderLength + (_compressor is null ? datagramLength : Math.Max(datagramLength, MaxExpandedData));

    /// <inheritdoc/>
    internal override ulong Verify(ReadOnlySpan<byte> memory, ReadOnlySpan<(int Offset, int Length)> datagrams) => ulong.MaxValue;

    /// <inheritdoc/>
    internal override OpenResult OpenVerified(
        ReadOnlySpan<byte> datagram, bool genuine, Span<byte> output, out int frameOffset, out int frameLength)
    {
        (frameOffset, frameLength) = (FrameOffset, 0);
        if (datagram.Length < MinDatagram || output.Length < OutputLength(datagram.Length))
            return OpenResult.Malformed;

        DatagramOpener? previous = _previous;
        if (previous is null)
            return OpenCore(datagram, output, out frameLength);
        (DatagramOpener likely, DatagramOpener other) = _previousWorkedLast ? (previous, this) : (this, previous);
        OpenResult result = likely.OpenCore(datagram, output, out frameLength);
        if (result == OpenResult.Forged)
        {
            result = other.OpenCore(datagram, output, out frameLength);
            if (result != OpenResult.Forged)
                _previousWorkedLast = !_previousWorkedLast;
        }

        if (_opened >= GracePackets)
            _previous = null;
        return result;
    }

    private OpenResult OpenCore(ReadOnlySpan<byte> datagram, Span<byte> output, out int frameLength)
    {
        frameLength = 0;
        ReadOnlySpan<byte> record = datagram[_idsLength..];
        ulong sequence = _key.ReadSequence(record);
        int dataAt = FrameOffset + (_withEthernet ? 0 : EthernetFrame.HeaderLength);
        int length = record.Length - _key.SequenceLength - TypeLength - DatagramKey.TagLength;
        if (!_key.TryOpen(sequence, record[_key.SequenceLength..], output.Slice(dataAt - TypeLength, TypeLength + length)))
            return OpenResult.Forged;
        ulong number = sequence ^ _lane;
        if (number >= RecordCounter.LaneLimit)
            return OpenResult.Malformed; // of a lane that is not there
        if (!(_sptpsWindow?.TryAccept((uint)number) ?? _window!.TryAccept(number)))
            return OpenResult.Replayed;
        Volatile.Write(ref _opened, _opened + 1);
        return Unpack(output, dataAt, length, out frameLength);
    }

    private bool IsNewestOfLane(ReadOnlySpan<byte> datagram)
    {
        ulong number = _key.ReadSequence(datagram[_idsLength..]) ^ _lane;
        return number < RecordCounter.LaneLimit && number >= (_sptpsWindow?.Next ?? _window!.Next);
    }

    /// <summary>Makes a frame of the data behind the type.</summary>
    private OpenResult Unpack(Span<byte> output, int dataAt, int length, out int frameLength)
    {
        byte type = output[dataAt - TypeLength];
        OpenResult opened = OpenResult.Opened;
        frameLength = 0;
        if (Format == SessionFormat.FastMesh && (type & RecordType.PartialChecksum) != 0)
        {
            type &= unchecked((byte)~RecordType.PartialChecksum);
            opened = OpenResult.OpenedPartial;
        }

        if ((type & RecordType.Compressed) != 0 && type < RecordType.Probe)
        {
            length = Expand(output, dataAt, length);
            type &= unchecked((byte)~RecordType.Compressed);
            if (length < 0)
                return OpenResult.Corrupt;
        }

        if (type == RecordType.Packet && !_withEthernet)
        {
            frameLength = EthernetFrame.HeaderLength + length;
            return TryRebuildHeader(output.Slice(FrameOffset, frameLength)) ? opened : OpenResult.Malformed;
        }

        // A router takes whole frames too; a switch takes nothing else.
        Span<byte> frame = output.Slice(dataAt, length);
        bool isFrame = length >= EthernetFrame.HeaderLength && (type is RecordType.Frame or RecordType.Probe)
            && (type == RecordType.Probe) == (BinaryPrimitives.ReadUInt16BigEndian(frame[EtherTypeOffset..]) == EtherType.Probe);
        if (!isFrame)
            return OpenResult.Malformed;
        frame.CopyTo(output[FrameOffset..]);
        frameLength = length;
        return opened;
    }

    private int Expand(Span<byte> output, int dataAt, int length)
    {
        if (_compressor is null || length > _scratch.Length)
            return -1;
        output.Slice(dataAt, length).CopyTo(_scratch);
        return _compressor.Expand(_scratch.AsSpan(0, length), output.Slice(dataAt, Math.Min(MaxExpandedData, output.Length - dataAt)));
    }

    /// <summary>Addresses of an IP packet's Ethernet header are not sent; the ethertype follows from the IP version.</summary>
    private static bool TryRebuildHeader(Span<byte> frame)
    {
        Span<byte> header = frame[..EthernetFrame.HeaderLength];
        int version = frame.Length > EthernetFrame.HeaderLength ? frame[EthernetFrame.HeaderLength] >> 4 : 0;
        header.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(header[EtherTypeOffset..], version == 4 ? EtherType.IPv4 : EtherType.IPv6);
        return version is 4 or 6;
    }
}
