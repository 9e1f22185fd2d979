using System.Text;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// One client of the control socket: the bytes received but not yet a whole line, the bytes not yet written, and what it watches. Knows no
/// request. Non-blocking; control thread only. While it does not read its answers nothing is read from it either, and what it watches is
/// left out, so that it can hold no more memory than one answer.
/// </summary>
internal sealed class ControlSession : IDisposable
{
    /// <summary>Bytes of the longest request, its LF included; the longest that tinc sends is a node's name after a number.</summary>
    public const int MaxLine = 1024;

    /// <summary>Bytes that may wait before the client gets no more than the answer it asked for.</summary>
    public const int MaxPending = 256 << 10;

    private readonly Epoll _epoll;
    private readonly SafeFd _socket;
    private readonly ulong _tag;
    private readonly byte[] _input = new byte[MaxLine];
    private int _inputStart, _inputEnd;
    private byte[] _output = [];
    private int _outputStart, _outputEnd;
    private EpollEvents _interest = EpollEvents.In;

    /// <summary>Takes over a connected socket and watches it.</summary>
    /// <param name="epoll">Where to wait.</param>
    /// <param name="tag">Comes back with its events.</param>
    /// <param name="socket">The socket.</param>
    public ControlSession(Epoll epoll, ulong tag, SafeFd socket)
    {
        (_epoll, _tag, _socket) = (epoll, tag, socket);
        _epoll.Add(_socket.Descriptor, _interest, _tag);
    }

    /// <summary>The socket's number.</summary>
    public int Descriptor => _socket.Descriptor;

    /// <summary>Whether it has shown the cookie.</summary>
    public bool Trusted { get; set; }

    /// <summary>The debug level it watches the log at, -1 for the daemon's own; null: it does not.</summary>
    public int? LogLevel { get; set; }

    /// <summary>How it wants log lines.</summary>
    public ControlLogForm LogForm { get; set; }

    /// <summary>Bytes of each packet it wants; 0: it wants none.</summary>
    public int CaptureLength { get; set; }

    /// <summary>Whether it waits for the course of a speed test.</summary>
    public bool WatchesSpeed { get; set; }

    /// <summary>Whether it asked the daemon to stop, and waits for the end of the connection.</summary>
    public bool AwaitsEnd { get; set; }

    /// <summary>Whether it must read before it gets anything more.</summary>
    public bool IsBehind => PendingLength > MaxPending;

    /// <summary>Since when it has read nothing of what waits for it; meaningless if nothing waits.</summary>
    public Instant PendingSince { get; private set; }

    /// <summary>Bytes that wait to be written.</summary>
    public int PendingLength => _outputEnd - _outputStart;

    /// <summary>Reads once. False if the client is gone, or its line is too long.</summary>
    public bool TryFill()
    {
        _input.AsSpan(_inputStart, _inputEnd - _inputStart).CopyTo(_input);
        (_inputStart, _inputEnd) = (0, _inputEnd - _inputStart);
        if (_inputEnd == _input.Length)
            return false;
        int count = FileIo.Read(_socket.Descriptor, _input.AsSpan(_inputEnd));
        _inputEnd += Math.Max(0, count);
        return count > 0 || Errno.IsTransient(count);
    }

    /// <summary>Takes the next whole line, without its LF.</summary>
    public bool TryTakeLine(out string line)
    {
        ReadOnlySpan<byte> rest = _input.AsSpan(_inputStart, _inputEnd - _inputStart);
        int length = rest.IndexOf((byte)'\n');
        line = length < 0 ? "" : Encoding.Latin1.GetString(rest[..length]);
        _inputStart += length + 1;
        return length >= 0;
    }

    /// <summary>Appends a line, to which an LF is added, and bytes after it. Nothing is written before <see cref="TryFlush"/>.</summary>
    public void Send(string line, ReadOnlySpan<byte> data = default)
    {
        int length = Encoding.UTF8.GetByteCount(line) + 1;
        Span<byte> room = Reserve(length + data.Length);
        Encoding.UTF8.GetBytes(line, room);
        room[length - 1] = (byte)'\n';
        data.CopyTo(room[length..]);
    }

    /// <summary>Appends a line of two parts, to which an LF is added.</summary>
    public void SendLine(string start, ReadOnlySpan<byte> rest)
    {
        int length = Encoding.UTF8.GetByteCount(start);
        Span<byte> room = Reserve(length + rest.Length + 1);
        Encoding.UTF8.GetBytes(start, room);
        rest.CopyTo(room[length..]);
        room[^1] = (byte)'\n';
    }

    /// <summary>Writes as much as the client takes now. False if it is gone.</summary>
    public bool TryFlush(Instant now)
    {
        if (_interest == EpollEvents.In)
            PendingSince = now;
        while (PendingLength > 0)
        {
            int written = FileIo.Write(_socket.Descriptor, _output.AsSpan(_outputStart, PendingLength));
            if (written <= 0)
            {
                Watch();
                return Errno.IsTransient(written);
            }

            _outputStart += written;
            PendingSince = now;
        }

        (_outputStart, _outputEnd) = (0, 0);
        Watch();
        return true;
    }

    /// <summary>Never speaks or listens again, but does not hang up either: what a stranger gets (tinc 1.1 reference, 9.6).</summary>
    public void FallSilent() => _epoll.Remove(_socket.Descriptor);

    /// <summary>Closes it.</summary>
    public void Dispose() => _socket.Dispose();

    /// <summary>What waits may grow beyond any limit here, by one answer; who asks looks at <see cref="IsBehind"/> first.</summary>
    private Span<byte> Reserve(int count)
    {
        if (_outputEnd + count > _output.Length)
        {
            int pending = PendingLength;
            byte[] target = pending + count <= _output.Length / 2 ? _output : new byte[Math.Max(4096, 2 * (pending + count))];
            _output.AsSpan(_outputStart, pending).CopyTo(target);
            (_output, _outputStart, _outputEnd) = (target, 0, pending);
        }

        _outputEnd += count;
        return _output.AsSpan(_outputEnd - count, count);
    }

    private void Watch()
    {
        EpollEvents wanted = (IsBehind ? EpollEvents.None : EpollEvents.In) | (PendingLength > 0 ? EpollEvents.Out : EpollEvents.None);
        if (wanted != _interest)
            _epoll.Modify(_socket.Descriptor, wanted, _tag);
        _interest = wanted;
    }
}

/// <summary>The forms of a log line for a client.</summary>
internal enum ControlLogForm
{
    /// <summary>The message alone: what tinc 1.1pre18 sends.</summary>
    Plain,

    /// <summary>Time and severity before the message: what the client of a later tinc 1.1 asks for (tinc 1.1 reference, 9.7).</summary>
    Dated,

    /// <summary>The same with the severity in colour.</summary>
    Coloured,
}
