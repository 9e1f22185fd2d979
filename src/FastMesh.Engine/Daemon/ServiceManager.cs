using System.Globalization;
using System.Net.Sockets;
using System.Text;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>systemd's protocols: sockets handed over at start, messages about the state (sd_notify(3)), and the watchdog.</summary>
internal sealed class ServiceManager : IDisposable
{
    /// <summary>The first inherited socket's descriptor (SD_LISTEN_FDS_START).</summary>
    public const int FirstSocket = 3;

    private readonly Socket? _notify;
    private readonly TimeSpan _watchdog;
    private Instant _nextSign = Instant.Never;
    private string _status = "";

    private ServiceManager(Socket? notify, int sockets, TimeSpan watchdog) => (_notify, InheritedSockets, _watchdog) = (notify, sockets, watchdog);

    /// <summary>Number of listening sockets inherited, from <see cref="FirstSocket"/> on.</summary>
    public int InheritedSockets { get; }

    /// <summary>
    /// Reads LISTEN_FDS, NOTIFY_SOCKET and the watchdog's variables and takes all out of the environment, so that scripts do not act on
    /// them. The notification socket is connected now because a change of root would put its path out of reach.
    /// </summary>
    /// <param name="detached">A detached daemon inherits no sockets (tinc 1.0 reference, 4.1).</param>
    public static ServiceManager Take(bool detached)
    {
        string? count = TakeVariable("LISTEN_FDS"), path = TakeVariable("NOTIFY_SOCKET");
        string? watchdog = TakeVariable("WATCHDOG_USEC"), watched = TakeVariable("WATCHDOG_PID");
        bool isWatched = watched is null || watched == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        int sockets = !detached && byte.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out byte given) ? given : 0;
        for (int i = 0; i < sockets; i++)
            FileIo.SetCloseOnExec(FirstSocket + i, true); // scripts run before the sockets are adopted
        Socket? notify = string.IsNullOrEmpty(path) ? null : Connect(path);
        long limit = isWatched && notify is not null && long.TryParse(watchdog, NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds) ? microseconds : 0;
        return new(notify, sockets, TimeSpan.FromMicroseconds(limit));
    }

    /// <summary>Whether somebody wants to know about the state.</summary>
    public bool IsThere => _notify is not null;

    /// <summary>When <see cref="Tend"/> is to be called next at the latest.</summary>
    public Instant NextTimeout => _nextSign;

    /// <summary>Says that the daemon is up, if anybody wants to know; the watchdog runs from now on.</summary>
    public void NotifyReady(Instant now)
    {
        Send("READY=1\n");
        _nextSign = _watchdog > TimeSpan.Zero ? now : Instant.Never;
    }

    /// <summary>Says that the configuration is being read again; <see cref="NotifyReloaded"/> must follow.</summary>
    /// <param name="microseconds">CLOCK_MONOTONIC, by which the manager knows that this is an answer to what it asked for.</param>
    public void NotifyReloading(long microseconds) =>
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}\n"));

    /// <summary>Says that the daemon goes on, with the new configuration or with the old one.</summary>
    public void NotifyReloaded() => Send("READY=1\n");

    /// <summary>Says that the daemon is about to end.</summary>
    public void NotifyStopping() => Send("STOPPING=1\nSTATUS=Saying goodbye\n");

    /// <summary>Says in a few words how the daemon is, if that has changed.</summary>
    public void ShowStatus(string status)
    {
        if (status == _status)
            return;
        _status = status;
        Send($"STATUS={status}\n");
    }

    /// <summary>
    /// Gives the watchdog a sign of life four times in its time, and none while <paramref name="isAlive"/> says that part of the daemon hangs: then
    /// the manager ends it and starts it anew.
    /// </summary>
    public void Tend(Instant now, Func<bool> isAlive)
    {
        if (now < _nextSign)
            return;
        _nextSign = now + (_watchdog / 4);
        if (isAlive())
            Send("WATCHDOG=1\n");
    }

    /// <summary>Closes the socket.</summary>
    public void Dispose() => _notify?.Dispose();

    private void Send(string message)
    {
        try
        {
            _notify?.Send(Encoding.UTF8.GetBytes(message));
        }
        catch (SocketException)
        {
            // A service manager that went away has no use for the message.
        }
    }

    private static string? TakeVariable(string name)
    {
        string? value = Environment.GetEnvironmentVariable(name);
        Environment.SetEnvironmentVariable(name, null);
        return value;
    }

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
