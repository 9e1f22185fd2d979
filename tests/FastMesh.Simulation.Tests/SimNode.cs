using System.Text;
using FastMesh.Engine;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

/// <summary>
/// One daemon of the simulation: a real <see cref="Mesh"/>, and in place of sockets and shards the few lines that a test needs:
/// sealing, opening, and the sending decision of the tinc 1.0 reference, 5.7, for frames that carry a node's name as target.
/// </summary>
internal sealed class SimNode
{
    private const int UdpAndIpHeaders = 28, FrameHeader = 14;

    private readonly SimNetwork _network;
    private readonly int _index;
    private readonly MeshSettings _settings;
    private readonly Dictionary<ConnectionId, SimStream> _streams = [];
    private int _lives;
    private Mesh? _mesh;

    public SimNode(SimNetwork network, string name, int index, Func<MeshSettings, MeshSettings> configure)
    {
        (_network, _index, Name, Log) = (network, index, name, new SimLog(network.DebugLevel));
        Address = Endpoint.FromIPv4(0x0a000001u + (uint)index, 655);
        RsaIdentity key = SimKeys.Get(index);
        HostFile = new PeerSettings { Addresses = [new HostPort(Address.AddressText, "655")], PublicKey = key.Public };
        _settings = configure(new MeshSettings { Name = name, Key = key });
        HostFile = HostFile with { Subnets = _settings.Subnets };
    }

    public string Name { get; }

    public Endpoint Address { get; set; }

    /// <summary>
    /// The address the NAT in front of this node shows to the outside, or null. Nodes with the same one are on one local network;
    /// the NAT does not turn packets around.
    /// </summary>
    public Endpoint? Public { get; set; }

    public PeerSettings HostFile { get; }

    public SimDirectory Directory { get; } = new();

    public SimLog Log { get; private set; }

    public MeshSettings Settings => _settings;

    public Mesh Mesh => _mesh ?? throw new InvalidOperationException($"{Name} is down");

    public bool IsUp => _mesh is not null;

    public ForwardingTable Table { get; private set; } = null!;

    /// <summary>Scripts run: name and the values of NODE, SUBNET or address.</summary>
    public List<string> Scripts { get; } = [];

    /// <summary>Payloads of frames that arrived for this node.</summary>
    public List<string> Received { get; } = [];

    /// <summary>When a TCP connection was attempted, and where to.</summary>
    public List<(Instant At, Endpoint Target)> Dialled { get; } = [];

    /// <summary>Meta bytes sent by this node so far.</summary>
    public long MetaBytes { get; private set; }

    /// <summary>Frames sent by TCP and by UDP.</summary>
    public (int Tcp, int Udp) Frames { get; private set; }

    /// <summary>Kernel's path MTU knowledge: larger datagrams are refused with EMSGSIZE. Null: only the path drops them.</summary>
    public int? LocalMtu { get; set; }

    public Instant? NextTimeout => _mesh?.NextTimeout;

    public int OpenStreams => _streams.Count;

    public IReadOnlyCollection<string> Graph => [.. Mesh.DescribeGraph()];

    public HashSet<string> ReachableNames => IsUp
        ? [Name, .. Table.Peers.Where(peer => peer.Reachable).Select(peer => peer.Name)]
        : [];

    public PeerRoute Route(string name) => Table.Peers.Single(peer => peer.Name == name);

    public void Start()
    {
        _mesh = new Mesh(_settings, Directory, new SeededRandom(HashCode(_network.Seed, _index, _lives++)), new EngineLog(Log));
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

    /// <summary>Sends a payload to a node through the VPN.</summary>
    public void SendTo(string target, string payload) => Forward(Frame(target, payload), byTcp: false);

    private static byte[] Frame(string target, string payload) =>
        [.. new byte[12], 8, 0, .. Encoding.ASCII.GetBytes($"{target}:{payload}")];

    private void Forward(byte[] frame, bool byTcp)
    {
        string[] parts = Encoding.ASCII.GetString(frame.AsSpan(FrameHeader)).Split(':', 2);
        if (parts[0] == Name)
        {
            Received.Add(parts[1]);
            return;
        }

        PeerRoute? owner = Table.Peers.SingleOrDefault(peer => peer.Name == parts[0]);
        if (owner is not { Reachable: true })
            return;
        PeerRoute hop = byTcp || owner.Via.IsSelf ? owner.NextHop : owner.Via;
        if (byTcp || ((Table.Self.Options | hop.Options) & EdgeOptions.TcpOnly) != 0)
            SendByTcp(hop, frame, -1);
        else
            SendByUdp(hop, frame);
    }

    private void SendByUdp(PeerRoute hop, byte[] frame)
    {
        if (hop.Sealer is null)
            SendByTcp(hop.NextHop, frame, hop.Id);
        else if (hop.Options.HasFlag(EdgeOptions.PmtuDiscovery) && frame.Length > hop.MinMtu)
            SendByTcp(hop.NextHop, frame, -1);
        else
            SendDatagram(hop, frame, hop.Address);
    }

    private void SendByTcp(PeerRoute hop, byte[] frame, int keyNeededFor)
    {
        Frames = Frames with { Tcp = Frames.Tcp + 1 };
        Do((mesh, now) => mesh.HandleTcpFrame(hop.Id, frame, keyNeededFor, now));
    }

    private void SendDatagram(PeerRoute hop, byte[] frame, Endpoint destination)
    {
        if (hop.Sealer is not { } sealer)
            return;
        byte[] packet = [.. new byte[LegacySealer.SequenceLength], .. frame];
        byte[] output = new byte[sealer.SealedLength(frame.Length)];
        byte[] datagram = output[..sealer.Seal(packet, output, direct: true)];
        if (LocalMtu is { } mtu && datagram.Length + UdpAndIpHeaders > mtu)
        {
            Do((mesh, now) => mesh.HandleTooBig(hop.Id, frame.Length, now));
            return;
        }

        bool isProbe = frame[12] == 0 && frame[13] == 0;
        if (!isProbe)
            Frames = Frames with { Udp = Frames.Udp + 1 };
        bool isBroadcast = destination.IsIPv4 && destination.IPv4 == uint.MaxValue;
        foreach (SimNode target in _network.Nodes)
        {
            bool isHit = isBroadcast
                ? target != this && IsLocalTo(target)
                : destination == (IsLocalTo(target) ? target.Address : target.Public ?? target.Address);
            if (!isHit || datagram.Length + UdpAndIpHeaders > _network.PathMtu || _network.AreParted(this, target)
                || _network.Random.NextDouble() < _network.Loss)
                continue;
            Endpoint source = IsLocalTo(target) ? Address : Public ?? Address;
            _network.Later(() => target.ReceiveDatagram(source, datagram));
        }
    }

    private bool IsLocalTo(SimNode other) => Public is { } mine
        ? other.Public is { } theirs && mine.SameAddress(theirs)
        : other.Public is null;

    private void ReceiveDatagram(Endpoint source, byte[] datagram)
    {
        if (!IsUp)
            return;
        if (Table.TryFindByAddress(source, out PeerRoute? peer))
            OpenDatagram(peer, datagram);
        else
            Do((mesh, now) => mesh.HandleUnknownDatagram(source, 0, datagram, now));
    }

    private void OpenDatagram(PeerRoute peer, byte[] datagram)
    {
        if (peer.Opener is not { } opener)
            return;
        byte[] output = new byte[opener.OutputLength(datagram.Length)];
        if (opener.Open(datagram, output, out int offset, out int length) != OpenResult.Opened)
            return;
        byte[] frame = output[offset..(offset + length)];
        if (frame[12] == 0 && frame[13] == 0)
            Do((mesh, now) => mesh.HandleProbe(peer.Id, frame, now));
        else
            Forward(frame, byTcp: false);
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
            case MeshAction.SendProbe probe when Table.Find(probe.Node) is { } peer:
                SendDatagram(peer, probe.Frame, probe.Destination.IsSet ? probe.Destination : peer.Address);
                break;
            case MeshAction.RouteFrame route:
                Forward(route.Frame, route.ByTcp);
                break;
            case MeshAction.OpenDatagram open when Table.Find(open.Node) is { } peer:
                OpenDatagram(peer, open.Datagram);
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
            (IsLocalTo(target) ? Address : Public ?? Address).WithPort((ushort)(40000 + _index)), _network.Now);
        var other = new SimStream(_network, target, accepted) { Other = stream };
        stream.Other = other;
        target._streams.Add(accepted, other);
        target.Drain();
        Do((mesh, now) => mesh.HandleConnected(stream.Connection, now));
    }

    private static int HashCode(int seed, int index, int life) => unchecked((((seed * 397) ^ index) * 397) ^ life);
}
