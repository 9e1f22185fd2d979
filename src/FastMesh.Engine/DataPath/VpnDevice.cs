using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>The open virtual network device with one queue per shard. Owned by the daemon until it is disposed at the end.</summary>
public sealed class VpnDevice : IDisposable
{
    private VpnDevice() => throw new NotSupportedException();

    /// <summary>Opens the device. Throws <see cref="IOException"/> with a message for the operator if that fails.</summary>
    /// <param name="settings">Which device.</param>
    /// <param name="queues">Queues wanted: one per shard; kinds without several queues give one.</param>
    public static VpnDevice Open(DeviceSettings settings, int queues) => throw new NotSupportedException();

    /// <summary>DEVICE of scripts.</summary>
    public string Device => throw new NotSupportedException();

    /// <summary>INTERFACE of scripts: the real interface name.</summary>
    public string Interface => throw new NotSupportedException();

    /// <summary>For the start-up line "DEVICE is a DESCRIPTION", e.g. <c>Linux tun/tap device (tun mode)</c>.</summary>
    public string Description => throw new NotSupportedException();

    /// <summary>Hardware address of an Ethernet-type device, else <c>fe:fd:00:00:00:00</c>.</summary>
    public MacAddress HardwareAddress => throw new NotSupportedException();

    /// <summary>Closes every queue; the interface vanishes unless it is persistent.</summary>
    public void Dispose() => throw new NotSupportedException();
}
