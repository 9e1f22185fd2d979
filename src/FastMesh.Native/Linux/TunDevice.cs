using System.Text;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>What travels through the device.</summary>
public enum TunKind
{
    /// <summary>IP packets.</summary>
    Tun,

    /// <summary>Ethernet frames.</summary>
    Tap,
}

/// <summary>TUN_F_*: which unfinished packets the kernel may hand us (only with a vnet header).</summary>
[Flags]
public enum TunOffloads
{
    /// <summary>Complete packets of at most one MTU.</summary>
    None = 0,

    /// <summary>Packets whose transport checksum is still to be finished.</summary>
    Checksum = 0x01,

    /// <summary>TCP/IPv4 super-packets.</summary>
    Tso4 = 0x02,

    /// <summary>TCP/IPv6 super-packets.</summary>
    Tso6 = 0x04,

    /// <summary>TCP super-packets with CWR set.</summary>
    TsoEcn = 0x08,

    /// <summary>UDP/IPv4 super-packets (Linux 6.2). The kernel takes Uso4 and Uso6 only together.</summary>
    Uso4 = 0x20,

    /// <summary>UDP/IPv6 super-packets (Linux 6.2).</summary>
    Uso6 = 0x40,

    /// <summary>All of them.</summary>
    All = 0x6F,
}

/// <summary>How to open a <see cref="TunDevice"/>.</summary>
public sealed record TunOptions
{
    /// <summary>IP packets or Ethernet frames.</summary>
    public TunKind Kind { get; init; }

    /// <summary>The clone device.</summary>
    public string DevicePath { get; init; } = "/dev/net/tun";

    /// <summary>Interface name, cut to 15 bytes as tinc does; "" lets the kernel choose tun0, tap0 ...</summary>
    public string Name { get; init; } = "";

    /// <summary>Queues wanted, 1 to 256. An existing single-queue device gives one.</summary>
    public int Queues { get; init; } = 1;

    /// <summary>The most to ask for, with a vnet header; null: no vnet header either.</summary>
    public TunOffloads? Offloads { get; init; } = TunOffloads.All;
}

/// <summary>
/// A tun or tap interface, made new or attached to if it exists and is persistent. Its descriptors are non-blocking; each carries whole packets
/// without packet information, preceded by a 10-byte virtio_net_hdr if <see cref="HasVnetHeader"/>. The device belongs to the network
/// namespace of the thread that opened it, and vanishes with its last descriptor unless persistent.
/// </summary>
public sealed unsafe class TunDevice : IDisposable
{
    /// <summary>Bytes of virtio_net_hdr before every packet of a device that has it.</summary>
    public const int VnetHeaderLength = 10;

    private static ReadOnlySpan<int> OffloadLadder => [0x6F, 0x67, 0x0F, 0x07, 0x01, 0];
    private readonly SafeFd[] _queues;

    private TunDevice(SafeFd[] queues, string name, bool hasVnetHeader, TunOffloads offloads)
    {
        _queues = queues;
        Name = name;
        HasVnetHeader = hasVnetHeader;
        Offloads = offloads;
    }

    /// <summary>The interface's real name.</summary>
    public string Name { get; }

    /// <summary>Number of queues; each is one descriptor.</summary>
    public int QueueCount => _queues.Length;

    /// <summary>Whether every packet is preceded by a 10-byte virtio_net_hdr.</summary>
    public bool HasVnetHeader { get; }

    /// <summary>The most this kernel accepted; None without a vnet header.</summary>
    public TunOffloads Offloads { get; }

    /// <summary>Whether the interface stays when its last descriptor is closed.</summary>
    public bool IsPersistent { get; private init; }

    /// <summary>The interface's MTU in bytes, read now.</summary>
    /// <exception cref="LinuxException">The interface is gone.</exception>
    public int Mtu => Syscall.Check(NetworkInterface.Mtu(Name), $"Could not read the MTU of {Name}");

    /// <summary>Descriptor of one queue, borrowed until the device is disposed.</summary>
    public int Queue(int index) => _queues[index].Descriptor;

    /// <summary>The 6-byte hardware address of a tap interface, read now.</summary>
    /// <exception cref="LinuxException">The interface is gone.</exception>
    public byte[] ReadHardwareAddress()
    {
        byte[] address = new byte[NetworkInterface.HardwareAddressLength];
        Syscall.Check(NetworkInterface.HardwareAddress(Name, address), $"Could not read the hardware address of {Name}");
        return address;
    }

    /// <summary>Opens the device with the most the kernel, or an existing device of that name, allows.</summary>
    /// <exception cref="LinuxException">
    /// The device file is missing (ENOENT, ENODEV), we may not (EPERM, EACCES), the interface is in use (EBUSY) or of another kind (EINVAL).
    /// </exception>
    public static TunDevice Open(TunOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Queues, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Queues, 256);
        List<SafeFd> queues = [];
        bool existed = NetworkInterface.Index(options.Name) > 0;
        try
        {
            queues.Add(OpenFirst(options, out Libc.Ifreq actual));
            if (existed && (actual.ifr_flags & Libc.IFF_PERSIST) == 0) // only with several queues does the kernel let another program in
                throw new LinuxException(Refusal(options, -Errno.EBUSY), -Errno.EBUSY);
            string name = Encoding.UTF8.GetString(new ReadOnlySpan<byte>(actual.ifr_name, Libc.IFNAMSIZ)).TrimEnd('\0');
            bool multiQueue = (actual.ifr_flags & Libc.IFF_MULTI_QUEUE) != 0;
            while (multiQueue && queues.Count < options.Queues)
                queues.Add(OpenNext(options, name, actual.ifr_flags));
            bool vnetHeader = (actual.ifr_flags & Libc.IFF_VNET_HDR) != 0;
            if (vnetHeader)
                SetHeaderLength(queues[0].Descriptor, name);
            TunOffloads offloads = SetOffloads(queues[0].Descriptor, vnetHeader ? options.Offloads ?? TunOffloads.None : TunOffloads.None);
            return new([.. queues], name, vnetHeader, offloads) { IsPersistent = (actual.ifr_flags & Libc.IFF_PERSIST) != 0 };
        }
        catch
        {
            queues.ForEach(static queue => queue.Dispose());
            throw;
        }
    }

    /// <summary>Closes all queues.</summary>
    public void Dispose() => Array.ForEach(_queues, static queue => queue.Dispose());

    /// <summary>
    /// Attaches the first queue. An existing device answers EINVAL if its multi-queue bit differs from ours, an old kernel if it knows no
    /// vnet header: so both are tried the other way before giving up. TUNGETIFF then tells what we really have.
    /// </summary>
    private static SafeFd OpenFirst(TunOptions options, out Libc.Ifreq actual)
    {
        ushort queueBit = options.Queues > 1 ? Libc.IFF_MULTI_QUEUE : (ushort)0;
        ushort vnetBit = options.Offloads is not null ? Libc.IFF_VNET_HDR : (ushort)0;
        ReadOnlySpan<ushort> ladder =
        [
            (ushort)(vnetBit | queueBit), (ushort)(vnetBit | (queueBit ^ Libc.IFF_MULTI_QUEUE)),
            queueBit, (ushort)(queueBit ^ Libc.IFF_MULTI_QUEUE),
        ];
        SafeFd fd = OpenClone(options.DevicePath);
        int error = 0;
        foreach (ushort bits in ladder)
        {
            error = Attach(fd.Descriptor, options.Name, (ushort)(KindFlag(options.Kind) | bits), out actual);
            if (error >= 0)
                return fd;
            if (error != -Errno.EINVAL)
                break;
        }
        fd.Dispose();
        actual = default;
        throw new LinuxException(Refusal(options, error), error);
    }

    private static SafeFd OpenNext(TunOptions options, string name, ushort flags)
    {
        SafeFd fd = OpenClone(options.DevicePath);
        ushort bits = (ushort)(KindFlag(options.Kind) | (flags & (Libc.IFF_MULTI_QUEUE | Libc.IFF_VNET_HDR)));
        int error = Attach(fd.Descriptor, name, bits, out _);
        if (error >= 0)
            return fd;
        fd.Dispose();
        throw new LinuxException($"Could not add a queue to {name}", error);
    }

    private static SafeFd OpenClone(string path)
    {
        int fd;
        while (Syscall.Interrupted(Libc.open(path, Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0), out fd)) { }
        return new(Syscall.Check(fd, $"Could not open {path}"));
    }

    private static int Attach(int fd, string name, ushort flags, out Libc.Ifreq actual)
    {
        Libc.Ifreq request = default;
        CString.WriteTruncated(name, new(request.ifr_name, Libc.IFNAMSIZ));
        request.ifr_flags = (ushort)(flags | Libc.IFF_NO_PI);
        int error = Syscall.Result(Libc.ioctl(fd, Libc.TUNSETIFF, (nint)(&request)));
        if (error >= 0)
            error = Syscall.Result(Libc.ioctl(fd, Libc.TUNGETIFF, (nint)(&request)));
        actual = request;
        return error;
    }

    /// <summary>The length belongs to the device, and whoever had it before may have changed it.</summary>
    private static void SetHeaderLength(int fd, string name)
    {
        int length = VnetHeaderLength;
        Syscall.Check(
            Syscall.Result(Libc.ioctl(fd, Libc.TUNSETVNETHDRSZ, (nint)(&length))), $"Could not set the header length of {name}");
    }

    /// <summary>Takes the first step of the ladder that the kernel takes; any bit that it does not know would fail a call.</summary>
    private static TunOffloads SetOffloads(int fd, TunOffloads most)
    {
        foreach (int step in OffloadLadder)
        {
            int offloads = step & (int)most;
            if (Libc.ioctl(fd, Libc.TUNSETOFFLOAD, offloads) == 0)
                return (TunOffloads)offloads;
        }

        return TunOffloads.None;
    }

    private static ushort KindFlag(TunKind kind) => kind == TunKind.Tap ? Libc.IFF_TAP : Libc.IFF_TUN;

    private static string Refusal(TunOptions options, int error)
    {
        string kind = options.Kind == TunKind.Tap ? "tap" : "tun";
        string name = options.Name.Length == 0 ? $"a {kind} interface" : $"{kind} interface {options.Name}";
        return -error switch
        {
            Errno.EPERM => $"Could not create {name} through {options.DevicePath} (root or CAP_NET_ADMIN is needed)",
            Errno.EBUSY => $"Could not use {name}: another program has it open",
            Errno.EINVAL => $"Could not use {name}: the name is not valid or belongs to an interface of another kind",
            Errno.ENOTTY => $"Could not create {name}: {options.DevicePath} is not a tun/tap device",
            _ => $"Could not create {name} through {options.DevicePath}",
        };
    }
}
