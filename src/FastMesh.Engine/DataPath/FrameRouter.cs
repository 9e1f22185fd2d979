using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Decides where a frame goes (tinc 1.0 reference, 6.3, 6.4 and 6.10; BroadcastSubnet: tinc 1.1 reference, 9.5). Pure: depends on the frame's
/// addresses and traffic class, its source and the table, never on its length, and changes nothing.
/// </summary>
internal static class FrameRouter
{
    private const byte NeighbourSolicitation = 135;

    /// <summary>Decides for a frame that came from <paramref name="source"/>: self for the device, else the last hop.</summary>
    public static RouteDecision Decide(ReadOnlySpan<byte> bytes, PeerRoute source, ForwardingTable table)
    {
        if (table.Options.Forwarding == ForwardingMode.Kernel && !source.IsSelf)
            return new() { Action = RouteAction.ToKernel };
        if (!EthernetFrame.TryRead(bytes, out EthernetFrame frame))
            return Drop(DropReason.TooShort);
        return table.Options.Mode switch
        {
            RoutingMode.Router => DecideByAddress(bytes, frame.Type, source, table),
            RoutingMode.Switch => DecideByMac(frame, source, table),
            _ => new() { Action = RouteAction.Broadcast },
        };
    }

    private static RouteDecision DecideByAddress(ReadOnlySpan<byte> bytes, ushort type, PeerRoute source, ForwardingTable table)
    {
        switch (type)
        {
            case EtherType.Arp:
                return Neighbour(source);
            case EtherType.IPv4 or EtherType.IPv6:
                ReadOnlySpan<byte> payload = bytes[EthernetFrame.HeaderLength..];
                if (!IpPacket.TryRead(payload, out IpPacket packet) || packet.IsIPv4 != (type == EtherType.IPv4))
                    return Drop(DropReason.TooShort);
                return packet.IsIPv4 ? DecideIPv4(packet, source, table) : DecideIPv6(packet, source, table);
            default:
                return Drop(DropReason.UnknownType);
        }
    }

    private static RouteDecision DecideIPv4(IpPacket packet, PeerRoute source, ForwardingTable table)
    {
        uint destination = packet.IPv4Destination;
        bool group = destination >> 28 == 0xe || destination == uint.MaxValue;
        return group && table.Options.Broadcast != BroadcastMode.No
            ? new() { Action = RouteAction.Broadcast }
            : DecideUnicast(packet, table.FindOwner(destination), source, table);
    }

    private static RouteDecision DecideIPv6(IpPacket packet, PeerRoute source, ForwardingTable table)
    {
        if (packet.Protocol == IpProtocol.IcmpV6 && packet.Payload is [NeighbourSolicitation, ..])
            return Neighbour(source);
        UInt128 destination = packet.IPv6Destination;
        bool group = (byte)(destination >> 120) == 0xff;
        return group && table.Options.Broadcast != BroadcastMode.No
            ? new() { Action = RouteAction.Broadcast }
            : DecideUnicast(packet, table.FindOwner(destination), source, table);
    }

    /// <summary>The tests of 6.4 in their order.</summary>
    private static RouteDecision DecideUnicast(IpPacket packet, PeerRoute? owner, PeerRoute source, ForwardingTable table)
    {
        ForwardingOptions options = table.Options;
        if (owner is null)
            return Refuse(DropReason.NoSubnet, IcmpProblem.UnknownDestination);
        if (owner.IsEveryone)
            return new() { Action = RouteAction.Broadcast };
        if (owner == source)
            return Drop(DropReason.RoutingLoop, owner);
        if (!owner.Reachable)
            return Refuse(DropReason.Unreachable, IcmpProblem.Unreachable, owner);

        bool transit = !source.IsSelf && !owner.IsSelf;
        if (transit && options.Forwarding == ForwardingMode.Off)
            return Refuse(DropReason.Prohibited, IcmpProblem.Prohibited, owner);

        PeerRoute via = owner.Via.IsSelf ? owner.NextHop : owner.Via;
        byte trafficClass = OuterClass(packet.TrafficClass, owner, options);
        RouteDecision decision = Deliver(owner, via, transit && options.DecrementTtl, trafficClass);
        if (via == source)
            return decision with { Action = RouteAction.Drop, Reason = DropReason.RoutingLoop };
        if (options.DirectOnly && via != owner)
            return decision with { Action = RouteAction.Refuse, Reason = DropReason.Prohibited, Problem = IcmpProblem.Prohibited };
        return decision;
    }

    /// <summary>The tests of 6.10 in their order; unlike the reference a frame never goes straight back, which would be a loop.</summary>
    private static RouteDecision DecideByMac(EthernetFrame frame, PeerRoute source, ForwardingTable table)
    {
        ForwardingOptions options = table.Options;
        if (table.FindOwner(frame.Destination) is not { IsEveryone: false } owner)
            return new() { Action = RouteAction.Broadcast };
        if (owner == source)
            return Drop(DropReason.RoutingLoop, owner);
        if (!owner.Reachable)
            return Drop(DropReason.Unreachable, owner);

        bool transit = !source.IsSelf && !owner.IsSelf;
        if (transit && options.Forwarding == ForwardingMode.Off)
            return Drop(DropReason.Prohibited, owner);

        PeerRoute via = owner.Via.IsSelf ? owner.NextHop : owner.Via;
        byte trafficClass = options.PriorityInheritance || owner.Protocol == NodeProtocol.FastMesh ? OuterClass(TrafficClassOf(frame), owner, options) : (byte)0;
        RouteDecision decision = Deliver(owner, via, transit && options.DecrementTtl, trafficClass);
        if (via == source)
            return decision with { Action = RouteAction.Drop, Reason = DropReason.RoutingLoop };
        if (options.DirectOnly && via != owner)
            return decision with { Action = RouteAction.Drop, Reason = DropReason.Prohibited };
        return decision;
    }

    /// <summary>All of the packet's if the user wants that, as in tincd; between FastMesh nodes the ECN bits in any case (<see cref="Congestion"/>).</summary>
    private static byte OuterClass(byte inner, PeerRoute owner, ForwardingOptions options) =>
        options.PriorityInheritance ? inner : owner.Protocol == NodeProtocol.FastMesh ? (byte)(inner & Congestion.Mask) : (byte)0;

    private static byte TrafficClassOf(EthernetFrame frame) =>
        frame.InnerType is EtherType.IPv4 or EtherType.IPv6 && IpPacket.TryRead(frame.Payload, out IpPacket packet) ? packet.TrafficClass : (byte)0;

    private static RouteDecision Neighbour(PeerRoute source) =>
        source.IsSelf ? new() { Action = RouteAction.Neighbour } : Drop(DropReason.Neighbour);

    private static RouteDecision Drop(DropReason reason, PeerRoute? owner = null) => new() { Action = RouteAction.Drop, Reason = reason, Owner = owner };

    private static RouteDecision Refuse(DropReason reason, IcmpProblem problem, PeerRoute? owner = null) =>
        new() { Action = RouteAction.Refuse, Reason = reason, Problem = problem, Owner = owner };

    private static RouteDecision Deliver(PeerRoute owner, PeerRoute via, bool countsHop, byte trafficClass) =>
        new() { Action = RouteAction.Deliver, Owner = owner, Via = via, CountsHop = countsHop, TrafficClass = trafficClass };
}
