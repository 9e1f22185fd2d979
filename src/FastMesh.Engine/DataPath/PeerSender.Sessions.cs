using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

// Sessions with SPTPS and FastMesh nodes are end to end (tinc 1.1 reference, 6.4): a frame is sealed once for its destination, and who carries the
// datagram, the node itself or a relay that does not open it, is a choice that may change from one datagram to the next.
internal sealed partial class PeerSender
{
    /// <summary>Relays carry ids and look at them from this minor version on (tinc 1.1 reference, 6.5).</summary>
    private const int RelayingMinor = 4;

    /// <summary>As short as packets are made for a path; TCP carries what needs more room.</summary>
    private const int LeastTestRecord = 500;

    private readonly OncePerSecond _trafficNoted = new();

    /// <summary>
    /// The path MTU that holds for a frame to <paramref name="owner"/> by way of <paramref name="via"/>, bytes with Ethernet header: FastMesh datagrams
    /// are longer than those that a tinc 1.1 relay was probed with.
    /// </summary>
    public static int MtuTowards(PeerRoute owner, PeerRoute via) =>
        owner.HasIds && via.HasIds ? Math.Min(via.Mtu, via.Mtu + via.Overhead - owner.Overhead) : via.Mtu;

    /// <summary>Seals a frame with the session of a node and sends it, straight or by relay, by UDP or by TCP; without a session asks for one.</summary>
    public void SendInSession(PeerRoute peer, Frame frame, byte trafficClass) => SendInSession(peer, frame, peer.Overhead, trafficClass);

    /// <summary>Sends a record of a speed test, which is sealed whole as a probe is, the way that packets go.</summary>
    public void SendTestRecord(PeerRoute peer, Frame record) => SendInSession(peer, record, peer.ProbeOverhead, trafficClass: 0);

    /// <summary>The longest record of a speed test that goes the way that packets go: by UDP, if anything does.</summary>
    public int LongestTestRecord(PeerRoute peer)
    {
        int shorter = peer.ProbeOverhead - peer.Overhead, longest = LargestInSession(peer, LeastTestRecord) - shorter;
        return Math.Clamp(longest, LeastTestRecord, Node.MaxFrameLength - EthernetFrame.HeaderLength);
    }

    private void SendInSession(PeerRoute peer, Frame frame, int overhead, byte trafficClass)
    {
        NoteTraffic(peer);
        bool byUdp = TryFindHop(peer, frame.Length + overhead, out PeerRoute hop);
        if ((!byUdp || peer.Sealer is null) && peer.HasConnection)
            mail.TcpFrame(peer.Id, frame.Bytes, keyNeededFor: -1); // the connection itself protects it
        else if (peer.Sealer is null)
            state.Drop(DropReason.NoKey, peer.Id);
        else if (peer.Sealer.Of(state.Index).Owner is int owner && owner != state.Index)
            mail.Order(owner, new(OrderKind.Send, peer.Id) { TrafficClass = trafficClass }, frame.Bytes);
        else if (byUdp)
            trains.Seal(peer, hop, frame, default, trafficClass);
        else
            trains.SealForTcp(peer, frame);
    }

    /// <summary>Sends a datagram on that another node sealed for <paramref name="destination"/>, but never back to where it came from.</summary>
    /// <param name="destination">Any node but self.</param>
    /// <param name="from">The node that sent it here.</param>
    /// <param name="datagram">As received, with both ids.</param>
    /// <param name="trafficClass">Its TOS byte or traffic class: its ECN bits go on, the rest if the user wants that.</param>
    public void Relay(PeerRoute destination, PeerRoute from, ReadOnlySpan<byte> datagram, byte trafficClass)
    {
        if (!destination.Reachable)
        {
            state.Drop(DropReason.Unreachable, destination.Id);
            return;
        }

        NoteTraffic(destination);
        bool byUdp = TryFindHop(destination, datagram.Length, out PeerRoute hop);
        byte goesOn = byUdp ? Congestion.ClassBy(hop, destination, trafficClass) : (byte)0;
        if ((byUdp ? hop : destination.NextHop) == from)
            state.Drop(DropReason.RoutingLoop, destination.Id);
        else if (destination.Protocol == NodeProtocol.FastMesh && Congestion.IsMarked(trafficClass) && !Congestion.IsMarked(goesOn))
            state.Drop(DropReason.Congestion, destination.Id);
        else if (byUdp)
            trains.Relay(hop, datagram, state.Table.Options.PriorityInheritance ? goesOn : (byte)(goesOn & Congestion.Mask));
        else
            mail.TcpDatagram(destination.Id, datagram);
    }

    /// <summary>
    /// To whom a datagram is sent by UDP: the static relay if the datagram is proven to fit, else the next hop. False if it has to go by TCP.
    /// </summary>
    private bool TryFindHop(PeerRoute destination, int datagramLength, out PeerRoute hop)
    {
        hop = destination.Via.IsSelf || datagramLength > destination.Via.MaxDatagram ? destination.NextHop : destination.Via;
        return datagramLength <= hop.MaxDatagram && CanCarry(hop, destination);
    }

    /// <summary>Whether a hop may get datagrams of a destination's session by UDP.</summary>
    private bool CanCarry(PeerRoute hop, PeerRoute destination) =>
        hop.HasIds && hop.Reachable && !UsesTcp(hop) && (hop == destination || CanRelay(hop, destination));

    private static bool CanRelay(PeerRoute relay, PeerRoute destination) =>
        relay.Protocol == NodeProtocol.FastMesh
        || (relay.Minor >= RelayingMinor && (destination.Protocol == NodeProtocol.Sptps || destination.Minor >= RelayingMinor));

    private int LargestInSession(PeerRoute peer, int floor)
    {
        PeerRoute via = HopOf(peer);
        int mtu = Math.Max(MtuTowards(peer, via), floor), proven = LargestBy(via, peer);
        if (proven < floor)
            proven = LargestBy(peer.NextHop, peer);
        return Math.Min(proven < floor || peer.Sealer is null ? Node.MaxFrameLength : proven, mtu);
    }

    private int LargestBy(PeerRoute hop, PeerRoute destination) => CanCarry(hop, destination) ? hop.MaxDatagram - destination.Overhead : 0;

    /// <summary>Once per second, lets the control loop do what is due towards a node that there is traffic for.</summary>
    private void NoteTraffic(PeerRoute peer)
    {
        if (_trafficNoted.IsDue(peer.Id, state.Now))
            mail.Traffic(peer.Id, keyNeeded: peer.Sealer is null);
    }
}
