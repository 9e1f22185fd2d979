using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Lowers the maximum segment size that a TCP connection announces, so that its segments fit the path (tinc 1.0 reference, 6.8). tincd finds the
/// option in first place only; here it may stand anywhere.
/// </summary>
internal static class MssClamp
{
    private const byte EndOfOptions = 0, NoOperation = 1, MaximumSegmentSize = 2;
    private const int MssLength = 4;
    private const int TypeOffset = 2 * MacAddress.Length, ProtocolOffset = EthernetFrame.HeaderLength + 9;

    /// <summary>
    /// Rewrites the option in place if it exceeds <paramref name="mtu"/> - (offset of the TCP header in the frame) - 20, and corrects the checksum,
    /// which must be complete. VLAN tags are skipped; frames without the option are left alone.
    /// </summary>
    /// <param name="frame">The frame.</param>
    /// <param name="mtu">The longest frame on the path, bytes.</param>
    public static void Apply(Span<byte> frame, int mtu)
    {
        if (IsOtherIPv4(frame) || !EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || !IpPacket.TryRead(ethernet.Payload, out IpPacket packet)
            || ethernet.InnerType != (packet.IsIPv4 ? EtherType.IPv4 : EtherType.IPv6)
            || packet.Protocol != IpProtocol.Tcp || (packet.FragmentField & 0x1fff) != 0
            || packet.Payload.Length < SuperpacketHeaders.MinTcpLength)
            return;

        int start = ethernet.PayloadOffset + packet.HeaderLength;
        Span<byte> tcp = frame[start..];
        int limit = mtu - start - SuperpacketHeaders.MinTcpLength;
        int headerLength = (tcp[SuperpacketHeaders.TcpDataOffset] >> 4) * 4;
        int option = headerLength <= tcp.Length ? FindMss(tcp[..headerLength]) : -1;
        if (option < 0 || limit <= 0)
            return;

        ushort mss = BinaryPrimitives.ReadUInt16BigEndian(tcp[option..]);
        if (mss > limit)
            Replace(tcp, option, mss, (ushort)limit);
    }

    /// <summary>Whether a look at two places tells that this is no TCP, as for most small packets.</summary>
    private static bool IsOtherIPv4(ReadOnlySpan<byte> frame) =>
        frame.Length > ProtocolOffset && BinaryPrimitives.ReadUInt16BigEndian(frame[TypeOffset..]) == EtherType.IPv4 && frame[ProtocolOffset] != IpProtocol.Tcp;

    /// <summary>Offset of the value of the MSS option in a TCP header, or -1.</summary>
    private static int FindMss(ReadOnlySpan<byte> header)
    {
        int at = SuperpacketHeaders.MinTcpLength;
        while (at < header.Length && header[at] != EndOfOptions)
        {
            if (header[at] == NoOperation)
            {
                at++;
                continue;
            }

            int length = at + 1 < header.Length ? header[at + 1] : 0;
            if (length < 2 || at + length > header.Length)
                return -1;
            if (header[at] == MaximumSegmentSize && length == MssLength)
                return at + 2;
            at += length;
        }

        return -1;
    }

    private static void Replace(Span<byte> tcp, int offset, ushort before, ushort after)
    {
        Span<byte> checksum = tcp.Slice(SuperpacketHeaders.TcpChecksum, 2);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[offset..], after);
        if ((offset & 1) != 0)
        {
            // The value lies across two words of the sum; swapping its bytes is the same as adding it there.
            before = BinaryPrimitives.ReverseEndianness(before);
            after = BinaryPrimitives.ReverseEndianness(after);
        }

        Checksum.Adjust(checksum, before, after);
    }
}
