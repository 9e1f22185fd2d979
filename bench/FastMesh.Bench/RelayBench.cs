using BenchmarkDotNet.Attributes;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>One shard without a kernel that passes datagrams of a node on to another one, unopened.</summary>
[MemoryDiagnoser]
public class RelayBench : IDisposable
{
    private readonly LoopPort _socket = new();
    private Shard _relay = null!;

    [GlobalSetup]
    public void Setup()
    {
        Graph graph = new("relay");
        foreach (string name in (string[])["a", "b"])
        {
            Node node = graph.GetOrAdd(name);
            graph.SetEdge(graph.Self, node, ("192.0.2." + (node.Id + 1), "655"), EdgeOptions.PmtuDiscovery | EdgeOptions.FastMesh, 10);
            graph.SetEdge(node, graph.Self, ("192.0.2.9", "655"), EdgeOptions.PmtuDiscovery | EdgeOptions.FastMesh, 10);
            (node.Protocol, node.UdpConfirmed, node.Mtu, node.MinMtu) = (NodeProtocol.FastMesh, true, 1435, 1435);
        }

        graph.Recompute([], []);
        ForwardingTable table = new(new ForwardingOptions(), graph, new SubnetTable(), []);
        ShardState state = new(0, table);
        ShardMailbox<ShardOrder>[] mailboxes = [new(2, 16)];
        DeviceTraits traits = new(mergesTcp: true, mergesUdp: true, overwritesMac: false, default);
        ShardPorts ports = new(new DummyPort(), traits, [_socket], [false], mailboxes[0]);
        _relay = new Shard(state, ports, new ShardMail(state, new(1, 16), mailboxes), () => table, () => default);
        _socket.Fill(table.Peers[0], table.Peers[1]);
    }

    /// <summary>44 datagrams of 1472 bytes.</summary>
    [Benchmark]
    public long Train()
    {
        _socket.Left = 1;
        _relay.ReadSocket(0);
        _relay.Turn(0);
        return _relay.Counters[ShardCounter.DatagramsOut];
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _relay?.Dispose();
        _socket.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A socket that hears the same train again and again.</summary>
    private sealed class LoopPort : IPacketPort
    {
        private const int Datagrams = 44, Size = 1472;

        private readonly byte[] _train = new byte[Datagrams * Size];
        private Endpoint _source;

        public int Left { get; set; }

        public int Descriptor => -1;

        public void Fill(PeerRoute source, PeerRoute destination)
        {
            _source = source.Address;
            for (int at = 0; at < _train.Length; at += Size)
            {
                destination.RelayId.Write(_train.AsSpan(at));
                source.RelayId.Write(_train.AsSpan(at + NodeId.Length));
            }
        }

        public int Receive(PacketBatch batch)
        {
            if (Left == 0)
                return 0;
            Left--;
            int tail = batch.Tail;
            _train.CopyTo(batch.Bytes(tail, _train.Length));
            ref Packet packet = ref batch.Add(tail, _train.Length);
            (packet.SegmentSize, packet.Endpoint) = (Size, _source);
            return 1;
        }

        public void Send(PacketBatch batch)
        {
        }

        public void Dispose()
        {
        }
    }
}
