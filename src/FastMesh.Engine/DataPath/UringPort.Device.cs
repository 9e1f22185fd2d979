using FastMesh.Native.Uring;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// What <see cref="TunPort"/> reads and writes one packet per system call: here reads are kept under way, and the packets of a batch are written by one
/// system call.
/// </summary>
internal sealed unsafe class UringDevicePort(TunPort plain, RingBatch batch) : UringPort(plain.Descriptor, batch)
{
    /// <summary>Reads under way where one cannot stay.</summary>
    private const int SingleReads = 8;

    // In the upper half of a request's number: which packet of the batch it writes, from 1 on.
    private const int WriteShift = 32;

    private PacketBatch? _written;
    private int _writes;

    /// <inheritdoc/>
    protected override int MaxPackets => RingBatch.Slots;

    /// <inheritdoc/>
    public override void Arm()
    {
        SubmissionQueue submissions = Poller.Ring.Submissions;
        if (Poller.Ring.Features.HasFlag(RingFeatures.MultishotRead))
        {
            if (UnderWay == 0 && Batch.CanReceive && submissions.TryReadMultishot(Index, Batch.Group, (uint)Index))
                UnderWay++;
            return;
        }

        while (UnderWay < SingleReads && Batch.CanReceive && submissions.TryRead(Index, Batch.Group, Batch.SlotLength, (uint)Index))
            UnderWay++;
    }

    /// <inheritdoc/>
    public override void Complete(in Completion completion)
    {
        int packet = (int)(completion.UserData >> WriteShift) - 1;
        if (packet < 0)
        {
            base.Complete(completion);
            return;
        }

        _writes--;
        _written![packet].Error = Math.Max(-completion.Result, 0);
    }

    /// <inheritdoc/>
    public override void Send(PacketBatch packets)
    {
        if (packets.Count == 1)
        {
            plain.Send(packets);
            return;
        }

        _written = packets;
        for (int i = 0; i < packets.Count; i++)
        {
            int start = plain.WriteHeader(packets[i], packets, out int length);
            while (!Poller.Ring.Submissions.TryWrite(Index, packets.Address(start), length, ((ulong)(i + 1) << WriteShift) | (uint)Index))
                Poller.Look();
            _writes++;
        }

        Poller.Look();
        while (_writes > 0)
            Poller.WaitForCompletion();
    }

    /// <inheritdoc/>
    public override void Dispose() => plain.Dispose();

    /// <inheritdoc/>
    protected override int Accept(int start, int length) => plain.Accept(Batch, start, length);
}
