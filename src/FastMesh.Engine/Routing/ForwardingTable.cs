using System.Diagnostics.CodeAnalysis;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Routing;

/// <summary>
/// An immutable snapshot of all that shards need to forward packets: nodes, subnets, addresses and sessions. Built by the
/// control plane after a change, published by one volatile write, read once per turn by each shard.
/// </summary>
public sealed class ForwardingTable
{
    /// <summary>A number of four bytes times this one has the sum of the bytes, modulo 256, in its highest byte.</summary>
    public const uint AddBytes = 0x0101_0101;

    private readonly PeerRoute?[] _peers;
    private readonly PrefixSnapshot _ipv4, _ipv6, _macs;
    private readonly Dictionary<ulong, LearnedMac> _learned = [];
    private readonly Dictionary<Endpoint, PeerRoute> _byAddress = [];
    private readonly Dictionary<NodeId, PeerRoute> _byId = [];

    /// <summary>Takes a snapshot.</summary>
    /// <param name="options">The fixed settings.</param>
    /// <param name="graph">Nodes after <see cref="Graph.Recompute"/>.</param>
    /// <param name="subnets">All subnets.</param>
    /// <param name="learned">Ethernet addresses seen on the own device.</param>
    public ForwardingTable(ForwardingOptions options, Graph graph, SubnetTable subnets, IEnumerable<LearnedMac> learned)
    {
        Options = options;
        _peers = new PeerRoute?[graph.IdLimit];
        foreach (Node node in graph.Nodes)
            _peers[node.Id] = new PeerRoute(node, node == graph.Self, options.Mode);
        Self = _peers[graph.Self.Id]!;
        Self.Options = options.LocalOptions;

        foreach (Node node in graph.Nodes)
            Link(node);
        Peers = [.. _peers.Where(peer => peer is { IsSelf: false }).Select(peer => peer!)];
        (_macs, _ipv4, _ipv6) = (subnets.Prefixes(SubnetKind.Mac), subnets.Prefixes(SubnetKind.IPv4), subnets.Prefixes(SubnetKind.IPv6));
        foreach (LearnedMac mac in learned)
            _learned[mac.Address.Value] = mac;
    }

    /// <summary>
    /// The shard that owns the sessions with a node: where the kernel delivers datagrams from its address, so that they need not be handed
    /// over. The shards take neighbouring addresses in turn. Ports do not count, because address translation changes them.
    /// </summary>
    /// <param name="address">The node's UDP address; if none is known, <paramref name="id"/> decides.</param>
    /// <param name="id">The node's <see cref="Node.Id"/>.</param>
    /// <param name="shards">Number of shards.</param>
    public static int OwnerShard(in Endpoint address, int id, int shards)
    {
        uint choice = (uint)id;
        if (address.IsSet)
        {
            UInt128 bits = address.IsIPv4 ? address.IPv4 : address.IPv6;
            uint words = unchecked((uint)(bits >> 96) + (uint)(bits >> 64) + (uint)(bits >> 32) + (uint)bits);
            choice = unchecked(words * AddBytes) >> 24;
        }

        return (int)(choice % (uint)Math.Max(1, shards));
    }

    /// <summary>The fixed settings.</summary>
    public ForwardingOptions Options { get; }

    /// <summary>The daemon itself.</summary>
    public PeerRoute Self { get; }

    /// <summary>All other known nodes.</summary>
    public IReadOnlyList<PeerRoute> Peers { get; }

    /// <summary>A number above every <see cref="Node.Id"/> so far.</summary>
    public int IdLimit => _peers.Length;

    /// <summary>The node with that <see cref="Node.Id"/>, or null if it is gone.</summary>
    public PeerRoute? Find(int id) => (uint)id < (uint)_peers.Length ? _peers[id] : null;

    /// <summary>The node that an id stands for, self included.</summary>
    public bool TryFindById(NodeId id, [NotNullWhen(true)] out PeerRoute? peer) => _byId.TryGetValue(id, out peer);

    /// <summary>
    /// The node whose UDP address is <paramref name="source"/>; of several one that is confirmed there, else the first in name order.
    /// </summary>
    public bool TryFindByAddress(in Endpoint source, [NotNullWhen(true)] out PeerRoute? peer) =>
        _byAddress.TryGetValue(source, out peer);

    /// <summary>
    /// The owner of an IPv4 destination: of all matching subnets whose owner is reachable the longest, lightest; if none is
    /// reachable an unreachable owner; null if no subnet matches (tinc 1.0 reference, 6.2).
    /// </summary>
    public PeerRoute? FindOwner(uint ipv4) => _ipv4.Find(ipv4, _peers);

    /// <summary>The owner of an IPv6 destination, as for IPv4.</summary>
    public PeerRoute? FindOwner(UInt128 ipv6) => _ipv6.Find(ipv6, _peers);

    /// <summary>The owner of an Ethernet address; addresses match exactly.</summary>
    public PeerRoute? FindOwner(MacAddress mac) => _macs.Find(mac.Value, _peers);

    /// <summary>The record of an address learned on the own device, to be touched; false if it must be reported as new.</summary>
    public bool TryFindLearned(MacAddress mac, [NotNullWhen(true)] out LearnedMac? learned) =>
        _learned.TryGetValue(mac.Value, out learned);

    private void Link(Node node)
    {
        PeerRoute route = _peers[node.Id]!;
        if (node.NextHop is { } nextHop && Find(nextHop.Id) is { } hopRoute)
            route.NextHop = hopRoute;
        if (node.Via is { } via && Find(via.Id) is { } viaRoute)
            route.Via = viaRoute;
        _byId.TryAdd(route.RelayId, route);
        if (route.IsSelf || !route.Address.IsSet)
            return;
        if (!_byAddress.TryAdd(route.Address, route) && route.UdpConfirmed && !_byAddress[route.Address].UdpConfirmed)
            _byAddress[route.Address] = route;
    }
}
