using System.Globalization;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Daemon.Metrics;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// The composition root: opens device and sockets, runs scripts and the control loop, and takes all down again. Each step of the start
/// is undone in reverse order at the end, also when a later step fails (tinc 1.0 reference, 1.2 and 1.7; tinc leaves tinc-down out then).
/// </summary>
public sealed class Daemon
{
    private readonly DaemonOptions _options;
    private readonly EngineLog _log;
    private readonly IDaemonConsole _console;
    private Signals? _signals;

    /// <summary>Prepares a daemon; nothing is opened before <see cref="Run"/>.</summary>
    /// <param name="options">What to run.</param>
    /// <param name="log">Where messages go.</param>
    /// <param name="console">Debug level and log file as signals change them.</param>
    public Daemon(DaemonOptions options, EngineLog log, IDaemonConsole console) =>
        (_options, _log, _console) = (options, log, console);

    /// <summary>
    /// Sets up, calls <paramref name="ready"/> once "Ready" is logged and privileges are dropped, and runs until a signal ends it.
    /// Returns the exit code (tinc 1.0 reference, 1.5); a set-up failure is logged and gives 1.
    /// </summary>
    public int Run(Action ready)
    {
        int exitCode = 1;
        try
        {
            using EventFd wake = new();
            using Signals signals = new(_options.Detached, wake, Environment.Exit);
            _signals = signals;
            using ServiceManager manager = ServiceManager.Take(_options.Detached);
            if (_options.LockMemory && !ProcessControl.LockMemory() && _options.User is not null)
                throw new IOException("Memory cannot stay locked (-L) for another user (-U) while there is a limit: raise RLIMIT_MEMLOCK before the start");
            CheckCpus(_options.DataPlane.Cpus);
            ChooseCrypto(_options.Crypto);
            exitCode = RunDevice(wake, signals, manager, ready);
        }
        catch (Exception e) when (e is IOException or LinuxException or UnauthorizedAccessException)
        {
            _log.Always.SetUpFailed(e.Message);
        }
        catch (Exception fault)
        {
            _log.Always.Fault(fault);
            Environment.FailFast("FastMesh found a fault in itself", fault);
        }

        _log.Always.Terminating();
        return exitCode;
    }

    /// <summary>Acts as if a signal had arrived; any thread, while <see cref="Run"/> runs.</summary>
    internal void Signal(int number) => _signals?.Post(number);

    /// <summary>Throws if the library is not there.</summary>
    internal static void ChooseCrypto(CryptoChoice choice)
    {
        if (!Encryption.TryChoose(choice))
            throw new IOException("--crypto: ipsec-mb is not installed, or in a version that is not known");
    }

    /// <summary>Throws if a processor does not exist or is not ours to use.</summary>
    internal static void CheckCpus(IReadOnlyList<int> wanted)
    {
        int[] allowed = CpuAffinity.Allowed();
        int[] missing = [.. wanted.Except(allowed)];
        if (allowed.Length > 0 && missing.Length > 0)
            throw new IOException($"--cpus: no processor {string.Join(" or ", missing)} here; there are {DescribeRanges(allowed)}");
    }

    /// <summary>Numbers and ranges with commas between them, as --cpus takes them.</summary>
    private static string DescribeRanges(int[] ascending) => string.Join(',', ascending.Select((cpu, index) => (Cpu: cpu, Run: cpu - index))
        .GroupBy(item => item.Run, item => item.Cpu).Select(run => run.Count() == 1 ? $"{run.First()}" : $"{run.First()}-{run.Last()}"));

    private int RunDevice(EventFd wake, Signals signals, ServiceManager manager, Action ready)
    {
        using VpnDevice device = VpnDevice.Open(_options.Device, _options.DataPlane.Shards, _options.DataPlane.Offloads);
        bool isDummy = _options.Device.Kind == DeviceKind.Dummy; // tincd names the interface too, but for no other device
        _log.Always.DeviceOpened(isDummy ? $"{device.Device} ({device.Interface})" : device.Device, device.Description);
        using Provisioning provisioning = new(device, _options.InterfaceRecord, _log);
        bool standsBy = _options.Mesh.DeviceStandby; // then the mesh says when, of the scripts too
        provisioning.Apply(standsBy ? [] : _options.Interface);
        if (standsBy)
            provisioning.Retire();
        using Scripts scripts = new(_options.ConfigDirectory, ScriptVariables(device), _log)
        {
            Interpreter = _options.ScriptsInterpreter,
            Extension = _options.ScriptsExtension,
        };
        if (!standsBy)
            scripts.Enqueue("tinc-up", []);
        scripts.WaitUntilIdle();
        try
        {
            return RunMesh(device, provisioning, scripts, signals, wake, manager, ready);
        }
        finally
        {
            if (!standsBy)
                scripts.Enqueue("tinc-down", []);
            scripts.WaitUntilIdle();
        }
    }

    private int RunMesh(VpnDevice device, Provisioning provisioning, Scripts scripts, Signals signals, EventFd wake, ServiceManager manager, Action ready)
    {
        Mesh mesh = new(_options.Mesh, _options.Peers, new SystemRandom(), _log);
        mesh.Start(MonotonicClock.Now);
        RunScriptsOf(mesh, scripts);
        scripts.WaitUntilIdle();
        try
        {
            using Listeners listeners = Listeners.Open(_options, manager.InheritedSockets, _log);
            using DataPlane plane = new(_options.DataPlane, device, listeners.Udp, () => MonotonicClock.Now, _log);
            using ControlSocket? control = ControlSocket.Open(_options.Control, _console.Tap, wake, _log);
            using StatusExchange? exchange = _options.Metrics is null ? null : new(wake);
            using HttpServer? metrics = exchange is null ? null : HttpServer.Open(_options.Metrics!, new StatusSite(exchange, plane), _log);
            using ControlLoop loop = new(new(mesh, plane, device, provisioning, listeners, scripts, signals, wake, control, exchange, manager), _options, _console, _log);
            control?.Announce(listeners.Udp[0].Local);
            using PortForwarding? forwarding = ForwardPorts(listeners);
            signals.EnterLoop(); // whoever waits for "Ready" may ask for the end at once, and gets an orderly one
            _log.Always.Ready();
            loop.Start(AnnouncedPort(listeners));
            FinishSetUp(scripts);
            metrics?.Start();
            manager.NotifyReady(MonotonicClock.Now);
            ready();
            _log.Always.Encryption(Encryption.Description); // now: it loads and tests the libraries
            return loop.Run();
        }
        finally
        {
            mesh.Stop(MonotonicClock.Now);
            RunScriptsOf(mesh, scripts);
        }
    }

    /// <summary>Before and after there is anything to connect, scripts are all that can be done of what the mesh asks for.</summary>
    private static void RunScriptsOf(Mesh mesh, Scripts scripts)
    {
        while (mesh.TryTakeAction(out MeshAction? action))
        {
            if (action is MeshAction.RunScript script)
                scripts.Enqueue(script.Name, script.Variables);
        }
    }

    private KeyValuePair<string, string>[] ScriptVariables(VpnDevice device) =>
    [
        new("NETNAME", _options.NetName),
        new("NAME", _options.Mesh.Name),
        new("DEVICE", device.Device),
        new("INTERFACE", device.Interface),
    ];

    /// <summary>A router has no reason to forward what comes by IPv6, nor what is for this host alone.</summary>
    private PortForwarding? ForwardPorts(Listeners listeners) => _options.PortForwarding is not { } settings ? null : new(
        settings, listeners.Udp.Where(listener => listener.Local is { IsIPv4: true, IsLoopback: false }).Select(listener => listener.Local.Port),
        _options.NetName.Length == 0 ? "tinc" : $"tinc.{_options.NetName}", _log);

    private string AnnouncedPort(Listeners listeners) => _options.PortIsDefault || _options.Mesh.Port == "0"
        ? listeners.Udp[0].Local.Port.ToString(CultureInfo.InvariantCulture)
        : _options.Mesh.Port;

    /// <summary>Priority, user and root: the last steps, because the ones before need what they take away.</summary>
    private void FinishSetUp(Scripts scripts)
    {
        if (_options.Nice is { } nice && ProcessControl.SetNice(nice) is < 0 and int error)
            throw new LinuxException("Could not set the process priority", error);
        Privileges.Drop(_options.User, _options.Chroot ? _options.ConfigDirectory : null);
        if (_options.Chroot)
            scripts.Directory = "";
    }
}

/// <summary>What signals change outside the engine.</summary>
public interface IDaemonConsole
{
    /// <summary>The debug level; INT toggles it between 5 and the previous value.</summary>
    int DebugLevel { get; set; }

    /// <summary>HUP: opens the log file anew, if there is one.</summary>
    void ReopenLog();

    /// <summary>Where control clients get what is logged.</summary>
    LogTap Tap { get; }
}
