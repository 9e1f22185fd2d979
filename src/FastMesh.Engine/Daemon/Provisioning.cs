using FastMesh.Engine.DataPath;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// Sets up the interface as the configuration wants it, by netlink, and undoes at the end what it did itself: what was there before stays,
/// and routes by other interfaces are never touched. What a daemon that was killed has left on a device that stays is taken over as its own work. Any
/// thread.
/// </summary>
internal sealed class Provisioning : IDisposable
{
    private readonly VpnDevice _device;
    private readonly EngineLog _log;
    private readonly string? _recordPath;
    private readonly List<InterfaceStep> _done = [];
    private readonly List<InterfaceStep> _stuck = [];
    private readonly Lock _lock = new();
    private RouteSocket? _socket;
    private ProvisioningRecord? _record;
    private int _index;
    private int _mtuBefore;
    private bool _isRetired;

    /// <summary>Prepares; nothing is touched before <see cref="Apply"/>.</summary>
    /// <param name="device">The open device.</param>
    /// <param name="recordPath">Where a record of a device that stays is kept, or null: nowhere.</param>
    /// <param name="log">Where messages go.</param>
    public Provisioning(VpnDevice device, string? recordPath, EngineLog log)
        => (_device, _recordPath, _log) = (device, device.IsPersistent ? recordPath : null, log);

    /// <summary>What it has set up itself, in the order in which it did.</summary>
    public IReadOnlyList<InterfaceStep> Done
    {
        get
        {
            lock (_lock)
                return [.. _done];
        }
    }

    /// <summary>Whether nothing is wanted of the interface at the moment, whatever the configuration says (DeviceStandby).</summary>
    public bool IsRetired
    {
        get
        {
            lock (_lock)
                return _isRetired;
        }
    }

    /// <summary>Makes the interface what <paramref name="wanted"/> says; what it set up before and is not wanted any more is undone.</summary>
    /// <param name="wanted">What the configuration wants, in order.</param>
    /// <exception cref="ProvisioningException">Something cannot be done; then everything is as it was before the call.</exception>
    public void Apply(IReadOnlyList<InterfaceStep> wanted)
    {
        lock (_lock)
        {
            _isRetired = false;
            if (wanted.Count > 0 || _done.Count > 0 || (_recordPath is not null && ProvisioningRecord.IsAt(_recordPath)))
                Change(wanted);
        }
    }

    /// <summary>Nothing is wanted until the next <see cref="Apply"/>. What there is stays until <see cref="UndoIfRetired"/>.</summary>
    public void Retire()
    {
        lock (_lock)
            _isRetired = true;
    }

    /// <summary>Undoes everything, unless <see cref="Apply"/> came in between.</summary>
    public void UndoIfRetired()
    {
        lock (_lock)
        {
            if (_isRetired)
                UndoAll();
        }
    }

    /// <summary>Undoes everything. Without the right to do so (-U) it is left to the device's end.</summary>
    public void Dispose()
    {
        lock (_lock)
            UndoAll();
        _record?.Dispose();
        _socket?.Dispose();
    }

    private void UndoAll()
    {
        UndoAllBut([], staysMtu: false);
        Record();
    }

    private void Change(IReadOnlyList<InterfaceStep> wanted)
    {
        Open();
        InterfaceStep[] before = [.. _done];
        InterfaceStep? failed = null;
        int error = 0;
        foreach (InterfaceStep step in wanted.Except(before))
        {
            error = Do(step);
            failed = error < 0 ? step : null;
            if (failed is not null)
                break;
        }

        // New ones come first, because the kernel forgets routes with an interface's last address; and it may have forgotten some anyway.
        if (failed is null)
        {
            UndoAllBut(wanted, staysMtu: wanted.Any(step => step.Kind == InterfaceStepKind.Mtu));
            Renew();
            Record();
            return;
        }

        UndoAllBut(before, staysMtu: false);
        Record();
        if (before.FirstOrDefault(step => step.Kind == InterfaceStepKind.Mtu) is { } mtu)
            _ = _socket!.SetMtu(_index, mtu.Number);
        throw new ProvisioningException($"Could not set {failed} of {_device.Interface} ({failed.Source}): {Errno.Message(error)}");
    }

    private void Open()
    {
        if (_socket is not null)
            return;
        try
        {
            _socket = RouteSocket.Open();
        }
        catch (LinuxException e)
        {
            throw new ProvisioningException(e.Message);
        }

        _index = NetworkInterface.Index(_device.Interface);
        _mtuBefore = NetworkInterface.Mtu(_device.Interface);
        if (_recordPath is not null)
            TakeOver(_recordPath);
    }

    /// <summary>What a daemon that was killed has left counts as done, and is done once more in case that something of it is gone by now.</summary>
    private void TakeOver(string path)
    {
        _record = new ProvisioningRecord(path, _index);
        IReadOnlyList<InterfaceStep> left = _record.Read(ref _mtuBefore);
        _done.AddRange(left.Where(step => Set(step) is 0 or -Errno.EEXIST));
        if (_done.Count > 0)
            _log.Always.TookOverProvisioned(_device.Interface, string.Join(", ", _done));
    }

    private void Record() => _record?.Write(_mtuBefore, [.. _done, .. _stuck]);

    /// <summary>Does a step and remembers it, unless it was so already. Returns 0 or the negated errno.</summary>
    private int Do(InterfaceStep step)
    {
        if (step.Kind == InterfaceStepKind.Up && NetworkInterface.IsUp(_device.Interface) == 1)
            return 0;
        int error = Set(step);
        if (error == -Errno.EEXIST)
        {
            _log.Always.AlreadyProvisioned(_device.Interface, step, step.Source);
            return 0;
        }

        if (error == 0)
            _done.Add(step);
        return error;
    }

    private int Set(InterfaceStep step) => step.Kind switch
    {
        InterfaceStepKind.Mtu => _socket!.SetMtu(_index, step.Number),
        InterfaceStepKind.Address => _socket!.AddAddress(_index, step.Address!.GetAddressBytes(), step.Number),
        InterfaceStepKind.Route => _socket!.AddRoute(_index, step.Address!.GetAddressBytes(), step.Number, step.Gateway?.GetAddressBytes()),
        _ => _socket!.SetUp(_index, up: true),
    };

    /// <summary>Undoes, the last first, what was done and is not to be kept.</summary>
    private void UndoAllBut(IReadOnlyList<InterfaceStep> kept, bool staysMtu)
    {
        for (int i = _done.Count - 1; i >= 0; i--)
        {
            InterfaceStep step = _done[i];
            if (kept.Contains(step))
                continue;
            _done.RemoveAt(i);
            if (step.Kind == InterfaceStepKind.Mtu && staysMtu)
                continue;
            int error = Undo(step);
            if (error < 0 && error is not (-Errno.EADDRNOTAVAIL or -Errno.ESRCH or -Errno.ENODEV) && !(error == -Errno.EPERM && !_device.IsPersistent))
            {
                _stuck.Add(step);
                _log.Always.NotUnprovisioned(_device.Interface, step, Errno.Message(error));
            }
        }
    }

    private int Undo(InterfaceStep step) => step.Kind switch
    {
        InterfaceStepKind.Mtu => _socket!.SetMtu(_index, _mtuBefore),
        InterfaceStepKind.Address => _socket!.DeleteAddress(_index, step.Address!.GetAddressBytes(), step.Number),
        InterfaceStepKind.Route => _socket!.DeleteRoute(_index, step.Address!.GetAddressBytes(), step.Number, step.Gateway?.GetAddressBytes()),
        _ => _socket!.SetUp(_index, up: false),
    };

    /// <summary>Does once more what the kernel may have undone together with something else.</summary>
    private void Renew()
    {
        foreach (InterfaceStep step in _done)
        {
            if (step.Kind is InterfaceStepKind.Address or InterfaceStepKind.Route)
                _ = Set(step);
        }
    }
}

/// <summary>The interface cannot be set up as the configuration wants it; the message names the place in the configuration.</summary>
internal sealed class ProvisioningException(string message) : IOException(message);
