using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Answers ARP requests and IPv6 neighbour solicitations for addresses behind other nodes, in router mode on an Ethernet-type device (tinc 1.0
/// reference, 6.9). The answer is written over the question. The hardware address it gives is the asker's with its last byte inverted.
/// </summary>
internal static class NeighbourReply
{
    private const int ArpLength = EthernetFrame.HeaderLength + 28;
    private const byte Solicitation = 135, Advertisement = 136, SourceOption = 1, TargetOption = 2;
    private const int SolicitationLength = 24, OptionLength = 8;
    private const int IcmpOffset = EthernetFrame.HeaderLength + IpPacket.IPv6HeaderLength;
    private const uint SolicitedFlag = 0x40000000;

    // ARP behind the Ethernet header: hardware type 2, protocol type 2, their lengths 1 + 1, operation 2,
    // sender MAC 6 and IPv4 4, target MAC 6 and IPv4 4.
    private static ReadOnlySpan<byte> ArpRequestHeader => [0, 1, 8, 0, 6, 4, 0, 1];

    /// <summary>Reads an Ethernet/IPv4 ARP request.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="asker">The sender's hardware address, which becomes "our MAC".</param>
    /// <param name="target">The IPv4 address asked for, in host byte order.</param>
    public static bool TryReadArp(ReadOnlySpan<byte> frame, out MacAddress asker, out uint target)
    {
        (asker, target) = (default, 0);
        if (!EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || ethernet.Type != EtherType.Arp || frame.Length < ArpLength
            || !ethernet.Payload.StartsWith(ArpRequestHeader))
            return false;

        asker = MacAddress.Read(ethernet.Payload[8..]);
        target = BinaryPrimitives.ReadUInt32BigEndian(ethernet.Payload[24..]);
        return true;
    }

    /// <summary>Turns a request that <see cref="TryReadArp"/> took into its answer; the length stays.</summary>
    public static void AnswerArp(Span<byte> frame)
    {
        MacAddress answer = SwapEthernet(frame);
        Span<byte> arp = frame[EthernetFrame.HeaderLength..];
        arp[7] = 2; // reply
        Span<byte> target = stackalloc byte[4];
        arp.Slice(24, 4).CopyTo(target);
        arp.Slice(8, 10).CopyTo(arp[18..]); // the asker is now the target
        answer.Write(arp[8..]);
        target.CopyTo(arp[14..]);
    }

    /// <summary>
    /// Reads a neighbour solicitation whose checksum and source link-layer option, if it has one, are right. One from the unspecified address
    /// asks whether an address is free (RFC 4862) and is not taken.
    /// </summary>
    /// <param name="frame">The frame.</param>
    /// <param name="asker">The sender's hardware address, which becomes "our MAC".</param>
    /// <param name="target">The address asked for.</param>
    public static bool TryReadSolicitation(ReadOnlySpan<byte> frame, out MacAddress asker, out UInt128 target)
    {
        (asker, target) = (default, 0);
        if (!EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || ethernet.Type != EtherType.IPv6
            || !IpPacket.TryRead(ethernet.Payload, out IpPacket packet) || packet.IsIPv4 || packet.Protocol != IpProtocol.IcmpV6
            || packet.StatedLength > ethernet.Payload.Length || packet.IPv6Source == 0)
            return false;

        ReadOnlySpan<byte> icmp = packet.Payload[..(packet.StatedLength - IpPacket.IPv6HeaderLength)];
        if (icmp.Length < SolicitationLength || icmp[0] != Solicitation || !HasSourceOrNothing(icmp)
            || !Checksum.IsValid(Checksum.PseudoHeader(packet.Addresses, IpProtocol.IcmpV6, icmp.Length) + Checksum.Sum(icmp)))
            return false;

        asker = ethernet.Source;
        target = BinaryPrimitives.ReadUInt128BigEndian(icmp[8..]);
        return true;
    }

    /// <summary>
    /// Turns a solicitation that <see cref="TryReadSolicitation"/> took into an advertisement, and returns its length, which is at most the
    /// question's.
    /// </summary>
    public static int AnswerSolicitation(Span<byte> frame)
    {
        MacAddress answer = SwapEthernet(frame);
        Span<byte> ip = frame[EthernetFrame.HeaderLength..IcmpOffset];
        int stated = BinaryPrimitives.ReadUInt16BigEndian(ip[SuperpacketHeaders.IPv6Length..]);
        bool hasOption = stated >= SolicitationLength + OptionLength;
        Span<byte> icmp = frame.Slice(IcmpOffset, SolicitationLength + (hasOption ? OptionLength : 0));

        ip.Slice(8, 16).CopyTo(ip[24..]);      // back to the asker,
        icmp.Slice(8, 16).CopyTo(ip[8..]);     // from the target
        BinaryPrimitives.WriteUInt16BigEndian(ip[SuperpacketHeaders.IPv6Length..], (ushort)icmp.Length);
        ip[7] = 255;
        (icmp[0], icmp[1]) = (Advertisement, 0);
        icmp.Slice(2, 2).Clear();
        BinaryPrimitives.WriteUInt32BigEndian(icmp[4..], SolicitedFlag);
        if (hasOption)
        {
            icmp[SolicitationLength] = TargetOption;
            answer.Write(icmp[(SolicitationLength + 2)..]);
        }

        Checksum.Write(icmp.Slice(2, 2), Checksum.PseudoHeader(ip[8..], IpProtocol.IcmpV6, icmp.Length) + Checksum.Sum(icmp));
        return IcmpOffset + icmp.Length;
    }

    private static bool HasSourceOrNothing(ReadOnlySpan<byte> icmp) => icmp.Length == SolicitationLength
        || (icmp.Length >= SolicitationLength + OptionLength && icmp[SolicitationLength] == SourceOption && icmp[SolicitationLength + 1] == 1);

    /// <summary>Sends the frame back: to the asker, from the asker's address with its last byte inverted, which is returned.</summary>
    private static MacAddress SwapEthernet(Span<byte> frame)
    {
        MacAddress asker = MacAddress.Read(frame[MacAddress.Length..]);
        var answer = new MacAddress(asker.Value ^ 0xff);
        asker.Write(frame);
        answer.Write(frame[MacAddress.Length..]);
        return answer;
    }
}
