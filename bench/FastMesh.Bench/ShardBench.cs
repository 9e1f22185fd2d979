using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>
/// Two shards without a kernel: packets of one device are routed, sealed, carried over as trains, opened, merged and given to the other device.
/// </summary>
[MemoryDiagnoser]
public class ShardBench : IDisposable
{
    private const int Packets = 2048, PerTurn = 64;
    private readonly SourcePort _device = new();
    private Shard _sender = null!, _receiver = null!;

    /// <summary>The session between them: tinc 1.0, tinc 1.1, FastMesh with either suite.</summary>
    [Params("legacy", "sptps", "aes", "chacha")]
    public string Session { get; set; } = "legacy";

    [GlobalSetup]
    public void Setup()
    {
        (Graph graph, Node peer) a = Network("a", "b"), b = Network("b", "a");
        Pair(a.peer, b.peer);
        PipePort wire = new();
        _sender = NewShard(Table(a.graph, 0x0a010000, 0x0a020000), _device, wire);
        ForwardingTable table = Table(b.graph, 0x0a020000, 0x0a010000);
        _receiver = NewShard(table, new DummyPort(), wire);
        wire.Sender = table.Peers[0].Address;
    }

    /// <summary>64 KiB of one TCP flow.</summary>
    [Benchmark]
    public long SuperPacket()
    {
        _device.Packet = s_super;
        _device.Header = new()
        {
            NeedsChecksum = true,
            Kind = SegmentationKind.TcpIPv4,
            SegmentSize = 1400,
            ChecksumStart = 34,
            ChecksumOffset = 16,
        };
        return Carry(1);
    }

    /// <summary>2048 UDP packets of 64 bytes.</summary>
    [Benchmark(OperationsPerInvoke = Packets)]
    public long SmallPackets()
    {
        _device.Packet = s_small;
        _device.Header = default;
        for (int i = 0; i < Packets / PerTurn; i++)
            Carry(PerTurn);
        return _receiver.Counters[ShardCounter.DevicePacketsOut];
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _sender?.Dispose();
        _receiver?.Dispose();
        _device.Dispose();
        GC.SuppressFinalize(this);
    }

    private static readonly byte[] s_super = IPv4(6, 20 + (46 * 1400)), s_small = IPv4(17, 8 + 64);

    private long Carry(int packets)
    {
        _device.Left = packets;
        _sender.ReadDevice();
        _sender.Turn(0);
        _receiver.ReadSocket(0);
        _receiver.Turn(0);
        return _receiver.Counters[ShardCounter.DevicePacketsOut];
    }

    private void Pair(Node toB, Node toA)
    {
        if (Session == "legacy")
        {
            LegacyKey legacy = LegacyKey.Generate(LegacySuite.Default, new SystemRandom());
            (toB.Sealer, toA.Opener) = (new LegacySealer(legacy, 0), new LegacyOpener(legacy, 16, 0, null));
            return;
        }

        DataSuite suite = Session switch
        {
            "sptps" => DataSuite.TincChaCha20Poly1305,
            "aes" => DataSuite.Aes256Gcm,
            _ => DataSuite.ChaCha20Poly1305,
        };
        byte[] key = new byte[DatagramKey.Length];
        SessionFormat format = Session == "sptps" ? SessionFormat.Sptps : SessionFormat.FastMesh;
        DatagramSession forth = new(format, suite, toA.RelayId, toB.RelayId, WithEthernet: false, HasIds: true, Owner: 0);
        toA.Protocol = toB.Protocol = format == SessionFormat.Sptps ? NodeProtocol.Sptps : NodeProtocol.FastMesh;
        (toB.Sealer, toA.Opener) = (new DatagramSealer(forth, key, new RecordCounter(), 0), new DatagramOpener(forth, key, 16, 0, null, 0));
    }

    private static Shard NewShard(ForwardingTable table, IPacketPort device, IPacketPort socket)
    {
        ShardMailbox<ShardOrder>[] mailboxes = [new(2, 16)];
        ShardState state = new(0, table);
        DeviceTraits traits = new(mergesTcp: true, mergesUdp: true, overwritesMac: false, default);
        ShardPorts ports = new(device, traits, [socket], [false], mailboxes[0]);
        return new Shard(state, ports, new ShardMail(state, new(1, 16), mailboxes), () => table, () => default);
    }

    private static (Graph Graph, Node Peer) Network(string self, string peer)
    {
        Graph graph = new(self);
        Node node = graph.GetOrAdd(peer);
        graph.SetEdge(graph.Self, node, ("192.0.2.1", "655"), EdgeOptions.PmtuDiscovery, 10);
        graph.SetEdge(node, graph.Self, ("192.0.2.2", "655"), EdgeOptions.PmtuDiscovery, 10);
        (node.Mtu, node.MinMtu) = (1454, 1454);
        return (graph, node);
    }

    private static ForwardingTable Table(Graph graph, uint own, uint peers)
    {
        SubnetTable subnets = new();
        subnets.Add(graph.Self, new(SubnetKind.IPv4, own, 16, Subnet.DefaultWeight));
        subnets.Add(graph.Nodes.First(node => node != graph.Self), new(SubnetKind.IPv4, peers, 16, Subnet.DefaultWeight));
        graph.Recompute([], []);
        return new ForwardingTable(new ForwardingOptions(), graph, subnets, []);
    }

    /// <summary>A frame from 10.1.0.1 to 10.2.0.1 whose transport header has the ports 1 and 2 and a right checksum.</summary>
    private static byte[] IPv4(byte protocol, int length)
    {
        byte[] frame = new byte[34 + length];
        Convert.FromHexString("0800" + "45000000" + "00004000" + "40000000" + "0A010001" + "0A020001" + "00010002").CopyTo(frame, 12);
        frame[23] = protocol;
        Span<byte> ip = frame.AsSpan(14), transport = frame.AsSpan(34);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
        Checksum.Write(ip.Slice(10, 2), Checksum.Sum(ip[..20]));
        if (protocol == IpProtocol.Tcp)
            (transport[12], transport[13]) = (0x50, 0x10);
        else
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)length);
        int field = protocol == IpProtocol.Tcp ? 16 : 6;
        Checksum.Write(transport.Slice(field, 2), Checksum.PseudoHeader(ip.Slice(12, 8), protocol, length) + Checksum.Sum(transport));
        return frame;
    }

    /// <summary>A device that has the same packet again and again.</summary>
    private sealed class SourcePort : IPacketPort
    {
        public byte[] Packet { get; set; } = [];

        public VirtioHeader Header { get; set; }

        public int Left { get; set; }

        public int Descriptor => -1;

        public int Receive(PacketBatch batch)
        {
            int count = 0;
            for (; Left > 0 && batch.Fits(Packet.Length); Left--, count++)
            {
                int offset = batch.Tail;
                Packet.CopyTo(batch.Bytes(offset, Packet.Length));
                batch.Add(offset, Packet.Length).Header = Header;
            }

            return count;
        }

        public void Send(PacketBatch batch)
        {
        }

        public void Dispose()
        {
        }
    }

    /// <summary>Both ends of a wire: what one shard sends the other receives, trains as trains.</summary>
    private sealed class PipePort : IPacketPort
    {
        private readonly byte[] _bytes = new byte[1 << 20];
        private readonly (int Offset, int Length, int SegmentSize)[] _trains = new (int, int, int)[256];
        private int _count, _used, _taken;

        public Endpoint Sender { get; set; }

        public int Descriptor => -1;

        public int Receive(PacketBatch batch)
        {
            int count = 0;
            for (; _taken < _count && batch.Fits(MmsgPort.ReceiveBuffer); _taken++, count++)
            {
                (int offset, int length, int segment) = _trains[_taken];
                int tail = batch.Tail;
                _bytes.AsSpan(offset, length).CopyTo(batch.Bytes(tail, length));
                ref Packet packet = ref batch.Add(tail, length);
                (packet.SegmentSize, packet.Endpoint) = (segment, Sender);
            }

            if (_taken == _count)
                (_count, _used, _taken) = (0, 0, 0);
            return count;
        }

        public void Send(PacketBatch batch)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                ref Packet packet = ref batch[i];
                batch.Bytes(i).CopyTo(_bytes.AsSpan(_used));
                _trains[_count++] = (_used, packet.Length, packet.SegmentSize);
                _used += packet.Length;
            }
        }

        public void Dispose()
        {
        }
    }
}
