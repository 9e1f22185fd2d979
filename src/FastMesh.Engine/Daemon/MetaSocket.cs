using System.Diagnostics;
using System.IO.Pipes;
using FastMesh.Engine.Protocol;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// The stream of one meta connection: a TCP socket, or the standard input and output of a Proxy command. Non-blocking. Owns its
/// descriptors and keeps the epoll set up to date with what it waits for. Control thread only.
/// </summary>
internal sealed class MetaSocket : IDisposable
{
    private readonly Epoll _epoll;
    private readonly SafeFd? _socket;
    private readonly Process? _command;
    private readonly int _input;
    private readonly int _output;
    private readonly ulong _tag;
    private bool _blocked;

    private MetaSocket(Epoll epoll, ConnectionId connection, ulong tag, int input, int output)
    {
        (_epoll, Connection, _tag) = (epoll, connection, tag);
        (_input, _output) = (input, output);
    }

    private MetaSocket(Epoll epoll, ConnectionId connection, ulong tag, SafeFd socket, bool connecting)
        : this(epoll, connection, tag, socket.Descriptor, socket.Descriptor)
    {
        (_socket, Connecting) = (socket, connecting);
        _epoll.Add(_input, connecting ? EpollEvents.Out : EpollEvents.In, tag);
    }

    private MetaSocket(Epoll epoll, ConnectionId connection, ulong tag, Process command)
        : this(epoll, connection, tag, DescriptorOf(command.StandardOutput.BaseStream), DescriptorOf(command.StandardInput.BaseStream))
    {
        _command = command;
        FileIo.SetNonBlocking(_input);
        FileIo.SetNonBlocking(_output);
        _epoll.Add(_input, EpollEvents.In, tag);
    }

    /// <summary>The mesh's name for it.</summary>
    public ConnectionId Connection { get; }

    /// <summary>What it is read from.</summary>
    public int Descriptor => _input;

    /// <summary>Bytes read so far.</summary>
    public long BytesIn { get; private set; }

    /// <summary>Bytes written so far.</summary>
    public long BytesOut { get; private set; }

    /// <summary>The round trip time that the kernel has measured, microseconds, or null if it is no TCP connection or has measured none.</summary>
    public long? RoundTripMicroseconds => _socket is null || Connecting ? null : TcpSocket.RoundTripTime(_input) is > 0 and int time ? time : null;

    /// <summary>Whether the TCP connection is still being made.</summary>
    public bool Connecting { get; private set; }

    /// <summary>Whether the stream has ended and the mesh has been told; nothing is read or written any more.</summary>
    public bool Ended { get; private set; }

    /// <summary>Wraps a TCP socket and takes it over.</summary>
    /// <param name="epoll">Where to wait.</param>
    /// <param name="connection">The mesh's name.</param>
    /// <param name="tag">Comes back with its events.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="connecting">Whether it is still connecting.</param>
    public static MetaSocket ForTcp(Epoll epoll, ConnectionId connection, ulong tag, SafeFd socket, bool connecting) =>
        new(epoll, connection, tag, socket, connecting);

    /// <summary>Wraps a started command whose standard input and output are redirected, and takes it over.</summary>
    public static MetaSocket ForCommand(Epoll epoll, ConnectionId connection, ulong tag, Process command) =>
        new(epoll, connection, tag, command);

    /// <summary>The socket became writable while connecting. Returns 0, or the negated errno of the attempt.</summary>
    public int FinishConnect()
    {
        int result = TcpSocket.ConnectResult(_input);
        if (result == 0)
        {
            Connecting = false;
            _epoll.Modify(_input, EpollEvents.In, _tag);
        }

        return result;
    }

    /// <summary>Reads once: the bytes, 0 at the end of the stream, or the negated errno.</summary>
    public int Read(Span<byte> buffer)
    {
        int count = FileIo.Read(_input, buffer);
        BytesIn += Math.Max(0, count);
        return count;
    }

    /// <summary>
    /// Writes once: the bytes written, or the negated errno. After -EAGAIN the epoll set reports when it is worth trying again. SIGPIPE
    /// does no harm (<see cref="ProcessHost.TakeSignals"/>), so a plain write serves sockets too.
    /// </summary>
    public int Write(ReadOnlySpan<byte> data)
    {
        int written = FileIo.Write(_output, data);
        BytesOut += Math.Max(0, written);
        if (written == -Errno.EAGAIN)
            WaitForRoom(true);
        return written;
    }

    /// <summary>Nothing is left to write.</summary>
    public void HandleAllWritten() => WaitForRoom(false);

    /// <summary>Stops all events; the descriptors stay open.</summary>
    public void StopWatching()
    {
        if (Ended)
            return;
        WaitForRoom(false);
        _epoll.Remove(_input);
        Ended = true;
    }

    /// <summary>Closes it. A command sees the end of its input.</summary>
    public void Dispose()
    {
        StopWatching();
        _socket?.Dispose();
        if (_command is null)
            return;
        _command.StandardInput.BaseStream.Dispose();
        _command.StandardOutput.BaseStream.Dispose();
        _command.Dispose();
    }

    private static int DescriptorOf(Stream pipe) => (int)((PipeStream)pipe).SafePipeHandle.DangerousGetHandle();

    private void WaitForRoom(bool wanted)
    {
        if (_blocked == wanted)
            return;
        _blocked = wanted;
        if (_input == _output)
            _epoll.Modify(_input, wanted ? EpollEvents.In | EpollEvents.Out : EpollEvents.In, _tag);
        else if (wanted)
            _epoll.Add(_output, EpollEvents.Out, _tag);
        else
            _epoll.Remove(_output);
    }
}
