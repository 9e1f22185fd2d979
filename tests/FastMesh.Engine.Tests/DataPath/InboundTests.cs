using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>What becomes of received datagrams: tinc 1.0 reference, 5.3. Node b seals them with its own half of the session.</summary>
public sealed class InboundTests : IDisposable
{
    private readonly TestNetwork _network = new();
    private readonly Node _b, _selfAtB;
    private TestShard? _shard;

    public InboundTests()
    {
        _network.Own(_network.Self, "10.1.0.0/16");
        _b = _network.Neighbour("b", "10.2.0.0/16");
        _selfAtB = new TestNetwork("b").Neighbour("self");
        TestNetwork.Pair(_b, _selfAtB, LegacySuite.Default);
        _network.Build(); // finds addresses
    }

    private TestShard Shard => _shard ??= new TestShard(_network.Build());

    public void Dispose() => _shard?.Dispose();

    [Fact]
    public void A_datagram_from_an_unknown_address_is_reported_whole_with_source_and_socket()
    {
        Endpoint stranger = Endpoint.FromIPv4(0xc0000263, 655);
        byte[] datagram = Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10));
        Shard.Socket6.Input.Enqueue(new(datagram, Endpoint: stranger));
        Shard.Work();
        Report report = Assert.Single(Shard.Reports());
        Assert.Equal((ShardReportKind.UnknownDatagram, stranger, 1), (report.Header.Kind, report.Header.Source, report.Header.Socket));
        Assert.Equal(datagram, report.Bytes);
        Assert.Empty(Shard.Device.Output);
    }

    [Fact]
    public void Strangers_leave_room_for_other_reports()
    {
        for (int i = 0; i < 200; i++)
            Receive(Endpoint.FromIPv4(0xc0000263, 655), new byte[100]);
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.2.0.1", 1450)); // above the path: dropped with an answer
        Receive(_b.Address, Seal(new byte[64]));
        List<Report> reports = Shard.Reports();
        Assert.Equal(ShardReportKind.Probe, reports[^1].Header.Kind);
        Assert.InRange(reports.Count, 2, 40);
    }

    [Fact]
    public void A_found_datagram_is_opened_when_the_control_loop_says_whose_it_is()
    {
        byte[] frame = TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10);
        Shard.Order(new ShardOrder(OrderKind.Open, _b.Id), Seal(frame));
        Assert.Equal(frame, Assert.Single(Shard.Device.Output).Bytes);
    }

    [Fact]
    public void Probes_are_reported_and_go_no_further()
    {
        byte[] probe = new byte[100];
        probe[50] = 7;
        Receive(_b.Address, Seal(probe));
        Report report = Assert.Single(Shard.Reports());
        Assert.Equal((ShardReportKind.Probe, _b.Id), (report.Header.Kind, report.Header.Node));
        Assert.Equal(probe, report.Bytes);
        Assert.Empty(Shard.Device.Output);
    }

    [Fact]
    public void A_train_is_opened_datagram_by_datagram()
    {
        byte[][] frames = [.. Enumerable.Range(0, 20).Select(i => TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100, id: (ushort)(i * 3), dontFragment: false))];
        byte[][] sealedFrames = [.. frames.Select(Seal)];
        Receive(_b.Address, [.. sealedFrames.SelectMany(bytes => bytes)], sealedFrames[0].Length);
        Assert.Equal(frames, Shard.Device.Output.Select(packet => packet.Bytes));
        Assert.Equal(20, Shard.Counters[ShardCounter.DatagramsIn]);
    }

    [Fact]
    public void A_forged_datagram_in_a_train_costs_only_itself()
    {
        byte[] payload = TestFrames.Pattern(4000);
        byte[][] sealedFrames = [.. Enumerable.Range(0, 4).Select(i => Seal(TestFrames.Tcp4("10.2.0.1", "10.1.0.1", (uint)(1000 * i), payload.AsSpan(1000 * i, 1000))))];
        byte[] forged = (byte[])sealedFrames[2].Clone();
        forged[20] ^= 1;
        Receive(_b.Address, [.. sealedFrames[0], .. sealedFrames[1], .. forged, .. sealedFrames[2], .. sealedFrames[3]], forged.Length);
        Assert.Equal(1, Shard.Counters[DropReason.BadDatagram]);
        Assert.Equal(payload, Assert.Single(Shard.Device.Output).Bytes[54..]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(128)]
    public void Every_datagram_of_a_train_is_authenticated(int count)
    {
        byte[][] sealedFrames = [.. Enumerable.Range(0, count).Select(i => Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100, id: (ushort)(i * 3), dontFragment: false)))];
        int size = sealedFrames[0].Length;
        for (int forged = 0; forged < count; forged++)
        {
            byte[] train = [.. sealedFrames.SelectMany(bytes => bytes)];
            for (int i = 0; i < count; i++)
                train[(i * size) + (i == forged ? 5 : size - 1)] ^= 1; // one has a wrong text, the others a wrong MAC
            Receive(_b.Address, train, size);
        }

        Assert.Empty(Shard.Device.Output);
        Assert.Equal(count * count, Shard.Counters[DropReason.BadDatagram]);
        Receive(_b.Address, [.. sealedFrames.SelectMany(bytes => bytes)], size);
        Assert.Equal(count, Shard.Device.Output.Count);
    }

    [Fact]
    public void Trains_and_single_datagrams_of_several_senders_in_one_receive_are_told_apart()
    {
        Node c = _network.Neighbour("c", "10.3.0.0/16");
        Node selfAtC = new TestNetwork("c").Neighbour("self");
        TestNetwork.Pair(c, selfAtC, LegacySuite.Default);
        byte[][] fromB = [.. Enumerable.Range(1, 80).Select(i => TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100 + i))];
        byte[] fromC = TestFrames.Udp4("10.3.0.1", "10.1.0.1", 60), equal = TestFrames.Udp4("10.2.0.1", "10.1.0.1", 300, dontFragment: false);
        byte[] copies = [.. Seal(equal), .. Seal(equal), .. Seal(equal)];
        Shard.Socket4.Input.Enqueue(new(Seal(fromB[0]), Endpoint: _b.Address));
        Shard.Socket4.Input.Enqueue(new(copies, Endpoint: _b.Address, SegmentSize: copies.Length / 3));
        Shard.Socket4.Input.Enqueue(new(Seal(fromC, selfAtC), Endpoint: c.Address));
        Shard.Socket4.Input.Enqueue(new(Seal(fromC), Endpoint: c.Address)); // b's key, c's address
        Shard.Socket4.Input.Enqueue(new(Seal(fromB[1], selfAtC), Endpoint: Endpoint.FromIPv4(0xc0000263, 655)));
        foreach (byte[] frame in fromB[2..])
            Shard.Socket4.Input.Enqueue(new(Seal(frame), Endpoint: _b.Address));
        Shard.Work();
        Assert.Equal([fromB[0], equal, equal, equal, fromC, .. fromB[2..]], Shard.Device.Output.Select(packet => packet.Bytes));
        Assert.Equal(1, Shard.Counters[DropReason.BadDatagram]);
        Assert.Equal(ShardReportKind.UnknownDatagram, Assert.Single(Shard.Reports()).Header.Kind);
    }

    [Fact]
    public void A_train_of_more_datagrams_than_are_verified_together_is_opened_whole()
    {
        byte[][] frames = [.. Enumerable.Range(0, 150).Select(i => TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100, id: (ushort)(i * 3), dontFragment: false))];
        byte[][] sealedFrames = [.. frames.Select(frame => Seal(frame))];
        Receive(_b.Address, [.. sealedFrames.SelectMany(bytes => bytes)], sealedFrames[0].Length);
        Assert.Equal(frames, Shard.Device.Output.Select(packet => packet.Bytes));
    }

    [Fact]
    public void A_train_across_a_change_of_keys_loses_nothing()
    {
        Node old = new TestNetwork("b").Neighbour("self");
        (old.Sealer, LegacyOpener previous) = (_selfAtB.Sealer, (LegacyOpener)_b.Opener!);
        LegacyKey key = LegacyKey.Generate(LegacySuite.Default, new SystemRandom());
        (_selfAtB.Sealer, _b.Opener) = (new LegacySealer(key, 0), new LegacyOpener(key, 16, 0, previous));
        byte[][] frames = [.. Enumerable.Range(0, 20).Select(i => TestFrames.Udp4("10.2.0.1", "10.1.0.1", 100, id: (ushort)(i * 3), dontFragment: false))];
        byte[][] sealedFrames = [.. frames.Select((frame, i) => Seal(frame, i < 9 ? old : _selfAtB))];
        Receive(_b.Address, [.. sealedFrames.SelectMany(bytes => bytes)], sealedFrames[0].Length);
        Assert.Equal(frames, Shard.Device.Output.Select(packet => packet.Bytes));
    }

    [Fact]
    public void A_packet_of_another_flow_between_two_segments_is_not_lost_and_not_reordered()
    {
        byte[] first = TestFrames.Tcp4("10.2.0.1", "10.1.0.1", 1, new byte[500], id: 0), tiny = TestFrames.Tcp4("10.2.0.1", "10.1.0.1", 1, [1], port: 80),
            second = TestFrames.Tcp4("10.2.0.1", "10.1.0.1", 501, new byte[500], id: 0);
        foreach (byte[] frame in new[] { tiny, first, tiny, second, second })
            Shard.Socket4.Input.Enqueue(new(Seal(frame), Endpoint: _b.Address));
        Shard.Work();
        Assert.Equal([tiny, first, tiny, second, second], Shard.Device.Output.Select(packet => packet.Bytes));
    }

    [Fact]
    public void A_repeated_datagram_is_dropped()
    {
        byte[] datagram = Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10));
        Receive(_b.Address, datagram);
        Receive(_b.Address, datagram);
        Assert.Single(Shard.Device.Output);
        Assert.Equal(1, Shard.Counters[DropReason.Replayed]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(1662)]
    [InlineData(65000)]
    public void Garbage_is_dropped_and_counted(int length)
    {
        Receive(_b.Address, new byte[length]);
        Assert.Empty(Shard.Device.Output);
        Assert.Empty(Shard.Reports());
        Assert.Equal(length == 0 ? 0 : 1, Shard.Counters[DropReason.BadDatagram]);
    }

    [Fact]
    public void A_datagram_from_a_node_without_a_key_from_us_is_dropped()
    {
        byte[] datagram = Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10));
        _b.Opener = null;
        Receive(_b.Address, datagram);
        Assert.Equal(1, Shard.Counters[DropReason.NoKey]);
    }

    [Fact]
    public void Replies_leave_by_the_socket_that_heard_the_node()
    {
        Assert.True(Endpoint.TryParse("2001:db8::b", "655", out Endpoint six));
        _b.Address = six;
        Shard.Socket6.Input.Enqueue(new(Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10)), Endpoint: six));
        Shard.Work();
        Shard.FromDevice(TestFrames.Udp4("10.1.0.1", "10.2.0.1", 10));
        Assert.Equal(six, Assert.Single(Shard.Socket6.Output).Endpoint);
    }

    [Fact]
    public void A_relay_opens_and_seals_again_for_the_next_hop()
    {
        Node c = _network.Neighbour("c", "10.3.0.0/16");
        _network.Build();
        Node selfAtC = new TestNetwork("c").Neighbour("self");
        TestNetwork.Pair(c, selfAtC, LegacySuite.Default);
        byte[][] frames = [.. Enumerable.Range(0, 10).Select(i => TestFrames.Tcp4("10.2.0.1", "10.3.0.1", (uint)(1000 * i), new byte[1000]))];
        byte[][] sealedFrames = [.. frames.Select(Seal)];
        Receive(_b.Address, [.. sealedFrames.SelectMany(bytes => bytes)], sealedFrames[0].Length);

        Captured train = Assert.Single(Shard.Socket4.Output);
        Assert.Equal((c.Address, 10), (train.Endpoint, train.Bytes.Length / train.SegmentSize));
        for (int i = 0; i < 10; i++)
            Assert.Equal(frames[i], Open(selfAtC.Opener!, train.Bytes.AsSpan(i * train.SegmentSize, train.SegmentSize)));
        Assert.Empty(Shard.Device.Output);
    }

    [Fact]
    public void A_datagram_whose_session_belongs_to_another_shard_is_opened_there()
    {
        TestNetwork.Pair(_b, _selfAtB, LegacySuite.Default, ownerA: 1);
        ShardMailbox<ShardOrder>[] mailboxes = [new(3, 64), new(3, 64)];
        ForwardingTable table = _network.Build();
        using TestShard first = new(0, table, mailboxes), second = new(1, table, mailboxes);
        byte[][] frames = [TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10), TestFrames.Udp4("10.2.0.1", "10.1.0.1", 20)];
        first.Socket4.Input.Enqueue(new(Seal(frames[0]), Endpoint: _b.Address));
        first.Socket4.Input.Enqueue(new(Seal(frames[1]), Endpoint: _b.Address));
        first.Work();
        Assert.Empty(first.Device.Output);
        second.Work();
        Assert.Equal(frames, second.Device.Output.Select(packet => packet.Bytes));
        Array.ForEach(mailboxes, mailbox => mailbox.Dispose());
    }

    [Fact]
    public void Another_shard_is_woken_as_soon_as_one_receive_has_been_handed_over()
    {
        TestNetwork.Pair(_b, _selfAtB, LegacySuite.Default, ownerA: 1);
        using ShardMailbox<ShardOrder> own = new(3, 64), others = new(3, 64);
        using TestShard shard = new(0, _network.Build(), [own, others]);
        List<bool> rung = [];
        byte[] bell = new byte[8];
        shard.Socket4.Receiving = () => rung.Add(FileIo.Read(others.Descriptor, bell) == bell.Length);
        for (int i = 0; i <= MmsgPort.ReceiveMessages; i++)
            shard.Socket4.Input.Enqueue(new(Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10)), Endpoint: _b.Address));
        shard.Work();
        Assert.Equal([false, true], rung); // it sleeps until the first time only
    }

    [Fact]
    public void A_device_that_refuses_packets_costs_only_those()
    {
        Shard.Device.SendError = Errno.EIO;
        Receive(_b.Address, Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10)));
        Assert.Equal(1, Shard.Counters[DropReason.DeviceWrite]);
        Shard.Device.SendError = 0;
        Receive(_b.Address, Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10)));
        Assert.Single(Shard.Device.Output);
    }

    [Fact]
    public void Random_bytes_and_cut_and_changed_datagrams_never_get_through()
    {
        const int Seed = 4711;
        Random random = new(Seed);
        byte[] genuine = Seal(TestFrames.Udp4("10.2.0.1", "10.1.0.1", 200));
        for (int i = 0; i < 5000; i++)
        {
            byte[] bytes = i % 3 == 0 ? new byte[random.Next(1, 3000)] : genuine[..random.Next(1, genuine.Length + 1)];
            if (i % 3 == 0)
                random.NextBytes(bytes);
            else
                bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
            Shard.Socket4.Input.Enqueue(new(bytes, Endpoint: _b.Address, SegmentSize: i % 5 == 0 ? random.Next(1, 200) : 0));
        }

        Shard.Work();
        Assert.True(Shard.Device.Output.Count == 0, $"seed {Seed}");
        Receive(_b.Address, genuine);
        Assert.Single(Shard.Device.Output);
    }

    private void Receive(Endpoint source, byte[] bytes, int segment = 0)
    {
        Shard.Socket4.Input.Enqueue(new(bytes, Endpoint: source, SegmentSize: segment));
        Shard.Work();
    }

    private byte[] Seal(byte[] frame) => Seal(frame, _selfAtB);

    private static byte[] Seal(byte[] frame, Node session)
    {
        byte[] packet = [0, 0, 0, 0, .. frame];
        byte[] output = new byte[session.Sealer!.SealedLength(frame.Length)];
        return output[..session.Sealer.Seal(packet, output, direct: true)];
    }

    private static byte[] Open(PacketOpener opener, ReadOnlySpan<byte> datagram)
    {
        byte[] output = new byte[LegacyOpener.RoomFor(datagram.Length)];
        Assert.Equal(OpenResult.Opened, opener.Open(datagram, output, out int offset, out int length));
        return output[offset..(offset + length)];
    }
}
