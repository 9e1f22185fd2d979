using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon.Metrics;

/// <summary>
/// Serves a few read-only documents by HTTP/1.1 on a thread of its own, so that whatever clients do costs neither the control loop nor the shards anything: the
/// one is asked for its state a few times a second at most, the others' counters are read. Everything is bounded: connections, bytes and time of a request,
/// time of an answer, requests per second. One request per connection.
/// </summary>
internal sealed class HttpServer : IDisposable
{
    /// <summary>Connections at a time; a new one takes the place of the oldest.</summary>
    public const int MaxConnections = 16;

    /// <summary>Connections taken per second; the others wait in the kernel. A browser and two scrapers need four.</summary>
    private const int PerSecond = 50;

    private const int Backlog = 64, Nice = 10;
    private const ulong WakeTag = 0, ListenerTag = 1, FirstTag = 2;
    private const int Tick = 10, MaxWait = 1000; // milliseconds: while an answer is waited for, and else

    private readonly Epoll _epoll = new(MaxConnections + 2);
    private readonly SortedDictionary<ulong, HttpConnection> _connections = [];
    private readonly SafeFd _listener;
    private readonly MetricsAddress _address;
    private readonly StatusSite _site;
    private readonly EngineLog _log;
    private readonly Thread _thread;
    private ulong _nextTag = FirstTag;
    private Instant _budgetSecond;
    private int _budget;
    private bool _isListening;
    private volatile bool _stopping;

    private HttpServer(MetricsAddress address, SafeFd listener, StatusSite site, EngineLog log)
    {
        (_address, _listener, _site, _log) = (address, listener, site, log);
        _thread = new Thread(Run) { IsBackground = true, Name = "fastmesh/http" };
    }

    /// <summary>Binds the address, so that one that is taken ends the start; serves from <see cref="Start"/> on. The site stays the caller's.</summary>
    /// <exception cref="IOException">It cannot be bound; the message names the address.</exception>
    public static HttpServer Open(MetricsAddress address, StatusSite site, EngineLog log)
    {
        HttpServer server = new(address, Listen(address), site, log);
        if (address.IsExposed)
            log.Always.MetricsExposed(address.Text);
        return server;
    }

    /// <summary>The address that the kernel chose if the port was 0; "no address" for a UNIX socket.</summary>
    public Endpoint Local => _address.Path is null ? Listeners.LocalAddress(_listener.Descriptor) : default;

    /// <summary>Begins to serve.</summary>
    public void Start()
    {
        _log.Connections.MetricsServed(_address.Path is null ? MetricsAddress.Url(Local) : _address.Text);
        _thread.Start();
    }

    /// <summary>Ends the thread and closes everything.</summary>
    public void Dispose()
    {
        _stopping = true;
        _site.Wake();
        if (_thread.ThreadState.HasFlag(ThreadState.Unstarted) is false)
            _thread.Join();
        foreach (HttpConnection connection in _connections.Values)
            connection.Dispose();
        _listener.Dispose();
        _epoll.Dispose();
        RemoveSocketFile();
    }

    private static SafeFd Listen(MetricsAddress address)
    {
        try
        {
            if (address.Path is { } path)
                return UnixSocket.Listen(path, Backlog);
            Span<byte> sockaddr = stackalloc byte[Endpoint.MaxSockaddrLength];
            return TcpSocket.Listen(sockaddr[..address.Endpoint.WriteSockaddr(sockaddr)], Backlog);
        }
        catch (LinuxException e)
        {
            throw new IOException($"MetricsAddress {address}: {Errno.Message(e.Errno)}", e);
        }
    }

    private void Run()
    {
        ProcessControl.SetThreadNice(Nice);
        try
        {
            _epoll.Add(_site.WakeDescriptor, EpollEvents.In, WakeTag);
            _epoll.Add(_listener.Descriptor, EpollEvents.None, ListenerTag);
            while (!_stopping)
                Turn(MonotonicClock.Now);
        }
        catch (Exception fault)
        {
            _log.Always.MetricsFault(fault); // the mesh goes on without
        }
    }

    private void Turn(Instant now)
    {
        Budget(now);
        int count = _epoll.Wait(_connections.Values.Any(static connection => connection.Phase == HttpPhase.Waiting) ? Tick : MaxWait);
        now = MonotonicClock.Now;
        for (int i = 0; i < count; i++)
        {
            ulong tag = _epoll.Tag(i);
            if (tag == WakeTag)
                _site.DrainWake();
            else if (tag == ListenerTag)
                Accept(now);
            else if (_connections.TryGetValue(tag, out HttpConnection? connection))
                Handle(tag, connection, _epoll.Events(i), now);
        }

        foreach ((ulong tag, HttpConnection connection) in _connections.ToArray())
            Tend(tag, connection, now);
    }

    /// <summary>Each second a few connections may be taken.</summary>
    private void Budget(Instant now)
    {
        if (now.Second != _budgetSecond.Second)
            (_budgetSecond, _budget) = (now, PerSecond);
        if (_isListening == _budget > 0)
            return;
        _isListening = _budget > 0;
        _epoll.Modify(_listener.Descriptor, _isListening ? EpollEvents.In : EpollEvents.None, ListenerTag);
    }

    private void Accept(Instant now)
    {
        Span<byte> peer = stackalloc byte[Endpoint.MaxSockaddrLength];
        int fd = TcpSocket.Accept(_listener.Descriptor, peer, out _);
        _budget = fd >= 0 ? _budget - 1 : fd == -Errno.EAGAIN ? _budget : 0; // no descriptors left: not again before the next second
        if (fd < 0)
            return;
        if (_connections.Count == MaxConnections)
            Close(_connections.First().Key);
        HttpConnection connection = new(new SafeFd(fd), now);
        _connections.Add(_nextTag, connection);
        _epoll.Add(fd, connection.Interest, _nextTag++);
    }

    private void Handle(ulong tag, HttpConnection connection, EpollEvents events, Instant now)
    {
        EpollEvents before = connection.Interest;
        bool alive = (events & (EpollEvents.Error | EpollEvents.HangUp)) == 0;
        if (alive && connection.Phase is HttpPhase.Reading or HttpPhase.Lingering)
            alive = connection.TryFill();
        if (alive && connection.Phase == HttpPhase.Reading)
            Read(connection, now);
        if (alive && connection.Phase == HttpPhase.Writing)
            alive = connection.TryFlush(now);
        if (!alive)
            Close(tag);
        else if (connection.Interest != before)
            _epoll.Modify(connection.Descriptor, connection.Interest, tag);
    }

    /// <summary>Looks at what has arrived, and chooses the answer once that is all.</summary>
    private void Read(HttpConnection connection, Instant now)
    {
        switch (HttpRequest.TryRead(connection.Received, out HttpRequest request))
        {
            case HttpReading.Malformed:
                Refuse(connection, "400 Bad Request", "This is not a request of HTTP/1.1.", now);
                break;
            case HttpReading.Incomplete when connection.IsFull:
                Refuse(connection, "431 Request Header Fields Too Large", "The request is too long.", now);
                break;
            case HttpReading.Complete when _address.Path is null && !request.IsForLiteralHost:
                Refuse(connection, "421 Misdirected Request", "Ask by a literal address or localhost: any name could be another site's, made to point here.", now);
                break;
            case HttpReading.Complete when StatusSite.Find(request) is null:
                Refuse(connection, "404 Not Found", "There are /, /metrics, /status.json and /healthz.", now);
                break;
            case HttpReading.Complete when !request.Method.SequenceEqual("GET"u8) && !request.Method.SequenceEqual("HEAD"u8):
                connection.Respond("405 Method Not Allowed", StatusSite.PlainText, "Allow: GET, HEAD\r\n", "Everything here is for reading only.\n"u8, now);
                break;
            case HttpReading.Complete:
                connection.Await(StatusSite.Find(request)!.Value, request.Method.SequenceEqual("HEAD"u8), now);
                break;
        }
    }

    private static void Refuse(HttpConnection connection, string status, string reason, Instant now) =>
        connection.Respond(status, StatusSite.PlainText, "", System.Text.Encoding.ASCII.GetBytes(reason + "\n"), now);

    /// <summary>Answers if the answer has become ready, and ends what takes too long.</summary>
    private void Tend(ulong tag, HttpConnection connection, Instant now)
    {
        if (connection.Phase == HttpPhase.Waiting)
        {
            bool late = now >= connection.Deadline;
            if (!_site.TryAnswer(connection, late, now))
                return;
            if (connection.TryFlush(now))
                _epoll.Modify(connection.Descriptor, connection.Interest, tag);
            else
                Close(tag);
        }
        else if (now >= connection.Deadline)
        {
            Close(tag);
        }
    }

    private void Close(ulong tag)
    {
        if (_connections.Remove(tag, out HttpConnection? connection))
            connection.Dispose();
    }

    private void RemoveSocketFile()
    {
        if (_address.Path is null)
            return;
        try
        {
            File.Delete(_address.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // After -R or -U it is out of reach; the next start replaces it.
        }
    }
}
