using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>Room for the headers of one segment: Ethernet with VLAN tags, IP with options or extensions, TCP with options.</summary>
[InlineArray(Capacity)]
internal struct HeaderBytes
{
    /// <summary>The longest headers that are handled: what fits a train behind the sequence number.</summary>
    public const int Capacity = CbcTrain.MaxHeaderLength - LegacySealer.SequenceLength;

    private byte _first;
}

/// <summary>Where the headers of a frame's segments lie, and how the fields that segmentation changes are written.</summary>
/// <param name="Ip">Offset of the IP header: 14, or 18 or 22 behind VLAN tags.</param>
/// <param name="Transport">Offset of the TCP or UDP header.</param>
/// <param name="Length">Bytes of all headers.</param>
/// <param name="IsIPv4">IPv4, else IPv6.</param>
/// <param name="IsTcp">TCP, else UDP.</param>
internal readonly record struct SuperpacketHeaders(int Ip, int Transport, int Length, bool IsIPv4, bool IsTcp)
{
    /// <summary>TCP flags in <see cref="TcpFlags"/>.</summary>
    public const byte Fin = 0x01, Push = 0x08, Ack = 0x10, Cwr = 0x80;

    /// <summary>Offsets in the TCP and UDP headers.</summary>
    public const int TcpSequence = 4, TcpDataOffset = 12, TcpFlags = 13, TcpChecksum = 16, UdpLength = 4, UdpChecksum = 6;

    /// <summary>Bytes of a TCP header without options and of a UDP header.</summary>
    public const int MinTcpLength = 20, UdpHeaderLength = 8;

    /// <summary>Offsets in the IPv4 and IPv6 headers.</summary>
    public const int IPv4Length = 2, IPv4Id = 4, IPv4Fragment = 6, IPv4Checksum = 10, IPv6Length = 4;

    /// <summary>Offset of the transport checksum in its header, as in virtio_net_hdr.</summary>
    public int ChecksumOffset => IsTcp ? TcpChecksum : UdpChecksum;

    /// <summary>The pseudo header's sum for a frame that begins with these headers.</summary>
    /// <param name="headers">All headers.</param>
    /// <param name="frameLength">Bytes of the frame.</param>
    public ulong PseudoHeader(ReadOnlySpan<byte> headers, int frameLength) => Checksum.PseudoHeader(
        IsIPv4 ? headers.Slice(Ip + 12, 8) : headers.Slice(Ip + 8, 32), IsTcp ? IpProtocol.Tcp : IpProtocol.Udp, frameLength - Transport);

    /// <summary>Whether the transport checksum of a frame is right.</summary>
    public bool HasValidChecksum(ReadOnlySpan<byte> frame) =>
        Checksum.IsValid(PseudoHeader(frame, frame.Length) + Checksum.Sum(frame[Transport..]));

    /// <summary>Makes the IP and UDP lengths and the IPv4 header checksum those of a frame of this length.</summary>
    public void WriteLengths(Span<byte> headers, int frameLength)
    {
        Span<byte> ip = headers[Ip..];
        int ipLength = frameLength - Ip;
        if (IsIPv4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[IPv4Length..], (ushort)ipLength);
            Span<byte> checksum = ip.Slice(IPv4Checksum, 2);
            checksum.Clear();
            Checksum.Write(checksum, Checksum.Sum(ip[..((ip[0] & 0xf) * 4)]));
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[IPv6Length..], (ushort)(ipLength - IpPacket.IPv6HeaderLength));
        }

        if (!IsTcp)
            BinaryPrimitives.WriteUInt16BigEndian(headers[(Transport + UdpLength)..], (ushort)(frameLength - Transport));
    }

    /// <summary>Writes the pseudo header's sum as transport checksum, for whoever completes it.</summary>
    public void WriteSeed(Span<byte> headers, int frameLength) =>
        Checksum.WriteSeed(headers[(Transport + ChecksumOffset)..], PseudoHeader(headers, frameLength));

    /// <summary>Writes the complete transport checksum into headers whose other fields are final.</summary>
    public void WriteChecksum(Span<byte> headers, ReadOnlySpan<byte> payload)
    {
        Span<byte> field = headers.Slice(Transport + ChecksumOffset, 2);
        field.Clear();
        ulong sum = PseudoHeader(headers, headers.Length + payload.Length) + Checksum.Sum(headers[Transport..]) + Checksum.Sum(payload);
        if (IsTcp)
            Checksum.Write(field, sum);
        else
            Checksum.WriteUdp(field, sum);
    }
}
