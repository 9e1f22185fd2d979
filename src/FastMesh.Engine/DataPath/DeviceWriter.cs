using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Collects frames for the device and writes them at the end of the turn. Consecutive segments of one flow are merged into super-packets.
/// A datagram is opened into a reservation, placed so that its headers cover the last bytes of what is merged so far and its payload
/// lands behind it: if the frame continues that packet, nothing is copied; the covered bytes are put back either way.
/// </summary>
internal sealed class DeviceWriter : IDisposable
{
    // Seven full super-packets.
    private const int BatchPackets = 128, BatchBytes = 7 * 65536 + 65536;

    private readonly ShardState _state;
    private readonly IPacketPort _port;
    private readonly DeviceTraits _traits;
    private readonly PacketBatch _batch = new(BatchPackets, BatchBytes);
    private readonly byte[] _covered = new byte[256];
    private SuperpacketMerger _merger;
    private int _reservation = -1, _coveredLength, _source = -1;

    /// <summary>Writes to a port.</summary>
    /// <param name="state">The shard.</param>
    /// <param name="port">The device.</param>
    /// <param name="traits">What the device takes.</param>
    public DeviceWriter(ShardState state, IPacketPort port, DeviceTraits traits)
    {
        (_state, _port, _traits) = (state, port, traits);
        _merger = new(traits.MergesTcp, traits.MergesUdp);
    }

    /// <summary>Memory to open a datagram into: <see cref="Frame.Room"/> bytes, then the frame. Borrowed until <see cref="Release"/>.</summary>
    public Span<byte> Reserve(int length)
    {
        if (!_batch.Fits(2 * (length + PacketBatch.Headroom + 64))) // twice: it may have to be moved behind itself
            Flush();
        _coveredLength = _merger.CanGrow ? Frame.Room + _merger.HeaderLength : 0;
        _reservation = _merger.CanGrow ? EndOf(_batch[_batch.Count - 1]) - _coveredLength : _batch.Tail - Frame.Room;
        _batch.Bytes(_reservation, _coveredLength).CopyTo(_covered);
        return _batch.Bytes(_reservation, length);
    }

    /// <summary>Ends a reservation, whatever became of the frame in it.</summary>
    public void Release()
    {
        if (_reservation < 0)
            return;
        _covered.AsSpan(0, _coveredLength).CopyTo(_batch.Bytes(_reservation, _coveredLength));
        _reservation = -1;
    }

    /// <summary>
    /// Appends a frame of a node to what is being merged, if the segment before it came from that node and was not changed on its way here: where that one
    /// went, so does this one, and nothing has to be decided again.
    /// </summary>
    public bool TryContinue(Frame frame, int source)
    {
        if (source != _source || !_merger.CanGrow)
            return false;
        OverwriteMac(frame);
        return TryAppend(frame);
    }

    /// <summary>Queues a frame, which may be changed and moved by this: use it no more.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="source">Id of the node whose next segments of the same flow may follow by <see cref="TryContinue"/>, or -1.</param>
    public void Write(Frame frame, int source = -1)
    {
        OverwriteMac(frame);
        if (TryAppend(frame))
            return;

        bool reserved = _reservation >= 0, partial = frame.HasPartialChecksum;
        VirtioHeader header = default;
        if (partial && !(_traits.MergesTcp ? PartialChecksum.TryDescribe(frame.Bytes, out header) : PartialChecksum.TryComplete(frame.Bytes)))
        {
            _state.Counters.Drop(DropReason.BadOffload);
            return;
        }

        if (!reserved && !_batch.Fits(frame.Length))
            Flush();
        int offset = _batch.Tail;
        if (!reserved || _coveredLength > 0)
            frame.Bytes.CopyTo(_batch.Bytes(offset, frame.Length));
        Release(); // before the group is finished: the reservation may cover its headers
        FinishGroup();
        _batch.Add(offset, frame.Length).Header = header;
        _merger.Start(_batch.Bytes(offset, frame.Length), partial);
        _source = source;
    }

    /// <summary>Writes everything queued to the device; false if that was nothing. Not while a reservation is open.</summary>
    public bool Flush()
    {
        if (_batch.Count == 0)
            return false;
        FinishGroup();
        _port.Send(_batch);
        for (int i = 0; i < _batch.Count; i++)
        {
            if (_batch[i].Error != 0)
            {
                _state.Counters.Drop(DropReason.DeviceWrite);
                continue;
            }

            _state.Counters.Add(ShardCounter.DevicePacketsOut, 1);
            _state.Counters.Add(ShardCounter.DeviceBytesOut, _batch[i].Length);
        }

        _batch.Clear();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _batch.Dispose();

    private static int EndOf(in Packet packet) => packet.Offset + packet.Length;

    private void OverwriteMac(Frame frame)
    {
        if (_traits.OverwritesMac && frame.Length >= MacAddress.Length)
            _traits.Address.Write(frame.Bytes);
    }

    private bool TryAppend(Frame frame)
    {
        bool reserved = _reservation >= 0;
        if ((!reserved && !_batch.FitsBehind(frame.Length)) || !_merger.TryAppend(frame.Bytes, frame.HasPartialChecksum))
            return false;

        ReadOnlySpan<byte> payload = frame.Bytes[_merger.HeaderLength..];
        if (reserved)
            Release(); // the payload is in place
        else
            payload.CopyTo(_batch.Bytes(EndOf(_batch[_batch.Count - 1]), payload.Length));
        _batch.Extend(payload.Length);
        return true;
    }

    /// <summary>Completes the headers of what was merged.</summary>
    private void FinishGroup()
    {
        if (!_merger.IsOpen)
            return;
        VirtioHeader header = _merger.Finish(_batch.Bytes(_batch.Count - 1));
        if (header.Kind != SegmentationKind.None)
            _batch[_batch.Count - 1].Header = header;
    }
}
