using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>What became of a frame's time to live.</summary>
internal enum TimeToLiveResult
{
    /// <summary>It was lowered, or the frame has none: forward it.</summary>
    Alive,

    /// <summary>It is used up: answer with <see cref="IcmpProblem.TimeExceeded"/> and drop the frame.</summary>
    Expired,

    /// <summary>It is used up, and the packet itself says that another's was: drop the frame without an answer.</summary>
    ExpiredSilently,
}

/// <summary>Counts this node as a hop: DecrementTTL (tinc 1.0 reference, 6.8).</summary>
internal static class TimeToLive
{
    private const byte IcmpTimeExceeded = 11, IcmpV6TimeExceeded = 3;

    /// <summary>Lowers the time to live or hop limit in place, with the IPv4 header checksum. VLAN tags are skipped.</summary>
    public static TimeToLiveResult Decrement(Span<byte> frame)
    {
        if (!EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || !IpPacket.TryRead(ethernet.Payload, out IpPacket packet)
            || ethernet.InnerType != (packet.IsIPv4 ? EtherType.IPv4 : EtherType.IPv6))
            return TimeToLiveResult.Alive;

        if (packet.TimeToLive <= 1)
            return SaysTimeExceeded(packet) ? TimeToLiveResult.ExpiredSilently : TimeToLiveResult.Expired;

        Span<byte> ip = frame[ethernet.PayloadOffset..];
        if (!packet.IsIPv4)
        {
            ip[7]--;
            return TimeToLiveResult.Alive;
        }

        ushort before = BinaryPrimitives.ReadUInt16BigEndian(ip[8..]); // time to live and protocol
        ip[8]--;
        Checksum.Adjust(ip.Slice(SuperpacketHeaders.IPv4Checksum, 2), before, (ushort)(before - 0x100));
        return TimeToLiveResult.Alive;
    }

    private static bool SaysTimeExceeded(IpPacket packet) => !packet.Payload.IsEmpty
        && (packet.Protocol == IpProtocol.Icmp && packet.IsIPv4 && packet.Payload[0] == IcmpTimeExceeded
            || packet.Protocol == IpProtocol.IcmpV6 && !packet.IsIPv4 && packet.Payload[0] == IcmpV6TimeExceeded);
}
