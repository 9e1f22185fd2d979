using System.Globalization;
using System.Net.Sockets;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>systemd's two protocols: sockets handed over at start, and the message that the start is complete.</summary>
internal sealed class ServiceManager : IDisposable
{
    /// <summary>The first inherited socket's descriptor (SD_LISTEN_FDS_START).</summary>
    public const int FirstSocket = 3;

    private readonly Socket? _notify;

    private ServiceManager(Socket? notify, int sockets) => (_notify, InheritedSockets) = (notify, sockets);

    /// <summary>Number of listening sockets inherited, from <see cref="FirstSocket"/> on.</summary>
    public int InheritedSockets { get; }

    /// <summary>
    /// Reads LISTEN_FDS and NOTIFY_SOCKET and takes both out of the environment, so that scripts do not act on them. The notification
    /// socket is connected now because a change of root would put its path out of reach.
    /// </summary>
    /// <param name="detached">A detached daemon inherits no sockets (tinc 1.0 reference, 4.1).</param>
    public static ServiceManager Take(bool detached)
    {
        string? count = Environment.GetEnvironmentVariable("LISTEN_FDS");
        string? path = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");
        Environment.SetEnvironmentVariable("LISTEN_FDS", null);
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
        int sockets = !detached && byte.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out byte given) ? given : 0;
        for (int i = 0; i < sockets; i++)
            FileIo.SetCloseOnExec(FirstSocket + i, true); // scripts run before the sockets are adopted
        return new(string.IsNullOrEmpty(path) ? null : Connect(path), sockets);
    }

    /// <summary>Says that the daemon is up, if anybody wants to know.</summary>
    public void NotifyReady()
    {
        try
        {
            _notify?.Send("READY=1\n"u8);
        }
        catch (SocketException)
        {
            // A service manager that went away has no use for the message.
        }
    }

    /// <summary>Closes the socket.</summary>
    public void Dispose() => _notify?.Dispose();

    private static Socket? Connect(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            // A leading @ stands for the zero byte of an abstract address.
            socket.Connect(new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
