namespace FastMesh.Engine.DataPath;

/// <summary>DeviceType = dummy: nothing is ever read, writes are discarded. Also stands for the device on shards without a queue.</summary>
internal sealed class DummyPort : IPacketPort
{
    /// <inheritdoc/>
    public int Descriptor => -1;

    /// <inheritdoc/>
    public int Receive(PacketBatch batch) => 0;

    /// <inheritdoc/>
    public void Send(PacketBatch batch)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
