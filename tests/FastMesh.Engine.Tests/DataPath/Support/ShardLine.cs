using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>
/// Shards in a line, a - b or a - m - b, whose sockets are joined by a network that may cut trains up, and lose, repeat or damage datagrams.
/// Addresses and MACs are those of <see cref="TestPacket"/>, from a to b.
/// </summary>
internal sealed class ShardLine : IDisposable
{
    private static readonly string[] s_subnetsOfA = ["10.20.1.0/24", "fd00::1", "2:0:0:0:0:1"], s_subnetsOfB = ["10.20.2.0/24", "fd00::2", "2:0:0:0:0:2"];
    private readonly List<TestShard> _shards = [];
    private readonly List<Dictionary<Endpoint, (TestShard To, Endpoint From)>> _links = [];

    /// <summary>Brings up the line.</summary>
    /// <param name="suite">Suite of the sessions; null: tinc 1.0.</param>
    /// <param name="mode">Router or switch.</param>
    /// <param name="relayed">Whether m is in between.</param>
    public ShardLine(DataSuite? suite, RoutingMode mode, bool relayed)
    {
        string[] names = relayed ? ["a", "m", "b"] : ["a", "b"];
        TestNetwork[] networks = [.. names.Select(name => new TestNetwork(name) { Options = new() { Mode = mode } })];
        Node[][] nodes = [.. names.Select((_, i) => AddNodes(networks[i], names, i, suite))];
        for (int i = 0; i < names.Length; i++)
        {
            networks[i].Own(names[i] == "a" ? networks[i].Self : nodes[i][0], s_subnetsOfA);
            networks[i].Own(names[i] == "b" ? networks[i].Self : nodes[i][^1], s_subnetsOfB);
        }

        if (suite is { } aead)
            TestNetwork.Pair(nodes[0][^1], nodes[^1][0], aead, withEthernet: mode == RoutingMode.Switch);
        for (int i = 0; suite is null && i + 1 < names.Length; i++)
            TestNetwork.Pair(nodes[i][i + 1], nodes[i + 1][i], LegacySuite.Default);
        foreach (TestNetwork network in networks)
            _shards.Add(new TestShard(network.Build()));
        for (int i = 0; i < names.Length; i++)
            _links.Add(LinksOf(i, nodes));
    }

    /// <summary>The shard whose device the traffic comes from.</summary>
    public TestShard Source => _shards[0];

    /// <summary>The shard whose device it is for.</summary>
    public TestShard Target => _shards[^1];

    /// <summary>All of them.</summary>
    public IReadOnlyList<TestShard> Shards => _shards;

    /// <summary>Carries everything that was sent, until nothing moves.</summary>
    /// <param name="random">Decides how trains are cut up; null: they arrive as they were sent.</param>
    /// <param name="disturb">What becomes of a datagram: none, one or several; null: it arrives.</param>
    public void Carry(Random? random = null, Func<byte[], IEnumerable<byte[]>>? disturb = null)
    {
        while (_shards.Exists(shard => shard.Socket4.Output.Count > 0))
        {
            for (int i = 0; i < _shards.Count; i++)
            {
                Captured[] trains = [.. _shards[i].Socket4.Output];
                _shards[i].Socket4.Output.Clear();
                foreach (Captured train in trains)
                {
                    (TestShard to, Endpoint from) = _links[i][train.Endpoint];
                    foreach (Captured piece in Pieces(train, random, disturb))
                        to.Socket4.Input.Enqueue(piece with { Endpoint = from });
                }
            }

            foreach (TestShard shard in _shards)
            {
                shard.Work();
                shard.Reports(); // or their ring is full one day
            }
        }
    }

    public void Dispose() => _shards.ForEach(shard => shard.Dispose());

    /// <summary>All nodes of the line as one of them sees them, itself included.</summary>
    private static Node[] AddNodes(TestNetwork network, string[] names, int self, DataSuite? suite)
    {
        EdgeOptions options = TestNetwork.Sptps & ~EdgeOptions.ClampMss; // packets shall arrive as they are
        Node[] nodes = new Node[names.Length];
        for (int i = self - 1; i >= 0; i--)
            nodes[i] = Add(i, i == self - 1 ? network.Self : nodes[i + 1]);
        for (int i = self + 1; i < names.Length; i++)
            nodes[i] = Add(i, i == self + 1 ? network.Self : nodes[i - 1]);
        nodes[self] = network.Self;
        return nodes;

        Node Add(int number, Node hop)
        {
            bool next = hop == network.Self;
            Node node = next ? network.Neighbour(names[number], options) : network.Behind(names[number], hop, options | EdgeOptions.Indirect);
            (node.Mtu, node.MinMtu) = (Node.MaxFrameLength, next || suite is null ? Node.MaxFrameLength : 0);
            if (suite is { } aead)
            {
                node.Protocol = aead == DataSuite.TincChaCha20Poly1305 ? NodeProtocol.Sptps : NodeProtocol.FastMesh;
                node.UdpConfirmed = next;
            }

            return node;
        }
    }

    /// <summary>Where datagrams of shard i to an address go, and which address they come from.</summary>
    private Dictionary<Endpoint, (TestShard To, Endpoint From)> LinksOf(int i, Node[][] nodes) =>
        new[] { i - 1, i + 1 }.Where(other => other >= 0 && other < nodes.Length)
            .ToDictionary(other => nodes[i][other].Address, other => (_shards[other], nodes[other][i].Address));

    private static List<Captured> Pieces(Captured train, Random? random, Func<byte[], IEnumerable<byte[]>>? disturb)
    {
        if (random is null)
            return [train];
        int size = train.SegmentSize == 0 ? train.Bytes.Length : train.SegmentSize, together = random.Next(3) == 0 ? random.Next(1, 10) : 64;
        List<byte[]> datagrams = [];
        for (int at = 0; at < train.Bytes.Length; at += size)
            datagrams.AddRange((disturb ?? (bytes => [bytes]))(train.Bytes[at..Math.Min(at + size, train.Bytes.Length)]));
        List<Captured> pieces = [];
        foreach (byte[] datagram in datagrams)
        {
            bool joins = pieces.Count > 0 && pieces[^1].SegmentSize >= datagram.Length
                && pieces[^1].Bytes.Length % pieces[^1].SegmentSize == 0 && pieces[^1].Bytes.Length < together * pieces[^1].SegmentSize;
            if (joins)
                pieces[^1] = pieces[^1] with { Bytes = [.. pieces[^1].Bytes, .. datagram] };
            else
                pieces.Add(train with { Bytes = datagram, SegmentSize = datagram.Length });
        }

        return pieces;
    }
}
