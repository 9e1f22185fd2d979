using System.Globalization;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Daemon;

/// <summary>What the operator asks for by signals, and to stop by the control socket.</summary>
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
                Reload();
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
