using System.Diagnostics;
using System.Globalization;
using FastMesh.Engine.Daemon.Metrics;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// The one thread that touches <see cref="Mesh"/>. It waits for listeners, meta connections, reports of the data plane, and a
/// wake-up that signals and lookups share; gives the mesh each as an input with the time; and performs what the mesh then asks for.
/// </summary>
internal sealed partial class ControlLoop : IDisposable
{
    private const int EventsPerWait = 64;
    private const int ReportsPerTurn = 256; // so that a flood of reports does not keep the loop from connections and timers
    private const int MaxWait = 60_000;     // milliseconds

    /// <summary>Where the first bucket of the lengths of turns ends.</summary>
    public static TimeSpan ShortestTurn { get; } = TimeSpan.FromMicroseconds(125);

    // Tags of epoll events: small numbers for what there is once, then listeners, then connections by number, then control clients.
    private const ulong WakeTag = 0, ReportTag = 1, ControlListenerTag = 2, ListenerTag = 16, ConnectionTag = 1UL << 32, ControlTag = 1UL << 48;

    private readonly Epoll _epoll = new(EventsPerWait);
    private readonly Mesh _mesh;
    private readonly DataPlane _plane;
    private readonly VpnDevice _device;
    private readonly Provisioning _provisioning;
    private readonly Listeners _listeners;
    private readonly MetaSockets _sockets;
    private readonly Scripts _scripts;
    private readonly Resolver _resolver;
    private readonly Signals _signals;
    private readonly EventFd _wake;
    private readonly ControlSocket? _control;
    private readonly ServiceManager _manager;
    private readonly GraphDump _graphDump;
    private readonly IDaemonConsole _console;
    private readonly EngineLog _log;
    private readonly StatusSource _status;
    private readonly StatusExchange? _exchange;
    private readonly TimeHistogram _turns = new(ShortestTurn);
    private DaemonOptions _options;
    private int? _exitCode;

    /// <summary>Prepares; nothing happens before <see cref="Start"/>. The parts stay the caller's, except the sockets of connections.</summary>
    public ControlLoop(ControlLoopParts parts, DaemonOptions options, IDaemonConsole console, EngineLog log)
    {
        (_mesh, _plane, _device, _provisioning, _listeners) = (parts.Mesh, parts.Plane, parts.Device, parts.Provisioning, parts.Listeners);
        (_scripts, _signals, _wake, _control, _exchange, _manager) =
            (parts.Scripts, parts.Signals, parts.Wake, parts.Control, parts.Exchange, parts.Manager);
        (_options, _console, _log) = (options, console, log);
        _resolver = new Resolver(_wake, log);
        _graphDump = new GraphDump(log);
        _sockets = new MetaSockets(_mesh, _epoll, ConnectionTag, options, _listeners, log);
        _status = new StatusSource(parts, _sockets, console, () => _options, _turns, MonotonicClock.Now);
    }

    /// <summary>Starts the shards with the mesh's first table, and the outgoing connections.</summary>
    /// <param name="port">The port to announce.</param>
    public void Start(string port)
    {
        _epoll.Add(_wake.Descriptor, EpollEvents.In, WakeTag);
        _epoll.Add(_plane.ReportDescriptor, EpollEvents.In, ReportTag);
        for (int i = 0; i < _listeners.Tcp.Count; i++)
            _epoll.Add(_listeners.Tcp[i].Descriptor, EpollEvents.In, ListenerTag + (uint)i);

        _control?.Serve(_epoll, ControlListenerTag, ControlTag, new ControlRequests(
            new(_mesh, _plane, _sockets, _console, StopForClient, PlanReload, ReloadForClient, _status), _options.Mesh.Name, () => _control.Sessions));

        if (!_mesh.TryTakeTable(out ForwardingTable? table))
            throw new InvalidOperationException("A mesh that has been started has a table");
        _plane.Start(table);
        _mesh.StartOutgoing(port, MonotonicClock.Now);
        Drain();
        ShowReachable();
    }

    /// <summary>Runs until a signal or a failing device ends it. Returns the exit code.</summary>
    public int Run()
    {
        while (_exitCode is null)
        {
            int count = _epoll.Wait(MillisecondsToWait());
            long woken = Stopwatch.GetTimestamp();
            for (int i = 0; i < count; i++)
            {
                HandleEvent(_epoll.Tag(i), _epoll.Events(i));
                Drain();
            }

            Instant now = MonotonicClock.Now;
            if (_mesh.NextTimeout is { } due && due <= now)
            {
                _mesh.HandleTimeout(now);
                Drain();
            }

            _status.Tend(now);
            _control?.EndTurn(now);
            _manager.Tend(now, _plane.HaveTurned);
            _turns.Add(Stopwatch.GetElapsedTime(woken));
        }

        _manager.NotifyStopping();
        foreach (string line in DescribeTraffic())
            _log.Connections.Statistics(line);
        return _exitCode.Value;
    }

    /// <summary>Closes all connections.</summary>
    public void Dispose()
    {
        _sockets.Dispose();
        _resolver.Dispose();
        _epoll.Dispose();
    }

    private int MillisecondsToWait()
    {
        Instant due = _mesh.NextTimeout is { } timeout && timeout < _manager.NextTimeout ? timeout : _manager.NextTimeout;
        return due == Instant.Never ? MaxWait : (int)Math.Clamp((due - MonotonicClock.Now).TotalMilliseconds, 0, MaxWait);
    }

    private void HandleEvent(ulong tag, EpollEvents events)
    {
        switch (tag)
        {
            case WakeTag:
                HandleWake();
                break;
            case ReportTag:
                HandleReports();
                break;
            case ControlListenerTag:
                _control!.Accept();
                break;
            case >= ControlTag:
                _control!.HandleEvent(tag, events);
                break;
            case >= ConnectionTag:
                _sockets.HandleEvent(tag, events);
                break;
            default:
                _sockets.Accept(_listeners.Tcp[(int)(tag - ListenerTag)].Descriptor);
                break;
        }
    }

    private void HandleWake()
    {
        _wake.Drain();
        while (_resolver.TryTake(out Resolver.Answer answer))
        {
            _mesh.HandleResolved(answer.Ticket, answer.Addresses, MonotonicClock.Now);
            Drain();
        }

        while (_exitCode is null && _signals.TryTake(out int number))
        {
            HandleSignal(number);
            Drain();
        }

        _exchange?.Serve(_status.Take);
        _control?.HandleLog(_console.DebugLevel);
    }

    private void HandleReports()
    {
        for (int i = 0; i < ReportsPerTurn && _plane.TryTakeReport(out ShardReport report); i++)
        {
            HandleReport(report, MonotonicClock.Now);
            Drain();
        }
    }

    private void HandleReport(in ShardReport report, Instant now)
    {
        switch (report.Kind)
        {
            case ShardReportKind.TcpFrame:
                _mesh.HandleTcpFrame(report.Node, report.Bytes, report.KeyNeededFor, now);
                break;
            case ShardReportKind.Probe:
                _mesh.HandleProbe(report.Node, report.Bytes, now);
                break;
            case ShardReportKind.UnknownDatagram:
                _mesh.HandleUnknownDatagram(report.Source, report.Socket, report.Bytes, now);
                break;
            case ShardReportKind.TooBig:
                _mesh.HandleTooBig(report.Node, report.Length, now);
                break;
            case ShardReportKind.TrainRefused:
                _mesh.HandleTrainRefused(report.Node, report.Length, now);
                if (_plane.Find(report.Node) is { } refused)
                    _log.Always.TrainRefused(refused.Name, refused.Address, Errno.Message(report.Length));
                break;
            case ShardReportKind.TcpDatagram:
                _mesh.HandleTcpDatagram(report.Node, report.Bytes, now);
                break;
            case ShardReportKind.Traffic:
                _mesh.HandleTraffic(report.Node, report.KeyNeededFor == report.Node, now);
                break;
            case ShardReportKind.OpenFailed:
                _mesh.HandleOpenFailed(report.Node, now);
                break;
            case ShardReportKind.Relayed:
                _mesh.HandleRelayed(report.Node, report.KeyNeededFor, now);
                break;
            case ShardReportKind.SpeedRecord:
                _mesh.HandleSpeedRecord(report.Node, report.Bytes, now);
                break;
            case ShardReportKind.Captured:
                _control?.HandleCaptured(report.Bytes);
                break;
            case ShardReportKind.Learned:
                _mesh.HandleLearned(MacAddress.Read(report.Bytes), now);
                break;
            default:
                _log.Always.DeviceFailed(_device.Device);
                _exitCode = 0;
                break;
        }
    }

    /// <summary>Performs what the mesh asks for. A new table is out before any action that came of the same input.</summary>
    private void Drain()
    {
        do
        {
            if (_mesh.TryTakeTable(out ForwardingTable? table))
            {
                _plane.Publish(table);
                ShowReachable();
            }
        }
        while (PerformNext());
        _sockets.CloseEnded();
    }

    private void ShowReachable()
    {
        if (!_manager.IsThere)
            return;
        (int reachable, int all) = _mesh.CountNodes();
        _manager.ShowStatus(string.Create(CultureInfo.InvariantCulture, $"{reachable} of {all} nodes reachable"));
    }

    private bool PerformNext()
    {
        if (!_mesh.TryTakeAction(out MeshAction? action))
            return false;

        switch (action)
        {
            case MeshAction.Send send:
                _sockets.Send(send.Connection);
                break;
            case MeshAction.RouteFrame route:
                _plane.RouteFrame(route.From, route.Frame, route.ByTcp);
                break;
            case MeshAction.SendProbe probe:
                _plane.SendProbe(probe.Node, probe.Frame, probe.Destination, probe.Copies);
                break;
            case MeshAction.OpenDatagram open:
                _plane.OpenDatagram(open.Node, open.Datagram, open.ByTcp);
                break;
            case MeshAction.SendDatagram send:
                _plane.SendDatagram(send.Node, send.Datagram);
                break;
            case MeshAction.SendSpeedRecord speed:
                _plane.SendSpeedRecord(speed.Node, speed.Record);
                break;
            case MeshAction.OrderSpeed speed:
                _plane.OrderSpeed(speed.Node, speed.Order);
                break;
            case MeshAction.CountSpeed count:
                _mesh.HandleSpeedCounts(count.Test, _plane.SpeedCounts(count.Test), MonotonicClock.Now);
                break;
            case MeshAction.ReportSpeed speed:
                _control?.HandleSpeed(speed.Report);
                break;
            case MeshAction.MeasureMtu measure:
                MeasureMtu(measure);
                break;
            case MeshAction.Resolve resolve:
                _resolver.Ask(resolve);
                break;
            case MeshAction.Connect connect:
                _sockets.Connect(connect);
                break;
            case MeshAction.ConnectCommand command:
                _sockets.Connect(command);
                break;
            case MeshAction.Close close:
                _sockets.Close(close.Connection, close.Tarpit);
                break;
            case MeshAction.RunScript script:
                _scripts.Enqueue(script.Name, script.Variables);
                break;
            case MeshAction.SetUpInterface change:
                ChangeStandby(change.Up);
                break;
            case MeshAction.DumpGraph dump when _options.GraphDumpFile is { } file:
                _graphDump.Write(file, dump.Text);
                break;
        }

        return true;
    }

    /// <summary>DeviceStandby: while the interface is set up or not, the daemon goes on, whatever the kernel refuses.</summary>
    private void ChangeStandby(bool up)
    {
        if (!up)
        {
            _provisioning.Retire();
            _scripts.Enqueue(_provisioning.UndoIfRetired);
            return;
        }

        try
        {
            _provisioning.Apply(_options.Interface);
        }
        catch (ProvisioningException e)
        {
            _log.Always.SetUpFailed(e.Message);
        }
    }

    private void MeasureMtu(MeshAction.MeasureMtu measure)
    {
        Span<byte> address = stackalloc byte[Endpoint.MaxSockaddrLength];
        int mtu = UdpSocket.PathMtu(address[..measure.Address.WriteSockaddr(address)]);
        _mesh.HandleKernelMtu(measure.Node, mtu, MonotonicClock.Now);
    }
}

/// <summary>What a control loop works with.</summary>
/// <param name="Mesh">The state machine, started.</param>
/// <param name="Plane">The shards, not started.</param>
/// <param name="Device">The open device.</param>
/// <param name="Provisioning">What was set up of the device's interface.</param>
/// <param name="Listeners">The open sockets.</param>
/// <param name="Scripts">Runs scripts.</param>
/// <param name="Signals">Where signals come from.</param>
/// <param name="Wake">What signals are announced by.</param>
/// <param name="Control">Where control clients connect, or null.</param>
/// <param name="Exchange">Where snapshots are asked for, or null.</param>
/// <param name="Manager">Who started the daemon.</param>
internal sealed record ControlLoopParts(
    Mesh Mesh, DataPlane Plane, VpnDevice Device, Provisioning Provisioning, Listeners Listeners, Scripts Scripts, Signals Signals, EventFd Wake,
    ControlSocket? Control, StatusExchange? Exchange, ServiceManager Manager);
