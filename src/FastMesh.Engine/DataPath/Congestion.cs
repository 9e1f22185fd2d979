using System.Buffers.Binary;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Explicit congestion notification through the tunnel (RFC 6040, normal mode), between FastMesh nodes that reach each other directly or by relays that are
/// FastMesh nodes: others on the way would not pass marks on. A datagram says what the packet in it says; one that arrives with a mark marks that packet.
/// </summary>
internal static class Congestion
{
    /// <summary>The two ECN bits of a TOS byte or traffic class.</summary>
    public const byte Mask = 3;

    private const byte Experienced = 3, NotCapable = 0;

    /// <summary>Whether a router on the way marked what has this TOS byte or traffic class.</summary>
    public static bool IsMarked(byte trafficClass) => (trafficClass & Mask) == Experienced;

    /// <summary>
    /// What a datagram for <paramref name="destination"/> says if it goes by <paramref name="hop"/>: it may not be marked where the mark would get lost, so that a
    /// router drops it instead.
    /// </summary>
    public static byte ClassBy(PeerRoute hop, PeerRoute destination, byte trafficClass) =>
        hop == destination || (hop.Protocol == NodeProtocol.FastMesh && destination.Protocol == NodeProtocol.FastMesh)
            ? trafficClass : (byte)(trafficClass & ~Mask);

    /// <summary>
    /// Marks a frame's IP packet and corrects its header checksum; what is no IP packet is left alone. False if the packet's sender does not know of ECN: then
    /// only the loss of the packet tells it of the congestion, and it must not go on (RFC 6040, 4.2).
    /// </summary>
    public static bool TryMark(Span<byte> frame)
    {
        if (!EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || !IpPacket.TryRead(ethernet.Payload, out IpPacket packet)
            || ethernet.InnerType != (packet.IsIPv4 ? EtherType.IPv4 : EtherType.IPv6))
            return true;
        if ((packet.TrafficClass & Mask) is NotCapable or Experienced)
            return (packet.TrafficClass & Mask) == Experienced;
        Span<byte> ip = frame[ethernet.PayloadOffset..];
        if (!packet.IsIPv4)
        {
            ip[1] |= Experienced << 4;
            return true;
        }

        ushort before = BinaryPrimitives.ReadUInt16BigEndian(ip);
        ip[1] |= Experienced;
        Checksum.Adjust(ip.Slice(SuperpacketHeaders.IPv4Checksum, 2), before, BinaryPrimitives.ReadUInt16BigEndian(ip));
        return true;
    }
}
