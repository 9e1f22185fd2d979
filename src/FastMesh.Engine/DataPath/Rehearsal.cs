using System.Buffers.Binary;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Once after the start, on threads of its own: two shards in this process send each other packets over loopback until the runtime has compiled their
/// whole way with full optimisation. Otherwise it would do so during the first thousands of packets, each of which takes 100 µs longer meanwhile.
/// </summary>
internal sealed class Rehearsal : IDisposable
{
    /// <summary>The runtime looks at what is called often only after 100 ms without new code, and does so twice before it optimises fully.</summary>
    private const int Rounds = 500;

    private const int MaxPacket = 65536, SegmentSize = 1400, PacketsPerRound = 3;
    private const int LargeEvery = 16; // what is called most often is what lone packets should find fast
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;
    private int _arrived;

    /// <summary>Begins.</summary>
    /// <param name="suite">The cipher of sessions with FastMesh nodes.</param>
    /// <param name="clock">The monotonic clock.</param>
    public Rehearsal(DataSuite suite, Func<Instant> clock)
    {
        _thread = new Thread(() => Run(suite, clock)) { IsBackground = true, Name = "rehearsal" };
        _thread.Start();
    }

    /// <summary>Packets that arrived at the other end so far.</summary>
    public int Arrived => Volatile.Read(ref _arrived);

    /// <summary>Waits until it has ended itself.</summary>
    public void Wait() => _thread.Join();

    /// <summary>Ends it, if it has not ended itself.</summary>
    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Run(DataSuite suite, Func<Instant> clock)
    {
        try
        {
            using End left = new("left", "right", 1), right = new("right", "left", 2);
            Connect(left, right, suite);
            left.Start(clock);
            right.Start(clock);
            byte[] small = [.. new byte[VirtioHeader.Length], .. Tcp(1, 2, 100)], large = Super(Tcp(1, 2, 60_000)), answer = [.. new byte[VirtioHeader.Length], .. Tcp(2, 1, 0)];
            for (int round = 0; round < Rounds && !_stop.Wait(2); round++)
            {
                for (int i = 0; i < PacketsPerRound; i++)
                    _arrived += left.Exchange(round % LargeEvery == 0 ? large : small) + right.Exchange(answer);
            }
        }
        catch (Exception e) when (e is IOException or LinuxException)
        {
            // Without loopback or descriptors the first packets do it.
        }
    }

    private static void Connect(End left, End right, DataSuite suite)
    {
        byte[] key = new byte[DatagramKey.Length];
        left.Peer.Sealer = Sealer(left, right);
        right.Peer.Sealer = Sealer(right, left);
        left.Peer.Opener = Opener(right, left);
        right.Peer.Opener = Opener(left, right);
        left.Listen(right);
        right.Listen(left);

        DatagramSession Session(End from, End to) => new(
            SessionFormat.FastMesh, suite, from.Self.RelayId, to.Self.RelayId, WithEthernet: false, HasIds: true, Owner: 0, PartialChecksums: true);
        DatagramSealer Sealer(End from, End to) => new(Session(from, to), key, new RecordCounter(), compression: 0);
        DatagramOpener Opener(End from, End to) => new(Session(from, to), key, 1024, compression: 0, previous: null, nextSequence: 0);
    }

    private static byte[] Super(byte[] packet)
    {
        VirtioHeader header = new()
        {
            NeedsChecksum = true,
            Kind = SegmentationKind.TcpIPv4,
            HeaderLength = 40,
            SegmentSize = SegmentSize,
            ChecksumStart = IpPacket.MinIPv4Length,
            ChecksumOffset = SuperpacketHeaders.TcpChecksum,
        };
        byte[] bytes = [.. new byte[VirtioHeader.Length], .. packet];
        header.Write(bytes);
        return bytes;
    }

    /// <summary>A segment from 192.0.2.<paramref name="from"/> to 192.0.2.<paramref name="to"/> (RFC 5737) that nobody will look at.</summary>
    private static byte[] Tcp(byte from, byte to, int payload)
    {
        byte[] packet = new byte[IpPacket.MinIPv4Length + SuperpacketHeaders.MinTcpLength + payload];
        (packet[0], packet[6], packet[8], packet[9]) = (0x45, 0x40, 64, IpProtocol.Tcp);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(12), 0xc0000200u + from);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(16), 0xc0000200u + to);
        Checksum.Write(packet.AsSpan(10, 2), Checksum.Sum(packet.AsSpan(0, IpPacket.MinIPv4Length)));
        Span<byte> tcp = packet.AsSpan(IpPacket.MinIPv4Length);
        (tcp[SuperpacketHeaders.TcpDataOffset], tcp[SuperpacketHeaders.TcpFlags]) = (0x50, SuperpacketHeaders.Ack);
        Checksum.Write(
            tcp.Slice(SuperpacketHeaders.TcpChecksum, 2), Checksum.PseudoHeader(packet.AsSpan(12, 8), IpProtocol.Tcp, tcp.Length) + Checksum.Sum(tcp));
        return packet;
    }

    /// <summary>One of the two nodes: a shard whose device is one end of a socket pair.</summary>
    private sealed class End : IDisposable
    {
        private readonly Graph _graph;
        private readonly byte _number;
        private readonly SafeFd _device, _kernel;
        private readonly UdpListener _listener = UdpListener.Open(Endpoint.FromIPv4(0x7f000001, 0), new UdpSettings(), shards: 1);
        private readonly ShardMailbox<ShardOrder>[] _mailboxes = [new(2, 16)];
        private readonly ShardMailbox<ReportHeader> _reports = new(1, 16);
        private readonly byte[] _received = new byte[VirtioHeader.Length + MaxPacket];
        private Shard? _shard;
        private Thread? _thread;

        public End(string self, string peer, byte number)
        {
            (_graph, _number) = (new Graph(self), number);
            (_device, _kernel) = UnixSocket.DatagramPair();
            Peer = _graph.GetOrAdd(peer);
        }

        public Node Self => _graph.Self;

        public Node Peer { get; }

        /// <summary>Learns where the other one listens.</summary>
        public void Listen(End other)
        {
            _graph.SetEdge(Self, Peer, ("127.0.0.1", $"{other._listener.Local.Port}"), EdgeOptions.FastMesh, 1);
            _graph.SetEdge(Peer, Self, ("127.0.0.1", $"{_listener.Local.Port}"), EdgeOptions.FastMesh, 1);
            (Peer.Protocol, Peer.UdpConfirmed, Peer.Mtu, Peer.MinMtu) = (NodeProtocol.FastMesh, true, 1454, 1454);
        }

        public void Start(Func<Instant> clock)
        {
            SubnetTable subnets = new();
            subnets.Add(Self, new(SubnetKind.IPv4, 0xc0000200u + _number, 32, Subnet.DefaultWeight));
            subnets.Add(Peer, new(SubnetKind.IPv4, 0xc0000203u - _number, 32, Subnet.DefaultWeight));
            _graph.Recompute([], []);
            ForwardingTable table = new(new ForwardingOptions(), _graph, subnets, []);
            ShardState state = new(0, table);
            MmsgPort socket = new(_listener.Socket(0), isIPv6: false, UdpSocket.HasSegmentation, state.Counters);
            DeviceTraits traits = new(mergesTcp: true, mergesUdp: true, overwritesMac: false, default);
            ShardPorts ports = new(new TunPort(_device.Descriptor, ethernet: false, vnetHeader: true), traits, [socket], [false], _mailboxes[0]);
            _shard = new Shard(state, ports, new ShardMail(state, _reports, _mailboxes), () => table, clock);
            _thread = new Thread(_shard.Run) { IsBackground = true, Name = "rehearsal" };
            _thread.Start();
        }

        /// <summary>What a kernel does: gives the device a packet, and takes one if there is any. Returns how many it took.</summary>
        public unsafe int Exchange(byte[] packet)
        {
            fixed (byte* bytes = packet, received = _received)
            {
                _ = FileIo.Write(_kernel.Descriptor, bytes, packet.Length);
                return FileIo.Read(_kernel.Descriptor, received, _received.Length) > 0 ? 1 : 0;
            }
        }

        public void Dispose()
        {
            _shard?.Stop();
            _thread?.Join();
            _shard?.Dispose();
            _listener.Dispose();
            _mailboxes[0].Dispose();
            _reports.Dispose();
            _device.Dispose();
            _kernel.Dispose();
        }
    }
}
