using BenchmarkDotNet.Attributes;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>
/// A turn of a shard without a kernel, all but the system calls: packets of the device sealed into trains, trains opened and merged for the device, trains
/// of one node passed on to another one (with tinc 1.0: opened and sealed again).
/// </summary>
[MemoryDiagnoser]
public class ShardBench : IDisposable
{
    /// <summary>Super-packets hold 46 segments of 1400 bytes; small packets are UDP with 64 bytes, read 64 at a time.</summary>
    public const string Super = "super", Small = "small";

    private const int SmallPackets = 64;
    private readonly MemoryPort _device = new(), _wire = new(), _relayed = new();
    private readonly List<Shard> _shards = [];
    private Shard _left = null!, _right = null!, _middle = null!;
    private BenchMesh? _rightMesh;

    [Params(Sessions.Legacy, Sessions.Sptps, Sessions.ChaCha, Sessions.Aes)]
    public string Session { get; set; } = Sessions.Legacy;

    [Params(Super, Small)]
    public string Load { get; set; } = Super;

    /// <summary>Packets of the VPN in one turn.</summary>
    public int Packets { get; private set; }

    /// <summary>What the sender knows; two benchmarks may be shards of the same one.</summary>
    internal BenchMesh Sender { get; init; } = new("left", "right");

    /// <summary>Which of its peers gets the packets.</summary>
    internal int Peer { get; init; }

    /// <summary>Which shard of the sender and of the receiver this is.</summary>
    internal int Index { get; init; }

    /// <summary>Makes the session. All shards of a sender have theirs before the first one is set up, because all see the same table.</summary>
    internal void Pair(int lanes = 1)
    {
        _rightMesh = new(Sender.Peers[Peer].Name, "left");
        (Sender.Peers[Peer].Sealer, _rightMesh.Peers[0].Opener) = Sessions.Make(Session, Sender.Self.RelayId, _rightMesh.Self.RelayId, lanes);
    }

    /// <summary>Uses another one's session: this is a further shard of the same two nodes.</summary>
    internal void Share(ShardBench other) => _rightMesh = other._rightMesh;

    [GlobalSetup]
    public void Setup()
    {
        if (_rightMesh is null)
            Pair();
        BenchMesh right = _rightMesh!, middle = new("middle", "left", right.Self.Name);
        (middle.Peers[0].Opener, middle.Peers[1].Sealer) = (right.Peers[0].Opener, Sender.Peers[Peer].Sealer);
        bool relays = Session != Sessions.Legacy;
        MemoryPort sent = new() { Sink = _wire };
        _left = Make(Sender, _device, sent, Index);
        _right = Make(right, new DummyPort(), _wire, Index);
        _middle = Make(middle, new DummyPort(), _relayed);

        for (int i = 0; i < (Load == Super ? 1 : SmallPackets); i++)
            _device.Add(Frame(), Load == Super ? TestFrames.Virtio(SegmentationKind.TcpIPv4) : default);
        Out();
        sent.Sink = _relayed;
        Out();
        sent.Sink = null;
        Packets = _wire.Datagrams;
        _wire.Address(right.Table.Peers[0].Address);
        _relayed.Address(middle.Table.Peers[0].Address, relays ? right.Self.RelayId : null);
        CheckFlow(relays);
    }

    /// <summary>Device to network.</summary>
    [Benchmark]
    public long Out()
    {
        _device.Refill();
        _left.ReadDevice();
        _left.Turn(0);
        return _left.Counters[ShardCounter.DatagramsOut];
    }

    /// <summary>Network to device.</summary>
    [Benchmark]
    public long In()
    {
        _wire.Refill();
        _right.ReadSocket(0);
        _right.Turn(0);
        return _right.Counters[ShardCounter.DevicePacketsOut];
    }

    /// <summary>Network to network.</summary>
    [Benchmark]
    public long Relay()
    {
        _relayed.Refill();
        _middle.ReadSocket(0);
        _middle.Turn(0);
        return _middle.Counters[ShardCounter.DatagramsOut];
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _shards.ForEach(shard => shard.Dispose());
        _shards.Clear();
        GC.SuppressFinalize(this);
    }

    private byte[] Frame()
    {
        uint destination = BenchMesh.NetworkOf(Sender.Peers[Peer]) + 1;
        return Load == Super
            ? TestFrames.IPv4(IpProtocol.Tcp, 20 + (TestFrames.Segments * TestFrames.Segment), destination)
            : TestFrames.IPv4(IpProtocol.Udp, 8 + 64, destination);
    }

    private Shard Make(BenchMesh mesh, IPacketPort device, IPacketPort socket, int index = 0)
    {
        mesh.SetProtocol(Session);
        Shard shard = mesh.MakeShard(device, socket, index);
        _shards.Add(shard);
        return shard;
    }

    /// <summary>A benchmark of packets that are dropped would be a fast one.</summary>
    private void CheckFlow(bool relays)
    {
        long sent = _left.Counters[ShardCounter.DatagramsOut] / 2, written = In(), passed = Relay();
        bool complete = sent == (Load == Super ? TestFrames.Segments : SmallPackets) && written == 1 && passed == sent;
        string drops = string.Join(", ", Enum.GetValues<DropReason>()
            .Where(reason => _shards.Exists(shard => shard.Counters[reason] > 0)));
        if (!complete || drops.Length > 0)
            throw new InvalidOperationException($"{Session} {Load}: {sent} sent, {written} written, {passed} passed on ({relays}), dropped: {drops}");
    }
}
