using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>The ends of one shard: one queue of the device, one socket per listener, a mailbox.</summary>
internal sealed record ShardPorts(
    IPacketPort Device, DeviceTraits Traits, IPacketPort[] Sockets, bool[] SocketIsIPv6, ShardMailbox<ShardOrder> Mailbox)
{
    /// <summary>How to wait for them; null: by epoll.</summary>
    public IPoller? Poller { get; init; }

    /// <summary>What the device reads into, if it has memory of its own.</summary>
    public PacketBatch? FromDevice { get; init; }

    /// <summary>What the sockets receive into, if they have memory of their own.</summary>
    public PacketBatch? FromNetwork { get; init; }
}

/// <summary>
/// One thread of the data path, run to completion: it reads packets from its queue of the device and from its sockets, routes, seals or
/// opens, and writes them, all by itself. Other threads reach it by the published table and its mailbox only. No lock, no allocation, no
/// exception and no log call per packet.
/// </summary>
internal sealed class Shard : IDisposable
{
    /// <summary>Receives per socket and turn: 64 single datagrams, enough to be merged, few enough not to keep the device waiting.</summary>
    private const int ReceivesPerTurn = 8;

    /// <summary>Orders per turn: the segments of the super-packets that another shard reads in one turn.</summary>
    private const int OrdersPerTurn = 256;

    // Small packets up to 64 per turn; four super-packets of 64 KiB, which with the send buffer still fit into a second-level cache.
    private const int DevicePackets = 64, DeviceBytes = 5 * 65536;
    private const int DeviceTag = -1, MailboxTag = -2; // and a socket's index

    /// <summary>When nothing was read for so long, the next packet is probably alone, and leaves without a look for a second one first.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromMilliseconds(2);

    /// <summary>What is read so soon after a write may be the answer to it.</summary>
    private static readonly TimeSpan s_atOnce = TimeSpan.FromMilliseconds(1);

    private readonly ShardState _state;
    private readonly ShardPorts _ports;
    private readonly Func<ForwardingTable> _currentTable;
    private readonly Func<Instant> _clock;
    private readonly PacketBatch _fromDevice, _fromNetwork;
    private readonly byte[] _orderFrame = new byte[Frame.Room + FrameRing<ShardOrder>.MaxBytes];
    private readonly IPoller _poller;
    private readonly ShardMail _mail;
    private readonly TrainWriter _trains;
    private readonly PeerSender _sender;
    private readonly DeviceWriter _device;
    private readonly Forwarder _forwarder;
    private readonly Outbound _outbound;
    private readonly SpeedRunner _speed;
    private readonly Inbound _inbound;
    private readonly DeviceHealth _health = new();
    private Instant _lastRead, _lastWrite;
    private bool _isAnswered = true; // whether what the device was given last was answered at once
    private bool _hasOrders = true;
    private volatile bool _stopping;

    /// <summary>Builds a shard; <see cref="Run"/> makes it work.</summary>
    /// <param name="state">Its number, first table and counters.</param>
    /// <param name="ports">Its ends, which it owns.</param>
    /// <param name="mail">Its way to other threads.</param>
    /// <param name="currentTable">Reads the published table.</param>
    /// <param name="clock">The monotonic clock.</param>
    public Shard(ShardState state, ShardPorts ports, ShardMail mail, Func<ForwardingTable> currentTable, Func<Instant> clock)
    {
        (_state, _ports, _mail, _currentTable, _clock) = (state, ports, mail, currentTable, clock);
        _lastRead = clock();
        _trains = new TrainWriter(state, mail, ports.Sockets, ports.SocketIsIPv6);
        _device = new DeviceWriter(state, ports.Device, ports.Traits);
        _sender = new PeerSender(state, _trains, mail);
        _forwarder = new Forwarder(state, _sender, _device, ports.Traits);
        _outbound = new Outbound(state, _forwarder, _sender, mail);
        _speed = new SpeedRunner(state, _sender, mail);
        _inbound = new Inbound(state, _forwarder, _sender, _device, mail, _speed);
        _fromDevice = ports.FromDevice ?? new(DevicePackets, DeviceBytes);
        _fromNetwork = ports.FromNetwork
            ?? new(MmsgPort.ReceiveMessages, MmsgPort.ReceiveMessages * (MmsgPort.ReceiveBuffer + (2 * PacketBatch.Headroom)));
        _poller = ports.Poller ?? new EpollPoller(ports.Sockets.Length + 2);
        _poller.Watch(ports.Mailbox.Descriptor, MailboxTag);
        _poller.Watch(ports.Device, DeviceTag);
        for (int i = 0; i < ports.Sockets.Length; i++)
            _poller.Watch(ports.Sockets[i], i);
    }

    /// <summary>What it shares with other threads: counters and the capture switch.</summary>
    public ShardState State => _state;

    /// <summary>The shard's counters.</summary>
    public ShardCounters Counters => _state.Counters;

    /// <summary>The thread's work, until <see cref="Stop"/>.</summary>
    public void Run()
    {
        _poller.Start();
        while (!_stopping)
        {
            _hasOrders = !_ports.Mailbox.TrySleep();
            int ready = _poller.Wait(_hasOrders || _stopping ? 0 : WaitLimit());
            _ports.Mailbox.Awake();
            Turn(ready);
            _trains.Rest(_fromDevice.Count);
        }

        _poller.Stop();
    }

    /// <summary>Makes <see cref="Run"/> return soon. May be called by any thread.</summary>
    public void Stop()
    {
        _stopping = true;
        _ports.Mailbox.Wake();
    }

    /// <summary>Makes <see cref="Run"/> take a turn soon, so that its count shows that it does. May be called by any thread.</summary>
    public void Poke() => _ports.Mailbox.Wake();

    /// <summary>
    /// Everything that is ready once, in bounded portions; what is left is ready again. The device is read after it was written, because much of what
    /// the kernel is given it answers at once: with an acknowledgement, an echo reply. When it does not, the next answer is left to the wait.
    /// </summary>
    /// <param name="ready">Number of events of the last wait.</param>
    internal void Turn(int ready)
    {
        _state.Now = _clock();
        _state.Table = _currentTable(); // the table itself never changes
        bool deviceReady = _health.IsRetryDue(_state.Now);
        if (deviceReady)
            _poller.Watch(_ports.Device, DeviceTag);

        for (int i = 0; i < ready; i++)
        {
            int tag = _poller.Ready(i);
            if (tag == DeviceTag)
                deviceReady = true;
            else if (tag == MailboxTag)
                TakeBell();
            else
                ReadSocket(tag);
        }

        if (_hasOrders)
            ObeyOrders();
        if (deviceReady && _state.Now - _lastWrite <= s_atOnce)
            _isAnswered = true;
        if (_device.Flush() && !_health.IsWaiting)
        {
            _lastWrite = _state.Now;
            if (!deviceReady && _isAnswered)
                _isAnswered = ReadDevice() > 0;
        }

        if (deviceReady)
            ReadDevice();
        _speed.Turn();
        _trains.Flush();
        _device.Flush();
        _state.Counters.Add(ShardCounter.Turns, 1);
        _mail.Flush(); // last: who is woken may take the processor
    }

    /// <summary>Device to network.</summary>
    /// <returns>Packets that were read.</returns>
    internal int ReadDevice()
    {
        _fromDevice.Clear();
        _fromDevice.Limit = _state.Now - _lastRead >= s_silence ? 1 : DevicePackets;
        int packets = _ports.Device.Receive(_fromDevice);
        if (packets < 0)
        {
            DeviceFailed();
            return 0;
        }

        _lastRead = _state.Now;
        _health.Succeeded();
        _state.Counters.Batch(BatchKind.DeviceRead, packets);
        _outbound.Process(_fromDevice);
        return packets;
    }

    /// <summary>Network to device, and relaying.</summary>
    internal void ReadSocket(int socket)
    {
        for (int i = 0; i < ReceivesPerTurn; i++)
        {
            _fromNetwork.Clear();
            int messages = _ports.Sockets[socket].Receive(_fromNetwork);
            _inbound.Process(_fromNetwork, socket);
            if (messages < MmsgPort.ReceiveMessages)
                return;
            _mail.Flush(); // this may have been hundreds of orders: the other shard shall start before its ring is full
        }
    }

    /// <summary>Frees everything; not before <see cref="Run"/> has returned.</summary>
    public void Dispose()
    {
        _poller.Dispose();
        _ports.Device.Dispose();
        Array.ForEach(_ports.Sockets, static socket => socket.Dispose());
        _trains.Dispose();
        _device.Dispose();
        _forwarder.Dispose();
        _fromDevice.Dispose();
        _fromNetwork.Dispose();
    }

    /// <summary>Milliseconds; -1 for ever.</summary>
    private int WaitLimit()
    {
        int device = _health.WaitLimit(_state.Now), speed = _speed.WaitLimit(_state.Now);
        return device < 0 ? speed : speed < 0 ? device : Math.Min(device, speed);
    }

    private void TakeBell()
    {
        _ports.Mailbox.Drain();
        _hasOrders = true;
    }

    private void ObeyOrders()
    {
        _state.Table = _currentTable(); // they may rest on a table published just before them
        for (int i = 0; i < OrdersPerTurn && _ports.Mailbox.TryTake(out ShardOrder order, out Span<byte> bytes); i++)
        {
            if (_state.Table.Find(order.Node) is { } peer)
                Obey(order, peer, bytes);
            else
                _state.Drop(DropReason.Unreachable, order.Node);
        }
    }

    private void Obey(in ShardOrder order, PeerRoute peer, ReadOnlySpan<byte> bytes)
    {
        if (order.Kind == OrderKind.Open)
        {
            if (peer.Opener?.Of(bytes).Owner is int owner && owner != _state.Index)
            {
                _mail.Order(owner, order, bytes); // the session has another one by now
                return;
            }

            if (order.Socket >= 0)
                _trains.NoteSocket(peer.Id, order.Socket);
            _inbound.Open(peer, bytes, new Arrival(order.Relay, order.ByTcp, order.IsMarked));
            return;
        }

        if (order.Kind == OrderKind.Speed)
        {
            _speed.Obey(order.Node, bytes);
            return;
        }

        if (order.Kind == OrderKind.SendSealed)
        {
            _trains.Relay(peer, bytes, trafficClass: 0);
            return;
        }

        bytes.CopyTo(_orderFrame.AsSpan(Frame.Room));
        Frame frame = new(_orderFrame.AsSpan(0, Frame.Room + bytes.Length));
        if (order.Kind == OrderKind.SendTest && peer.HasIds)
            _sender.SendTestRecord(peer, frame);
        else if (order.Kind == OrderKind.Route && SpeedRecord.IsOne(bytes))
            _speed.Handle(peer, bytes);
        else if (order.Kind == OrderKind.Route)
            _inbound.Route(peer, frame, order.ByTcp);
        else if (peer.Sealer is null)
            _state.Drop(DropReason.NoKey, peer.Id);
        else if (order.Kind == OrderKind.Send && peer.HasIds)
            _sender.SendInSession(peer, frame, order.TrafficClass);
        else if (order.Kind == OrderKind.Probe)
            _trains.SealProbe(peer, frame, order.Endpoint, order.Copies);
        else
            _trains.Seal(peer, peer, frame, order.Endpoint, order.TrafficClass);
    }

    private void DeviceFailed()
    {
        _poller.Unwatch(_ports.Device);
        if (_health.Failed(_state.Now))
            _mail.DeviceFailed();
    }
}
