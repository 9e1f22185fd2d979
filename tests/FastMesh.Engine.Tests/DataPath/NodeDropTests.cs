using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Whose packets were dropped: each drop is counted once for the shard and, where a node is known, once for it and for no other.</summary>
public sealed class NodeDropTests : IDisposable
{
    private readonly TestNetwork _network = new();
    private readonly Node _b, _c, _gone, _selfAtB;
    private TestShard? _shard;

    public NodeDropTests()
    {
        _network.Own(_network.Self, "10.1.0.0/16");
        _b = _network.Neighbour("b", "10.2.0.0/16");
        _c = _network.Neighbour("c", "10.3.0.0/16");
        _gone = _network.Unreachable("gone", "10.9.0.0/16");
        _selfAtB = new TestNetwork("b").Neighbour("self");
        TestNetwork.Pair(_b, _selfAtB, LegacySuite.Default);
        _network.Build(); // finds addresses
    }

    private TestShard Shard => _shard ??= new TestShard(_network.Build());

    public void Dispose() => _shard?.Dispose();

    [Fact]
    public void Datagrams_that_do_not_open_count_for_the_node_at_their_address()
    {
        byte[] datagram = Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10)), forged = [.. datagram[..^1], (byte)~datagram[^1]];
        Receive(_b, datagram, datagram, forged, forged);
        AssertDrops(_b, ("BadDatagram", 2), ("Replayed", 1));
        AssertDrops(_c);
    }

    [Fact]
    public void A_datagram_from_a_node_without_a_key_from_us_counts_for_it()
    {
        Receive(_c, new byte[100]);
        AssertDrops(_c, ("NoKey", 1));
        AssertDrops(_b);
    }

    [Fact]
    public void What_cannot_be_delivered_counts_for_the_owner_of_its_destination()
    {
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.9.0.1", 10), TestFrames.Udp4("10.1.0.1", "10.9.0.2", 10), TestFrames.Udp4("10.1.0.1", "10.2.0.1", 1450));
        AssertDrops(_gone, ("Unreachable", 2));
        AssertDrops(_b, ("TooBig", 1));
    }

    [Fact]
    public void What_nobody_owns_counts_for_no_node()
    {
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "192.0.2.77", 10));
        Assert.Equal(1, Shard.Counters[DropReason.NoSubnet]);
        Assert.All([_network.Self, _b, _c, _gone], node => AssertDrops(node));
    }

    [Fact]
    public void A_full_ring_counts_for_the_node_whose_frame_it_cost()
    {
        _b.Sealer = null;
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 10);
        for (int i = 0; i < 200; i++)
            Shard.FromDevice(frame);
        AssertDrops(_b, ("RingFull", 200 - Shard.Reports().Count));
    }

    [Fact]
    public void What_the_kernel_refuses_counts_for_the_node_it_was_sent_to()
    {
        Shard.Socket4.SendError = FastMesh.Native.Linux.Errno.EAGAIN;
        byte[] frame = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 10);
        Shard.FromDevice(frame, frame, frame);
        AssertDrops(_b, ("SendFailed", 3));
    }

    [Fact]
    public void Drops_of_shards_are_added_up_and_nodes_of_any_number_have_their_own()
    {
        NodeTraffic first = new(), second = new();
        first.Reserve(701);
        second.Reserve(4);
        second.CountDrop(3, DropReason.TooLong, 1);
        second.Reserve(701);
        first.CountDrop(700, DropReason.Replayed, 2);
        second.CountDrop(700, DropReason.Replayed, 3);
        second.CountDrop(700, DropReason.NoKey, 1);
        second.CountDrop(3, DropReason.TooLong, 1);
        second.CountDrop(100_000, DropReason.TooLong, 1);
        second.CountDrop(-1, DropReason.TooLong, 1);
        Assert.Equal([("NoKey", 1), ("Replayed", 5)], Named(NodeTraffic.Drops([first, second], 700)));
        Assert.Equal([("TooLong", 2)], Named(NodeTraffic.Drops([first, second], 3)));
        Assert.Empty(NodeTraffic.Drops([first, second], 4));
        Assert.Empty(NodeTraffic.Drops([first, second], 100_000));
        Assert.Empty(NodeTraffic.Drops([first, second], -1));
    }

    [Fact]
    public void The_first_drop_of_a_node_allocates_nothing()
    {
        Node[] nodes = [.. Enumerable.Range(100, 100).Select(i => _network.Unreachable($"gone{i}", $"10.{i}.0.0/16"))];
        byte[][] frames = [.. nodes.Select((_, i) => TestFrames.Udp4("10.1.0.1", $"10.{100 + i}.0.1", 10))];
        Shard.FromDevice(frames[..50]); // also uses up the ICMP errors of this second
        foreach (byte[] frame in frames[50..])
            Shard.Device.Input.Enqueue(new(frame));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Shard.Work();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.All(nodes, node => Assert.Equal([("Unreachable", 1)], Named(NodeTraffic.Drops([Shard.State.Traffic], node.Id))));
    }

    private static (string, long)[] Named(IEnumerable<KeyValuePair<string, long>> drops) => [.. drops.Select(drop => (drop.Key, drop.Value))];

    private void AssertDrops(Node node, params (string Reason, long Packets)[] expected)
    {
        Assert.Equal(expected, Named(NodeTraffic.Drops([Shard.State.Traffic], node.Id)).Order());
        Assert.All(expected, drop => Assert.Equal(drop.Packets, Shard.Counters[Enum.Parse<DropReason>(drop.Reason)]));
    }

    private void Receive(Node from, params byte[][] datagrams)
    {
        foreach (byte[] datagram in datagrams)
            Shard.Socket4.Input.Enqueue(new(datagram, Endpoint: from.Address));
        Shard.Work();
    }

    private byte[] Seal(byte[] frame)
    {
        byte[] packet = [0, 0, 0, 0, .. frame], output = new byte[_selfAtB.Sealer!.SealedLength(frame.Length)];
        return output[.._selfAtB.Sealer.Seal(packet, output, direct: true)];
    }
}
