using System.Diagnostics.CodeAnalysis;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// The control plane of one node as a state machine without sockets, threads, clocks or files. One thread at a time.
/// <para>Inputs, each with the current time: <see cref="Start"/>, <c>Handle...</c>, and the operator's <see cref="Reload"/>,
/// <see cref="Retry"/>, <see cref="Purge"/>, <see cref="Disconnect"/>, <see cref="Stop"/>. None blocks; none throws for anything a peer sends.</para>
/// <para>Outputs, to be drained after every input in this order: <see cref="TryTakeTable"/> (publish it), <see cref="TryTakeAction"/>
/// until false, then arm a timer for <see cref="NextTimeout"/> and call <see cref="HandleTimeout"/> when it is due.</para>
/// <para>The graph is recomputed once per input, after the last of the edge changes in it, or earlier where a request depends on it.
/// Which file holds what: connections and dispatch in Mesh.Connections.cs and Mesh.Requests.cs, the handshake in Mesh.Handshake.cs, flooded
/// requests in Mesh.Subnets.cs and Mesh.Edges.cs, keys of tinc 1.0 in Mesh.Keys.cs, end-to-end sessions in Mesh.Sessions.cs, Mesh.Sptps.cs,
/// Mesh.FastMesh.cs and Mesh.Datagrams.cs, packets and probes in Mesh.Udp.cs and Mesh.Paths.cs, timers in Mesh.Timers.cs, dialling in
/// Mesh.Outgoing.cs, Mesh.AutoConnect.cs and Mesh.Addresses.cs, signals and control requests in Mesh.Operator.cs, Mesh.Reload.cs and
/// Mesh.Status.cs.</para>
/// </summary>
public sealed partial class Mesh
{
    private readonly IPeerDirectory _directory;
    private readonly IRandomSource _random;
    private readonly EngineLog _log;

    private readonly Graph _graph;
    private readonly SubnetTable _subnets = new();
    private readonly Dictionary<int, Peer> _peers = [];
    private readonly SortedDictionary<int, MetaConnection> _connections = [];
    private readonly SeenRequests _seen = new();
    private readonly DeadlineTable _deadlines = new();
    private readonly Queue<MeshAction> _actions = new();
    private readonly KeyTrust _trust;

    private MeshSettings _settings;
    private string _port;
    private int _lastConnection;
    private bool _graphChanged, _dumpDue, _tableChanged = true, _isAlone = true;

    /// <summary>Makes the state machine. Nothing happens before <see cref="Start"/>.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="peers">Host files of other nodes.</param>
    /// <param name="random">Random bytes for keys, nonces and probes.</param>
    /// <param name="log">Where messages go.</param>
    public Mesh(MeshSettings settings, IPeerDirectory peers, IRandomSource random, EngineLog log)
    {
        ArgumentNullException.ThrowIfNull(settings);
        (_settings, _directory, _random, _log) = (settings, peers, random, log);
        _port = settings.Port;
        _graph = new Graph(settings.Name);
        _trust = new KeyTrust(peers, settings.KnownKeys, log);
    }

    /// <summary>Own subnets come up (subnet-up scripts); with StrictSubnets all host files are read.</summary>
    public void Start(Instant now)
    {
        _keysChanged = now;
        PeerOf(Self).Flipped = now;
        foreach (Subnet subnet in _settings.Subnets.Order())
        {
            if (_subnets.Add(Self, subnet))
                RunSubnetScript(Self, subnet, up: true);
        }

        SetSubnets(SubnetTable.Everyone, _settings.BroadcastSubnets, announce: false, now);
        if (_settings.StrictSubnets)
            LoadStrictSubnets(announce: false, now);
        _deadlines.Set(TimerKind.PeriodicCheck, 0, now + _settings.PingTimeout);
        if (_settings.DumpGraph)
            _deadlines.Set(TimerKind.GraphDump, 0, now + ProtocolLimits.GraphDumpInterval);
        _tableChanged = _dumpDue = true;
    }

    /// <summary>The new forwarding table, if anything changed since the last call.</summary>
    public bool TryTakeTable([NotNullWhen(true)] out ForwardingTable? table)
    {
        table = _tableChanged
            ? new ForwardingTable(_settings.Forwarding, _graph, _subnets, _learned.Values.Select(learned => learned.Mac))
            : null;
        _tableChanged = false;
        return table is not null;
    }

    /// <summary>The next thing to do; drain after every input.</summary>
    public bool TryTakeAction([NotNullWhen(true)] out MeshAction? action) => _actions.TryDequeue(out action);

    /// <summary>When <see cref="HandleTimeout"/> is due; null if nothing is pending.</summary>
    public Instant? NextTimeout => _deadlines.Next;

    private Node Self => _graph.Self;

    private Peer PeerOf(Node node)
    {
        if (!_peers.TryGetValue(node.Id, out Peer? peer))
            _peers.Add(node.Id, peer = new Peer(node));
        return peer;
    }

    /// <summary>The active connection to a node, or null.</summary>
    private MetaConnection? ConnectionTo(Node? node) =>
        node is not null && _peers.TryGetValue(node.Id, out Peer? peer) ? peer.Connection : null;

    private IEnumerable<MetaConnection> ActiveConnections => _connections.Values.Where(connection => connection.IsActive);

    /// <summary>
    /// Recomputes the graph if edges have changed since the last time, and does what follows from nodes coming and going
    /// (tinc 1.0 reference, 7.2 step 4).
    /// </summary>
    private void UpdateGraph(Instant now)
    {
        if (!_graphChanged)
            return;
        _graphChanged = false;
        _dumpDue = _tableChanged = true;

        List<Node> flipped = [], addressed = [];
        _graph.Recompute(flipped, addressed);
        foreach (Node node in addressed)
            _log.Protocol.AddressSet(node.Name, node.Address);
        UpdateProtocols(flipped, now);
        bool isAlone = !_graph.Nodes.Any(node => node.Reachable && node != Self), stands = _settings.DeviceStandby && isAlone != _isAlone;
        _isAlone = isAlone;
        if (stands && !isAlone)
            _actions.Enqueue(new MeshAction.SetUpInterface(Up: true));
        foreach (Node node in flipped)
            HandleReachability(node, now);
        if (stands)
            EndStandbyChange();
        TendNeighbours(now);
    }

    /// <summary>The order is tinc 1.1's: tinc-up after the scripts of the first node that came, tinc-down after those of the last one that went.</summary>
    private void EndStandbyChange()
    {
        _actions.Enqueue(new MeshAction.RunScript(_isAlone ? "tinc-down" : "tinc-up", []));
        if (_isAlone)
            _actions.Enqueue(new MeshAction.SetUpInterface(Up: false));
    }

    private void HandleReachability(Node node, Instant now)
    {
        Peer peer = PeerOf(node);
        peer.Flipped = now;
        ResetSession(peer);
        ResetPath(peer);
        peer.Probes.Reset();
        peer.SeenBy = node.Entry?.From.Name ?? peer.SeenBy;

        if (node.Reachable)
            _log.Traffic.BecameReachable(node.Name, node.Address);
        else
            _log.Traffic.BecameUnreachable(node.Name, node.Address);
        RunHostScripts(node);
        foreach (Subnet subnet in _subnets.Of(node))
            RunSubnetScript(node, subnet, node.Reachable);

        if (node.Reachable)
        {
            BeginSession(peer, now);
            return;
        }

        if (node.Address.IsSet)
            _log.Protocol.AddressCleared(node.Name);
        (node.Address, node.Socket, node.Options) = (default, -1, EdgeOptions.None);
    }

    private void RunHostScripts(Node node)
    {
        string suffix = node.Reachable ? "up" : "down";
        List<KeyValuePair<string, string>> variables = NodeVariables(node);
        _actions.Enqueue(new MeshAction.RunScript($"host-{suffix}", variables));
        _actions.Enqueue(new MeshAction.RunScript($"hosts/{node.Name}-{suffix}", variables));
    }

    private void RunSubnetScript(Node owner, Subnet subnet, bool up)
    {
        List<KeyValuePair<string, string>> variables = NodeVariables(owner);
        variables.Add(new("SUBNET", subnet.NetworkText));
        variables.Add(new("WEIGHT", subnet.Weight.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        _actions.Enqueue(new MeshAction.RunScript(up ? "subnet-up" : "subnet-down", variables));
    }

    /// <summary>An address that is not known is exported as empty text: scripts can test for it.</summary>
    private List<KeyValuePair<string, string>> NodeVariables(Node node)
    {
        List<KeyValuePair<string, string>> variables = [new("NODE", node.Name)];
        if (node != Self)
        {
            bool known = node.Address.IsSet;
            variables.Add(new("REMOTEADDRESS", known ? node.Address.AddressText : ""));
            variables.Add(new("REMOTEPORT", known ? node.Address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture) : ""));
        }

        return variables;
    }
}
