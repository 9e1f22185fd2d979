using FastMesh.Native.Linux;
using FastMesh.Native.Uring;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Waits by io_uring: one system call submits requests, waits, and receives. Ports of its own keep receives under way and take the completions;
/// other descriptors are polled. Owns the ring and the memory that it receives into.
/// </summary>
internal sealed class UringPoller : IPoller
{
    // A request per packet that the device writer collects, and some. Completions: all slots of both groups, all requests.
    private const int Submissions = 256, Completions = 1024;
    private const ushort DeviceGroup = 0, NetworkGroup = 1;
    private const ulong CancelTag = uint.MaxValue;

    // ms to wait at the end for requests to complete.
    private const int CancelLimit = 1000;

    private readonly List<Source> _sources = [];
    private readonly int[] _ready;
    private readonly List<RingBatch> _batches = [];

    private UringPoller(Ring ring, int sources)
    {
        Ring = ring;
        _ready = new int[sources];
    }

    /// <summary>The ring.</summary>
    public Ring Ring { get; }

    /// <summary>Makes a ring that watches up to so many ports. Throws <see cref="IOException"/> with a message for the operator if this system has none.</summary>
    public static UringPoller Create(int sources)
    {
        if (!Ring.IsLibraryPresent)
            throw new IOException("io_uring: liburing.so.2 is not installed");
        Check(Ring.Create(Submissions, Completions, out Ring? ring), "set up");
        if (ring!.Features.HasFlag(RingFeatures.MultishotReceive))
            return new UringPoller(ring, sources);
        ring.Dispose();
        throw new IOException("io_uring: this kernel has no multishot receive (Linux 6.0)");
    }

    /// <summary>Throws an <see cref="IOException"/> if setting up failed.</summary>
    public static void Check(int result, string what)
    {
        if (result < 0)
            throw new IOException($"io_uring: could not {what}: {Errno.Message(result)}");
    }

    /// <summary>Puts this ring under plain ports: the same ends, which wait and receive by it.</summary>
    /// <param name="ports">The ends.</param>
    /// <param name="sockets">Their sockets.</param>
    /// <param name="counters">Counts what is lost here.</param>
    public ShardPorts Adopt(ShardPorts ports, MmsgPort[] sockets, ShardCounters counters)
    {
        RingBatch fromNetwork = Keep(RingBatch.Create(Ring, NetworkGroup, 0, UringSocketPort.SlotLength));
        RingBatch? fromDevice = ports.Device is TunPort tun
            ? Keep(RingBatch.Create(Ring, DeviceGroup, PacketBatch.Headroom + tun.HeaderOffset, tun.MaxRead)) : null;
        return ports with
        {
            Poller = this,
            FromNetwork = fromNetwork,
            FromDevice = fromDevice,
            Sockets = [.. sockets.Select(socket => new UringSocketPort(socket, fromNetwork, counters))],
            Device = fromDevice is null ? ports.Device : new UringDevicePort((TunPort)ports.Device, fromDevice),
        };
    }

    /// <inheritdoc/>
    public void Watch(IPacketPort port, int tag)
    {
        if (port is not UringPort uring)
        {
            Watch(port.Descriptor, tag);
            return;
        }

        Source source = Add(port.Descriptor, tag);
        source.Port = uring;
        uring.Attach(this, source.Index);
    }

    /// <inheritdoc/>
    public void Watch(int descriptor, int tag)
    {
        if (descriptor >= 0)
            Add(descriptor, tag);
    }

    /// <inheritdoc/>
    public void Unwatch(IPacketPort port)
    {
        foreach (Source source in _sources)
        {
            if (source.Descriptor == port.Descriptor)
                source.IsWatched = false;
        }
    }

    /// <inheritdoc/>
    public void Start()
    {
        Check(Ring.RegisterFiles([.. _sources.Select(static source => source.Descriptor)]), "register files");
        Check(Ring.Enable(), "start");
    }

    /// <inheritdoc/>
    public int Wait(int timeout)
    {
        foreach (RingBatch batch in _batches)
            batch.Release(); // what was received before has been handled
        bool mayWait = timeout != 0;
        foreach (Source source in _sources)
        {
            source.IsReadable = false;
            bool isArmed = TryArm(source) || (Ring.Submissions.Waiting > 0 && Ring.Submit() > 0 && TryArm(source)); // the queue may have been full
            mayWait &= isArmed && source.Port is not { HasReceived: true };
        }

        if (mayWait)
            Ring.Wait(timeout);
        else
            Look();
        Reap();
        return ListReady();
    }

    /// <inheritdoc/>
    public int Ready(int index) => _ready[index];

    /// <summary>Makes visible what the kernel has to show and hands it to the ports, without waiting.</summary>
    public void Look()
    {
        if (Ring.HasWork)
            Ring.Submit();
        Reap();
    }

    /// <summary>The same after a wait for at least one completion.</summary>
    public void WaitForCompletion()
    {
        Ring.Wait(-1);
        Reap();
    }

    /// <inheritdoc/>
    public void Stop()
    {
        foreach (Source source in _sources)
            source.IsWatched = false;
        if (IsUnderWay && Ring.Submissions.TryCancelAll(CancelTag))
        {
            while (IsUnderWay && Ring.Wait(CancelLimit) >= 0)
                Reap();
        }

        if (!IsUnderWay)
            Ring.UnregisterFiles(); // whoever is started after us needs the device and the port
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Ring.Dispose();
        _batches.ForEach(static batch => batch.Dispose());
    }

    private bool IsUnderWay => _sources.Exists(static source => source.IsArmed || source.Port is { IsReceiving: true });

    private RingBatch Keep(RingBatch batch)
    {
        _batches.Add(batch);
        return batch;
    }

    private Source Add(int descriptor, int tag)
    {
        Source? source = _sources.Find(source => source.Descriptor == descriptor);
        if (source is null)
            _sources.Add(source = new Source(descriptor, tag, _sources.Count));
        source.IsWatched = true;
        return source;
    }

    /// <summary>Sees to it that what comes from a source is noticed; false if there is no room for the request, or no memory for what it would bring.</summary>
    private bool TryArm(Source source)
    {
        if (!source.IsWatched)
            return true;
        if (source.Port is { } port)
        {
            port.Arm();
            return port.IsReceiving;
        }

        return source.IsArmed = source.IsArmed || Ring.Submissions.TryPoll(source.Index, (uint)source.Index);
    }

    private void Reap()
    {
        while (Ring.Completions.TryTake(out Completion completion))
        {
            int index = (int)(uint)completion.UserData;
            if ((uint)index >= (uint)_sources.Count)
                continue;
            Source source = _sources[index];
            if (source.Port is { } port)
                port.Complete(completion);
            else
                (source.IsArmed, source.IsReadable) = (false, true);
        }
    }

    private int ListReady()
    {
        int count = 0;
        foreach (Source source in _sources)
        {
            if (source.IsWatched && (source.IsReadable || source.Port is { HasReceived: true }))
                _ready[count++] = source.Tag;
        }

        return count;
    }

    /// <summary>What is waited for. Its index is that of the registered file.</summary>
    private sealed class Source(int descriptor, int tag, int index)
    {
        public int Descriptor { get; } = descriptor;

        public int Tag { get; } = tag;

        public int Index { get; } = index;

        /// <summary>The port that keeps its own requests under way; else the descriptor is polled.</summary>
        public UringPort? Port { get; set; }

        public bool IsWatched { get; set; }

        /// <summary>A poll is under way.</summary>
        public bool IsArmed { get; set; }

        public bool IsReadable { get; set; }
    }
}
