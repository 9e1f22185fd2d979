using System.Globalization;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Native.Linux;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Daemon;

/// <summary>What the operator asks for: by signals, and to reload or to stop by the control socket.</summary>
internal sealed partial class ControlLoop
{
    private int? _levelBeforeInt;

    /// <summary>The effects in the table of the tinc 1.0 reference, 1.6.</summary>
    private void HandleSignal(int number)
    {
        if (number is not (Signals.Usr1 or Signals.Usr2 or Signals.Winch))
            LogSignal(number);
        switch (number)
        {
            case Signals.Term or Signals.Quit:
                _exitCode = 0;
                break;
            case Signals.Int:
                ToggleDebugLevel();
                break;
            case Signals.Hup:
                ReloadForSignal();
                break;
            case Signals.Alrm:
                _mesh.Retry(MonotonicClock.Now);
                break;
            case Signals.Usr1:
                Dump(["Connections:", .. _mesh.DescribeConnections(), "End of connections."]);
                break;
            case Signals.Usr2:
                Dump(DescribeTraffic());
                Dump(_mesh.DescribeGraph());
                _log.Always.Encryption(Encryption.Description);
                DumpCounters();
                break;
            case Signals.Winch:
                _mesh.Purge(MonotonicClock.Now);
                break;
        }
    }

    private void LogSignal(int number)
    {
        if (Signals.NameOf(number) is { } name)
            _log.Always.GotSignal(name);
        else
            _log.Always.GotUnexpectedSignal(number);
    }

    private void ToggleDebugLevel()
    {
        if (_levelBeforeInt is { } before)
        {
            _log.Always.RevertingDebugLevel(before);
            (_console.DebugLevel, _levelBeforeInt) = (before, null);
        }
        else
        {
            _levelBeforeInt = _console.DebugLevel;
            _log.Always.RaisingDebugLevel(_console.DebugLevel);
            _console.DebugLevel = 5;
        }
    }

    /// <summary>HUP: as in tincd, files that cannot be read end the daemon.</summary>
    private void ReloadForSignal()
    {
        try
        {
            Reload();
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            _log.Always.CannotReread(e.Message);
            _exitCode = 1;
        }
    }

    /// <summary>RELOAD of a control client, which gets an errno: the daemon goes on with what it has.</summary>
    private int ReloadForClient()
    {
        _log.Always.GotControlRequest("RELOAD");
        try
        {
            return Reload() ? 0 : Errno.EINVAL;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            _log.Always.CannotReload(e.Message);
            return Errno.EINVAL;
        }
    }

    /// <summary>False if the new settings were refused.</summary>
    private bool Reload()
    {
        _manager.NotifyReloading(MonotonicClock.Microseconds);
        try
        {
            _console.ReopenLog();
            DaemonOptions? options = _options.Reread is { } reread ? reread() : _options;
            if (options is not null && !TryProvision(options.Interface))
                options = null;
            _options = options ?? _options;
            (_scripts.Interpreter, _scripts.Extension) = (_options.ScriptsInterpreter, _options.ScriptsExtension);
            _mesh.Reload(_options.Mesh, MonotonicClock.Now);
            return options is not null;
        }
        finally
        {
            _manager.NotifyReloaded();
        }
    }

    /// <summary>False if the interface cannot be set up like that; then it is as it was.</summary>
    private bool TryProvision(IReadOnlyList<InterfaceStep> wanted)
    {
        try
        {
            _provisioning.Apply(wanted);
            return true;
        }
        catch (ProvisioningException e)
        {
            _log.Always.SetUpFailed(e.Message);
            return false;
        }
    }

    private void StopForClient()
    {
        _log.Always.GotControlRequest("STOP");
        _exitCode = 0;
    }

    /// <summary>The device statistics of tinc: what the network put into the device's queue and what was read from it.</summary>
    private IEnumerable<string> DescribeTraffic()
    {
        DataPlaneCounters counters = _plane.Counters;
        yield return $"Statistics for {_device.Description} {_device.Device}:";
        yield return string.Create(CultureInfo.InvariantCulture, $" total bytes in:  {counters.DeviceBytesIn,10}");
        yield return string.Create(CultureInfo.InvariantCulture, $" total bytes out: {counters.DeviceBytesOut,10}");
    }

    private void Dump(IEnumerable<string> lines)
    {
        foreach (string line in lines)
            _log.Always.DumpLine(line);
    }

    private void DumpCounters()
    {
        if (!_log.Traffic.IsEnabled(LogLevel.Debug))
            return;
        DataPlaneCounters all = _plane.Counters;
        _log.Traffic.DumpLine(string.Create(CultureInfo.InvariantCulture, $" sent one by one because the kernel refused trains: {all.TrainsRefused}"));
        foreach ((string reason, long count) in all.Drops)
            _log.Traffic.DumpLine(string.Create(CultureInfo.InvariantCulture, $" dropped, {reason}: {count}"));
        _log.Traffic.DumpLine(string.Create(
            CultureInfo.InvariantCulture,
            $" device packets in: {all.DevicePacketsIn}, out: {all.DevicePacketsOut}; datagrams in: {all.DatagramsIn}, out: {all.DatagramsOut}"));
    }
}
