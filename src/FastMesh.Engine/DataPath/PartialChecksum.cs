using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Segments that travel between FastMesh nodes with a transport checksum over the pseudo header only (<c>RecordType.PartialChecksum</c>): the device
/// completes them or never needs to; for any other way out they are completed here.
/// </summary>
internal static class PartialChecksum
{
    /// <summary>Completes the checksum of such a frame; false if it is not TCP or UDP right behind an unfragmented IP header.</summary>
    public static bool TryComplete(Span<byte> frame) => TryDescribe(frame, out VirtioHeader header) && Superpacket.FinishChecksum(header, frame);

    /// <summary>What the device has to be told about such a frame; false as for <see cref="TryComplete"/>.</summary>
    public static bool TryDescribe(ReadOnlySpan<byte> frame, out VirtioHeader header)
    {
        header = default;
        if (!EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || !IpPacket.TryRead(ethernet.Payload, out IpPacket ip)
            || ip.FragmentField is not (0 or IpPacket.DontFragment) || ip.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp))
            return false;
        bool isTcp = ip.Protocol == IpProtocol.Tcp;
        if (ip.Payload.Length < (isTcp ? SuperpacketHeaders.MinTcpLength : SuperpacketHeaders.UdpHeaderLength))
            return false;
        int start = ethernet.PayloadOffset + ip.HeaderLength, field = isTcp ? SuperpacketHeaders.TcpChecksum : SuperpacketHeaders.UdpChecksum;
        header = new VirtioHeader
        {
            NeedsChecksum = true,
            HeaderLength = (ushort)(start + field + sizeof(ushort)), // as far as the kernel has to look
            ChecksumStart = (ushort)start,
            ChecksumOffset = (ushort)field,
        };
        return true;
    }
}
