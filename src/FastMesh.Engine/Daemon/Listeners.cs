using System.Globalization;
using System.Net.Sockets;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>The addresses the daemon listens on, each with a TCP and a UDP side on the same port (tinc 1.0 reference, 4.1).</summary>
internal sealed class Listeners : IDisposable
{
    private const int MaxPairs = 128; // tinc's

    // tinc has 3; after a network failure hundreds of peers may come back within a second.
    private const int Backlog = 128;

    // How often the kernel may choose a TCP port that is taken on the UDP side.
    private const int PortAttempts = 16;

    private readonly List<SafeFd> _tcp = [];
    private readonly List<UdpListener> _udp = [];
    private readonly DaemonOptions _options;
    private readonly EngineLog _log;
    private int _sources;

    private Listeners(DaemonOptions options, EngineLog log) => (_options, _log) = (options, log);

    /// <summary>Opens every pair. One that cannot be opened is logged and left out.</summary>
    /// <param name="options">Addresses, family, interface and socket settings.</param>
    /// <param name="inherited">Number of listening TCP sockets inherited from descriptor 3 on; if any, they replace BindToAddress.</param>
    /// <param name="log">Where "Listening on" goes.</param>
    /// <exception cref="IOException">No pair could be opened, or an inherited descriptor is no listening socket.</exception>
    public static Listeners Open(DaemonOptions options, int inherited, EngineLog log)
    {
        Listeners listeners = new(options, log);
        try
        {
            if (inherited > 0)
                listeners.Adopt(inherited);
            else
                listeners.Bind();
            return listeners._udp.Count > 0 ? listeners : throw new IOException("Unable to create any listening socket!");
        }
        catch
        {
            listeners.Dispose();
            throw;
        }
    }

    /// <summary>The TCP sockets.</summary>
    public IReadOnlyList<SafeFd> Tcp => _tcp;

    /// <summary>The UDP sides, in the same order.</summary>
    public IReadOnlyList<UdpListener> Udp => _udp;

    /// <summary>The local address an outgoing TCP connection must come from: that of the only pair of its family in BindToAddress, or "no address".</summary>
    public Endpoint SourceFor(Endpoint target)
    {
        Endpoint source = default;
        foreach (UdpListener listener in _udp.Take(_sources))
        {
            if (listener.Local.IsIPv4 != target.IsIPv4)
                continue;
            if (source.IsSet)
                return default;
            source = listener.Local.WithPort(0);
        }

        return source;
    }

    /// <summary>Closes all sockets.</summary>
    public void Dispose()
    {
        foreach (SafeFd tcp in _tcp)
            tcp.Dispose();
        foreach (UdpListener udp in _udp)
            udp.Dispose();
    }

    private void Bind()
    {
        IEnumerable<HostPort> any = _options.ListenAddress.Count > 0 ? [] : [new HostPort("*", _options.Mesh.Port)];
        Bind(_options.BindToAddress.Count > 0 ? _options.BindToAddress : any);
        _sources = _udp.Count;
        Bind(_options.ListenAddress);
    }

    private void Bind(IEnumerable<HostPort> addresses)
    {
        foreach (HostPort wanted in addresses)
        {
            foreach (Endpoint address in Expand(wanted))
            {
                if (_udp.Count < MaxPairs)
                    OpenPair(address.Port == 0 && _udp.Count > 0 ? address.WithPort(_udp[0].Local.Port) : address);
            }
        }
    }

    private List<Endpoint> Expand(HostPort wanted)
    {
        try
        {
            if (wanted.Host != "*")
                return NameLookup.LookUp(wanted, _options.Mesh.AddressFamily);
            List<Endpoint> any = [];
            if (_options.Mesh.AddressFamily != AddressFamilyChoice.IPv6)
                any.AddRange(NameLookup.LookUp(wanted with { Host = "0.0.0.0" }, AddressFamilyChoice.IPv4));
            if (_options.Mesh.AddressFamily != AddressFamilyChoice.IPv4)
                any.AddRange(NameLookup.LookUp(wanted with { Host = "::" }, AddressFamilyChoice.IPv6));
            return any;
        }
        catch (SocketException failure)
        {
            _log.Always.NameLookupFailed(wanted.Host, wanted.Port, NameLookup.Describe(failure));
            return [];
        }
    }

    private void OpenPair(Endpoint wanted)
    {
        for (int attempt = 1; ; attempt++)
        {
            if (TryListen(wanted) is not { } tcp)
                return;
            try
            {
                Add(tcp, LocalAddress(tcp.Descriptor));
                return;
            }
            catch (IOException e)
            {
                tcp.Dispose();
                if (wanted.Port == 0 && attempt < PortAttempts)
                    continue;
                _log.Always.CannotBind(wanted, "udp", Reason(e.InnerException as LinuxException, e.Message));
                return;
            }
        }
    }

    private SafeFd? TryListen(Endpoint wanted)
    {
        Span<byte> address = stackalloc byte[Endpoint.MaxSockaddrLength];
        try
        {
            return TcpSocket.Listen(address[..wanted.WriteSockaddr(address)], Backlog, _options.BindToInterface, _options.FirewallMark);
        }
        catch (LinuxException e)
        {
            _log.Always.CannotBind(wanted, "tcp", Reason(e, e.Message));
            return null;
        }
    }

    private void Add(SafeFd tcp, Endpoint local)
    {
        _udp.Add(UdpListener.Open(local, _options.Udp, _options.DataPlane.Shards, _options.DataPlane.Offloads));
        _tcp.Add(tcp);
        _log.Connections.Listening(local);
    }

    private void Adopt(int count)
    {
        for (int fd = ServiceManager.FirstSocket; fd < ServiceManager.FirstSocket + count; fd++)
        {
            SafeFd tcp = FileIo.Adopt(fd);
            if (!TcpSocket.IsStreamSocket(fd))
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"Inherited descriptor {fd} is no TCP socket"));
            Add(tcp, LocalAddress(fd));
        }

        _sources = _udp.Count;
    }

    /// <summary>This end of a socket, or "no address".</summary>
    internal static Endpoint LocalAddress(int fd)
    {
        Span<byte> address = stackalloc byte[Endpoint.MaxSockaddrLength];
        int length = SocketAddress.Local(fd, address);
        return length < 0 ? default : Endpoint.FromSockaddr(address[..length]);
    }

    /// <summary>For what goes wrong every day just the kernel's words, as tinc has them.</summary>
    private static string Reason(LinuxException? error, string message) =>
        error is { Errno: Errno.EADDRINUSE or Errno.EADDRNOTAVAIL or Errno.EACCES } ? Errno.Message(error.Errno) : message;
}
