using System.Globalization;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>The open virtual network device with one queue per shard. Owned by the daemon until it is disposed at the end.</summary>
public sealed class VpnDevice : IDisposable
{
    // ms to wait for a device that is in use, and between two looks at it.
    private const int BusyLimit = 1000, BusyPause = 20;

    private static readonly MacAddress s_noHardware = new(0xfefd_0000_0000);

    private readonly DeviceKind _kind;
    private readonly List<IDisposable> _owned = [];
    private readonly List<Func<IPacketPort>> _queues = [];

    private bool _mergesTcp, _mergesUdp;
    private Offloads _offloads;

    private VpnDevice(DeviceSettings settings)
    {
        _kind = settings.Kind;
        (Device, Interface) = (settings.Device, settings.Interface);
        HardwareAddress = s_noHardware;
        Description = "";
    }

    /// <summary>Opens the device. Throws <see cref="IOException"/> with a message for the operator if that fails.</summary>
    /// <param name="settings">Which device.</param>
    /// <param name="queues">Queues wanted: one per shard; kinds without several queues give one.</param>
    /// <param name="offloads">What a tun or tap device may be asked to do.</param>
    public static VpnDevice Open(DeviceSettings settings, int queues, Offloads offloads = Offloads.All)
    {
        ArgumentNullException.ThrowIfNull(settings);
        VpnDevice device = new(settings);
        try
        {
            switch (settings.Kind)
            {
                case DeviceKind.Tun or DeviceKind.Tap:
                    device.OpenTun(queues, offloads);
                    break;
                case DeviceKind.Fd:
                    device.OpenDescriptor();
                    break;
                case DeviceKind.RawSocket:
                    device.OpenRawSocket();
                    break;
                case DeviceKind.Multicast:
                    device.OpenMulticast();
                    break;
                default:
                    device.OpenDummy();
                    break;
            }

            return device;
        }
        catch (LinuxException e)
        {
            device.Dispose();
            throw new IOException(e.Message, e);
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    /// <summary>Which kind.</summary>
    public DeviceKind Kind => _kind;

    /// <summary>What the kernel does for this device; nothing of sockets.</summary>
    public Offloads Offloads => _offloads;

    /// <summary>DEVICE of scripts.</summary>
    public string Device { get; private set; }

    /// <summary>INTERFACE of scripts: the real interface name.</summary>
    public string Interface { get; private set; }

    /// <summary>Whether the interface stays at the end.</summary>
    public bool IsPersistent { get; private set; }

    /// <summary>For the start-up line "DEVICE is a DESCRIPTION", e.g. <c>Linux tun/tap device (tun mode)</c>.</summary>
    public string Description { get; private set; }

    /// <summary>Hardware address of an Ethernet-type device, else <c>fe:fd:00:00:00:00</c>.</summary>
    public MacAddress HardwareAddress { get; private set; }

    /// <summary>What shards need to know; made once for all of them.</summary>
    internal DeviceTraits Traits(RoutingMode mode) =>
        new(_mergesTcp, _mergesUdp, overwritesMac: _kind == DeviceKind.Tap && mode == RoutingMode.Router, HardwareAddress);

    /// <summary>A port on one queue; beyond the last one that never reads and discards.</summary>
    internal IPacketPort OpenPort(int queue) => queue < _queues.Count ? _queues[queue]() : new DummyPort();

    /// <summary>Closes every queue; the interface vanishes unless it is persistent.</summary>
    public void Dispose() => _owned.ForEach(static owned => owned.Dispose());

    private void OpenTun(int queues, Offloads offloads)
    {
        bool tap = _kind == DeviceKind.Tap;
        TunDevice tun = OpenFree(new TunOptions
        {
            Kind = tap ? TunKind.Tap : TunKind.Tun,
            DevicePath = Device,
            Name = Interface,
            Queues = queues,
            Offloads = offloads.ForDevice(),
        });
        _owned.Add(tun);
        IsPersistent = tun.IsPersistent;
        _mergesTcp = tun.Offloads.HasFlag(TunOffloads.Tso4 | TunOffloads.Tso6);
        _mergesUdp = tun.Offloads.HasFlag(TunOffloads.Uso4 | TunOffloads.Uso6); // before Linux 6.2 a write of one fails
        _offloads = OffloadsExtensions.OfDevice(tun.HasVnetHeader, tun.Offloads);
        (Interface, Description) = (tun.Name, $"Linux tun/tap device ({(tap ? "tap" : "tun")} mode)");
        if (tap)
            HardwareAddress = MacAddress.Read(tun.ReadHardwareAddress());
        for (int i = 0; i < tun.QueueCount; i++)
        {
            int descriptor = tun.Queue(i);
            _queues.Add(() => new TunPort(descriptor, ethernet: tap, tun.HasVnetHeader));
        }
    }

    /// <summary>
    /// Opens a tun or tap device. One that is in use may be that of a daemon that was killed: what its ring of io_uring holds, the kernel closes a moment
    /// after the end of the process.
    /// </summary>
    private static TunDevice OpenFree(TunOptions options)
    {
        for (int waited = 0; ; waited += BusyPause)
        {
            try
            {
                return TunDevice.Open(options);
            }
            catch (LinuxException e) when (e.Errno == Errno.EBUSY && waited < BusyLimit)
            {
                Thread.Sleep(BusyPause);
            }
        }
    }

    private void OpenDescriptor()
    {
        SafeFd descriptor = FileIo.Adopt(ReadDescriptor(Device));
        _owned.Add(descriptor);
        Description = "fd device";
        _queues.Add(() => new TunPort(descriptor.Descriptor, ethernet: false, vnetHeader: false));
    }

    private void OpenRawSocket()
    {
        if (Interface.Length == 0)
            Interface = "eth0";
        Device = Interface;
        SafeFd socket = PacketSocket.Open(Interface);
        _owned.Add(socket);
        Description = "raw socket";
        byte[] address = new byte[NetworkInterface.HardwareAddressLength];
        if (NetworkInterface.HardwareAddress(Interface, address) >= 0)
            HardwareAddress = MacAddress.Read(address);
        _queues.Add(() => new TunPort(socket.Descriptor, ethernet: true, vnetHeader: false));
    }

    private void OpenMulticast()
    {
        Endpoint group = ReadGroup(Device, out int ttl);
        byte[] address = new byte[Endpoint.MaxSockaddrLength];
        Array.Resize(ref address, group.WriteSockaddr(address));
        SafeFd socket = MulticastSocket.Open(address, ttl);
        _owned.Add(socket);
        Description = "multicast socket";
        _queues.Add(() => new MulticastPort(socket.Descriptor, address));
    }

    /// <summary>Checks what can be checked of the settings without opening anything. Throws as <see cref="Open"/> does.</summary>
    public static void Check(DeviceSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        switch (settings.Kind)
        {
            case DeviceKind.Fd:
                ReadDescriptor(settings.Device);
                break;
            case DeviceKind.Multicast:
                ReadGroup(settings.Device, out _);
                break;
            case DeviceKind.Tun or DeviceKind.Tap when !File.Exists(settings.Device):
                throw new IOException($"Could not open {settings.Device}: No such file or directory");
        }
    }

    private static int ReadDescriptor(string device)
        => int.TryParse(device, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new IOException($"Could not use device {device}: a descriptor number is needed");

    private static Endpoint ReadGroup(string device, out int ttl)
    {
        string[] words = device.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words.Length < 2)
            throw new IOException($"Device = {device}: a multicast device needs a group address and a port");
        ttl = words.Length > 2 && int.TryParse(words[2], CultureInfo.InvariantCulture, out int hops) ? hops : 1;
        return Endpoint.TryParse(words[0], words[1], out Endpoint group)
            ? group
            : throw new IOException($"Device = {device}: the group must be a numeric address, the port a number");
    }

    private void OpenDummy()
    {
        (Device, Interface, Description) = ("dummy", "dummy", "dummy device");
        _queues.Add(static () => new DummyPort());
    }
}
