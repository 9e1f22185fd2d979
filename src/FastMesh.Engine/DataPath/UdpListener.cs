using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>Settings of the UDP sockets (tinc 1.0 reference, 4.1).</summary>
public sealed record UdpSettings
{
    /// <summary>UDPRcvBuf, bytes, or null for our default.</summary>
    public int? ReceiveBuffer { get; init; }

    /// <summary>UDPSndBuf, bytes, or null for our default.</summary>
    public int? SendBuffer { get; init; }

    /// <summary>PMTUDiscovery: set don't-fragment.</summary>
    public bool DontFragment { get; init; } = true;

    /// <summary>BindToInterface, or null.</summary>
    public string? Interface { get; init; }
}

/// <summary>One UDP address the daemon listens on: a socket per shard, sharing the port.</summary>
public sealed class UdpListener : IDisposable
{
    private UdpListener() => throw new NotSupportedException();

    /// <summary>Binds. Throws <see cref="IOException"/> with a message for the operator if that fails.</summary>
    /// <param name="local">Address and port; port 0 lets the kernel choose.</param>
    /// <param name="settings">Options.</param>
    /// <param name="shards">Number of sockets.</param>
    public static UdpListener Open(Endpoint local, UdpSettings settings, int shards) => throw new NotSupportedException();

    /// <summary>The address and port really bound.</summary>
    public Endpoint Local => throw new NotSupportedException();

    /// <summary>Closes the sockets.</summary>
    public void Dispose() => throw new NotSupportedException();
}
