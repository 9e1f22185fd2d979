using System.Net;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>UPnP: what a home router is asked for (tinc 1.1 reference, 7.4).</summary>
/// <param name="WithTcp">TCP ports too, not only UDP.</param>
/// <param name="DiscoverWait">UPnPDiscoverWait: how long to wait for a router's answer.</param>
/// <param name="RefreshPeriod">UPnPRefreshPeriod: how often it is asked anew; it forgets after twice that time.</param>
public sealed record PortForwardingSettings(bool WithTcp, TimeSpan DiscoverWait, TimeSpan RefreshPeriod);

/// <summary>
/// Keeps ports of this host forwarded by a home router, on a thread of its own, and takes them back at the end, which tincd leaves to the lease. Only a change
/// of what comes of it is logged.
/// </summary>
internal sealed class PortForwarding : IDisposable
{
    /// <summary>The end of the daemon waits no longer than that for a router, which then forgets the ports when their lease ends.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(3);

    /// <summary>No wait can be much longer than three weeks.</summary>
    private static readonly TimeSpan s_longestWait = TimeSpan.FromDays(1);

    private readonly PortForwardingSettings _settings;
    private readonly (string Protocol, ushort Port)[] _ports;
    private readonly string _name;
    private readonly EngineLog _log;
    private readonly ManualResetEventSlim _end = new();
    private readonly Thread? _thread;
    private readonly HashSet<(string Protocol, ushort Port)> _forwarded = [];
    private InternetGateway? _gateway;
    private volatile bool _hasAsked;
    private string _told = "";

    /// <summary>Begins, or says why not; never waits. The library is loaded here, before root and user change.</summary>
    /// <param name="settings">What is wanted.</param>
    /// <param name="ports">Ports on which the daemon listens by IPv4.</param>
    /// <param name="name">What the router's owner sees.</param>
    /// <param name="log">Where it is told what comes of it.</param>
    public PortForwarding(PortForwardingSettings settings, IEnumerable<ushort> ports, string name, EngineLog log)
    {
        string[] protocols = settings.WithTcp ? ["TCP", "UDP"] : ["UDP"];
        (_settings, _name, _log) = (settings, name, log);
        _ports = [.. ports.Distinct().SelectMany(_ => protocols, (port, protocol) => (protocol, port))];
        if (!InternetGateway.IsAvailable)
            _log.Always.PortsNotForwarded("no port is forwarded without libminiupnpc.so.17, .18 or .21: install Debian's package libminiupnpc17 or libminiupnpc18");
        else if (_ports.Length == 0)
            _log.Always.PortsNotForwarded("there is no port to forward: the daemon listens by IPv6 only, or for this host only");
        else
            (_thread = new Thread(Work) { IsBackground = true, Name = "upnp" }).Start();
    }

    /// <summary>Takes the ports back. A search for a router, in which there are none, is not waited for.</summary>
    public void Dispose()
    {
        _end.Set();
        if (_thread is null || (_hasAsked && _thread.Join(s_farewell)))
            _end.Dispose();
    }

    private void Work()
    {
        do
            Refresh();
        while (!_end.Wait(_settings.RefreshPeriod < s_longestWait ? _settings.RefreshPeriod : s_longestWait));

        if (_gateway is null)
            return;
        foreach ((string protocol, ushort port) in _forwarded)
            _gateway.TakeBack(protocol, port);
    }

    private void Refresh()
    {
        _gateway = _gateway?.Renew() ?? InternetGateway.Find(_settings.DiscoverWait);
        if (_gateway is null)
        {
            Tell("no router that forwards ports has answered");
            return;
        }

        List<string> problems = [];
        foreach ((string protocol, ushort port) in _ports)
        {
            if (_end.IsSet)
                return;
            _hasAsked = true;
            if (_gateway.Forward(protocol, port, _name, 2 * _settings.RefreshPeriod) is { } problem)
                problems.Add($"{protocol} port {port}: {problem}");
            else
                _forwarded.Add((protocol, port));
        }

        if (problems.Count > 0)
            Tell($"the router {_gateway.Address} does not forward {string.Join(", ", problems)}");
        else
            TellForwarded(_gateway.Address, _gateway.OutsideAddress);
    }

    private void TellForwarded(string router, IPAddress? outside)
    {
        string ports = string.Join(", ", _ports.Select(item => $"{item.Protocol} port {item.Port}"));
        if (IsNews($"{router} {outside}"))
            _log.Always.PortsForwarded(router, ports, outside?.ToString() ?? "an address it does not tell");
    }

    private void Tell(string problem)
    {
        if (IsNews(problem))
            _log.Always.PortsNotForwarded(problem);
    }

    private bool IsNews(string state)
    {
        bool isNews = state != _told && !_end.IsSet;
        _told = state;
        return isNews;
    }
}
