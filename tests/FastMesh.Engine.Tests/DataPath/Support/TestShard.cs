using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>One report, copied.</summary>
internal sealed record Report(ReportHeader Header, byte[] Bytes);

/// <summary>A whole shard with ports in memory, driven turn by turn on a clock that stands still.</summary>
internal sealed class TestShard : IDisposable
{
    private readonly ShardMailbox<ReportHeader> _control;
    private readonly ShardMailbox<ShardOrder>[] _mailboxes;
    private readonly bool _ownsMailboxes;
    private readonly Shard _shard;
    private readonly ReadyPoller _poller = new();
    private readonly int _sockets;

    public TestShard(ForwardingTable table, bool merges = true, bool overwritesMac = false, int sockets = 2)
        : this(0, table, [new ShardMailbox<ShardOrder>(2, 64)], merges, overwritesMac, sockets) => _ownsMailboxes = true;

    public TestShard(
        int index, ForwardingTable table, ShardMailbox<ShardOrder>[] mailboxes, bool merges = true, bool overwritesMac = false, int sockets = 2)
    {
        (Table, _sockets) = (table, sockets);
        _mailboxes = mailboxes;
        _control = new(mailboxes.Length, 64);
        Traits = new(merges, merges, overwritesMac, new MacAddress(0xfefd_0000_0000));
        State = new(index, table);
        MemoryPort[] ports4And6 = [Socket4, Socket6];
        ShardPorts ports = new(Device, Traits, ports4And6[..sockets], new[] { false, true }[..sockets], mailboxes[index]) { Poller = _poller };
        _shard = new Shard(State, ports, new ShardMail(State, _control, mailboxes), () => Table, () => Now);
    }

    public ForwardingTable Table { get; set; }

    public Instant Now { get; set; } = new(5000);

    public ShardState State { get; }

    public DeviceTraits Traits { get; }

    public MemoryPort Device { get; } = new();

    public MemoryPort Socket4 { get; } = new();

    public MemoryPort Socket6 { get; } = new();

    public ShardCounters Counters => _shard.Counters;

    /// <summary>Everything the shard told the control loop since the last call.</summary>
    public List<Report> Reports()
    {
        List<Report> reports = [];
        while (_control.TryTake(out ReportHeader header, out Span<byte> bytes))
            reports.Add(new(header, bytes.ToArray()));
        return reports;
    }

    /// <summary>Gives frames to the device and lets the shard work.</summary>
    public void FromDevice(params byte[][] frames) => FromDevice(frames.Select(frame => new Captured(frame)).ToArray());

    public void FromDevice(params Captured[] packets)
    {
        foreach (Captured packet in packets)
            Device.Input.Enqueue(packet);
        Work();
    }

    /// <summary>Gives a frame to the shard as if a PACKET request had brought it.</summary>
    public void ByTcp(int node, byte[] frame, bool byTcp = true) => Order(new(OrderKind.Route, node) { ByTcp = byTcp }, frame);

    public void Order(ShardOrder order, byte[] bytes)
    {
        Leave(order, bytes);
        Work();
    }

    /// <summary>Leaves an order for the next turn.</summary>
    public void Leave(ShardOrder order, byte[] bytes) => Assert.True(_mailboxes[State.Index].TryAdd(0, order, bytes));

    /// <summary>Until nothing waits on any port.</summary>
    public void Work()
    {
        do
        {
            _shard.Turn(0);
            _shard.ReadDevice();
            for (int i = 0; i < _sockets; i++)
                _shard.ReadSocket(i);
            _shard.Turn(0);
        }
        while (Device.Input.Count + Socket4.Input.Count + Socket6.Input.Count > 0);
    }

    /// <summary>One turn as after a wait that ended because of the device, or because of something else.</summary>
    public void Turn(bool deviceReady) => _shard.Turn(deviceReady ? 1 : 0);

    public void Dispose()
    {
        _shard.Dispose();
        _control.Dispose();
        if (_ownsMailboxes)
            _mailboxes[0].Dispose();
    }

    /// <summary>Says that what was watched as the device is ready.</summary>
    private sealed class ReadyPoller : IPoller
    {
        private int _deviceTag;

        public void Start()
        {
        }

        public void Stop()
        {
        }

        public void Watch(IPacketPort port, int tag) => _deviceTag = Math.Min(tag, _deviceTag); // sockets have tags from 0 on

        public void Watch(int descriptor, int tag)
        {
        }

        public void Unwatch(IPacketPort port)
        {
        }

        public int Wait(int timeout) => 0;

        public int Ready(int index) => _deviceTag;

        public void Dispose()
        {
        }
    }
}
