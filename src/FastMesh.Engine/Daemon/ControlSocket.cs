using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>Where control clients connect, and who tells them.</summary>
/// <param name="SocketPath">Absolute path of the UNIX socket (tinc 1.1 reference, 10.1).</param>
/// <param name="Announce">
/// Gets <c>COOKIE HOST portPORT</c> once the daemon listens, for the pid file; may throw <see cref="IOException"/> or
/// <see cref="UnauthorizedAccessException"/>.
/// </param>
public sealed record ControlSettings(string SocketPath, Action<string> Announce);

/// <summary>
/// The server side of tinc 1.1's control protocol, by which the <c>tinc</c> program drives the daemon (tinc 1.1 reference, chapter 10). It is
/// there as long as the control loop is, so that the scripts of start and end, which the loop does not wait beside, get no answer rather than a
/// late one.
/// </summary>
internal sealed class ControlSocket : IDisposable
{
    private const int MaxClients = 32, MaxSilent = 10, Backlog = 8;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    private readonly Dictionary<ulong, ControlSession> _sessions = [];
    private readonly Queue<ControlSession> _silent = new();
    private readonly byte[] _cookie;
    private readonly ControlSettings _settings;
    private readonly SafeFd _listener;
    private readonly LogTap _tap;
    private readonly EventFd _wake;
    private Epoll? _epoll;
    private ControlRequests? _requests;
    private ulong _nextTag;

    private ControlSocket(ControlSettings settings, SafeFd listener, LogTap tap, EventFd wake)
    {
        (_settings, _listener, _tap, _wake) = (settings, listener, tap, wake);
        _cookie = Encoding.ASCII.GetBytes(Convert.ToHexString(RandomNumberGenerator.GetBytes(32)));
    }

    /// <summary>Opens the socket. A daemon that cannot be controlled still carries packets: then there is a warning and null is returned.</summary>
    /// <param name="settings">Where; null: nowhere.</param>
    /// <param name="tap">What is logged.</param>
    /// <param name="wake">Signalled when something was logged.</param>
    /// <param name="log">For the warning.</param>
    public static ControlSocket? Open(ControlSettings? settings, LogTap tap, EventFd wake, EngineLog log)
    {
        if (settings is null)
            return null;
        try
        {
            return new ControlSocket(settings, UnixSocket.Listen(settings.SocketPath, Backlog), tap, wake);
        }
        catch (Exception e) when (e is LinuxException or IOException or UnauthorizedAccessException)
        {
            log.Always.NoControlSocket(e.Message);
            return null;
        }
    }

    /// <summary>The sessions, the oldest first.</summary>
    public IEnumerable<ControlSession> Sessions => _sessions.OrderBy(session => session.Key).Select(session => session.Value);

    /// <summary>
    /// Tells where the daemon listens and by which cookie it knows its masters. The port has no blank before it, which the tinc program does
    /// not mind: as a number of its own, <c>kill $(cat PIDFILE)</c>, well known from tinc 1.0, would end the process of that number.
    /// </summary>
    /// <param name="listening">The first address it listens on.</param>
    public void Announce(Endpoint listening)
    {
        Endpoint host = (listening.IsIPv4 && listening.IPv4 == 0) ? Endpoint.FromIPv4(0x7f000001, listening.Port)
            : (listening.IsIPv6 && listening.IPv6 == 0) ? Endpoint.FromIPv6(1, listening.Port)
            : listening;
        string cookie = Encoding.ASCII.GetString(_cookie);
        _settings.Announce(string.Create(CultureInfo.InvariantCulture, $"{cookie} {host.AddressText} port{host.Port}"));
    }

    /// <summary>Starts serving.</summary>
    /// <param name="epoll">Where to wait.</param>
    /// <param name="listenerTag">Comes back when somebody connects.</param>
    /// <param name="firstTag">Comes back with the first session's events; later sessions' tags are higher.</param>
    /// <param name="requests">What clients may ask for.</param>
    public void Serve(Epoll epoll, ulong listenerTag, ulong firstTag, ControlRequests requests)
    {
        (_epoll, _requests) = (epoll, requests);
        _nextTag = firstTag;
        _epoll.Add(_listener.Descriptor, EpollEvents.In, listenerTag);
    }

    /// <summary>Takes one of those who wait; there is always room for them in the kernel, but not always here.</summary>
    public void Accept()
    {
        Span<byte> nobody = stackalloc byte[sizeof(ushort)];
        int fd = TcpSocket.Accept(_listener.Descriptor, nobody, out _);
        if (fd < 0)
            return;
        SafeFd socket = new(fd);
        if (_sessions.Count < MaxClients)
            _sessions.Add(_nextTag, new ControlSession(_epoll!, _nextTag++, socket));
        else
            socket.Dispose();
    }

    /// <summary>Something happened to the session with that tag.</summary>
    public void HandleEvent(ulong tag, EpollEvents events)
    {
        if (!_sessions.TryGetValue(tag, out ControlSession? session))
            return;
        Instant now = MonotonicClock.Now;
        bool alive = (events & ~EpollEvents.In) == 0 || session.TryFlush(now);
        alive = alive && (events == EpollEvents.Out || session.TryFill());
        alive = alive && HandleLines(tag, session) && session.TryFlush(now);
        if (!alive)
            Close(tag);
        Tune();
    }

    /// <summary>Passes on what was logged. Nothing here logs anything, or it would never end.</summary>
    /// <param name="ownLevel">The daemon's debug level.</param>
    public void HandleLog(int ownLevel)
    {
        while (_tap.TryTake(out LogLine line))
        {
            foreach (ControlSession session in _sessions.Values)
            {
                if (session.LogLevel is not { } level || line.Level > (level < 0 ? ownLevel : level) || session.IsBehind)
                    continue;
                byte[] text = ControlText.Log(line, session.LogForm);
                session.Send(ControlText.Prefix(ControlRequest.Log, text.Length), text);
            }
        }

        FlushWatchers(static session => session.LogLevel is not null);
    }

    /// <summary>Passes on a packet.</summary>
    public void HandleCaptured(ReadOnlySpan<byte> frame)
    {
        foreach (ControlSession session in _sessions.Values)
        {
            if (session.CaptureLength == 0 || session.IsBehind)
                continue;
            ReadOnlySpan<byte> wanted = frame[..Math.Min(frame.Length, session.CaptureLength)];
            session.Send(ControlText.Prefix(ControlRequest.Capture, wanted.Length), wanted);
        }
    }

    /// <summary>Passes on how the speed test goes.</summary>
    public void HandleSpeed(SpeedReport report)
    {
        foreach (ControlSession session in _sessions.Values.Where(session => session.WatchesSpeed))
        {
            session.Send(ControlRequests.SpeedLine(report));
            session.WatchesSpeed = report.State == ControlRequests.Running;
        }

        FlushWatchers(static _ => true);
    }

    /// <summary>Writes captured packets out, and drops clients that have not read for a minute; to be called once per turn of the loop.</summary>
    public void EndTurn(Instant now)
    {
        FlushWatchers(static session => session.CaptureLength > 0);
        foreach ((ulong tag, ControlSession session) in _sessions)
        {
            if (session.PendingLength > 0 && now - session.PendingSince > s_patience)
                Close(tag);
        }
    }

    /// <summary>
    /// Closes the socket and its sessions, but those of clients that asked for the end of the daemon: they take the end of the connection for
    /// it, so theirs comes with that of the process.
    /// </summary>
    public void Dispose()
    {
        _tap.Close();
        foreach (ControlSession session in _sessions.Values.Concat(_silent))
        {
            if (!session.AwaitsEnd)
                session.Dispose();
        }

        _listener.Dispose();
        try
        {
            File.Delete(_settings.SocketPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // After -R or -U it is out of reach; the next start replaces it.
        }
    }

    /// <summary>False if the client is to be closed.</summary>
    private bool HandleLines(ulong tag, ControlSession session)
    {
        while (!session.IsBehind && session.TryTakeLine(out string line))
        {
            if (session.Trusted)
            {
                if (!_requests!.Handle(session, line))
                    return false;
            }
            else if (!TryTrust(session, line))
            {
                _sessions.Remove(tag);
                session.FallSilent();
                _silent.Enqueue(session);
                if (_silent.Count > MaxSilent)
                    _silent.Dequeue().Dispose();
                return true;
            }
        }

        return true;
    }

    /// <summary><c>0 ^COOKIE VERSION</c></summary>
    private bool TryTrust(ControlSession session, string line)
    {
        string[] fields = line.Split(' ');
        if (fields.Length < 3 || fields[0] != "0" || !fields[1].StartsWith('^') || !int.TryParse(fields[2], CultureInfo.InvariantCulture, out _)
            || !CryptographicOperations.FixedTimeEquals(Encoding.Latin1.GetBytes(fields[1][1..]), _cookie))
            return false;
        session.Trusted = true;
        _requests!.Greet(session);
        return true;
    }

    private void FlushWatchers(Func<ControlSession, bool> watches)
    {
        Instant now = MonotonicClock.Now;
        foreach ((ulong tag, ControlSession session) in _sessions)
        {
            if (session.PendingLength > 0 && watches(session) && !session.TryFlush(now))
                Close(tag);
        }
    }

    private void Close(ulong tag)
    {
        if (!_sessions.Remove(tag, out ControlSession? session))
            return;
        session.Dispose();
        Tune();
    }

    /// <summary>Makes log and shards give what the clients together want, and no more.</summary>
    private void Tune()
    {
        int? level = _sessions.Values.Max(session => session.LogLevel);
        if (level is { } wanted)
            _tap.Open(wanted, _wake);
        else
            _tap.Close();
        _requests!.WatchSpeed(_sessions.Values.Any(session => session.WatchesSpeed));
        _requests!.Capture(_sessions.Values.Select(session => session.CaptureLength).DefaultIfEmpty().Max());
    }
}
