using FastMesh.Engine.Protocol;

namespace FastMesh.Simulation.Tests;

/// <summary>One direction-aware end of a TCP connection between two nodes.</summary>
internal sealed class SimStream(SimNetwork network, SimNode owner, ConnectionId connection)
{
    private readonly Queue<byte[]> _stalled = new();
    private long _lastDelivery;
    private bool _stalledEnd;

    public SimNode Owner { get; } = owner;

    public ConnectionId Connection { get; } = connection;

    /// <summary>The other end, once connected.</summary>
    public SimStream? Other { get; set; }

    public bool IsOpen { get; set; } = true;

    /// <summary>Sends bytes in random pieces.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(bytes.Length, 1 + network.Random.Next(network.Random.Next(4) == 0 ? 8 : 1400));
            Deliver(bytes[..count].ToArray());
            bytes = bytes[count..];
        }
    }

    /// <summary>Closes this end; the other sees the end of the stream after all that was written.</summary>
    public void Close()
    {
        IsOpen = false;
        DeliverEnd();
    }

    public void Resume()
    {
        while (_stalled.TryDequeue(out byte[]? bytes))
            Deliver(bytes);
        if (_stalledEnd)
            DeliverEnd();
    }

    private void Deliver(byte[] bytes)
    {
        if (Other is not { } other)
            return;
        if (network.AreParted(Owner, other.Owner))
        {
            _stalled.Enqueue(bytes);
            return;
        }

        _lastDelivery = network.Later(() => other.Owner.Receive(other, bytes), _lastDelivery);
    }

    private void DeliverEnd()
    {
        if (Other is not { } other)
            return;
        _stalledEnd = network.AreParted(Owner, other.Owner);
        if (!_stalledEnd)
            _lastDelivery = network.Later(() => other.Owner.ReceiveEnd(other), _lastDelivery);
    }
}
