using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Merges consecutive segments of one TCP or UDP flow into a super-packet for the device, one group at a time. It only judges headers and
/// keeps a copy of the first ones; the caller lays each payload behind the one before. A mutable struct: a field of exactly one owner.
/// </summary>
/// <remarks>
/// Merged are segments whose headers are equal but for the fields that segmentation writes anew, in sequence, of equal length except for
/// a shorter last one, and with right checksums: the kernel vouches for what it gets from us, and must not vouch for a damaged packet. Between FastMesh nodes the
/// sender's kernel has not finished the checksum either, and the tag has proved the bytes since.
/// A TCP segment with PSH is the last. Everything else ends the group, so the order of a flow is kept.
/// </remarks>
internal struct SuperpacketMerger
{
    private const int MaxIpLength = 65535, MaxUdpSegments = 64; // 64: kernels before 6.9 refuse more

    private readonly bool _mergesTcp, _mergesUdp;
    private HeaderBytes _template, _mask; // the first headers, and ones for what may not differ
    private SuperpacketHeaders _headers;
    private int _segmentSize;
    private int _length;
    private int _count;
    private uint _nextSequence;
    private ushort _nextId;
    private bool _pushed;

    /// <summary>Merges what the device can take apart again.</summary>
    /// <param name="mergesTcp">Whether TCP is merged.</param>
    /// <param name="mergesUdp">Whether UDP is merged; the device must have accepted USO (Linux 6.2).</param>
    public SuperpacketMerger(bool mergesTcp, bool mergesUdp) => (_mergesTcp, _mergesUdp) = (mergesTcp, mergesUdp);

    /// <summary>Whether a group has begun that needs <see cref="Finish"/>.</summary>
    public readonly bool IsOpen => _count > 0;

    /// <summary>Whether the group may take another segment.</summary>
    public bool CanGrow { get; private set; }

    /// <summary>Bytes of headers of the group's segments, from the Ethernet header on.</summary>
    public readonly int HeaderLength => _headers.Length;

    /// <summary>Begins a group with a frame if it is a segment that others could follow, else leaves none open.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="isTrusted">Whether its checksum need not be looked at.</param>
    public void Start(ReadOnlySpan<byte> frame, bool isTrusted = false)
    {
        _count = 0;
        CanGrow = false;
        if (!TryReadHeaders(frame, out _headers) || !(isTrusted || _headers.HasValidChecksum(frame)))
            return;

        frame[.._headers.Length].CopyTo(_template);
        ((Span<byte>)_mask).Fill(byte.MaxValue);
        ClearVariableFields(_mask);
        _count = 1;
        _segmentSize = frame.Length - _headers.Length;
        _length = frame.Length;
        NotePosition(frame);
    }

    /// <summary>
    /// Whether a frame continues the group. If so its payload, which is all behind <see cref="HeaderLength"/>, belongs behind the group's last byte;
    /// its headers are needed no more. If not, finish the group before starting another.
    /// </summary>
    /// <param name="frame">The frame.</param>
    /// <param name="isTrusted">Whether its checksum need not be looked at.</param>
    public bool TryAppend(ReadOnlySpan<byte> frame, bool isTrusted = false)
    {
        int payload = frame.Length - _headers.Length;
        if (!CanGrow || payload <= 0 || payload > _segmentSize || _length - _headers.Ip + payload > MaxIpLength
            || !ContinuesHeaders(frame) || !(isTrusted || _headers.HasValidChecksum(frame)))
            return false;

        _count++;
        _length += payload;
        NotePosition(frame);
        CanGrow &= payload == _segmentSize && (_headers.IsTcp || _count < MaxUdpSegments);
        return true;
    }

    /// <summary>Completes the headers of the group and closes it. A single packet is left as it is.</summary>
    /// <param name="frame">The first frame, with the payloads of the others behind it.</param>
    /// <returns>The header for the device, offsets counted from the frame's first byte.</returns>
    public VirtioHeader Finish(Span<byte> frame)
    {
        int count = _count;
        _count = 0;
        CanGrow = false;
        if (count < 2)
            return default;

        if (_pushed)
            frame[_headers.Transport + SuperpacketHeaders.TcpFlags] |= SuperpacketHeaders.Push;
        _headers.WriteLengths(frame, frame.Length);
        Checksum.WriteSeed(frame[(_headers.Transport + _headers.ChecksumOffset)..], _headers.PseudoHeader(frame, frame.Length));
        return new VirtioHeader
        {
            NeedsChecksum = true,
            Kind = !_headers.IsTcp ? SegmentationKind.Udp : _headers.IsIPv4 ? SegmentationKind.TcpIPv4 : SegmentationKind.TcpIPv6,
            HeaderLength = (ushort)_headers.Length,
            SegmentSize = (ushort)_segmentSize,
            ChecksumStart = (ushort)_headers.Transport,
            ChecksumOffset = (ushort)_headers.ChecksumOffset,
        };
    }

    private void NotePosition(ReadOnlySpan<byte> frame)
    {
        ReadOnlySpan<byte> transport = frame[_headers.Transport..];
        if (_headers.IsIPv4)
            _nextId = unchecked((ushort)(BinaryPrimitives.ReadUInt16BigEndian(frame[(_headers.Ip + SuperpacketHeaders.IPv4Id)..]) + 1));
        _pushed = _headers.IsTcp && (transport[SuperpacketHeaders.TcpFlags] & SuperpacketHeaders.Push) != 0;
        if (_headers.IsTcp)
        {
            _nextSequence = unchecked(BinaryPrimitives.ReadUInt32BigEndian(transport[SuperpacketHeaders.TcpSequence..])
                + (uint)(frame.Length - _headers.Length));
        }

        CanGrow = !_pushed;
    }

    private readonly bool ContinuesHeaders(ReadOnlySpan<byte> frame) => HasSameHeaders(frame[.._headers.Length])
            && HasTrueLengths(frame, _headers)
            && (!_headers.IsTcp || BinaryPrimitives.ReadUInt32BigEndian(frame[(_headers.Transport + SuperpacketHeaders.TcpSequence)..]) == _nextSequence)
            && (!_headers.IsIPv4 || ContinuesId(frame[_headers.Ip..]));

    /// <summary>Compares whole vectors, the last of which overlaps the one before; the shortest headers have 42 bytes.</summary>
    private readonly bool HasSameHeaders(ReadOnlySpan<byte> headers)
    {
        ReadOnlySpan<byte> template = _template, mask = _mask;
        Vector256<byte> differences = Vector256<byte>.Zero;
        int last = headers.Length - Vector256<byte>.Count;
        for (int at = 0; ; at = Math.Min(at + Vector256<byte>.Count, last))
        {
            differences |= (Vector256.Create(headers[at..]) ^ Vector256.Create(template[at..])) & Vector256.Create(mask[at..]);
            if (at == last)
                return differences == Vector256<byte>.Zero;
        }
    }

    /// <summary>With DF set the identification means nothing (RFC 6864); else it must count up, as it will when the kernel cuts again.</summary>
    private readonly bool ContinuesId(ReadOnlySpan<byte> ip) =>
        (ip[SuperpacketHeaders.IPv4Fragment] & (IpPacket.DontFragment >> 8)) != 0
        || BinaryPrimitives.ReadUInt16BigEndian(ip[SuperpacketHeaders.IPv4Id..]) == _nextId;

    /// <summary>Zeroes what segmentation writes anew: lengths, identification, checksums, sequence number, PSH.</summary>
    private readonly void ClearVariableFields(Span<byte> headers)
    {
        Span<byte> ip = headers[_headers.Ip..], transport = headers[_headers.Transport..];
        if (_headers.IsIPv4)
        {
            ip.Slice(SuperpacketHeaders.IPv4Length, 4).Clear(); // and the identification
            ip.Slice(SuperpacketHeaders.IPv4Checksum, 2).Clear();
        }
        else
        {
            ip.Slice(SuperpacketHeaders.IPv6Length, 2).Clear();
        }

        if (_headers.IsTcp)
        {
            transport.Slice(SuperpacketHeaders.TcpSequence, 4).Clear();
            transport[SuperpacketHeaders.TcpFlags] &= unchecked((byte)~SuperpacketHeaders.Push);
            transport.Slice(SuperpacketHeaders.TcpChecksum, 2).Clear();
        }
        else
        {
            transport.Slice(SuperpacketHeaders.UdpLength, 4).Clear(); // and the checksum
        }
    }

    private readonly bool TryReadHeaders(ReadOnlySpan<byte> frame, out SuperpacketHeaders headers)
    {
        headers = default;
        if (!EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || !IpPacket.TryRead(ethernet.Payload, out IpPacket ip)
            || ethernet.InnerType != (ip.IsIPv4 ? EtherType.IPv4 : EtherType.IPv6)
            || ip.FragmentField is not (0 or IpPacket.DontFragment) || (ip.IsIPv4 && ip.HeaderLength != IpPacket.MinIPv4Length))
            return false;

        bool isTcp = ip.Protocol == IpProtocol.Tcp;
        if (isTcp ? !_mergesTcp : ip.Protocol != IpProtocol.Udp || !_mergesUdp)
            return false;

        int start = ethernet.PayloadOffset + ip.HeaderLength;
        int length = start + SuperpacketHeaders.UdpHeaderLength;
        if (isTcp)
        {
            if (ip.Payload.Length < SuperpacketHeaders.MinTcpLength)
                return false;
            byte dataOffset = ip.Payload[SuperpacketHeaders.TcpDataOffset]; // its low bits are reserved
            length = start + ((dataOffset >> 4) * 4);
            if ((dataOffset & 0xf) != 0 || length < start + SuperpacketHeaders.MinTcpLength
                || (ip.Payload[SuperpacketHeaders.TcpFlags] & ~SuperpacketHeaders.Push) != SuperpacketHeaders.Ack)
                return false;
        }

        headers = new SuperpacketHeaders(ethernet.PayloadOffset, start, length, ip.IsIPv4, isTcp);
        return length < frame.Length && length <= HeaderBytes.Capacity && HasTrueLengths(frame, headers);
    }

    /// <summary>Whether the stated lengths are those of the frame, the IPv4 header is intact and a UDP checksum exists.</summary>
    private static bool HasTrueLengths(ReadOnlySpan<byte> frame, in SuperpacketHeaders headers)
    {
        ReadOnlySpan<byte> ip = frame[headers.Ip..], transport = frame[headers.Transport..];
        bool ipFits = headers.IsIPv4
            ? BinaryPrimitives.ReadUInt16BigEndian(ip[SuperpacketHeaders.IPv4Length..]) == ip.Length
                && Checksum.IsValid(Checksum.Sum(ip[..IpPacket.MinIPv4Length]))
            : BinaryPrimitives.ReadUInt16BigEndian(ip[SuperpacketHeaders.IPv6Length..]) == ip.Length - IpPacket.IPv6HeaderLength;
        return ipFits && (headers.IsTcp
            || (BinaryPrimitives.ReadUInt16BigEndian(transport[SuperpacketHeaders.UdpLength..]) == transport.Length
                && BinaryPrimitives.ReadUInt16BigEndian(transport[SuperpacketHeaders.UdpChecksum..]) != 0));
    }
}
