using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// A frame of up to 64 KiB that stands for many segments of one flow, as the kernel hands it to us (linux/virtio_net.h), and the cutting of it.
/// </summary>
/// <remarks>
/// No payload moves. <see cref="TryNext(out int, out int)"/> writes the headers of segment i in front of its slice of payload, over the tail of
/// segment i - 1, which must have been sealed by then; bytes further in front may be overwritten too, by the sequence number for instance.
/// <see cref="TryNext(Span{byte}, out int, out int)"/> writes them elsewhere, for a train that is sealed as a whole. Either way segments are
/// taken in order, each once.
/// </remarks>
internal ref struct Superpacket
{
    private readonly Span<byte> _frame;
    private readonly SuperpacketHeaders _headers;
    private HeaderBytes _template; // the first segment's headers, which the second may already overwrite
    private int _segmentSize;
    private int _sent;
    private int _index;
    private bool _leavesChecksums;

    private Superpacket(Span<byte> frame, SuperpacketHeaders headers, int segmentSize)
    {
        _frame = frame;
        _headers = headers;
        _segmentSize = segmentSize;
        frame[..headers.Length].CopyTo(_template);
    }

    /// <summary>Bytes of headers in each segment.</summary>
    public readonly int HeaderLength => _headers.Length;

    /// <summary>Bytes of the longest segment.</summary>
    public readonly int LongestSegment => _headers.Length + Math.Min(_segmentSize, PayloadLength);

    /// <summary>Number of segments in all.</summary>
    public readonly int SegmentCount => Math.Max(1, (PayloadLength + _segmentSize - 1) / _segmentSize);

    private readonly int PayloadLength => _frame.Length - _headers.Length;

    /// <summary>
    /// Takes a super-packet. False if the header says it is a single packet, or if header and frame contradict each other: then drop it.
    /// </summary>
    /// <param name="header">The device's header, with offsets counted from the frame's first byte. Its length of headers is not trusted.</param>
    /// <param name="frame">Ethernet header, IP, TCP or UDP, payload.</param>
    /// <param name="superpacket">The result; it borrows the frame.</param>
    public static bool TryRead(in VirtioHeader header, Span<byte> frame, out Superpacket superpacket)
    {
        superpacket = default;
        if (header.SegmentSize == 0 || !TryReadHeaders(header, frame, out SuperpacketHeaders headers))
            return false;
        superpacket = new Superpacket(frame, headers, header.SegmentSize);
        return true;
    }

    /// <summary>
    /// Computes the transport checksum of a single packet that the kernel left unfinished. Without NEEDS_CSUM nothing is to be done. False if the
    /// header points outside the frame.
    /// </summary>
    public static bool FinishChecksum(in VirtioHeader header, Span<byte> frame)
    {
        if (!header.NeedsChecksum)
            return true;
        int field = header.ChecksumStart + header.ChecksumOffset;
        if (field + 2 > frame.Length)
            return false;

        // The field holds the pseudo header's sum and takes part in the sum as it is.
        ulong sum = Checksum.Sum(frame[header.ChecksumStart..]);
        if (header.ChecksumOffset == SuperpacketHeaders.UdpChecksum)
            Checksum.WriteUdp(frame.Slice(field, 2), sum);
        else
            Checksum.Write(frame.Slice(field, 2), sum);
        return true;
    }

    /// <summary>
    /// Cuts shorter segments than the kernel asked for, so that no frame is longer than <paramref name="longestFrame"/>. TCP does not notice;
    /// the segments of UDP are datagrams, and are left as they are.
    /// </summary>
    public void Limit(int longestFrame)
    {
        if (_headers.IsTcp && longestFrame > _headers.Length)
            _segmentSize = Math.Min(_segmentSize, longestFrame - _headers.Length);
    }

    /// <summary>Lets segments have <see cref="PartialChecksum"/>s; false, and then they get complete ones, if IPv6 extension headers lie in between.</summary>
    public bool TryLeaveChecksums() => _leavesChecksums = _headers.IsIPv4 || _headers.Transport == _headers.Ip + IpPacket.IPv6HeaderLength;

    /// <summary>Writes the headers of the next segment in front of its payload; false after the last.</summary>
    /// <param name="offset">Where its Ethernet header begins in the frame.</param>
    /// <param name="length">Its bytes.</param>
    public bool TryNext(out int offset, out int length)
    {
        offset = _sent;
        length = _headers.Length + Math.Min(_segmentSize, PayloadLength - _sent);
        return TryNext(_frame[offset..], out _, out _);
    }

    /// <summary>Writes the headers of the next segment into memory of the caller's; false after the last.</summary>
    /// <param name="headers">Room for <see cref="HeaderLength"/> bytes.</param>
    /// <param name="payloadOffset">Where the segment's payload begins in the frame.</param>
    /// <param name="payloadLength">Bytes of payload.</param>
    public bool TryNext(Span<byte> headers, out int payloadOffset, out int payloadLength)
    {
        payloadOffset = _headers.Length + _sent;
        payloadLength = Math.Min(_segmentSize, PayloadLength - _sent);
        if (_index > 0 && payloadLength <= 0)
            return false;

        WriteHeaders(headers[.._headers.Length], _frame.Slice(payloadOffset, payloadLength));
        _sent += payloadLength;
        _index++;
        return true;
    }

    private readonly void WriteHeaders(Span<byte> headers, ReadOnlySpan<byte> payload)
    {
        ((ReadOnlySpan<byte>)_template)[.._headers.Length].CopyTo(headers);
        if (_headers.IsIPv4)
            Add16(headers[(_headers.Ip + SuperpacketHeaders.IPv4Id)..], _index);
        if (_headers.IsTcp)
        {
            Span<byte> tcp = headers[_headers.Transport..], sequence = tcp[SuperpacketHeaders.TcpSequence..];
            BinaryPrimitives.WriteUInt32BigEndian(sequence, unchecked(BinaryPrimitives.ReadUInt32BigEndian(sequence) + (uint)_sent));
            if (_sent + payload.Length < PayloadLength)
                tcp[SuperpacketHeaders.TcpFlags] &= unchecked((byte)~(SuperpacketHeaders.Fin | SuperpacketHeaders.Push));
            if (_index > 0)
                tcp[SuperpacketHeaders.TcpFlags] &= unchecked((byte)~SuperpacketHeaders.Cwr);
        }

        _headers.WriteLengths(headers, headers.Length + payload.Length);
        if (_leavesChecksums)
            _headers.WriteSeed(headers, headers.Length + payload.Length);
        else
            _headers.WriteChecksum(headers, payload);
    }

    private static void Add16(Span<byte> field, int value) => BinaryPrimitives.WriteUInt16BigEndian(
        field, unchecked((ushort)(BinaryPrimitives.ReadUInt16BigEndian(field) + value)));

    private static bool TryReadHeaders(in VirtioHeader header, ReadOnlySpan<byte> frame, out SuperpacketHeaders headers)
    {
        headers = default;
        if (!EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || !IpPacket.TryRead(ethernet.Payload, out IpPacket ip)
            || ethernet.InnerType != (ip.IsIPv4 ? EtherType.IPv4 : EtherType.IPv6))
            return false;

        bool isTcp = header.Kind is SegmentationKind.TcpIPv4 or SegmentationKind.TcpIPv6;
        bool kindFits = header.Kind == SegmentationKind.Udp || header.Kind == (ip.IsIPv4 ? SegmentationKind.TcpIPv4 : SegmentationKind.TcpIPv6);
        int start = header.ChecksumStart;
        int minimum = isTcp ? SuperpacketHeaders.MinTcpLength : SuperpacketHeaders.UdpHeaderLength;
        bool startFits = ip.IsIPv4 ? start == ethernet.PayloadOffset + ip.HeaderLength : start >= ethernet.PayloadOffset + ip.HeaderLength;
        if (!kindFits || !startFits || start + minimum > frame.Length)
            return false;

        int length = start + (isTcp ? (frame[start + SuperpacketHeaders.TcpDataOffset] >> 4) * 4 : SuperpacketHeaders.UdpHeaderLength);
        headers = new SuperpacketHeaders(ethernet.PayloadOffset, start, length, ip.IsIPv4, isTcp);
        return length >= start + minimum && length <= frame.Length && length <= HeaderBytes.Capacity;
    }
}
