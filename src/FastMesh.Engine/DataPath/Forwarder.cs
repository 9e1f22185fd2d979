using System.Buffers.Binary;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;
using FastMesh.Native.Memory;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Carries out what <see cref="FrameRouter"/> decides, for frames of both directions: TTL, MSS, path MTU, ICMP errors, broadcast, answers to
/// neighbour requests; then the device or <see cref="PeerSender"/>.
/// </summary>
internal sealed class Forwarder : IDisposable
{
    // Shorter IP packets than these minimum MTUs are never demanded of a sender.
    private const int MinMtuIPv4 = 576, MinMtuIPv6 = 1280;
    private const int ErrorsPerSecond = 3;

    private readonly ShardState _state;
    private readonly PeerSender _sender;
    private readonly DeviceWriter _device;
    private readonly DeviceTraits _traits;
    private readonly Slab _scratch = new(2, FrameRing<int>.MaxBytes); // one for answers, one for a broadcast that counts hops
    private long _errorSecond;
    private int _errors;

    /// <summary>Sends by <paramref name="sender"/>, writes to <paramref name="device"/>.</summary>
    public Forwarder(ShardState state, PeerSender sender, DeviceWriter device, DeviceTraits traits) =>
        (_state, _sender, _device, _traits) = (state, sender, device, traits);

    /// <summary>The shortest frame limit used for a path, with Ethernet header: 590 or 1294 bytes (tinc 1.0 reference, 6.4).</summary>
    public static int MinFrameLimit(bool ipv4) => EthernetFrame.HeaderLength + (ipv4 ? MinMtuIPv4 : MinMtuIPv6);

    /// <summary>Sends a frame where it belongs. Its bytes may be changed.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="source">Self for the device, else the last hop.</param>
    /// <param name="byTcp">Whether it arrived by TCP.</param>
    public void Route(Frame frame, PeerRoute source, bool byTcp) =>
        Apply(FrameRouter.Decide(frame.Bytes, source, _state.Table), frame, source, byTcp);

    /// <summary>Carries out a decision made for this frame or for one of the same flow.</summary>
    public void Apply(in RouteDecision decision, Frame frame, PeerRoute source, bool byTcp)
    {
        if (_state.CaptureLength > 0)
            _sender.Capture(frame);
        if (frame.HasPartialChecksum && !EndsHere(decision))
        {
            if (!PartialChecksum.TryComplete(frame.Bytes))
            {
                _state.Drop(DropReason.BadOffload, source.Id);
                return;
            }

            frame = new Frame(frame.WithRoom);
        }

        if (decision.CountsHop && !CountHop(frame, source))
            return;
        switch (decision.Action)
        {
            case RouteAction.Deliver:
                Deliver(decision, frame, source, byTcp);
                break;
            case RouteAction.ToKernel:
                _device.Write(frame, Continuable(decision, source));
                break;
            case RouteAction.Broadcast:
                Broadcast(frame, source, byTcp);
                break;
            case RouteAction.Neighbour:
                AnswerNeighbour(frame);
                break;
            case RouteAction.Refuse:
                _state.Drop(decision.Reason, decision.Owner?.Id ?? -1);
                SendError(frame, source, decision.Problem, mtu: 0);
                break;
            default:
                _state.Drop(decision.Reason, decision.Owner?.Id ?? -1);
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _scratch.Dispose();

    /// <summary>The node whose next segments of the same flow need no decision, or -1 if something is done to each.</summary>
    private int Continuable(in RouteDecision decision, PeerRoute source) =>
        decision.CountsHop || _state.CaptureLength > 0 || source.IsSelf ? -1 : source.Id;

    private static bool EndsHere(in RouteDecision decision) =>
        decision.Action == RouteAction.ToKernel || (decision.Action == RouteAction.Deliver && decision.Owner!.IsSelf);

    private void Deliver(in RouteDecision decision, Frame frame, PeerRoute source, bool byTcp)
    {
        PeerRoute owner = decision.Owner!, via = decision.Via!;
        bool toSelf = owner.IsSelf;
        int mtu = toSelf ? int.MaxValue : PeerSender.MtuTowards(owner, via);
        if (frame.Length > mtu && !FitsPath(frame, source, owner.HasIds ? owner : via, mtu, decision.TrafficClass))
            return;
        if (((toSelf ? _state.Table.Self : via).Options & EdgeOptions.ClampMss) != 0)
            MssClamp.Apply(frame.Bytes, Math.Min(source.Mtu, mtu));
        if (toSelf)
            _device.Write(frame, Continuable(decision, source));
        else
            _sender.Deliver(owner, frame, byTcp, decision.TrafficClass);
    }

    /// <summary>
    /// Whether a frame above the path MTU may be sent all the same. If not it has been fragmented, or its sender told (tinc 1.0 reference, 6.4
    /// and 6.10).
    /// </summary>
    /// <param name="frame">The frame.</param>
    /// <param name="source">Where it came from.</param>
    /// <param name="destination">The node that fragments are sent to: the hop or, if its session is end to end, the owner.</param>
    /// <param name="mtu">The path MTU, bytes with Ethernet header.</param>
    /// <param name="trafficClass">For fragments.</param>
    private bool FitsPath(Frame frame, PeerRoute source, PeerRoute destination, int mtu, byte trafficClass)
    {
        EthernetFrame.TryRead(frame.Bytes, out EthernetFrame header);
        bool v4 = header.InnerType == EtherType.IPv4;
        if ((!v4 && header.InnerType != EtherType.IPv6) || !IpPacket.TryRead(header.Payload, out IpPacket packet))
            return true;
        int limit = Math.Max(mtu, header.PayloadOffset + (v4 ? MinMtuIPv4 : MinMtuIPv6));
        if (frame.Length <= limit)
            return true;

        if (v4 && (packet.FragmentField & IpPacket.DontFragment) == 0)
        {
            Fragment(frame, destination, limit, trafficClass);
        }
        else
        {
            _state.Drop(DropReason.TooBig, destination.Id);
            SendError(frame, source, IcmpProblem.TooBig, limit - header.PayloadOffset);
        }

        return false;
    }

    private void Fragment(Frame frame, PeerRoute destination, int limit, byte trafficClass)
    {
        if (!Fragmenter.TryCreate(frame.Bytes, limit, out Fragmenter fragments))
        {
            _state.Drop(DropReason.TooBig, destination.Id);
            return;
        }

        Span<byte> piece = _scratch.Span(0);
        for (int length = fragments.Next(piece[Frame.Room..]); length > 0; length = fragments.Next(piece[Frame.Room..]))
            _sender.Deliver(destination, new Frame(piece[..(Frame.Room + length)]), byTcp: false, trafficClass);
    }

    /// <summary>To everyone (tinc 1.0 reference, 6.5). The local copy comes last here, because writing it uses the frame up.</summary>
    private void Broadcast(Frame frame, PeerRoute source, bool byTcp)
    {
        ForwardingOptions options = _state.Table.Options;
        if (!options.TunnelServer && options.Broadcast != BroadcastMode.No)
        {
            if (source.IsSelf || !options.DecrementTtl)
            {
                SendToAll(frame, source, byTcp);
            }
            else
            {
                Frame copy = CopyOf(frame);
                if (CountHop(copy, source))
                    SendToAll(copy, source, byTcp);
            }
        }

        if (!source.IsSelf)
            _device.Write(frame);
    }

    private void SendToAll(Frame frame, PeerRoute source, bool byTcp)
    {
        bool direct = _state.Table.Options.Broadcast == BroadcastMode.Direct;
        if (direct && !source.IsSelf)
            return;
        IReadOnlyList<PeerRoute> peers = _state.Table.Peers;
        for (int i = 0; i < peers.Count; i++)
        {
            PeerRoute peer = peers[i];
            bool wanted = direct
                ? peer.Reachable && peer.Address.IsSet && (peer.Via == peer || (peer.Via.IsSelf && peer.NextHop == peer))
                : peer.OnSpanningTree && peer.HasConnection && peer != source.NextHop;
            if (wanted)
                _sender.Deliver(peer, frame, byTcp, trafficClass: 0);
        }
    }

    private bool CountHop(Frame frame, PeerRoute source)
    {
        TimeToLiveResult result = TimeToLive.Decrement(frame.Bytes);
        if (result == TimeToLiveResult.Alive)
            return true;
        _state.Counters.Drop(DropReason.TimeExceeded);
        if (result == TimeToLiveResult.Expired)
            SendError(frame, source, IcmpProblem.TimeExceeded, mtu: 0);
        return false;
    }

    /// <summary>Tells the source node's host what became of its packet; at most three times per clock second (tinc 1.0 reference, 6.4).</summary>
    private void SendError(Frame frame, PeerRoute source, IcmpProblem problem, int mtu)
    {
        if (_errorSecond != _state.Now.Second)
            (_errorSecond, _errors) = (_state.Now.Second, 0);
        Span<byte> answer = _scratch.Span(0), own = stackalloc byte[16];
        int length = 0;
        if (_errors < ErrorsPerSecond)
        {
            own = own[..(problem == IcmpProblem.TimeExceeded ? FindOwnAddress(frame.Bytes, own) : 0)];
            length = IcmpError.Write(frame.Bytes, problem, mtu, own, answer[Frame.Room..]);
        }

        if (length == 0)
        {
            _state.Counters.Drop(DropReason.ErrorNotSent);
            return;
        }

        _errors++;
        Frame reply = new(answer[..(Frame.Room + length)]);
        if (source.IsSelf)
            _device.Write(reply);
        else
            _sender.Deliver(source, reply, byTcp: false, trafficClass: 0);
    }

    /// <summary>The address this host would use towards the sender of a packet: 4 or 16 bytes written, or 0 (tinc 1.0 reference, 6.4).</summary>
    private static int FindOwnAddress(ReadOnlySpan<byte> frame, Span<byte> address)
    {
        if (!EthernetFrame.TryRead(frame, out EthernetFrame header) || !IpPacket.TryRead(header.Payload, out IpPacket packet))
            return 0;
        Endpoint sender = packet.IsIPv4 ? Endpoint.FromIPv4(packet.IPv4Source, 1) : Endpoint.FromIPv6(packet.IPv6Source, 1);
        Span<byte> remote = stackalloc byte[Endpoint.MaxSockaddrLength], local = stackalloc byte[Endpoint.MaxSockaddrLength];
        int length = NetworkInterface.LocalAddressTowards(remote[..sender.WriteSockaddr(remote)], local);
        Endpoint own = length > 0 ? Endpoint.FromSockaddr(local[..length]) : default;
        if (own.IsIPv4)
            BinaryPrimitives.WriteUInt32BigEndian(address, own.IPv4);
        else if (own.IsIPv6)
            BinaryPrimitives.WriteUInt128BigEndian(address, own.IPv6);
        return own.IsIPv4 ? 4 : own.IsIPv6 ? 16 : 0;
    }

    /// <summary>Answers for every address that has an owner other than self; the owner need not be reachable (tinc 1.0 reference, 6.9).</summary>
    private void AnswerNeighbour(Frame frame)
    {
        bool arp = NeighbourReply.TryReadArp(frame.Bytes, out MacAddress asker, out uint target4);
        UInt128 target6 = 0;
        if (!arp && !NeighbourReply.TryReadSolicitation(frame.Bytes, out asker, out target6))
        {
            _state.Counters.Drop(DropReason.Neighbour);
            return;
        }

        _traits.Address = asker;
        PeerRoute? owner = arp ? _state.Table.FindOwner(target4) : _state.Table.FindOwner(target6);
        if (owner is null or { IsSelf: true })
        {
            _state.Counters.Drop(DropReason.Neighbour);
            return;
        }

        int length = frame.Length;
        if (arp)
            NeighbourReply.AnswerArp(frame.Bytes);
        else
            length = NeighbourReply.AnswerSolicitation(frame.Bytes);
        _device.Write(new Frame(frame.WithRoom[..(Frame.Room + length)]));
    }

    private Frame CopyOf(Frame frame)
    {
        Span<byte> copy = _scratch.Span(1)[..frame.WithRoom.Length];
        frame.Bytes.CopyTo(copy[Frame.Room..]);
        return new Frame(copy);
    }
}
