namespace FastMesh.Engine.DataPath;

/// <summary>
/// How a shard waits until a port can receive or its mailbox has something. Level-triggered: what is not received is reported again. Made by any
/// thread; from <see cref="Start"/> to <see cref="Stop"/> owned by the shard's.
/// </summary>
internal interface IPoller : IDisposable
{
    /// <summary>On the thread that will wait, before it does.</summary>
    void Start();

    /// <summary>On the same thread: nothing is received any more.</summary>
    void Stop();

    /// <summary>Reports from now on when the port can receive; <paramref name="tag"/> names it. A port that never can is ignored.</summary>
    void Watch(IPacketPort port, int tag);

    /// <summary>The same for a descriptor that becomes readable.</summary>
    void Watch(int descriptor, int tag);

    /// <summary>Reports the port no more, or its error would end every wait at once.</summary>
    void Unwatch(IPacketPort port);

    /// <summary>
    /// Waits at most <paramref name="timeout"/> milliseconds (0: not at all, -1: for ever). Returns how many ports are ready, 0 if it was interrupted.
    /// </summary>
    int Wait(int timeout);

    /// <summary>The tag of a port that the last wait found ready.</summary>
    int Ready(int index);
}
