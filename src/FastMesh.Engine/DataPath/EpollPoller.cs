using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>Waits by epoll for ports that read by plain system calls.</summary>
/// <param name="descriptors">How many it will watch.</param>
internal sealed class EpollPoller(int descriptors) : IPoller
{
    private readonly Epoll _epoll = new(descriptors);

    /// <inheritdoc/>
    public void Start()
    {
    }

    /// <inheritdoc/>
    public void Stop()
    {
    }

    /// <inheritdoc/>
    public void Watch(IPacketPort port, int tag) => Watch(port.Descriptor, tag);

    /// <inheritdoc/>
    public void Watch(int descriptor, int tag)
    {
        if (descriptor >= 0)
            _epoll.Add(descriptor, EpollEvents.In, (uint)tag);
    }

    /// <inheritdoc/>
    public void Unwatch(IPacketPort port) => _epoll.Remove(port.Descriptor);

    /// <inheritdoc/>
    public int Wait(int timeout) => _epoll.Wait(timeout);

    /// <inheritdoc/>
    public int Ready(int index) => (int)_epoll.Tag(index);

    /// <inheritdoc/>
    public void Dispose() => _epoll.Dispose();
}
