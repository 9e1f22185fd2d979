using System.Runtime.InteropServices;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>A speed test between two shards: sending load, counting it, acknowledging it and growing the window allocate nothing.</summary>
[Collection(nameof(AllocationTests))]
public sealed class SpeedAllocationTests : IDisposable
{
    private const uint Test = 77;
    private const int WarmRounds = 200, Packets = 100_000;
    private const long Record = 1451; // the longest frame that the path takes

    private readonly List<IDisposable> _parts = [];
    private readonly Cable _toA = new(), _toB = new();
    private readonly ShardMailbox<ShardOrder>[] _mailboxes = [new(2, 16), new(2, 16)];
    private readonly Shard _a, _b;
    private readonly int _bOfA, _aOfB;

    public SpeedAllocationTests()
    {
        TestNetwork a = new("a"), b = new("b");
        Node toB = a.Neighbour("b"), toA = b.Neighbour("a");
        TestNetwork.Pair(toB, toA, DataSuite.Aes256Gcm);
        (_a, _b) = (MakeShard(a.Build(), _mailboxes[0], _toB, _toA), MakeShard(b.Build(), _mailboxes[1], _toA, _toB));
        (_toA.Sender, _toB.Sender) = (toB.Address, toA.Address);
        (_bOfA, _aOfB) = (toB.Id, toA.Id);
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
        _parts.ForEach(part => part.Dispose());
    }

    [Fact]
    public void Load_and_its_acknowledgements_allocate_nothing()
    {
        Order(_mailboxes[1], _aOfB, new(SpeedTask.Listen, Test));
        _b.Turn(0); // it listens before anything comes
        Order(_mailboxes[0], _bOfA, new(SpeedTask.Load, Test, Run: 2, Milliseconds: 1000, Bytes: long.MaxValue));
        for (int i = 0; i < WarmRounds; i++)
            Round();
        (SpeedCounts before, long allocated) = (Counts, GC.GetAllocatedBytesForCurrentThread());
        for (int i = 0; i < Packets && _a.State.Speed.SentBytes - before.SentBytes < Packets * Record; i++)
            Round();
        long bytes = GC.GetAllocatedBytesForCurrentThread() - allocated;
        SpeedCounts after = Counts;
        Assert.Equal(0, bytes);
        Assert.InRange(after.SentPackets - before.SentPackets, Packets, long.MaxValue);
        Assert.InRange(after.RoundTrips.Count - before.RoundTrips.Count, Packets / 16, long.MaxValue);
        Assert.Equal(0, _a.Counters[DropReason.StrayTest] + _b.Counters[DropReason.StrayTest]);
    }

    private SpeedCounts Counts => SpeedMeter.Sum([_a.State.Speed], Test);

    private Shard MakeShard(ForwardingTable table, ShardMailbox<ShardOrder> mailbox, Cable output, Cable input)
    {
        ShardState state = new(0, table);
        ShardMailbox<ReportHeader> control = new(1, 64);
        _parts.AddRange([control, mailbox]);
        ShardPorts ports = new(new DummyPort(), new(false, false, false, default), [new End(output, input)], [false], mailbox);
        return new Shard(state, ports, new ShardMail(state, control, [mailbox]), () => table, () => new(5000));
    }

    /// <summary>Load there, acknowledgements back.</summary>
    private void Round()
    {
        _a.Turn(0);
        _b.ReadSocket(0);
        _b.Turn(0);
        _a.ReadSocket(0);
    }

    private static void Order(ShardMailbox<ShardOrder> mailbox, int node, SpeedOrder order) =>
        Assert.True(mailbox.TryAdd(0, new(OrderKind.Speed, node), MemoryMarshal.AsBytes(new ReadOnlySpan<SpeedOrder>(ref order))));

    /// <summary>What travels in one direction, in memory that is there from the start.</summary>
    private sealed class Cable
    {
        private const int Slots = 256;
        private readonly byte[] _bytes = new byte[Slots * MmsgPort.MaxTrain];
        private readonly (int Length, int SegmentSize)[] _trains = new (int, int)[Slots];
        private int _first, _count;

        public Endpoint Sender { get; set; }

        public void Put(PacketBatch batch)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                Assert.True(_count < Slots);
                int slot = (_first + _count++) % Slots;
                _trains[slot] = (batch[i].Length, batch[i].SegmentSize);
                batch.Bytes(i).CopyTo(_bytes.AsSpan(slot * MmsgPort.MaxTrain));
            }
        }

        public int Take(PacketBatch batch)
        {
            int taken = 0;
            for (; _count > 0 && batch.Fits(MmsgPort.MaxTrain); _count--, taken++)
            {
                (int length, int segmentSize) = _trains[_first];
                int offset = batch.Tail;
                _bytes.AsSpan(_first * MmsgPort.MaxTrain, length).CopyTo(batch.Bytes(offset, length));
                ref Packet packet = ref batch.Add(offset, length);
                (packet.SegmentSize, packet.Endpoint) = (segmentSize, Sender);
                _first = (_first + 1) % Slots;
            }

            return taken;
        }
    }

    private sealed class End(Cable output, Cable input) : IPacketPort
    {
        public int Descriptor => -1;

        public int Receive(PacketBatch batch) => input.Take(batch);

        public void Send(PacketBatch batch) => output.Put(batch);

        public void Dispose()
        {
        }
    }
}
