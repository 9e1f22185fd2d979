using FastMesh.Native.Linux;
using FastMesh.Native.Uring;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// A port that receives by io_uring: requests stay under way, and what they bring lies in the ring's memory when the wait returns. Completions are
/// kept until <see cref="Receive"/>.
/// </summary>
internal abstract class UringPort : IPacketPort
{
    private readonly (int Slot, int Result)[] _received = new (int, int)[2 * RingBatch.Slots];
    private int _first, _count, _error;
    private bool _failed;

    /// <summary>Receives from a non-blocking descriptor that stays the caller's, into that memory.</summary>
    protected UringPort(int descriptor, RingBatch batch) => (Descriptor, Batch) = (descriptor, batch);

    /// <inheritdoc/>
    public int Descriptor { get; }

    /// <summary>Whether <see cref="Receive"/> has something to return.</summary>
    public bool HasReceived => _count > 0 || _error < 0;

    /// <summary>Whether a request is under way.</summary>
    public bool IsReceiving => UnderWay > 0;

    /// <summary>What is received into.</summary>
    protected RingBatch Batch { get; }

    /// <summary>Whose ring it uses.</summary>
    protected UringPoller Poller { get; private set; } = null!;

    /// <summary>Its number there.</summary>
    protected int Index { get; private set; }

    /// <summary>Receives under way.</summary>
    protected int UnderWay { get; set; }

    /// <summary>Gets the number of its registered file, which completions carry.</summary>
    public void Attach(UringPoller poller, int index) => (Poller, Index) = (poller, index);

    /// <summary>Sees to it that a receive is under way, if there is memory for it.</summary>
    public abstract void Arm();

    /// <summary>Takes a completion.</summary>
    public virtual void Complete(in Completion completion)
    {
        if (!completion.HasMore)
            UnderWay--;
        if (completion.Buffer >= 0)
        {
            _received[(_first + _count) % _received.Length] = (completion.Buffer, completion.Result);
            _count++;
        }
        else if (completion.Result is not -Errno.ENOBUFS and not -Errno.ECANCELED and not -Errno.EAGAIN)
        {
            _error = Math.Min(completion.Result, -Errno.EIO); // 0: the end of the file
        }
    }

    /// <inheritdoc/>
    public int Receive(PacketBatch batch)
    {
        if (_failed)
            Arm(); // the shard wants to know at once whether it works again
        if (_count == 0)
            Poller.Look();
        int packets = 0;
        for (; _count > 0 && packets < MaxPackets; _count--)
        {
            (int slot, int result) = _received[_first];
            _first = (_first + 1) % _received.Length;
            int start = Batch.Take(slot);
            int error = result > 0 ? Accept(start, result) : Math.Min(result, -Errno.EIO);
            if (error == 0)
            {
                packets++;
                continue;
            }

            Batch.Drop(slot);
            _error = error;
        }

        if (packets > 0 || _error == 0)
        {
            _failed = false;
            return packets;
        }

        int failure = _error;
        (_error, _failed) = (0, true);
        return failure;
    }

    /// <inheritdoc/>
    public abstract void Send(PacketBatch batch);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Most packets per call.</summary>
    protected abstract int MaxPackets { get; }

    /// <summary>Lists what the kernel wrote to the batch's memory. Returns 0, or a negated errno if it is of no use.</summary>
    protected abstract int Accept(int start, int length);
}
