using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>Why a packet could not be delivered (tinc 1.0 reference, 6.4).</summary>
internal enum IcmpProblem
{
    /// <summary>No subnet matches: ICMP 3/6, ICMPv6 1/3.</summary>
    UnknownDestination,

    /// <summary>The owner is not reachable: ICMP 3/0, ICMPv6 1/0.</summary>
    Unreachable,

    /// <summary>Forwarding is not allowed: ICMP 3/9, ICMPv6 1/1.</summary>
    Prohibited,

    /// <summary>Too long for the path and not to be fragmented: ICMP 3/4, ICMPv6 2/0.</summary>
    TooBig,

    /// <summary>The time to live or hop limit is used up: ICMP 11/0, ICMPv6 3/0.</summary>
    TimeExceeded,
}

/// <summary>
/// Builds the ICMP answer to a packet that cannot be delivered (tinc 1.0 reference, 6.4). Limiting their rate is the caller's business.
/// </summary>
internal static class IcmpError
{
    /// <summary>Room for any answer, with a VLAN tag: 14 + 4 + 40 + 8 + 528 bytes.</summary>
    public const int MaxLength = EthernetFrame.HeaderLength + (EthernetFrame.MaxVlanTags * EthernetFrame.VlanTagLength) + IpPacket.IPv6HeaderLength + IcmpHeaderLength + 528;

    private const int IcmpHeaderLength = 8, MaxIPv4Quote = 548, MaxIPv6Quote = 528;

    /// <summary>Writes the answer: a complete frame back to the sender, MAC addresses swapped, a VLAN tag kept.</summary>
    /// <param name="frame">The packet that cannot be delivered.</param>
    /// <param name="problem">Why.</param>
    /// <param name="mtu">For <see cref="IcmpProblem.TooBig"/>: the longest IP packet, bytes; else 0.</param>
    /// <param name="source">
    /// Address to answer from, 4 or 16 bytes, for <see cref="IcmpProblem.TimeExceeded"/>; if empty or of the other family, the packet's destination.
    /// </param>
    /// <param name="output">Room for <see cref="MaxLength"/> bytes, not overlapping the frame.</param>
    /// <returns>Bytes of the answer; 0 if none is due: not IP, or itself an ICMP error (RFC 1122, 3.2.2; RFC 4443, 2.4).</returns>
    public static int Write(ReadOnlySpan<byte> frame, IcmpProblem problem, int mtu, ReadOnlySpan<byte> source, Span<byte> output)
    {
        if (!EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || !IpPacket.TryRead(ethernet.Payload, out IpPacket packet)
            || ethernet.InnerType != (packet.IsIPv4 ? EtherType.IPv4 : EtherType.IPv6) || IsError(packet))
            return 0;

        int start = ethernet.PayloadOffset;
        frame[..start].CopyTo(output);
        ethernet.Source.Write(output);
        ethernet.Destination.Write(output[MacAddress.Length..]);
        return start + (packet.IsIPv4
            ? WriteIPv4(packet, ethernet.Payload, problem, mtu, source, output[start..])
            : WriteIPv6(packet, ethernet.Payload, problem, mtu, source, output[start..]));
    }

    private static int WriteIPv4(
        IpPacket packet, ReadOnlySpan<byte> bytes, IcmpProblem problem, int mtu, ReadOnlySpan<byte> source, Span<byte> output)
    {
        ReadOnlySpan<byte> quote = bytes[..Math.Min(bytes.Length, MaxIPv4Quote)];
        int length = IpPacket.MinIPv4Length + IcmpHeaderLength + quote.Length;
        Span<byte> ip = output[..IpPacket.MinIPv4Length], icmp = output[IpPacket.MinIPv4Length..length];
        ip.Clear();
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[SuperpacketHeaders.IPv4Length..], (ushort)length);
        ip[8] = 255;
        ip[9] = IpProtocol.Icmp;
        (source.Length == 4 ? source : packet.Addresses[4..]).CopyTo(ip[12..]);
        packet.Addresses[..4].CopyTo(ip[16..]);
        Checksum.Write(ip.Slice(SuperpacketHeaders.IPv4Checksum, 2), Checksum.Sum(ip));

        icmp[..IcmpHeaderLength].Clear();
        (icmp[0], icmp[1]) = problem switch
        {
            IcmpProblem.UnknownDestination => ((byte)3, (byte)6),
            IcmpProblem.Unreachable => ((byte)3, (byte)0),
            IcmpProblem.Prohibited => ((byte)3, (byte)9),
            IcmpProblem.TooBig => ((byte)3, (byte)4),
            _ => ((byte)11, (byte)0),
        };
        if (problem == IcmpProblem.TooBig)
            BinaryPrimitives.WriteUInt16BigEndian(icmp[6..], (ushort)mtu);
        quote.CopyTo(icmp[IcmpHeaderLength..]);
        Checksum.Write(icmp.Slice(2, 2), Checksum.Sum(icmp));
        return length;
    }

    private static int WriteIPv6(
        IpPacket packet, ReadOnlySpan<byte> bytes, IcmpProblem problem, int mtu, ReadOnlySpan<byte> source, Span<byte> output)
    {
        ReadOnlySpan<byte> quote = bytes[..Math.Min(bytes.Length, MaxIPv6Quote)];
        int length = IpPacket.IPv6HeaderLength + IcmpHeaderLength + quote.Length;
        Span<byte> ip = output[..IpPacket.IPv6HeaderLength], icmp = output[IpPacket.IPv6HeaderLength..length];
        ip.Clear();
        ip[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(ip[SuperpacketHeaders.IPv6Length..], (ushort)icmp.Length);
        ip[6] = IpProtocol.IcmpV6;
        ip[7] = 255;
        (source.Length == 16 ? source : packet.Addresses[16..]).CopyTo(ip[8..]);
        packet.Addresses[..16].CopyTo(ip[24..]);

        icmp[..IcmpHeaderLength].Clear();
        (icmp[0], icmp[1]) = problem switch
        {
            IcmpProblem.UnknownDestination => ((byte)1, (byte)3),
            IcmpProblem.Unreachable => ((byte)1, (byte)0),
            IcmpProblem.Prohibited => ((byte)1, (byte)1),
            IcmpProblem.TooBig => ((byte)2, (byte)0),
            _ => ((byte)3, (byte)0),
        };
        if (problem == IcmpProblem.TooBig)
            BinaryPrimitives.WriteUInt32BigEndian(icmp[4..], (uint)mtu);
        quote.CopyTo(icmp[IcmpHeaderLength..]);
        Checksum.Write(icmp.Slice(2, 2), Checksum.PseudoHeader(ip[8..], IpProtocol.IcmpV6, icmp.Length) + Checksum.Sum(icmp));
        return length;
    }

    private static bool IsError(IpPacket packet)
    {
        if (packet.Payload.IsEmpty)
            return false;
        byte type = packet.Payload[0];
        return packet.IsIPv4
            ? packet.Protocol == IpProtocol.Icmp && (packet.FragmentField & 0x1fff) == 0 && type is 3 or 4 or 5 or 11 or 12
            : packet.Protocol == IpProtocol.IcmpV6 && type < 128;
    }
}
