namespace FastMesh.Engine.DataPath;

/// <summary>
/// One end of the data path: a queue of the device or a UDP socket. Everything that crosses it is a batch. Never blocks, never throws.
/// Owned by one shard; the descriptor behind it stays its opener's.
/// </summary>
internal interface IPacketPort : IDisposable
{
    /// <summary>Readable while packets wait, or -1 if none ever do.</summary>
    int Descriptor { get; }

    /// <summary>
    /// Appends waiting packets until none waits or the batch is full. Returns how many; the negated errno if reading failed before the first.
    /// Device packets are frames with an Ethernet header (12 zero bytes and the EtherType on layer 3), datagrams may come as trains.
    /// </summary>
    int Receive(PacketBatch batch);

    /// <summary>Sends every packet of the batch, in order, and notes in each <see cref="Packet.Error"/> the errno of what failed.</summary>
    void Send(PacketBatch batch);
}
