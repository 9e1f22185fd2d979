using FastMesh.Engine;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

/// <summary>
/// One daemon of the simulation: a real <see cref="Mesh"/>, and in place of sockets the streams of the network. What replaces the shards is in
/// SimNode.Data.cs.
/// </summary>
internal sealed partial class SimNode
{
    private readonly SimNetwork _network;
    private readonly int _index;
    private readonly Dictionary<ConnectionId, SimStream> _streams = [];
    private int _lives;
    private Mesh? _mesh;

    public SimNode(SimNetwork network, string name, int index, Func<MeshSettings, MeshSettings> configure)
    {
        (_network, _index, Name, Log) = (network, index, name, new SimLog(network.DebugLevel));
        Address = Endpoint.FromIPv4(0x0a000001u + (uint)index, 655);
        RsaIdentity key = SimKeys.Get(index);
        HostFile = new PeerSettings { Addresses = [new HostPort(Address.AddressText, "655")], PublicKey = key.Public };
        Settings = configure(new MeshSettings { Name = name, Key = key });
        HostFile = HostFile with
        {
            Subnets = Settings.Subnets,
            Ed25519Key = Settings.SpeaksSptps ? Settings.Identity!.Public : null,
        };
    }

    public string Name { get; }

    public Endpoint Address { get; set; }

    /// <summary>
    /// The address the NAT in front of this node shows to the outside, or null. Nodes with the same one are on one local network;
    /// the NAT does not turn packets around.
    /// </summary>
    public Endpoint? Public { get; set; }

    /// <summary>The NAT lets datagrams in only from where one was sent to in the last half minute (port-restricted).</summary>
    public bool IsGuarded { get; set; }

    public PeerSettings HostFile { get; }

    public SimDirectory Directory { get; } = new();

    public SimLog Log { get; private set; }

    /// <summary>Takes effect at the next start.</summary>
    public MeshSettings Settings { get; set; }

    public Mesh Mesh => _mesh ?? throw new InvalidOperationException($"{Name} is down");

    public bool IsUp => _mesh is not null;

    public ForwardingTable Table { get; private set; } = null!;

    /// <summary>Scripts run: name and the values of NODE, SUBNET or address.</summary>
    public List<string> Scripts { get; } = [];

    /// <summary>Payloads of frames that arrived for this node.</summary>
    public List<string> Received { get; } = [];

    /// <summary>Datagrams of other nodes passed on unopened, by UDP.</summary>
    public int Relayed { get; private set; }

    /// <summary>Datagrams that came from the address of a node and did not open: what would end a session of tinc 1.1.</summary>
    public int Strays { get; private set; }

    /// <summary>When a TCP connection was attempted, and where to.</summary>
    public List<(Instant At, Endpoint Target)> Dialled { get; } = [];

    /// <summary>Meta bytes sent by this node so far.</summary>
    public long MetaBytes { get; private set; }

    /// <summary>Frames sent by TCP and by UDP.</summary>
    public (int Tcp, int Udp) Frames { get; private set; }

    /// <summary>Kernel's path MTU knowledge: larger datagrams are refused with EMSGSIZE. Null: only the path drops them.</summary>
    public int? LocalMtu { get; set; }

    /// <summary>Whether datagrams that leave together get lost.</summary>
    public bool LosesTrains { get; set; }

    public Instant? NextTimeout => _mesh?.NextTimeout;

    public int OpenStreams => _streams.Count;

    public IReadOnlyCollection<string> Graph => [.. Mesh.DescribeGraph()];

    public HashSet<string> ReachableNames => IsUp
        ? [Name, .. Table.Peers.Where(peer => peer.Reachable).Select(peer => peer.Name)]
        : [];

    public PeerRoute Route(string name) => Table.Peers.Single(peer => peer.Name == name);

    public void Start()
    {
        _mesh = new Mesh(Settings, Directory, new SeededRandom(HashCode(_network.Seed, _index, _lives++)), new EngineLog(Log));
        _mesh.Start(_network.Now);
        Drain();
        _mesh.StartOutgoing("655", _network.Now);
        Drain();
    }

    /// <summary>Loses all state; the others see their streams end, or nothing at all if the machine is gone.</summary>
    public void Crash(bool silently)
    {
        _mesh = null;
        foreach (SimStream stream in _streams.Values)
        {
            if (silently)
                stream.IsOpen = false;
            else
                stream.Close();
        }

        _streams.Clear();
    }

    public void Do(Action<Mesh, Instant> input)
    {
        input(Mesh, _network.Now);
        Drain();
    }

    public void FireTimers()
    {
        if (_mesh?.NextTimeout is { } due && due <= _network.Now)
            Do((mesh, now) => mesh.HandleTimeout(now));
    }

    public void ResumeStreams()
    {
        foreach (SimStream stream in _streams.Values)
            stream.Resume();
    }

    public void Receive(SimStream stream, byte[] bytes)
    {
        if (IsUp && stream.IsOpen)
            Do((mesh, now) => mesh.HandleMeta(stream.Connection, bytes, now));
    }

    public void ReceiveEnd(SimStream stream)
    {
        if (!IsUp || !stream.IsOpen)
            return;
        _streams.Remove(stream.Connection);
        stream.Close();
        Do((mesh, now) => mesh.HandleClosed(stream.Connection, CloseReason.EndOfStream, "", now));
    }

    private void Drain()
    {
        while (_mesh is { } mesh)
        {
            if (mesh.TryTakeTable(out ForwardingTable? table))
                Table = table;
            if (!mesh.TryTakeAction(out MeshAction? action))
                return;
            Perform(mesh, action);
        }
    }

    private void Perform(Mesh mesh, MeshAction action)
    {
        switch (action)
        {
            case MeshAction.Connect connect:
                Dialled.Add((_network.Now, connect.Target));
                Connect(connect);
                break;
            case MeshAction.Send send when _streams.TryGetValue(send.Connection, out SimStream? stream):
                ReadOnlySpan<byte> output = mesh.PendingOutput(send.Connection);
                MetaBytes += output.Length;
                stream.Write(output);
                mesh.HandleSent(send.Connection, output.Length, _network.Now);
                break;
            case MeshAction.Close close when _streams.Remove(close.Connection, out SimStream? stream):
                if (close.Tarpit)
                    stream.IsOpen = false;
                else
                    stream.Close();
                break;
            case MeshAction.RunScript script:
                Scripts.Add(string.Join(' ', [script.Name, .. script.Variables.Select(pair => $"{pair.Key}={pair.Value}")]));
                break;
            case MeshAction.SendProbe probe when Table.Find(probe.Node) is { Sealer: not null } peer:
                Endpoint to = probe.Destination.IsSet ? probe.Destination : peer.Address;
                for (int copy = 0; copy < probe.Copies && (probe.Copies == 1 || !LosesTrains); copy++)
                    Transmit(peer, Seal(peer, probe.Frame, direct: true), to, probe.Frame.Length);
                break;
            case MeshAction.RouteFrame route when SpeedRecord.IsOne(route.Frame):
                mesh.HandleSpeedRecord(route.From, route.Frame, _network.Now);
                break;
            case MeshAction.RouteFrame route:
                Forward(route.Frame, route.ByTcp);
                break;
            case MeshAction.OpenDatagram open when Table.Find(open.Node) is { } peer:
                OpenDatagram(peer, open.Datagram, isDirect: !open.ByTcp);
                break;
            case MeshAction.SendDatagram send when Table.Find(send.Node) is { } peer:
                Transmit(peer, send.Datagram, peer.Address);
                break;
            case MeshAction.SendSpeedRecord speed when Table.Find(speed.Node) is { HasIds: true } peer:
                SendInSession(peer, speed.Record);
                break;
            case MeshAction.OrderSpeed order:
                SpeedOrders.Add(order.Order);
                _orderedAt = _network.Now;
                break;
            case MeshAction.CountSpeed count:
                mesh.HandleSpeedCounts(count.Test, CountSpeed(), _network.Now);
                break;
            case MeshAction.ReportSpeed speed:
                SpeedReports.Add(speed.Report);
                break;
            case MeshAction.MeasureMtu measure:
                mesh.HandleKernelMtu(measure.Node, LocalMtu ?? 1500, _network.Now);
                break;
            case MeshAction.Resolve resolve:
                SimNode? named = _network.Nodes.FirstOrDefault(node => node.Name == resolve.Target.Host);
                mesh.HandleResolved(resolve.Ticket, named is null ? [] : [named.Address], _network.Now);
                break;
        }
    }

    private void Connect(MeshAction.Connect connect)
    {
        var stream = new SimStream(_network, this, connect.Connection);
        _streams.Add(connect.Connection, stream);
        SimNode? target = _network.FindByAddress(connect.Target);
        if (target is not null && _network.AreParted(this, target))
            return;
        _network.Later(() => Finish(stream, target));
    }

    /// <summary>The other side answers a connection attempt.</summary>
    private void Finish(SimStream stream, SimNode? target)
    {
        if (!IsUp || !stream.IsOpen)
            return;
        if (target is not { IsUp: true })
        {
            _streams.Remove(stream.Connection);
            Do((mesh, now) => mesh.HandleClosed(stream.Connection, CloseReason.Failed, "Connection refused", now));
            return;
        }

        ConnectionId accepted = target.Mesh.HandleAccepted(
            (IsLocalTo(target) ? Address : Public ?? Address).WithPort((ushort)(40000 + _index)), _network.Now, target.Address);
        var other = new SimStream(_network, target, accepted) { Other = stream };
        stream.Other = other;
        target._streams.Add(accepted, other);
        target.Drain();
        Do((mesh, now) => mesh.HandleConnected(stream.Connection, now, Address));
    }

    private static int HashCode(int seed, int index, int life) => unchecked((((seed * 397) ^ index) * 397) ^ life);
}
