using System.Buffers;
using System.Globalization;
using System.Text;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon.Metrics;

/// <summary>What a connection is about to do.</summary>
internal enum HttpPhase
{
    /// <summary>Its request has not arrived whole.</summary>
    Reading,

    /// <summary>Its answer is not ready.</summary>
    Waiting,

    /// <summary>Its answer is being written.</summary>
    Writing,

    /// <summary>All is said; what the client still sends is thrown away, for a reset would take the answer from it.</summary>
    Lingering,
}

/// <summary>One client: one request, one answer, the end. Non-blocking; knows how answers look, but none of them. For the server's thread only.</summary>
internal sealed class HttpConnection : IDisposable
{
    /// <summary>Bytes of the longest request head. Browsers send the cookies of everything else on this address along.</summary>
    public const int MaxRequest = 8192;

    private const string EveryHead = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        + "Cross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n\r\n";

    private static readonly TimeSpan s_forRequest = TimeSpan.FromSeconds(5), s_forAnswer = TimeSpan.FromSeconds(5),
        s_forWriting = TimeSpan.FromSeconds(15), s_forEnd = TimeSpan.FromSeconds(1);

    private readonly SafeFd _socket;
    private readonly byte[] _input = new byte[MaxRequest];
    private byte[] _output = []; // rented: with a thousand nodes it is megabytes
    private int _received, _written, _outputEnd;

    /// <summary>Takes over a connected socket.</summary>
    public HttpConnection(SafeFd socket, Instant now) => (_socket, Deadline) = (socket, now + s_forRequest);

    /// <summary>The socket's number.</summary>
    public int Descriptor => _socket.Descriptor;

    /// <summary>What it is about to do.</summary>
    public HttpPhase Phase { get; private set; }

    /// <summary>When it has taken too long.</summary>
    public Instant Deadline { get; private set; }

    /// <summary>What has arrived.</summary>
    public ReadOnlySpan<byte> Received => _input.AsSpan(0, _received);

    /// <summary>Whether nothing more fits.</summary>
    public bool IsFull => _received == _input.Length;

    /// <summary>What to wait for.</summary>
    public EpollEvents Interest => Phase switch
    {
        HttpPhase.Waiting => EpollEvents.None,
        HttpPhase.Writing => EpollEvents.Out,
        _ => EpollEvents.In,
    };

    /// <summary>What it asked for.</summary>
    public HttpDocument Wanted { get; private set; }

    /// <summary>When its request was whole.</summary>
    public Instant AskedAt { get; private set; }

    /// <summary>Turns of each shard when it asked; null if it did not ask for the health.</summary>
    public long[]? TurnsBefore { get; set; }

    /// <summary>Whether it wants no body.</summary>
    public bool HeadOnly { get; private set; }

    /// <summary>Reads once. False if the client is gone.</summary>
    public bool TryFill()
    {
        if (Phase == HttpPhase.Lingering)
            _received = 0;
        int count = TcpSocket.Receive(_socket.Descriptor, _input.AsSpan(_received));
        _received += Math.Max(0, count);
        return count > 0 || Errno.IsTransient(count);
    }

    /// <summary>The request is whole: an answer is due.</summary>
    public void Await(HttpDocument wanted, bool headOnly, Instant now) =>
        (Phase, Wanted, HeadOnly, AskedAt, Deadline) = (HttpPhase.Waiting, wanted, headOnly, now, now + s_forAnswer);

    /// <summary>Composes the answer. Nothing is written before <see cref="TryFlush"/>.</summary>
    /// <param name="status">Code and reason.</param>
    /// <param name="contentType">Of the body.</param>
    /// <param name="headers">More header lines, each with CRLF.</param>
    /// <param name="body">The body; copied.</param>
    /// <param name="now">Current time.</param>
    public void Respond(string status, string contentType, string headers, ReadOnlySpan<byte> body, Instant now)
    {
        string head = string.Create(CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status}\r\nContent-Type: {contentType}\r\nContent-Length: {body.Length}\r\n{headers}{EveryHead}");
        body = HeadOnly ? [] : body;
        _output = ArrayPool<byte>.Shared.Rent(head.Length + body.Length);
        _outputEnd = Encoding.ASCII.GetBytes(head, _output) + body.Length;
        body.CopyTo(_output.AsSpan(head.Length));
        (Phase, Deadline) = (HttpPhase.Writing, now + s_forWriting);
    }

    /// <summary>Writes as much as the client takes now. False if it is gone.</summary>
    public bool TryFlush(Instant now)
    {
        while (_written < _outputEnd)
        {
            int written = TcpSocket.Send(_socket.Descriptor, _output.AsSpan(_written, _outputEnd - _written));
            if (written <= 0)
                return Errno.IsTransient(written);
            _written += written;
        }

        TcpSocket.ShutdownSend(_socket.Descriptor);
        (Phase, Deadline) = (HttpPhase.Lingering, now + s_forEnd);
        return true;
    }

    /// <summary>Closes it.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        if (_outputEnd > 0)
            ArrayPool<byte>.Shared.Return(_output);
        (_output, _outputEnd) = ([], 0);
    }
}
