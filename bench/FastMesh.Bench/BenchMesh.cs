using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>What one node knows of its neighbours, and shards that go by it. Left has 10.1.0.0/16, other ends have 10.2.0.0/16 and 10.3.0.0/16.</summary>
internal sealed class BenchMesh
{
    private readonly Graph _graph;
    private readonly SubnetTable _subnets = new();
    private ForwardingTable? _table;

    public BenchMesh(string self, params string[] peers)
    {
        _graph = new(self);
        Peers = [.. peers.Select(_graph.GetOrAdd)];
        foreach (Node node in Peers)
        {
            _graph.SetEdge(Self, node, ($"192.0.2.{node.Id + 1}", "655"), EdgeOptions.PmtuDiscovery, 10);
            _graph.SetEdge(node, Self, ("192.0.2.9", "655"), EdgeOptions.PmtuDiscovery, 10);
        }

        _graph.Recompute([], []);
        foreach (Node node in _graph.Nodes.Where(node => NetworkOf(node) != 0))
            _subnets.Add(node, new(SubnetKind.IPv4, NetworkOf(node), 16, Subnet.DefaultWeight));
    }

    public Node Self => _graph.Self;

    public Node[] Peers { get; }

    /// <summary>The /16 of an end; 0 for a node that has none.</summary>
    public static uint NetworkOf(Node node) => node.Name switch { "left" => 0x0a010000, "right" => 0x0a020000, "other" => 0x0a030000, _ => 0 };

    /// <summary>What shards see, once <see cref="SetProtocol"/> was called and sessions are there.</summary>
    public ForwardingTable Table => _table ??= new(new ForwardingOptions(), _graph, _subnets, []);

    /// <summary>Full-sized frames go to all by UDP.</summary>
    public void SetProtocol(string session)
    {
        foreach (Node node in Peers)
        {
            node.Protocol = session switch
            {
                Sessions.Legacy => NodeProtocol.Legacy,
                Sessions.Sptps => NodeProtocol.Sptps,
                _ => NodeProtocol.FastMesh,
            };
            node.Options |= node.Protocol == NodeProtocol.Sptps ? (EdgeOptions)(7u << 24) : EdgeOptions.None; // tinc 1.1 can relay
            (node.UdpConfirmed, node.Mtu, node.MinMtu) = (true, 1454, 1454);
        }
    }

    /// <summary>A shard that is not run as a thread: its methods are called.</summary>
    public Shard MakeShard(IPacketPort device, IPacketPort socket, int index = 0)
    {
        ForwardingTable table = Table;
        ShardMailbox<ShardOrder>[] mailboxes = [.. Enumerable.Range(0, index + 1).Select(_ => new ShardMailbox<ShardOrder>(2 + index, 16))];
        ShardState state = new(index, table);
        DeviceTraits traits = new(mergesTcp: true, mergesUdp: true, overwritesMac: false, default);
        ShardPorts ports = new(device, traits, [socket], [false], mailboxes[index]);
        return new Shard(state, ports, new ShardMail(state, new(1 + index, 16), mailboxes), () => table, () => default);
    }
}
