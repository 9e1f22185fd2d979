using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>A device queue or a socket without a kernel: gives the same packets again and again, and keeps those it is given if asked to.</summary>
internal sealed class MemoryPort : IPacketPort
{
    private readonly List<(byte[] Bytes, Packet Packet)> _packets = [];
    private int _left;

    /// <summary>Where what is sent is kept, or null.</summary>
    public MemoryPort? Sink { get; set; }

    public int Descriptor => -1;

    /// <summary>Datagrams of all packets.</summary>
    public int Datagrams => _packets.Sum(entry => entry.Packet.Datagrams);

    /// <summary>Adds a packet of the device.</summary>
    public void Add(ReadOnlySpan<byte> frame, VirtioHeader header) => _packets.Add((frame.ToArray(), new() { Header = header }));

    /// <summary>Says who sent the datagrams, and from and to which node they are, if they carry ids.</summary>
    public void Address(Endpoint from, NodeId? destination = null)
    {
        for (int i = 0; i < _packets.Count; i++)
        {
            (byte[] bytes, Packet packet) = _packets[i];
            packet.Endpoint = from;
            for (int at = 0; destination is { } id && at < bytes.Length; at += packet.SegmentSize)
                id.Write(bytes.AsSpan(at));
            _packets[i] = (bytes, packet);
        }
    }

    /// <summary>All packets wait once more.</summary>
    public void Refill() => _left = _packets.Count;

    public int Receive(PacketBatch batch)
    {
        int count = 0;
        for (; _left > 0 && batch.Fits(_packets[^_left].Bytes.Length); _left--, count++)
        {
            (byte[] bytes, Packet stored) = _packets[^_left];
            int tail = batch.Tail;
            bytes.CopyTo(batch.Bytes(tail, bytes.Length));
            ref Packet packet = ref batch.Add(tail, bytes.Length);
            (packet.Header, packet.SegmentSize, packet.Endpoint) = (stored.Header, stored.SegmentSize, stored.Endpoint);
        }

        return count;
    }

    public void Send(PacketBatch batch)
    {
        for (int i = 0; i < batch.Count && Sink is not null; i++)
            Sink._packets.Add((batch.Bytes(i).ToArray(), batch[i]));
    }

    public void Dispose()
    {
    }
}
