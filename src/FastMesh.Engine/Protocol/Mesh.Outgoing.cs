using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Dialling the nodes of ConnectTo and those that AutoConnect chooses: rounds through their addresses, back-off, proxies (tinc 1.0 reference, 4.10).
/// </summary>
public sealed partial class Mesh
{
    /// <summary>Who waits for the answer to a Resolve action: a dial, or a connection that needs its proxy's address.</summary>
    private readonly record struct Lookup(Outgoing Outgoing, MetaConnection? ForProxy);

    /// <summary>What the peer's address is taken to be when only the proxy knows it; tinc's own stand-ins.</summary>
    private static readonly Endpoint s_hiddenIPv4 = Endpoint.FromIPv4(1, 0), s_hiddenIPv6 = Endpoint.FromIPv6((UInt128)0x0100 << 112, 0);

    private readonly SortedDictionary<int, Outgoing> _outgoing = [];
    private readonly Dictionary<int, Lookup> _lookups = [];
    private int _lastTicket, _lastOutgoing;

    /// <summary>Starts the outgoing connections; called once sockets are bound and "Ready" is logged.</summary>
    /// <param name="port">The port to announce in ACK.</param>
    /// <param name="now">Current time.</param>
    public void StartOutgoing(string port, Instant now)
    {
        _port = port;
        DialAll(now);
        StartAutoConnect(now);
    }

    /// <summary>Begins with every node of ConnectTo that is not cared for yet.</summary>
    private void DialAll(Instant now)
    {
        foreach (string name in WantedNames(_settings).Except(_outgoing.Values.Select(outgoing => outgoing.Name)).ToList())
            Dial(AddOutgoing(name), now);
    }

    private Outgoing AddOutgoing(string name)
    {
        var outgoing = new Outgoing(++_lastOutgoing, name);
        _outgoing.Add(outgoing.Index, outgoing);
        return outgoing;
    }

    private IEnumerable<string> WantedNames(MeshSettings settings) => settings.ConnectTo.Where(name => name != Self.Name).Distinct();

    /// <summary>Begins a round, unless a connection to the node exists or is being made by us.</summary>
    private void Dial(Outgoing outgoing, Instant now)
    {
        if (_connections.Values.FirstOrDefault(c => c.Name == outgoing.Name && (c.IsActive || c.Initiator)) is { } existing)
        {
            _log.Connections.AlreadyConnected(outgoing.Name);
            (existing.Outgoing, outgoing.Connection) = (outgoing, existing);
            return;
        }

        if (_deadlines.IsSet(TimerKind.ClashEnd))
        {
            Wait(outgoing, _clashPause, now);
            return;
        }

        outgoing.Hosts.Clear();
        outgoing.Endpoints.Clear();
        HostPort[] addresses = _directory.TryRead(outgoing.Name, out PeerSettings? peer) ? [.. AddressesOf(outgoing.Name, peer)] : [];
        if (peer is null || addresses.Length == 0)
        {
            _log.Connections.NoAddress(outgoing.Name);
            outgoing.Note("", $"hosts/{outgoing.Name} has no Address", now);
            Wait(outgoing, _settings.MaxTimeout, now);
            return;
        }

        outgoing.Peer = peer;
        foreach (HostPort host in addresses)
            outgoing.Hosts.Enqueue(host);
        DialNext(outgoing, now);
    }

    /// <summary>Tries the next address of the round; after the last one the back-off grows.</summary>
    private void DialNext(Outgoing outgoing, Instant now)
    {
        while (true)
        {
            if (outgoing.Endpoints.TryDequeue(out Endpoint endpoint))
            {
                if (TryConnect(outgoing, endpoint, now))
                    return;
                continue;
            }

            if (!outgoing.Hosts.TryDequeue(out HostPort host))
                break;
            outgoing.Host = host;
            if (!Endpoint.TryParse(host.Host, host.Port, out endpoint))
            {
                Resolve(host, new Lookup(outgoing, null));
                return;
            }

            if (IsWanted(endpoint))
                outgoing.Endpoints.Enqueue(endpoint);
        }

        _log.Connections.CouldNotConnect(outgoing.Name);
        BackOff(outgoing, TimeSpan.Zero, now);
    }

    /// <summary>A connection made for this purpose is gone.</summary>
    private void Redial(Outgoing outgoing, bool wasActive, Instant now)
    {
        if (outgoing.AtOnce)
        {
            (outgoing.AtOnce, outgoing.Backoff) = (false, TimeSpan.Zero);
            Dial(outgoing, now);
            return;
        }

        bool roundDone = outgoing.Hosts.Count == 0 && outgoing.Endpoints.Count == 0;
        if (!wasActive || !roundDone)
            DialNext(outgoing, now);
        else if (outgoing.Proven)
            BackOff(outgoing, TimeSpan.Zero, now);
        else
            BackOff(outgoing, ProtocolLimits.RedialJitter * (_random.NextUInt32() / 4294967296.0), now);
        outgoing.Proven = false;
    }

    private void BackOff(Outgoing outgoing, TimeSpan extra, Instant now)
    {
        outgoing.Backoff = Min(Max(outgoing.Backoff + ProtocolLimits.BackoffStep, _settings.MinTimeout), _settings.MaxTimeout);
        Wait(outgoing, outgoing.Backoff + extra, now);
    }

    private void Wait(Outgoing outgoing, TimeSpan time, Instant now)
    {
        _deadlines.Set(TimerKind.Reconnect, outgoing.Index, now + time);
        _log.Connections.Retrying((long)time.TotalSeconds);
    }

    private bool IsWanted(Endpoint endpoint) => _settings.AddressFamily switch
    {
        AddressFamilyChoice.IPv4 => endpoint.IsIPv4,
        AddressFamilyChoice.IPv6 => endpoint.IsIPv6,
        _ => true,
    };

    private void Resolve(HostPort host, Lookup lookup)
    {
        _lookups.Add(++_lastTicket, lookup);
        _actions.Enqueue(new MeshAction.Resolve(_lastTicket, host, _settings.AddressFamily));
    }

    /// <summary>Answer to a Resolve action; empty if the name has no address of the wanted family.</summary>
    public void HandleResolved(int ticket, IReadOnlyList<Endpoint> addresses, Instant now)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        if (!_lookups.Remove(ticket, out Lookup lookup))
            return;
        if (lookup.ForProxy is { } connection)
        {
            HandleProxyResolved(connection, addresses, now);
            return;
        }

        Outgoing outgoing = lookup.Outgoing;
        foreach (Endpoint address in addresses)
            outgoing.Endpoints.Enqueue(address);
        if (addresses.Count == 0)
        {
            if (_settings.Proxy is { } proxy && ProxyHandshake.CanPassName(proxy.Kind, outgoing.Host.Host))
                outgoing.Endpoints.Enqueue(default);
            else
                NoteLookupFailed(outgoing, now);
        }

        DialNext(outgoing, now);
    }

    private void NoteLookupFailed(Outgoing outgoing, Instant now)
    {
        _log.Connections.LookupFailed(outgoing.Host, outgoing.Name);
        outgoing.Note(outgoing.Host.ToString(), "the name cannot be resolved", now);
    }

    /// <summary>Begins a connection; false if the proxy's protocol cannot express the target.</summary>
    private bool TryConnect(Outgoing outgoing, Endpoint target, Instant now)
    {
        ProxySettings? proxy = _settings.Proxy;
        ProxyHandshake? handshake = proxy is null or { Kind: ProxyKind.Exec }
            ? null
            : ProxyHandshake.TryCreate(proxy, outgoing.Host, target);
        if (proxy is not null && proxy.Kind != ProxyKind.Exec && handshake is null)
        {
            _log.Connections.ProxyCannot(outgoing.Host);
            return false;
        }

        var id = new ConnectionId(++_lastConnection);
        Endpoint hidden = _settings.AddressFamily == AddressFamilyChoice.IPv6 ? s_hiddenIPv6 : s_hiddenIPv4;
        var connection = new MetaConnection(id, target.IsSet ? target : hidden, initiator: true, now)
        {
            Name = outgoing.Name,
            Peer = outgoing.Peer,
            Outgoing = outgoing,
            Proxy = handshake,
        };
        outgoing.Connection = connection;
        _connections.Add(id.Value, connection);
        _log.Connections.Connecting(connection);
        if (proxy is null)
            _actions.Enqueue(new MeshAction.Connect(id, target));
        else
            ConnectToProxy(connection, proxy, outgoing, now);
        return true;
    }

    private void ConnectToProxy(MetaConnection connection, ProxySettings proxy, Outgoing outgoing, Instant now)
    {
        if (proxy.Kind == ProxyKind.Exec)
        {
            (string host, string port) = connection.Remote.Port != 0
                ? (connection.Remote.AddressText, connection.Remote.Port.ToString(System.Globalization.CultureInfo.InvariantCulture))
                : (outgoing.Host.Host, outgoing.Host.Port);
            _actions.Enqueue(new MeshAction.ConnectCommand(connection.Id, proxy.Command ?? "",
                [new("NODE", outgoing.Name), new("REMOTEADDRESS", host), new("REMOTEPORT", port)]));
        }
        else if (Endpoint.TryParse(proxy.Address.Host, proxy.Address.Port, out Endpoint address))
        {
            HandleProxyResolved(connection, [address], now);
        }
        else
        {
            Resolve(proxy.Address, new Lookup(outgoing, connection));
        }
    }

    private void HandleProxyResolved(MetaConnection connection, IReadOnlyList<Endpoint> addresses, Instant now)
    {
        if (!_connections.ContainsKey(connection.Id.Value))
            return;
        if (addresses.Count > 0)
        {
            _actions.Enqueue(new MeshAction.Connect(connection.Id, addresses[0]));
            return;
        }

        _log.Connections.LookupFailed(_settings.Proxy!.Address, connection.Name ?? "");
        Terminate(connection, close: false, tarpit: false, now);
    }
}
