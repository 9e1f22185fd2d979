using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Where one thread receives frames from several others: a <see cref="FrameRing{T}"/> per sender and an eventfd that is written only if
/// the receiver sleeps. A shard's mailbox takes orders, the control loop's takes reports.
/// </summary>
/// <typeparam name="THeader">What goes with the bytes.</typeparam>
internal sealed class ShardMailbox<THeader> : IDisposable
    where THeader : struct
{
    private readonly FrameRing<THeader>[] _rings;
    private readonly EventFd _bell = new();
    private int _asleep = 1; // a receiver that has not looked yet waits for the bell
    private int _next;
    private FrameRing<THeader>? _taken;

    /// <summary>Makes a mailbox for that many senders, each with a ring of <paramref name="capacity"/> entries.</summary>
    public ShardMailbox(int senders, int capacity)
    {
        Capacity = capacity;
        _rings = [.. Enumerable.Range(0, senders).Select(_ => new FrameRing<THeader>(capacity))];
    }

    /// <summary>Entries per sender.</summary>
    public int Capacity { get; }

    /// <summary>Readable after a wake-up, until <see cref="Drain"/>.</summary>
    public int Descriptor => _bell.Descriptor;

    /// <summary>Sender: leaves an entry; false if fewer than <paramref name="reserve"/> would stay free. Wakes nobody yet.</summary>
    public bool TryAdd(int sender, in THeader header, ReadOnlySpan<byte> bytes, int reserve = 0) =>
        _rings[sender].TryAdd(header, bytes, reserve);

    /// <summary>Sender: after one or more <see cref="TryAdd"/>, wakes the receiver if it sleeps.</summary>
    public void Wake()
    {
        // The entry must be visible before the flag is read; pairs with the fence in TrySleep. Without both a wake-up is lost.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _asleep) != 0 && Interlocked.Exchange(ref _asleep, 0) != 0)
            _bell.Signal();
    }

    /// <summary>Receiver: the next entry, the senders in turn; borrowed until the next call.</summary>
    public bool TryTake(out THeader header, out Span<byte> bytes)
    {
        _taken?.Remove();
        for (int i = 0; i < _rings.Length; i++)
        {
            FrameRing<THeader> ring = _rings[_next];
            _next = _next + 1 == _rings.Length ? 0 : _next + 1;
            if (ring.TryPeek(out header, out bytes))
            {
                _taken = ring;
                return true;
            }
        }

        _taken = null;
        header = default;
        bytes = default;
        return false;
    }

    /// <summary>Receiver, with nothing taken: true if it may now wait for <see cref="Descriptor"/>; false if something waits already.</summary>
    public bool TrySleep()
    {
        Volatile.Write(ref _asleep, 1);
        Interlocked.MemoryBarrier(); // pairs with the fence in Wake
        foreach (FrameRing<THeader> ring in _rings)
        {
            if (ring.IsEmpty)
                continue;
            Awake();
            return false;
        }

        return true;
    }

    /// <summary>
    /// Receiver that waits for <see cref="Descriptor"/> among others and may leave entries for later, with nothing taken: true if nothing waits, and then the
    /// next wake-up makes the descriptor readable; false if something waits already, and then it is readable and stays so until the next call.
    /// </summary>
    public bool TryRest()
    {
        _bell.Drain();
        if (TrySleep())
            return true;
        _bell.Signal(); // nobody else will: the senders know that the receiver is awake
        return false;
    }

    /// <summary>Receiver: no wake-up is needed until the next <see cref="TrySleep"/>.</summary>
    public void Awake() => Volatile.Write(ref _asleep, 0);

    /// <summary>Receiver: takes the wake-ups that came, when <see cref="Descriptor"/> is readable.</summary>
    public void Drain() => _bell.Drain();

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_rings, static ring => ring.Dispose());
        _bell.Dispose();
    }
}
