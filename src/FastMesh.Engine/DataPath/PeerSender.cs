using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Decides how a frame travels to another node: by UDP or, through the control loop, by TCP, and to which hop. Between tinc 1.0 nodes frames go
/// from hop to hop, each with a session of its own (tinc 1.0 reference, 5.7); a session with a node that has ids is end to end (PeerSender.Sessions).
/// </summary>
internal sealed partial class PeerSender(ShardState state, TrainWriter trains, ShardMail mail)
{
    /// <summary>
    /// Sends a frame towards its destination. A frame that arrived <paramref name="byTcp"/> goes on by TCP, hop by hop.
    /// </summary>
    public void Deliver(PeerRoute destination, Frame frame, bool byTcp, byte trafficClass)
    {
        if (!destination.Reachable)
            state.Drop(DropReason.Unreachable, destination.Id);
        else if (frame.Length > Node.MaxFrameLength)
            state.Drop(DropReason.TooLong, destination.Id);
        else
            Send(destination, frame, byTcp, trafficClass);
    }

    /// <summary>Notes that a node was heard on a socket.</summary>
    public void NoteSocket(int node, int socket) => trains.NoteSocket(node, socket);

    /// <summary>Reports a frame to whoever captures.</summary>
    public void Capture(Frame frame) => mail.Captured(frame.Bytes, state.CaptureLength);

    /// <summary>The longest frame to a destination that can go by UDP; if none can, the longest at all.</summary>
    /// <param name="destination">The owner.</param>
    /// <param name="floor">The shortest MTU that is worth using, as in routing: 590 or 1294 bytes.</param>
    public int LargestFrame(PeerRoute destination, int floor)
    {
        PeerRoute hop = SessionNodeOf(destination);
        if (hop.HasIds)
            return LargestInSession(hop, floor);
        bool proven = !UsesTcp(hop) && hop.Sealer is not null && HasPathMtu(hop) && hop.MinMtu >= floor;
        return Math.Min(proven ? hop.MinMtu : Node.MaxFrameLength, Math.Max(hop.Mtu, floor));
    }

    /// <summary>
    /// Sends a super-packet's segments by UDP in one go, if all of them may go that way to the same hop and its session is this shard's;
    /// else does nothing and returns false.
    /// </summary>
    public bool TryDeliver(PeerRoute destination, Span<byte> frame, scoped ref Superpacket segments, byte trafficClass)
    {
        PeerRoute peer = SessionNodeOf(destination), hop = peer;
        int longest = segments.LongestSegment;
        bool possible = destination.Reachable && peer.Sealer is { } sealer && sealer.Of(state.Index).Owner == state.Index
            && longest <= Node.MaxFrameLength && segments.HeaderLength <= CbcTrain.MaxHeaderLength - Frame.Room
            && (peer.HasIds ? TryFindHop(peer, longest + peer.Overhead, out hop) : FitsHop(hop, longest));
        if (!possible)
            return false;

        NoteTraffic(peer);
        state.Traffic.CountOut(destination.Id, segments.SegmentCount, frame.Length + ((segments.SegmentCount - 1) * segments.HeaderLength));
        trains.Seal(peer, hop, frame, ref segments, trafficClass);
        return true;
    }

    private static PeerRoute HopOf(PeerRoute destination) => destination.Via.IsSelf ? destination.NextHop : destination.Via;

    /// <summary>The node whose session frames to a destination travel in.</summary>
    private static PeerRoute SessionNodeOf(PeerRoute destination) => destination.HasIds ? destination : HopOf(destination);

    private bool UsesTcp(PeerRoute hop) => ((state.Table.Self.Options | hop.Options) & EdgeOptions.TcpOnly) != 0;

    private static bool HasPathMtu(PeerRoute hop) => (hop.Options & EdgeOptions.PmtuDiscovery) != 0;

    private bool FitsHop(PeerRoute hop, int frameLength) => hop.Reachable && !UsesTcp(hop) && (!HasPathMtu(hop) || frameLength <= hop.MinMtu);

    private void Send(PeerRoute destination, Frame frame, bool byTcp, byte trafficClass)
    {
        state.Traffic.CountOut(destination.Id, 1, frame.Length);
        if (destination.HasIds)
            SendInSession(destination, frame, trafficClass);
        else if (byTcp)
            SendByTcp(destination.NextHop, frame, keyNeededFor: -1);
        else
            SendToHop(HopOf(destination), frame, trafficClass);
    }

    private void SendToHop(PeerRoute hop, Frame frame, byte trafficClass)
    {
        if (hop.HasIds)
            SendInSession(hop, frame, trafficClass);
        else if (UsesTcp(hop))
            SendByTcp(hop, frame, keyNeededFor: -1);
        else if (!hop.Reachable)
            state.Drop(DropReason.Unreachable, hop.Id);
        else if (hop.Sealer is null)
            SendByTcp(hop.NextHop, frame, keyNeededFor: hop.Id);
        else if (FitsHop(hop, frame.Length) || IsProbe(frame))
            trains.Seal(hop, hop, frame, default, trafficClass);
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
            state.Drop(DropReason.NoConnection, hop.Id);
    }

    private static bool IsProbe(Frame frame) => EthernetFrame.TryRead(frame.Bytes, out EthernetFrame header) && header.Type == EtherType.Probe;
}
