using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Decides how a frame travels to another node: by UDP or, through the control loop, by TCP, and to which hop (tinc 1.0 reference, 5.7).
/// </summary>
internal sealed class PeerSender(ShardState state, TrainWriter trains, ShardMail mail)
{
    /// <summary>
    /// Sends a frame towards its destination. A frame that arrived <paramref name="byTcp"/> goes on by TCP, hop by hop.
    /// </summary>
    public void Deliver(PeerRoute destination, Frame frame, bool byTcp, byte trafficClass)
    {
        if (!destination.Reachable)
            state.Counters.Drop(DropReason.Unreachable);
        else if (frame.Length > Node.MaxFrameLength)
            state.Counters.Drop(DropReason.TooLong);
        else
            Send(destination, frame, byTcp, trafficClass);
    }

    /// <summary>Reports a frame to whoever captures.</summary>
    public void Capture(Frame frame) => mail.Captured(frame.Bytes, state.CaptureLength);

    /// <summary>The longest frame to a destination that can go by UDP; if none can, the longest at all.</summary>
    /// <param name="destination">The owner.</param>
    /// <param name="floor">The shortest MTU that is worth using, as in routing: 590 or 1294 bytes.</param>
    public int LargestFrame(PeerRoute destination, int floor)
    {
        PeerRoute hop = HopOf(destination);
        bool proven = !UsesTcp(hop) && hop.Sealer is not null && HasPathMtu(hop) && hop.MinMtu >= floor;
        return Math.Min(proven ? hop.MinMtu : Node.MaxFrameLength, Math.Max(hop.Mtu, floor));
    }

    /// <summary>
    /// Sends a super-packet's segments by UDP in one go, if all of them may go that way to the same hop and its session is this shard's;
    /// else does nothing and returns false.
    /// </summary>
    public bool TryDeliver(PeerRoute destination, ReadOnlySpan<byte> frame, scoped ref Superpacket segments, byte trafficClass)
    {
        PeerRoute hop = HopOf(destination);
        bool direct = destination.Reachable && hop.Reachable && !UsesTcp(hop) && hop.Sealer is { } sealer && sealer.Owner == state.Index
            && (!HasPathMtu(hop) || segments.LongestSegment <= hop.MinMtu)
            && segments.LongestSegment <= Node.MaxFrameLength && segments.HeaderLength <= CbcTrain.MaxHeaderLength - Frame.Room;
        if (!direct)
            return false;
        state.Traffic.CountOut(destination.Id, segments.SegmentCount, frame.Length + ((segments.SegmentCount - 1) * segments.HeaderLength));
        trains.Seal(hop, frame, ref segments, trafficClass);
        return true;
    }

    private static PeerRoute HopOf(PeerRoute destination) => destination.Via.IsSelf ? destination.NextHop : destination.Via;

    private bool UsesTcp(PeerRoute hop) => ((state.Table.Self.Options | hop.Options) & EdgeOptions.TcpOnly) != 0;

    private static bool HasPathMtu(PeerRoute hop) => (hop.Options & EdgeOptions.PmtuDiscovery) != 0;

    private void Send(PeerRoute destination, Frame frame, bool byTcp, byte trafficClass)
    {
        state.Traffic.CountOut(destination.Id, 1, frame.Length);
        if (byTcp)
            SendByTcp(destination.NextHop, frame, keyNeededFor: -1);
        else
            SendToHop(HopOf(destination), frame, trafficClass);
    }

    private void SendToHop(PeerRoute hop, Frame frame, byte trafficClass)
    {
        if (UsesTcp(hop))
            SendByTcp(hop, frame, keyNeededFor: -1);
        else if (!hop.Reachable)
            state.Counters.Drop(DropReason.Unreachable);
        else if (hop.Sealer is null)
            SendByTcp(hop.NextHop, frame, keyNeededFor: hop.Id);
        else if (!HasPathMtu(hop) || frame.Length <= hop.MinMtu || IsProbe(frame))
            trains.Seal(hop, frame, default, trafficClass);
        else if (hop.NextHop == hop)
            SendByTcp(hop, frame, keyNeededFor: -1);
        else
            SendToHop(HopOf(hop.NextHop), frame, trafficClass); // a neighbour is its own next hop, so this ends
    }

    /// <summary>A hop that has no connection to us counts as indirect (tinc 1.0 reference, 11.3).</summary>
    private void SendByTcp(PeerRoute hop, Frame frame, int keyNeededFor)
    {
        if (!hop.HasConnection)
            hop = hop.NextHop;
        if (hop.HasConnection)
            mail.TcpFrame(hop.Id, frame.Bytes, keyNeededFor);
        else
            state.Counters.Drop(DropReason.NoConnection);
    }

    private static bool IsProbe(Frame frame) => EthernetFrame.TryRead(frame.Bytes, out EthernetFrame header) && header.Type == EtherType.Probe;
}
