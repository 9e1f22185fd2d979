using System.Globalization;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>UDP_INFO and MTU_INFO: nodes along a way of relays tell each other what they see (tinc 1.1 reference, 7.5).</summary>
public sealed partial class Mesh
{
    /// <summary><c>FROM TO ADDRESS PORT</c>: how FROM is seen over UDP.</summary>
    private bool HandleUdpInfo(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryName(out string aboutName) || !fields.TryName(out string toName)
            || !fields.TryText(out string address) || !fields.TryText(out string port))
            return Refuse(from, MetaRequest.UdpInfo, "unparsable");
        UpdateGraph(now);
        if (!TryFindPair(from, MetaRequest.UdpInfo, aboutName, toName, out Node? about, out Node? to) || about.Via != about)
            return true;

        if (ConnectionTo(about) is null && Endpoint.TryParse(address, port, out Endpoint seen))
            HintAddress(about, seen, now);
        if (to != Self)
            SendUdpInfo(about, to, now);
        else if (!about.UdpConfirmed && PeerOf(about).Discovery.IsBusy(now))
            SendUdpInfo(Self, about, now); // who is told this looks for a direct way, which has to be opened from both ends
        return true;
    }

    /// <summary><c>FROM TO MTU</c>: how large packets to FROM may be.</summary>
    private bool HandleMtuInfo(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryName(out string aboutName) || !fields.TryName(out string toName) || !fields.TryInt(out int mtu)
            || mtu < ProtocolLimits.MinMtuInfo)
            return Refuse(from, MetaRequest.MtuInfo, "unparsable");
        UpdateGraph(now);
        if (!TryFindPair(from, MetaRequest.MtuInfo, aboutName, toName, out Node? about, out Node? to))
            return true;

        mtu = Math.Min(mtu, Node.MaxFrameLength);
        if (!HasFixedMtu(about) && about.Mtu != mtu)
        {
            about.Mtu = mtu;
            _tableChanged = true;
        }

        SendMtuInfo(about, to, mtu, now);
        return true;
    }

    /// <summary>Whom an info is about and for; what concerns us or nodes that are gone is only logged.</summary>
    private bool TryFindPair(
        MetaConnection from,
        MetaRequest request,
        string aboutName,
        string toName,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Node? about,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Node? to)
    {
        (about, to) = (_graph.Find(aboutName), _graph.Find(toName));
        if (about is { Reachable: true } && about != Self && to is not null)
            return true;
        _log.Status.UnknownNode(NameOf(request), from, $"{aboutName} or {toName}");
        return false;
    }

    /// <summary>
    /// Session traffic of <paramref name="source"/> arrived otherwise than by UDP from itself or its static relay: a request for a session (REQ_KEY 15
    /// or 101), or a datagram by TCP (5.3, 6.3). Lets it know how it may reach us, if the traffic is for this node or for one whose static relay this
    /// node is; and looks for the way to it, since what comes in may need one that is open from both ends.
    /// </summary>
    private void NoteIndirect(Node source, Node destination, Instant now)
    {
        if (source == Self || (destination != Self && destination.Via != Self))
            return;
        SendUdpInfo(Self, source, now);
        if (destination == Self)
            TendPath(PeerOf(source), now);
    }

    /// <summary>Tells a node how large packets to us may be, unless that was done lately: after REQ_KEY 15 and each ANS_KEY of its handshake (5.3).</summary>
    private void OfferMtu(Node to, Instant now) => SendMtuInfo(Self, to, Node.MaxFrameLength, now);

    private void SendUdpInfo(Node about, Node to, Instant now)
    {
        Node? target = RelayOf(to);
        if (target is not { Reachable: true, NextHop: { } hop } || target == Self || !Understands(hop, 5)
            || ConnectionTo(hop) is not { } connection || (about == Self && ConnectionTo(target) is not null)
            || ((_settings.Forwarding.LocalOptions | about.Options | target.Options) & EdgeOptions.TcpOnly) != 0)
            return;

        Endpoint address = about.Address;
        if (about == Self)
        {
            Peer peer = PeerOf(target);
            if (peer.UdpInfoSent is { } last && now - last < _settings.UdpInfoInterval)
                return;
            peer.UdpInfoSent = now;
            address = OwnAddressAt(hop);
        }

        Send(connection, MetaRequest.UdpInfo, MetaWriter.UdpInfo((about.Name, target.Name), TextOf(address)), now);
    }

    private void SendMtuInfo(Node about, Node to, int mtu, Instant now)
    {
        if (to is not { Reachable: true, NextHop: { } hop } || to == Self || !Understands(hop, 6) || ConnectionTo(hop) is not { } connection)
            return;
        if (about == Self)
        {
            Peer peer = PeerOf(to);
            if (peer.Connection is not null || (peer.MtuInfoSent is { } last && now - last < _settings.MtuInfoInterval))
                return;
            peer.MtuInfoSent = now;
        }
        else if (RelayOf(about) is { } relay)
        {
            if (about.Via == Self && HasFixedMtu(about))
                mtu = about.MinMtu;
            else if (HasFixedMtu(relay))
                mtu = Math.Min(mtu, relay.MinMtu);
            else if (relay.NextHop is { } next && HasFixedMtu(next))
                mtu = Math.Min(mtu, next.MinMtu);
        }

        if (mtu >= ProtocolLimits.MinMtuInfo) // less ends the connection
            Send(connection, MetaRequest.MtuInfo, MetaWriter.MtuInfo((about.Name, to.Name), mtu), now);
    }

    /// <summary>The node that datagrams to <paramref name="node"/> are sent to: itself, its static relay, or the next hop (6.4).</summary>
    private Node? RelayOf(Node node) => node.Via == Self ? node.NextHop : node.Via;

    /// <summary>Whether a neighbour knows the requests of a minor version (6.5); to others they would be fatal.</summary>
    private static bool Understands(Node hop, int minor) => hop.Minor >= minor || hop.Protocol == NodeProtocol.FastMesh;

    private static bool HasFixedMtu(Node node) => node.MinMtu > 0 && node.MinMtu == node.MaxMtu;

    /// <summary>What a message about ourselves says, though every hop puts its own view in place of it.</summary>
    private Endpoint OwnAddressAt(Node hop)
    {
        Edge? edge = Graph.FindEdge(Self, hop);
        return edge?.LocalAddress.IsSet == true ? edge.LocalAddress : edge?.Reverse?.Address ?? default;
    }

    private static (string Address, string Port) TextOf(Endpoint address) =>
        address.IsSet ? (address.AddressText, address.Port.ToString(CultureInfo.InvariantCulture)) : ("unspec", "unspec");
}
