using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Explicit congestion notification through the tunnel (RFC 6040, normal mode), between FastMesh nodes that reach each other directly: others on the way would
/// not pass marks on. A datagram says what the packet in it says; one that arrives with a mark marks that packet.
/// </summary>
internal static class Congestion
{
    /// <summary>The two ECN bits of a TOS byte or traffic class.</summary>
    public const byte Mask = 3;

    private const byte Experienced = 3, NotCapable = 0;

    /// <summary>Whether a router on the way marked what has this TOS byte or traffic class.</summary>
    public static bool IsMarked(byte trafficClass) => (trafficClass & Mask) == Experienced;

    /// <summary>
    /// Marks a frame's IP packet and corrects its header checksum. One whose sender does not know of ECN is left alone: since no such packet leaves us in a
    /// datagram that may be marked, a mark means that someone on the way misuses the bits, and is no reason to drop.
    /// </summary>
    public static void Mark(Span<byte> frame)
    {
        if (!EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || !IpPacket.TryRead(ethernet.Payload, out IpPacket packet)
            || ethernet.InnerType != (packet.IsIPv4 ? EtherType.IPv4 : EtherType.IPv6)
            || (packet.TrafficClass & Mask) is NotCapable or Experienced)
            return;
        Span<byte> ip = frame[ethernet.PayloadOffset..];
        if (!packet.IsIPv4)
        {
            ip[1] |= Experienced << 4;
            return;
        }

        ushort before = BinaryPrimitives.ReadUInt16BigEndian(ip);
        ip[1] |= Experienced;
        Checksum.Adjust(ip.Slice(SuperpacketHeaders.IPv4Checksum, 2), before, BinaryPrimitives.ReadUInt16BigEndian(ip));
    }
}
