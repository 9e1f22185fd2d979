using System.ComponentModel;
using System.Diagnostics;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// All meta connections of the daemon: opens, accepts and closes them, and carries bytes between them and <see cref="Mesh"/>. It gives
/// the mesh input but leaves draining the mesh's actions to the control loop, on whose thread it runs.
/// </summary>
internal sealed class MetaSockets : IDisposable
{
    private const int TarpitSize = 10; // tinc 1.0 reference, 4.2
    private const int BufferSize = 64 << 10;

    private readonly Dictionary<ConnectionId, MetaSocket> _open = [];
    private readonly Queue<MetaSocket> _tarpit = new();
    private readonly List<MetaSocket> _ended = [];
    private readonly byte[] _buffer = new byte[BufferSize];
    private readonly Mesh _mesh;
    private readonly Epoll _epoll;
    private readonly DaemonOptions _options;
    private readonly Listeners _listeners;
    private readonly EngineLog _log;
    private readonly ulong _tagBase;
    private SafeFd? _spare;

    /// <summary>Prepares.</summary>
    /// <param name="mesh">Whose connections.</param>
    /// <param name="epoll">Where to wait.</param>
    /// <param name="tagBase">Added to the connection's number to make the tag of its events.</param>
    /// <param name="options">Names for the environment of Proxy commands; BindToInterface.</param>
    /// <param name="listeners">For the local address of outgoing connections.</param>
    /// <param name="log">For failures that are not the peer's.</param>
    public MetaSockets(Mesh mesh, Epoll epoll, ulong tagBase, DaemonOptions options, Listeners listeners, EngineLog log)
    {
        (_mesh, _epoll, _tagBase) = (mesh, epoll, tagBase);
        (_options, _listeners, _log) = (options, listeners, log);
        _spare = Spare();
    }

    /// <summary>Takes one of the connections that wait at a listener, which stays readable if there are more.</summary>
    public void Accept(int listener)
    {
        Span<byte> address = stackalloc byte[Endpoint.MaxSockaddrLength];
        int fd = TcpSocket.Accept(listener, address, out int length);
        if (fd is -Errno.EMFILE or -Errno.ENFILE)
            TurnAway(listener);
        if (fd < 0)
            return;

        TcpSocket.SetLowDelay(fd, SocketAddress.Family(address));
        ConnectionId connection = _mesh.HandleAccepted(
            Endpoint.FromSockaddr(address[..length]), MonotonicClock.Now, Listeners.LocalAddress(fd));
        Add(MetaSocket.ForTcp(_epoll, connection, TagOf(connection), new SafeFd(fd), connecting: false));
    }

    /// <summary>Starts a TCP connection.</summary>
    public void Connect(MeshAction.Connect action)
    {
        Span<byte> address = stackalloc byte[Endpoint.MaxSockaddrLength];
        int length = action.Target.WriteSockaddr(address);
        int family = SocketAddress.Family(address[..length]);
        int fd = TcpSocket.Open(family);
        if (fd < 0)
        {
            _mesh.HandleClosed(action.Connection, CloseReason.Failed, Errno.Message(fd), MonotonicClock.Now);
            return;
        }

        SafeFd socket = new(fd);
        TcpSocket.SetLowDelay(fd, family);
        TcpSocket.SetMark(fd, _options.FirewallMark);
        int result = TcpSocket.BindToInterface(fd, _options.BindToInterface);
        if (result == 0)
        {
            BindToSource(fd, action.Target);
            result = SocketAddress.Connect(fd, address[..length]);
        }

        MetaSocket stream = MetaSocket.ForTcp(_epoll, action.Connection, TagOf(action.Connection), socket, result == -Errno.EINPROGRESS);
        Add(stream);
        if (result == 0)
            _mesh.HandleConnected(action.Connection, MonotonicClock.Now, Listeners.LocalAddress(stream.Descriptor));
        else if (result != -Errno.EINPROGRESS)
            End(stream, CloseReason.Failed, result);
    }

    /// <summary>Starts a Proxy command (tinc 1.0 reference, 4.10).</summary>
    public void Connect(MeshAction.ConnectCommand action)
    {
        ProcessStartInfo start = new("/bin/sh") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(action.Command);
        start.Environment["NETNAME"] = _options.NetName;
        start.Environment["NAME"] = _options.Mesh.Name;
        foreach ((string name, string value) in action.Variables)
            start.Environment[name] = value;
        try
        {
            Process command = Process.Start(start)!;
            Add(MetaSocket.ForCommand(_epoll, action.Connection, TagOf(action.Connection), command));
            _mesh.HandleConnected(action.Connection, MonotonicClock.Now);
        }
        catch (Win32Exception e)
        {
            _mesh.HandleClosed(action.Connection, CloseReason.Failed, e.Message, MonotonicClock.Now);
        }
    }

    /// <summary>Writes as much of a connection's output as it takes; the rest follows when there is room.</summary>
    public void Send(ConnectionId connection)
    {
        if (!_open.TryGetValue(connection, out MetaSocket? stream) || stream.Ended || stream.Connecting)
            return;
        while (true)
        {
            ReadOnlySpan<byte> output = _mesh.PendingOutput(connection);
            if (output.IsEmpty)
            {
                stream.HandleAllWritten();
                return;
            }

            int written = stream.Write(output);
            if (written == -Errno.EAGAIN)
                return;
            if (written < 0)
            {
                End(stream, CloseReason.Failed, written);
                return;
            }

            _mesh.HandleSent(connection, written, MonotonicClock.Now);
        }
    }

    /// <summary>Closes a connection, or leaves it silent in the tarpit, which closes its oldest then.</summary>
    public void Close(ConnectionId connection, bool tarpit)
    {
        if (!_open.Remove(connection, out MetaSocket? stream))
            return;
        if (!tarpit)
        {
            stream.Dispose();
            return;
        }

        stream.StopWatching();
        _tarpit.Enqueue(stream);
        if (_tarpit.Count > TarpitSize)
            _tarpit.Dequeue().Dispose();
    }

    /// <summary>Something happened to the connection with that tag.</summary>
    public void HandleEvent(ulong tag, EpollEvents events)
    {
        ConnectionId connection = new((int)(tag - _tagBase));
        if (!_open.TryGetValue(connection, out MetaSocket? stream) || stream.Ended)
            return;
        if (stream.Connecting)
        {
            FinishConnect(stream);
            return;
        }

        if (events.HasFlag(EpollEvents.Out))
            Send(connection);
        if ((events & ~EpollEvents.Out) != 0 && !stream.Ended)
            Receive(stream);
    }

    /// <summary>Closes what has ended and the mesh did not close itself; to be called when its actions are drained.</summary>
    public void CloseEnded()
    {
        foreach (MetaSocket stream in _ended)
            Close(stream.Connection, tarpit: false);
        _ended.Clear();
    }

    /// <summary>Closes everything.</summary>
    public void Dispose()
    {
        foreach (MetaSocket stream in _open.Values)
            stream.Dispose();
        foreach (MetaSocket stream in _tarpit)
            stream.Dispose();
        _open.Clear();
        _tarpit.Clear();
        _spare?.Dispose();
    }

    /// <summary>The descriptor a connection is read from, or -1 if it has none (yet).</summary>
    public int DescriptorOf(ConnectionId connection) => _open.TryGetValue(connection, out MetaSocket? stream) ? stream.Descriptor : -1;

    /// <summary>The stream of a connection, or null if it has none (yet).</summary>
    public MetaSocket? Find(ConnectionId connection) => _open.GetValueOrDefault(connection);

    private ulong TagOf(ConnectionId connection) => _tagBase + (uint)connection.Value;

    private void Add(MetaSocket stream) => _open.Add(stream.Connection, stream);

    private void FinishConnect(MetaSocket stream)
    {
        int result = stream.FinishConnect();
        if (result == 0)
            _mesh.HandleConnected(stream.Connection, MonotonicClock.Now, Listeners.LocalAddress(stream.Descriptor));
        else
            End(stream, CloseReason.Failed, result);
    }

    private void Receive(MetaSocket stream)
    {
        int count = stream.Read(_buffer);
        if (count > 0)
            _mesh.HandleMeta(stream.Connection, _buffer.AsSpan(0, count), MonotonicClock.Now);
        else if (count == 0)
            End(stream, CloseReason.EndOfStream, 0);
        else if (!Errno.IsTransient(count))
            End(stream, CloseReason.Failed, count);
    }

    private void End(MetaSocket stream, CloseReason reason, int error)
    {
        stream.StopWatching();
        _ended.Add(stream);
        string detail = error == 0 ? "" : Errno.Message(error);
        _mesh.HandleClosed(stream.Connection, reason, detail, MonotonicClock.Now);
    }

    private void BindToSource(int fd, Endpoint target)
    {
        Endpoint source = _listeners.SourceFor(target);
        if (!source.IsSet)
            return;
        Span<byte> address = stackalloc byte[Endpoint.MaxSockaddrLength];
        int result = SocketAddress.Bind(fd, address[..source.WriteSockaddr(address)]);
        if (result < 0)
            _log.Always.CannotBindOutgoing(source, Errno.Message(result));
    }

    /// <summary>
    /// All descriptors are in use. The waiting connection would keep the listener readable and the loop spinning, so it is accepted
    /// with the one kept in reserve, and closed.
    /// </summary>
    private void TurnAway(int listener)
    {
        _log.Always.AcceptFailed(Errno.Message(Errno.EMFILE));
        _spare?.Dispose();
        Span<byte> address = stackalloc byte[Endpoint.MaxSockaddrLength];
        int fd = TcpSocket.Accept(listener, address, out _);
        if (fd >= 0)
            new SafeFd(fd).Dispose();
        _spare = Spare();
    }

    private static SafeFd? Spare()
    {
        int fd = TcpSocket.Open(SocketAddress.InterNetwork);
        return fd < 0 ? null : new SafeFd(fd);
    }
}
