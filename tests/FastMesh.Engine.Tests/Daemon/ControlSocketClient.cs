using System.Net.Sockets;
using System.Text;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>A client of a control socket.</summary>
internal sealed class ControlSocketClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
    private readonly BufferedStream _stream;

    public ControlSocketClient(string path)
    {
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        _stream = new BufferedStream(new NetworkStream(_socket), 4096);
    }

    /// <summary>Neither bytes nor an end wait to be read.</summary>
    public bool IsSilent => !_socket.Poll(0, SelectMode.SelectRead);

    public void Send(string line) => SendRaw(Encoding.Latin1.GetBytes(line + "\n"));

    /// <summary>That the other end closes meanwhile is the point of some tests.</summary>
    public void SendRaw(byte[] bytes)
    {
        try
        {
            _socket.Send(bytes);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionReset)
        {
        }
    }

    /// <summary>The next line, or null at the end.</summary>
    public string? Line()
    {
        List<byte> line = [];
        while (ReadByte() is >= 0 and { } next)
        {
            if (next == '\n')
                return Encoding.UTF8.GetString([.. line]);
            line.Add((byte)next);
        }

        return null;
    }

    public string[] Lines(int count) => [.. Enumerable.Range(0, count).Select(_ => Line() ?? "END")];

    public string Text(int length)
    {
        byte[] text = new byte[length];
        _stream.ReadExactly(text);
        return Encoding.UTF8.GetString(text);
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>A connection that is closed with unread bytes ends with a reset.</summary>
    private int ReadByte()
    {
        try
        {
            return _stream.ReadByte();
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            return -1;
        }
    }
}
