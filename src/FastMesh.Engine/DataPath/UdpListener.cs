using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

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

    /// <summary>FWMark, or 0.</summary>
    public int Mark { get; init; }
}

/// <summary>One UDP address the daemon listens on: a socket per shard, sharing the port.</summary>
public sealed class UdpListener : IDisposable
{
    private readonly SafeFd[] _sockets;

    private UdpListener(Endpoint local, SafeFd[] sockets) => (Local, _sockets) = (local, sockets);

    /// <summary>Binds. Throws <see cref="IOException"/> with a message for the operator if that fails.</summary>
    /// <param name="local">Address and port; port 0 lets the kernel choose.</param>
    /// <param name="settings">Options.</param>
    /// <param name="shards">Number of sockets.</param>
    /// <param name="offloads">Whether trains may be received.</param>
    public static UdpListener Open(Endpoint local, UdpSettings settings, int shards, Offloads offloads = Offloads.All)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentOutOfRangeException.ThrowIfLessThan(shards, 1);
        UdpSocketOptions options = new()
        {
            ReusePort = shards > 1,
            ReceiveBuffer = settings.ReceiveBuffer,
            SendBuffer = settings.SendBuffer,
            PathMtuDiscovery = settings.DontFragment,
            Interface = settings.Interface,
            Mark = settings.Mark,
            ReceiveOffload = offloads.HasFlag(Offloads.Gro) && UdpSocket.HasReceiveOffload,
        };
        List<SafeFd> sockets = [];
        try
        {
            while (sockets.Count < shards)
            {
                sockets.Add(OpenOne(local, options));
                local = BoundTo(sockets[0].Descriptor); // the others share the port the kernel chose for the first
            }

            if (shards > 1)
                SourceSteering.Attach(sockets[0].Descriptor, local.IsIPv6, shards);
            return new(local, [.. sockets]);
        }
        catch (LinuxException e)
        {
            sockets.ForEach(static socket => socket.Dispose());
            throw new IOException($"Can't bind to {local}/udp: {e.Message}", e);
        }
    }

    /// <summary>The address and port really bound.</summary>
    public Endpoint Local { get; }

    /// <summary>Number of sockets.</summary>
    internal int SocketCount => _sockets.Length;

    /// <summary>Descriptor of one shard's socket, borrowed.</summary>
    internal int Socket(int shard) => _sockets[shard].Descriptor;

    /// <summary>Closes the sockets.</summary>
    public void Dispose() => Array.ForEach(_sockets, static socket => socket.Dispose());

    private static SafeFd OpenOne(Endpoint local, UdpSocketOptions options)
    {
        Span<byte> address = stackalloc byte[Endpoint.MaxSockaddrLength];
        return UdpSocket.Open(address[..local.WriteSockaddr(address)], options);
    }

    private static Endpoint BoundTo(int descriptor)
    {
        Span<byte> address = stackalloc byte[Endpoint.MaxSockaddrLength];
        int length = SocketAddress.Local(descriptor, address);
        return length > 0 ? Endpoint.FromSockaddr(address[..length])
            : throw new LinuxException("Could not read the address of a UDP socket", length);
    }
}
