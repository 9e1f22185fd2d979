using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>A hand-built mesh seen from the node "self", to make forwarding tables of.</summary>
internal sealed class TestNetwork(string self = "self")
{
    public const EdgeOptions Usual = EdgeOptions.PmtuDiscovery | EdgeOptions.ClampMss;

    private readonly Graph _graph = new(self);
    private readonly SubnetTable _subnets = new();
    private readonly List<LearnedMac> _learned = [];

    public ForwardingOptions Options { get; set; } = new();

    public Node Self => _graph.Self;

    /// <summary>A node with a meta connection to self, a UDP address, and a proven path of 1451 bytes.</summary>
    public Node Neighbour(string name, params string[] subnets) => Neighbour(name, Usual, subnets);

    public Node Neighbour(string name, EdgeOptions options, params string[] subnets)
    {
        Node node = Behind(name, Self, options, subnets);
        node.HasConnection = true;
        return node;
    }

    /// <summary>A node whose only edge leads to <paramref name="hop"/>.</summary>
    public Node Behind(string name, Node hop, EdgeOptions options, params string[] subnets)
    {
        Node node = _graph.GetOrAdd(name);
        _graph.SetEdge(hop, node, ("192.0.2." + (node.Id + 1), "655"), options, 10);
        _graph.SetEdge(node, hop, ("192.0.2." + (hop.Id + 1), "655"), options, 10);
        (node.Mtu, node.MinMtu) = (1451, 1451);
        Own(node, subnets);
        return node;
    }

    /// <summary>Options of a tinc 1.1 node, and of a FastMesh node in a tinc 1.0 directory.</summary>
    public const EdgeOptions Sptps = Usual | (EdgeOptions)(7u << 24), FastMesh = Usual | EdgeOptions.FastMesh;

    /// <summary>Makes a node speak a protocol, with UDP confirmed.</summary>
    public static Node Speaking(NodeProtocol protocol, Node node)
    {
        (node.Protocol, node.UdpConfirmed) = (protocol, true);
        return node;
    }

    public void Own(Node node, params string[] subnets)
    {
        foreach (string text in subnets)
        {
            Assert.True(Subnet.TryParse(text, out Subnet subnet), text);
            _subnets.Add(node, subnet);
        }
    }

    public LearnedMac Learned(MacAddress mac)
    {
        _learned.Add(new LearnedMac(mac, default));
        _subnets.Add(Self, Subnet.FromMac(mac));
        return _learned[^1];
    }

    /// <summary>A node nobody has an edge to.</summary>
    public Node Unreachable(string name, params string[] subnets)
    {
        Node node = _graph.GetOrAdd(name);
        Own(node, subnets);
        return node;
    }

    public ForwardingTable Build()
    {
        _graph.Recompute([], []);
        return new ForwardingTable(Options, _graph, _subnets, _learned);
    }

    /// <summary>Gives two nodes of two networks keys for each other.</summary>
    public static void Pair(Node toB, Node toA, LegacySuite suite, int ownerA = 0, int ownerB = 0)
    {
        SystemRandom random = new();
        LegacyKey forB = LegacyKey.Generate(suite, random), forA = LegacyKey.Generate(suite, random);
        (toB.Sealer, toA.Opener) = (new LegacySealer(forB, ownerA), new LegacyOpener(forB, 16, ownerB, null));
        (toA.Sealer, toB.Opener) = (new LegacySealer(forA, ownerB), new LegacyOpener(forA, 16, ownerA, null));
    }

    /// <summary>Gives two nodes of two networks a session with ids; in router mode, without Ethernet headers. With several shards each sends in its lane.</summary>
    public static void Pair(Node toB, Node toA, DataSuite suite, int ownerA = 0, int ownerB = 0, bool withEthernet = false, int shards = 1)
    {
        bool sptps = suite == DataSuite.TincChaCha20Poly1305;
        SessionFormat format = sptps ? SessionFormat.Sptps : SessionFormat.FastMesh;
        toA.Protocol = toB.Protocol = sptps ? NodeProtocol.Sptps : NodeProtocol.FastMesh;
        (toB.Sealer, toA.Opener) = Direction(toA, ownerA, toB, ownerB);
        (toA.Sealer, toB.Opener) = Direction(toB, ownerB, toA, ownerA);

        (DatagramSealer, DatagramOpener) Direction(Node from, int sealing, Node to, int opening)
        {
            byte[] key = new byte[DatagramKey.Length];
            new SystemRandom().Fill(key);
            bool partial = suite == DataSuite.Aes256Gcm; // so that both ways are tested
            DatagramSession session = new(format, suite, from.RelayId, to.RelayId, withEthernet, HasIds: true, sealing, partial);
            if (sptps)
                return (new DatagramSealer(session, key, new RecordCounter(), 0), new DatagramOpener(session with { Owner = opening }, key, 128, 0, null, 0));
            return (DatagramSealer.Create(session, key, 0, shards), DatagramOpener.Create(session with { Owner = opening }, key, 128, 0, null, shards, shards));
        }
    }

    /// <summary>A key to seal for a node whose own side does not matter.</summary>
    public static LegacySealer NewSealer(int owner = 0) => new(LegacyKey.Generate(LegacySuite.Default, new SystemRandom()), owner);
}
