using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FastMesh.Interop.Tests.Support;

/// <summary>
/// A socks4, socks4a, socks5 and http proxy in one, on port 1080 of a host. It tells them apart by the first byte and
/// writes down the requests it has served.
/// </summary>
public sealed class ProxyServer : IDisposable
{
    private readonly NetworkHost _host;
    private readonly Socket _listener;
    private readonly List<Socket> _sockets = [];
    private readonly List<string> _served = [];

    public ProxyServer(NetworkHost host)
    {
        _host = host;
        _listener = NetworkNamespace.Run(host, () => new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true });
        _listener.Bind(new IPEndPoint(IPAddress.IPv6Any, 1080));
        _listener.Listen();
        new Thread(AcceptAll) { IsBackground = true }.Start();
    }

    /// <summary>One line for each served request: protocol, target, credentials.</summary>
    public string[] Served
    {
        get { lock (_served) return [.. _served]; }
    }

    public void Dispose()
    {
        lock (_sockets)
        {
            _listener.Dispose();
            _sockets.ForEach(socket => socket.Dispose());
        }
    }

    private void AcceptAll()
    {
        try
        {
            while (true)
            {
                Socket client = Track(_listener.Accept());
                new Thread(() => Quietly(() => Serve(client))) { IsBackground = true }.Start();
            }
        }
        catch (SocketException)
        {
            // Disposed: the test is over.
        }
    }

    private void Serve(Socket client)
    {
        using NetworkStream stream = new(client);
        int first = stream.ReadByte();
        (string target, int port, string line, byte[] granted) = first switch
        {
            4 => Socks4(stream),
            5 => Socks5(stream),
            _ => Http(stream, (char)first),
        };
        lock (_served) _served.Add(line);
        Socket server = Track(NetworkNamespace.Run(_host, () =>
        {
            IPAddress address = IPAddress.Parse(target);
            Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect(address, port);
            return socket;
        }));
        stream.Write(granted);
        using NetworkStream upstream = new(server);
        new Thread(() => Quietly(() => Pump(upstream, stream, client))) { IsBackground = true }.Start();
        Pump(stream, upstream, server);
    }

    private static (string Target, int Port, string Line, byte[] Granted) Socks4(NetworkStream stream)
    {
        byte[] head = Read(stream, 7);
        string user = ReadUntil(stream, "\0"), target = new IPAddress(head.AsSpan(3, 4)).ToString();
        int port = BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(1));
        return (target, port, $"socks4 {head[0]} {target} {port} user={user}", [0, 90, 0, 0, 0, 0, 0, 0]);
    }

    /// <summary>tincd sends greeting, credentials and request in one flight and wants 05 00 for the credentials.</summary>
    private static (string Target, int Port, string Line, byte[] Granted) Socks5(NetworkStream stream)
    {
        byte[] methods = Read(stream, Read(stream, 1)[0]);
        string credentials = "";
        if (methods is [2])
        {
            Read(stream, 1);
            string user = Encoding.ASCII.GetString(Read(stream, Read(stream, 1)[0])), password = Encoding.ASCII.GetString(Read(stream, Read(stream, 1)[0]));
            credentials = $" {user}:{password}";
        }

        byte[] head = Read(stream, 4);
        string target = new IPAddress(Read(stream, head[3] == 1 ? 4 : 16)).ToString();
        int port = BinaryPrimitives.ReadUInt16BigEndian(Read(stream, 2));
        byte[] greeting = [5, methods[0], .. methods is [2] ? new byte[] { 5, 0 } : []];
        return (target, port, $"socks5 {head[1]} {target} {port}{credentials}", [.. greeting, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    }

    private static (string Target, int Port, string Line, byte[] Granted) Http(NetworkStream stream, char first)
    {
        string request = first + ReadUntil(stream, "\r\n\r\n");
        string authority = request.Split(' ')[1];
        int colon = authority.LastIndexOf(':');
        return (authority[..colon], int.Parse(authority.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture), "http " + request,
            Encoding.ASCII.GetBytes("HTTP/1.1 200 Connection established\r\nX-Proxy: test\r\n\r\n"));
    }

    private static void Pump(NetworkStream from, NetworkStream to, Socket toSocket)
    {
        from.CopyTo(to);
        toSocket.Shutdown(SocketShutdown.Send);
    }

    private static void Quietly(Action body)
    {
        try
        {
            body();
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            // One end went away; the daemons' logs say what they make of it.
        }
    }

    private Socket Track(Socket socket)
    {
        lock (_sockets) _sockets.Add(socket);
        return socket;
    }

    private static byte[] Read(NetworkStream stream, int count)
    {
        byte[] bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static string ReadUntil(NetworkStream stream, string end)
    {
        StringBuilder text = new();
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal)) text.Append((char)Read(stream, 1)[0]);
        return text.ToString(0, text.Length - end.Length);
    }
}
