using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// AutoConnect: three connections with nodes that chance chooses (tinc 1.1 reference, 9.1). Only nodes with a host file are chosen, for no others are let in. What it
/// dials is in the same list as ConnectTo, and it cancels both alike.
/// </summary>
public sealed partial class Mesh
{
    private const int EnoughConnections = 3;

    /// <summary>The nodes with host file and key, and whether the file has an Address; as of the start or the last reload.</summary>
    private readonly SortedDictionary<string, bool> _hostFiles = new(StringComparer.Ordinal);

    /// <summary>Begins to choose connections, or ends it, as the settings say. The first look is soon if nothing else is dialled.</summary>
    private void StartAutoConnect(Instant now)
    {
        _hostFiles.Clear();
        if (!_settings.AutoConnect)
        {
            _deadlines.Cancel(TimerKind.AutoConnect);
            return;
        }

        foreach (string name in _directory.Names.Where(name => name != Self.Name))
        {
            if (_directory.TryRead(name, out PeerSettings? peer) && (peer.PublicKey is not null || KeyOf(name, peer) is not null))
                _hostFiles.Add(name, peer.Addresses.Count > 0);
        }

        if (!_deadlines.IsSet(TimerKind.AutoConnect))
            _deadlines.Set(TimerKind.AutoConnect, 0, now + (_outgoing.Count == 0 ? TimeSpan.Zero : ProtocolLimits.AutoConnectInterval) + AutoConnectJitter());
    }

    private TimeSpan AutoConnectJitter() => ProtocolLimits.AutoConnectJitter * (_random.NextUInt32() / 4294967296.0);

    private void ChooseConnections(Instant now)
    {
        _deadlines.Set(TimerKind.AutoConnect, 0, now + ProtocolLimits.AutoConnectInterval + AutoConnectJitter());
        int count = ActiveConnections.Count();
        if (count < EnoughConnections)
        {
            HashSet<string> connected = [.. _connections.Values.Select(connection => connection.Name).OfType<string>()];
            Choose([.. _hostFiles.Where(file => !connected.Contains(file.Key) && (file.Value || IsReachable(file.Key))).Select(file => file.Key)], now);
            return;
        }

        if (count > EnoughConnections)
            EndOneConnection(now);
        foreach (Outgoing outgoing in _outgoing.Values.Where(outgoing => !IsUnderWay(outgoing)).ToList())
        {
            _log.Connections.AutoCancel(outgoing.Name);
            Forget(outgoing, now);
        }

        // Of all nodes one, so that parts of the mesh that do not know of each other find together, without everyone dialling those that are down.
        string? any = PickOne([.. _hostFiles.Keys]);
        if (any is not null && _hostFiles[any] && !IsReachable(any) && !_connections.Values.Any(connection => connection.Name == any))
            Choose([any], now);
    }

    /// <summary>Dials one of these nodes, unless that is being done already.</summary>
    private void Choose(string[] names, Instant now)
    {
        if (PickOne(names) is not { } name || _outgoing.Values.Any(outgoing => outgoing.Name == name))
            return;
        _log.Connections.AutoConnect(name);
        Dial(AddOutgoing(name), now);
    }

    /// <summary>There is one connection too many: one of those made from here, to a node that the mesh keeps without it.</summary>
    private void EndOneConnection(Instant now)
    {
        MetaConnection[] spare = [.. ActiveConnections.Where(connection => connection.Initiator && connection.Node!.Edges.Count > 1)];
        if (PickOne(spare) is not { } connection || !IsReachableWithout(connection.Node!))
            return;
        _log.Connections.AutoDisconnect(connection.Name!);
        if (connection.Outgoing is { } outgoing)
            Forget(outgoing, now);
        Terminate(connection, close: true, tarpit: false, now);
    }

    private T? PickOne<T>(T[] items)
        where T : class => items.Length == 0 ? null : items[_random.NextUInt32() % items.Length];

    private bool IsReachable(string name) => _graph.Find(name) is { Reachable: true };

    /// <summary>Whether a connection, or the lookup of an address for one, fills the need.</summary>
    private bool IsUnderWay(Outgoing outgoing) => outgoing.Connection is not null || _lookups.Values.Any(lookup => lookup.Outgoing == outgoing);

    /// <summary>
    /// Whether a neighbour could still be reached without the connection with it. tincd looks only whether it has another one, and now and then cuts a mesh in two,
    /// until the parts have found each other by chance.
    /// </summary>
    private bool IsReachableWithout(Node neighbour)
    {
        HashSet<Node> seen = [neighbour];
        Queue<Node> queue = new([neighbour]);
        while (queue.TryDequeue(out Node? node))
        {
            foreach (Edge edge in node.Edges.Values.Where(edge => edge.Reverse is not null))
            {
                if (edge.To == Self && node != neighbour)
                    return true;
                if (edge.To != Self && seen.Add(edge.To))
                    queue.Enqueue(edge.To);
            }
        }

        return false;
    }
}
