using System.Globalization;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>What signals and control clients ask for (tinc 1.0 reference, 1.6, 1.7, 7.4; tinc 1.1 reference, 10.2).</summary>
public sealed partial class Mesh
{
    /// <summary>ALRM: every pending timer fires now and every active connection gets a PING.</summary>
    public void Retry(Instant now)
    {
        _deadlines.Hasten(TimerKind.Reconnect, now);
        _deadlines.Hasten(TimerKind.Probe, now);
        _deadlines.Hasten(TimerKind.AutoConnect, now);
        foreach (MetaConnection connection in ActiveConnections)
            Ping(connection, now);
        HandleTimeout(now);
    }

    /// <summary>DISCONNECT: ends the meta connections with a node, also those that are being made. False if there is none.</summary>
    public bool Disconnect(string name, Instant now)
    {
        List<MetaConnection> wanted = [.. _connections.Values.Where(connection => connection.Name == name)];
        foreach (MetaConnection connection in wanted)
            Terminate(connection, close: true, tarpit: false, now);
        UpdateGraph(now);
        return wanted.Count > 0;
    }

    /// <summary>WINCH: forget unreachable nodes (tinc 1.0 reference, 7.4).</summary>
    public void Purge(Instant now)
    {
        PurgeUnreachable(now);
        UpdateGraph(now);
    }

    /// <summary>Tells everyone that what unreachable nodes had is gone, then forgets the nodes themselves.</summary>
    private void PurgeUnreachable(Instant now)
    {
        UpdateGraph(now);
        _log.Protocol.Purging();
        foreach (Node node in _graph.Nodes.Where(node => !node.Reachable).ToList())
        {
            foreach (Subnet subnet in _subnets.Of(node).ToList())
            {
                if (!_settings.TunnelServer)
                    AnnounceSubnet(node, subnet, up: false, now);
                if (!_settings.StrictSubnets)
                    _subnets.Remove(node, subnet);
            }

            foreach (Edge edge in node.Edges.Values.ToList())
            {
                if (!_settings.TunnelServer)
                    Broadcast(null, MetaRequest.DelEdge, MetaWriter.DelEdge(_random.NextNonce(), node.Name, edge.To.Name), now);
                _graph.RemoveEdge(edge);
            }
        }

        var targets = new HashSet<Node>(_graph.Edges.Select(edge => edge.To));
        foreach (Node node in _graph.Nodes.Where(node => !node.Reachable && !targets.Contains(node)).ToList())
        {
            if (_settings.StrictSubnets && _subnets.Of(node).Count > 0)
                continue;
            _deadlines.Cancel(TimerKind.Probe, node.Id);
            _peers.Remove(node.Id);
            _graph.RemoveNode(node);
        }

        _graphChanged = true;
    }

    /// <summary>Orderly end: connections close, nodes and own subnets go down (tinc 1.0 reference, 1.7).</summary>
    public void Stop(Instant now)
    {
        foreach (MetaConnection connection in _connections.Values.ToList())
        {
            connection.Outgoing = null;
            Drop(connection, close: true, tarpit: false);
            if (connection.Node is { } node)
                RemoveOwnEdge(node, announce: false, now);
        }

        UpdateGraph(now);
        foreach (Outgoing outgoing in _outgoing.Values)
            _deadlines.Cancel(TimerKind.Reconnect, outgoing.Index);
        _deadlines.Cancel(TimerKind.AutoConnect);
        _log.Connections.ClosingSelf(Self.Name);
        foreach (Subnet subnet in _subnets.Of(Self).ToList())
        {
            _subnets.Remove(Self, subnet);
            RunSubnetScript(Self, subnet, up: false);
        }

        _tableChanged = true;
    }

    /// <summary>The connection list of USR1, one line each.</summary>
    public IEnumerable<string> DescribeConnections() => _connections.Values.Select(c => string.Create(
        CultureInfo.InvariantCulture,
        $" {c.Name ?? "<unknown>"} at {c.Remote} options {(uint)c.Options:x} socket {c.Id.Value} status {StatusOf(c):x4}" +
        $" outbuf {c.OutputCapacity}/{c.OutputStart}/{c.PendingLength}"));

    /// <summary>The node, edge and subnet lists of USR2, one line each.</summary>
    public IEnumerable<string> DescribeGraph() =>
    [
        "Nodes:", .. _graph.Nodes.Select(Describe), "End of nodes.",
        "Edges:", .. _graph.Nodes.SelectMany(node => node.Edges.Values).Select(Describe), "End of edges.",
        "Subnet list:", .. _subnets.All.Select(owned => $" {owned.Subnet} owner {owned.Owner.Name}"), "End of subnet list.",
    ];

    private string Describe(Node node)
    {
        Crypto.LegacySuite suite = _peers.TryGetValue(node.Id, out Peer? peer) ? peer.Outgoing : default;
        (string at, EdgeOptions options) = node == Self
            ? ("MYSELF", OptionsFor(new PeerSettings()))
            : (node.Address.ToString(), node.Options);
        return string.Create(CultureInfo.InvariantCulture,
            $" {node.Name} at {at} cipher {suite.Cipher} digest {suite.Digest} maclength {suite.MacLength} compression {suite.Compression}" +
            $" options {(uint)options:x} status {StatusOf(node):x4} nexthop {node.NextHop?.Name ?? "-"} via {node.Via?.Name ?? "-"} pmtu {node.Mtu} (min {node.MinMtu} max {node.MaxMtu})");
    }

    private static string Describe(Edge edge) => string.Create(CultureInfo.InvariantCulture,
        $" {edge.From.Name} to {edge.To.Name} at {edge.AddressText.Address} port {edge.AddressText.Port}" +
        $" options {(uint)edge.Options:x} weight {edge.Weight}");

    /// <summary>Status bits of connections as tincd prints them (tinc 1.0 reference, 1.6).</summary>
    private static int StatusOf(MetaConnection connection) =>
        (connection.Pinged ? 1 : 0)
        | (connection.IsActive ? 2 : 0)
        | (connection.State == MetaState.Connecting ? 4 : 0)
        | (connection.Encrypting ? 0x40 : 0)
        | (connection.Decrypting ? 0x80 : 0)
        | (connection.Node is { OnSpanningTree: true } ? 0x100 : 0)
        | (connection.Proxy is not null && connection.State > MetaState.Proxy ? 0x200 : 0);

    /// <summary>Status bits of nodes (tinc 1.0 reference, 1.6).</summary>
    private static int StatusOf(Node node) =>
        (node.Sealer is not null ? 2 : 0)
        | (node.Visited ? 8 : 0)
        | (node.Reachable ? 0x10 : 0)
        | (node.Indirect ? 0x20 : 0);
}
