using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// A reload: what it would change, and the change itself. tincd closes every connection whose host file is younger than the last reload
/// (tinc 1.0 reference, 1.6); here only one that would come about differently now is closed.
/// </summary>
public sealed partial class Mesh
{
    /// <summary>What <see cref="Reload"/> would do with these settings and the host files as they are now. Changes nothing.</summary>
    public MeshChanges PlanReload(MeshSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        MeshSettings next = settings.AfterReloadOf(_settings);
        return new MeshChanges(
            [.. ConnectionChanges(next).OrderBy(change => change.Node, StringComparer.Ordinal)],
            [.. SubnetChanges(next)]);
    }

    /// <summary>
    /// Takes settings over, as far as a running daemon can, and the host files as they are now. Connections whose host files say nothing new
    /// about them go on, and so do attempts to connect; waits before the next attempt end, as in tincd.
    /// </summary>
    public void Reload(MeshSettings settings, Instant now)
    {
        ArgumentNullException.ThrowIfNull(settings);
        MeshSettings before = _settings;
        _settings = settings.AfterReloadOf(before);
        _tableChanged |= _settings.Forwarding != before.Forwarding;
        RestartTimers(before, now);

        if (_settings.Proxy != before.Proxy)
            _outgoing.Values.Where(outgoing => outgoing.Connection is { State: MetaState.Connecting or MetaState.Proxy }).ToList().ForEach(o => Forget(o, now));
        foreach ((MetaConnection connection, string reason) in ConnectionsToEnd())
        {
            _log.Connections.HostFileChanged(connection.Name!, reason);
            if (connection.Outgoing is { } outgoing)
                Forget(outgoing, now);
            Terminate(connection, close: true, tarpit: false, now);
        }

        SetSubnets(Self, _settings.Subnets, announce: true, now);
        SetSubnets(SubnetTable.Everyone, _settings.BroadcastSubnets, announce: false, now);
        if (_settings.StrictSubnets)
            LoadStrictSubnets(announce: true, now);
        foreach (Outgoing outgoing in Released(before, _settings).Union(_outgoing.Values.Where(outgoing => outgoing.Connection is null)).ToList())
            Forget(outgoing, now);
        DialAll(now);
        StartAutoConnect(now);
        UpdateGraph(now);
    }

    /// <summary>Periods that have begun last as long as the new settings say.</summary>
    private void RestartTimers(MeshSettings before, Instant now)
    {
        if (_settings.PingTimeout != before.PingTimeout || _settings.UdpDiscoveryTimeout != before.UdpDiscoveryTimeout)
        {
            _lastCheck = now; // else a shorter period would look like a machine that slept
            _deadlines.Set(TimerKind.PeriodicCheck, 0, now + _settings.PingTimeout);
        }

        if (_settings.DumpGraph && !before.DumpGraph)
            _deadlines.Set(TimerKind.GraphDump, 0, now + ProtocolLimits.GraphDumpInterval);
        else if (!_settings.DumpGraph)
            _deadlines.Cancel(TimerKind.GraphDump);
    }

    /// <summary>What is no longer dialled under new settings. What AutoConnect has chosen stays its own as long as that is on.</summary>
    private IEnumerable<Outgoing> Released(MeshSettings before, MeshSettings next) => _outgoing.Values
        .Where(outgoing => !next.ConnectTo.Contains(outgoing.Name) && (!next.AutoConnect || before.ConnectTo.Contains(outgoing.Name)));

    /// <summary>A node is no longer to be dialled. A connection with it stays, unless it has not even been made.</summary>
    private void Forget(Outgoing outgoing, Instant now)
    {
        _deadlines.Cancel(TimerKind.Reconnect, outgoing.Index);
        _outgoing.Remove(outgoing.Index);
        foreach ((int ticket, _) in _lookups.Where(lookup => lookup.Value.Outgoing == outgoing).ToList())
            _lookups.Remove(ticket);
        if (outgoing.Connection is not { } connection)
            return;
        (connection.Outgoing, outgoing.Connection) = (null, null);
        if (connection.State is MetaState.Connecting or MetaState.Proxy)
            Terminate(connection, close: true, tarpit: false, now);
    }

    private List<(MetaConnection Connection, string Reason)> ConnectionsToEnd()
    {
        HashSet<string> files = [.. _directory.Names];
        List<(MetaConnection Connection, string Reason)> list = [];
        foreach (MetaConnection connection in _connections.Values)
        {
            if (connection.Name is { } name && WhyEnd(connection, files.Contains(name) && _directory.TryRead(name, out PeerSettings? peer) ? peer : null) is { } reason)
                list.Add((connection, reason));
        }

        return list;
    }

    /// <summary>What the host file says now that it did not when the connection was made, if it matters; null if nothing.</summary>
    private string? WhyEnd(MetaConnection connection, PeerSettings? now)
    {
        if (now is null)
            return "its host file is gone";
        if (_settings.BypassSecurity && !connection.Initiator)
            return null; // its host file was never read
        PeerSettings then = connection.Peer;
        if (!Equals(KeyOf(connection.Name!, then), KeyOf(connection.Name!, now)) || !Equals(then.PublicKey, now.PublicKey))
            return "its public key changed";
        string[] changed =
        [
            .. Differing("TCPOnly", then.TcpOnly, now.TcpOnly),
            .. Differing("IndirectData", then.IndirectData, now.IndirectData),
            .. Differing("ClampMSS", then.ClampMss, now.ClampMss),
            .. Differing("PMTU", then.Pmtu, now.Pmtu),
            .. Differing("Weight", then.Weight, now.Weight),
            .. connection.IsActive || !connection.Initiator || then.Addresses.SequenceEqual(now.Addresses) ? (string[])[] : ["Address"],
        ];
        return changed.Length == 0 ? null : $"{string.Join(", ", changed)} changed in its host file";
    }

    private static string[] Differing<T>(string variable, T then, T now) => EqualityComparer<T>.Default.Equals(then, now) ? [] : [variable];

    private IEnumerable<ConnectionChange> ConnectionChanges(MeshSettings next)
    {
        HashSet<string> wanted = [.. WantedNames(next)], before = [.. _outgoing.Values.Select(outgoing => outgoing.Name)];
        HashSet<string> told = [];
        foreach ((MetaConnection connection, string reason) in ConnectionsToEnd())
        {
            string name = connection.Name!;
            if (told.Add(name))
                yield return new ConnectionChange(name, wanted.Contains(name) ? ConnectionStep.Reconnect : ConnectionStep.Close, reason, NodesBehind(connection.Node));
        }

        foreach (string name in Released(_settings, next).Select(outgoing => outgoing.Name).Except(told))
        {
            string reason = _settings.ConnectTo.Contains(name) ? "ConnectTo no longer names it" : "AutoConnect, which has chosen it, is turned off";
            yield return new ConnectionChange(name, ConnectionStep.Release, reason, []);
        }

        foreach (string name in wanted.Except(before).Where(name => ConnectionTo(_graph.Find(name)) is null).Except(told))
            yield return new ConnectionChange(name, ConnectionStep.Dial, "ConnectTo names it", []);
    }

    private List<string> NodesBehind(Node? neighbour) => neighbour is null ? [] :
        [.. _graph.Nodes.Where(node => node.Reachable && node != neighbour && node.NextHop == neighbour).Select(node => node.Name).Order(StringComparer.Ordinal)];

    private IEnumerable<SubnetChange> SubnetChanges(MeshSettings next)
    {
        IEnumerable<(string Name, IReadOnlyList<Subnet> Subnets)> lists = [(Self.Name, next.Subnets)];
        if (next.StrictSubnets)
            lists = lists.Concat(StatedSubnets());
        foreach ((string name, IReadOnlyList<Subnet> wanted) in lists)
        {
            (List<Subnet> gone, List<Subnet> added) = Differences(_graph.Find(name), wanted);
            foreach (Subnet subnet in gone)
                yield return new SubnetChange(name, subnet.ToString(), Announced: false);
            foreach (Subnet subnet in added)
                yield return new SubnetChange(name, subnet.ToString(), Announced: true);
        }
    }
}
