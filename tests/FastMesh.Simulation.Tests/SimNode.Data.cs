using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

/// <summary>
/// What stands for the shards: sealing, opening, and the choice of hop and carrier (tinc 1.0 reference, 5.7; tinc 1.1 reference, 6.3 and 6.4) for frames
/// that carry a node's name as target.
/// </summary>
internal sealed partial class SimNode
{
    private const int UdpAndIpHeaders = 28, FrameHeader = 14, IdsLength = 2 * NodeId.Length;
    private static readonly TimeSpan s_natMemory = TimeSpan.FromSeconds(30);

    private readonly Dictionary<(string Kind, int Node), long> _reported = [];
    private readonly Dictionary<Endpoint, Instant> _sentTo = [];

    /// <summary>Sends a payload to a node through the VPN.</summary>
    /// <param name="target">Its name.</param>
    /// <param name="payload">What arrives there.</param>
    /// <param name="length">Length of the frame with its Ethernet header, bytes; 0: as short as possible.</param>
    public void SendTo(string target, string payload, int length = 0) => Forward(Frame(target, payload, length), byTcp: false);

    /// <summary>The first byte says IPv4, since sessions do not carry Ethernet headers.</summary>
    private static byte[] Frame(string target, string payload, int length)
    {
        byte[] frame = [.. new byte[12], 8, 0, .. Encoding.ASCII.GetBytes($"E{target}:{payload}:")];
        return [.. frame, .. new byte[Math.Max(0, length - frame.Length)]];
    }

    /// <summary>Orders about speed tests.</summary>
    public List<SpeedOrder> SpeedOrders { get; } = [];

    /// <summary>What was told of the own speed test.</summary>
    public List<SpeedReport> SpeedReports { get; } = [];

    private Instant _orderedAt;

    /// <summary>What shards would have counted: a thousand records, sent until the time ordered is over.</summary>
    private SpeedCounts CountSpeed() => SpeedOrders.LastOrDefault(order => order.Task > SpeedTask.Listen) is { Test: not 0 } order
        ? new(order.Run, _network.Now - _orderedAt < TimeSpan.FromMilliseconds(order.Milliseconds), 1000, 1_400_000, 1_000_000, 990, 1_386_000, 1_000_000, new(10, 2000, 100, 300))
        : new(0, false, 0, 0, 0, 990, 1_386_000, 1_000_000, default);

    private void Forward(byte[] frame, bool byTcp)
    {
        string[] parts = Encoding.ASCII.GetString(frame.AsSpan(FrameHeader + 1)).Split(':');
        if (parts[0] == Name)
        {
            Received.Add(parts[1]);
            return;
        }

        if (Table.Peers.SingleOrDefault(peer => peer.Name == parts[0]) is { Reachable: true } owner)
            Send(owner, frame, byTcp);
    }

    private void Send(PeerRoute owner, byte[] frame, bool byTcp)
    {
        PeerRoute hop = owner.HasIds ? owner : byTcp || owner.Via.IsSelf ? owner.NextHop : owner.Via;
        if (hop.HasIds && (owner.HasIds || !byTcp))
            SendInSession(hop, frame);
        else if (byTcp || UsesTcp(hop))
            SendByTcp(hop, frame, -1);
        else if (hop.Sealer is null)
            SendByTcp(hop.NextHop, frame, hop.Id);
        else if (hop.Options.HasFlag(EdgeOptions.PmtuDiscovery) && frame.Length > hop.MinMtu)
            SendByTcp(hop.NextHop, frame, -1);
        else
            SendByUdp(hop, hop, frame);
    }

    private void SendInSession(PeerRoute peer, byte[] frame)
    {
        Report("traffic", peer.Id, (mesh, now) => mesh.HandleTraffic(peer.Id, peer.Sealer is null, now));
        peer = Table.Find(peer.Id)!; // that may have got it a session
        bool byUdp = TryFindHop(peer, frame.Length + peer.Overhead, out PeerRoute hop);
        if ((!byUdp || peer.Sealer is null) && peer.HasConnection)
        {
            SendByTcp(peer, frame, -1);
        }
        else if (peer.Sealer is not null && byUdp)
        {
            SendByUdp(peer, hop, frame);
        }
        else if (peer.Sealer is not null)
        {
            Frames = Frames with { Tcp = Frames.Tcp + 1 };
            byte[] datagram = Seal(peer, frame, direct: false);
            Do((mesh, now) => mesh.HandleTcpDatagram(peer.Id, datagram, now));
        }
    }

    private bool TryFindHop(PeerRoute destination, int length, out PeerRoute hop)
    {
        hop = destination.Via.IsSelf || length > destination.Via.MaxDatagram ? destination.NextHop : destination.Via;
        return length <= hop.MaxDatagram && hop.HasIds && !UsesTcp(hop) && (hop == destination || hop.Protocol == NodeProtocol.FastMesh
            || (hop.Minor >= 4 && (destination.Protocol == NodeProtocol.Sptps || destination.Minor >= 4)));
    }

    private bool UsesTcp(PeerRoute hop) => ((Table.Self.Options | hop.Options) & EdgeOptions.TcpOnly) != 0;

    private void SendByUdp(PeerRoute peer, PeerRoute hop, byte[] frame)
    {
        Frames = Frames with { Udp = Frames.Udp + 1 };
        Transmit(hop, Seal(peer, frame, direct: hop == peer), hop.Address, frame.Length);
    }

    private void SendByTcp(PeerRoute hop, byte[] frame, int keyNeededFor)
    {
        Frames = Frames with { Tcp = Frames.Tcp + 1 };
        Do((mesh, now) => mesh.HandleTcpFrame(hop.Id, frame, keyNeededFor, now));
    }

    private static byte[] Seal(PeerRoute peer, byte[] frame, bool direct)
    {
        byte[] packet = [.. new byte[PacketSealer.Room], .. frame];
        byte[] output = new byte[peer.Sealer!.SealedLength(frame.Length) + FrameHeader]; // which probes keep
        return output[..peer.Sealer.Seal(packet, output, direct)];
    }

    private void Transmit(PeerRoute hop, byte[] datagram, Endpoint destination, int frameLength = 0)
    {
        if (LocalMtu is { } mtu && datagram.Length + UdpAndIpHeaders > mtu)
        {
            int length = hop.HasIds ? datagram.Length - hop.ProbeOverhead : frameLength;
            Do((mesh, now) => mesh.HandleTooBig(hop.Id, length, now));
            return;
        }

        _sentTo[destination] = _network.Now;
        bool isBroadcast = destination.IsIPv4 && destination.IPv4 == uint.MaxValue;
        foreach (SimNode target in _network.Nodes)
        {
            bool isHit = isBroadcast
                ? target != this && IsLocalTo(target)
                : destination == (IsLocalTo(target) ? target.Address : target.Public ?? target.Address);
            if (!isHit || datagram.Length + UdpAndIpHeaders > _network.PathMtu || _network.AreParted(this, target)
                || _network.BlocksUdp(this, target) || _network.Random.NextDouble() < _network.Loss)
                continue;
            Endpoint source = IsLocalTo(target) ? Address : Public ?? Address;
            _network.Later(() => target.ReceiveDatagram(source, datagram));
            if (_network.Random.NextDouble() < _network.Duplicates)
                _network.Later(() => target.ReceiveDatagram(source, datagram));
        }
    }

    private bool IsLocalTo(SimNode other) => Public is { } mine
        ? other.Public is { } theirs && mine.SameAddress(theirs)
        : other.Public is null;

    private void ReceiveDatagram(Endpoint source, byte[] datagram)
    {
        bool isOutside = IsGuarded && !_network.Nodes.Any(node => node.Address == source && IsLocalTo(node));
        if (!IsUp || (isOutside && (!_sentTo.TryGetValue(source, out Instant last) || _network.Now - last > s_natMemory)))
            return;
        if (!Table.TryFindByAddress(source, out PeerRoute? from))
            Do((mesh, now) => mesh.HandleUnknownDatagram(source, 0, datagram, now));
        else if (!from.HasIds)
            OpenDatagram(from, datagram, isDirect: true);
        else if (datagram.Length > IdsLength)
            ReceiveWithIds(from, source, datagram);
    }

    private void ReceiveWithIds(PeerRoute from, Endpoint address, byte[] datagram)
    {
        NodeId target = NodeId.Read(datagram);
        if (!Table.TryFindById(NodeId.Read(datagram.AsSpan(NodeId.Length)), out PeerRoute? source) || source.IsSelf)
        {
            Strays++;
        }
        else if (!target.IsZero && target != Table.Self.RelayId)
        {
            if (from.UdpConfirmed && Table.TryFindById(target, out PeerRoute? destination) && destination.Reachable)
                Relay(destination, datagram);
        }
        else if (!source.HasIds)
        {
            Strays++;
        }
        else if (target.IsZero && source != from && source.Address != address)
        {
            Strays++; // tinc 1.1 would take the sender to be the node at the address
            Do((mesh, now) => mesh.HandleUnknownDatagram(address, 0, datagram, now));
        }
        else if (target.IsZero || target == Table.Self.RelayId)
        {
            OpenDatagram(source, datagram, isDirect: target.IsZero || source == from);
            if (!target.IsZero && source != from)
                Report("relayed", source.Id, (mesh, now) => mesh.HandleRelayed(source.Id, from.Id, now));
        }
    }

    private void Relay(PeerRoute destination, byte[] datagram)
    {
        Relayed++;
        Report("traffic", destination.Id, (mesh, now) => mesh.HandleTraffic(destination.Id, destination.Sealer is null, now));
        if (TryFindHop(destination, datagram.Length, out PeerRoute hop))
            Transmit(hop, datagram, hop.Address);
        else
            Do((mesh, now) => mesh.HandleTcpDatagram(destination.Id, datagram, now));
    }

    private void OpenDatagram(PeerRoute peer, byte[] datagram, bool isDirect)
    {
        if (peer.Opener is not { } opener || datagram.Length < opener.MinDatagram)
            return;
        byte[] output = new byte[opener.OutputLength(datagram.Length)];
        OpenResult result = opener.Open(datagram, output, out int offset, out int length);
        if (result == OpenResult.Opened)
        {
            Take(peer, output[offset..(offset + length)], isDirect);
        }
        else if (result != OpenResult.Replayed)
        {
            Strays++;
            Report("failed", peer.Id, (mesh, now) => mesh.HandleOpenFailed(peer.Id, now));
        }
    }

    private void Take(PeerRoute peer, byte[] frame, bool isDirect)
    {
        if (frame[12] != 0 || frame[13] != 0)
            Forward(frame, byTcp: false);
        else if (SpeedRecord.IsOne(frame))
            Do((mesh, now) => mesh.HandleSpeedRecord(peer.Id, frame, now));
        else if (isDirect)
            Do((mesh, now) => mesh.HandleProbe(peer.Id, frame, now));
    }

    /// <summary>Once per second and node, as shards do.</summary>
    private void Report(string kind, int node, Action<Mesh, Instant> input)
    {
        if (_reported.TryGetValue((kind, node), out long last) && last == _network.Now.Second)
            return;
        _reported[(kind, node)] = _network.Now.Second;
        Do(input);
    }
}
