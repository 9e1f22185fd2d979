using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>What crossed a <see cref="MemoryPort"/>.</summary>
internal sealed record Captured(byte[] Bytes, VirtioHeader Header = default, Endpoint Endpoint = default, int SegmentSize = 0, byte TrafficClass = 0);

/// <summary>A port without a kernel: gives what is queued in <see cref="Input"/>, keeps what is sent in <see cref="Output"/>.</summary>
internal sealed class MemoryPort : IPacketPort
{
    public Queue<Captured> Input { get; } = new();

    public List<Captured> Output { get; } = [];

    /// <summary>Errno for everything sent, or 0.</summary>
    public int SendError { get; set; }

    /// <summary>Errno with which trains are refused, which then go out as single datagrams; or 0.</summary>
    public int TrainError { get; set; }

    /// <summary>Negated errno for the next receives, or 0.</summary>
    public int ReceiveError { get; set; }

    /// <summary>Called before each receive.</summary>
    public Action? Receiving { get; set; }

    /// <summary>All batches that this port was ever given; each is empty again when its owner has done its work.</summary>
    public HashSet<PacketBatch> Batches { get; } = [];

    public int Descriptor => -1;

    public int Receive(PacketBatch batch)
    {
        Receiving?.Invoke();
        Batches.Add(batch);
        if (ReceiveError != 0)
            return ReceiveError;
        int count = 0;
        while (Input.TryPeek(out Captured? next) && batch.Fits(65536))
        {
            Input.Dequeue();
            int offset = batch.Tail;
            next.Bytes.CopyTo(batch.Bytes(offset, next.Bytes.Length));
            ref Packet packet = ref batch.Add(offset, next.Bytes.Length);
            (packet.Header, packet.Endpoint, packet.SegmentSize, packet.TrafficClass) = (next.Header, next.Endpoint, next.SegmentSize, next.TrafficClass);
            count++;
        }

        return count;
    }

    public void Send(PacketBatch batch)
    {
        Batches.Add(batch);
        for (int i = 0; i < batch.Count; i++)
        {
            ref Packet packet = ref batch[i];
            packet.Error = SendError;
            packet.Refused = packet.Length > packet.SegmentSize ? TrainError : 0;
            if (SendError == 0)
                Output.Add(new(batch.Bytes(i).ToArray(), packet.Header, packet.Endpoint, packet.SegmentSize, packet.TrafficClass));
        }
    }

    public void Dispose()
    {
    }
}
