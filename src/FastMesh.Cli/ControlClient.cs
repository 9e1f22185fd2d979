using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FastMesh.Engine.Daemon;

namespace FastMesh.Cli;

/// <summary>A control connection with the running daemon, ours or tinc 1.1's (tinc 1.1 reference, 10.2).</summary>
internal sealed partial class ControlClient : IDisposable
{
    private const int ControlRequest = 18, Reload = 1, DumpNodes = 3, HangUp = 1;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;

    private ControlClient(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true) { ReadTimeout = (int)s_patience.TotalMilliseconds };
        _reader = new StreamReader(_stream);
    }

    /// <summary>Connects with the daemon of a net, or gives null if there is none that can be controlled.</summary>
    public static ControlClient? Connect(NetPaths paths)
    {
        if (!TryReadPidFile(paths, out _, out string cookie, out _) || cookie.Length == 0)
            return null;
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        ControlClient? client = null;
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(paths.ControlSocket));
            client = new ControlClient(socket);
            client.Send($"0 ^{cookie} 0");
            if (client.Receive() is ["0", ..] && client.Receive() is ["4", ..])
                return client;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // A stale pid file, a daemon without control socket, or a wrong cookie: all the same to the caller.
        }

        client?.Dispose();
        socket.Dispose();
        return null;
    }

    /// <summary>The port that the running daemon says it listens on, or null.</summary>
    public static int? PortOf(NetPaths paths) => TryReadPidFile(paths, out _, out _, out int port) && port > 0 ? port : null;

    /// <summary>Makes the running daemon read its configuration again; false if there is none.</summary>
    public static bool TryReload(NetPaths paths)
    {
        try
        {
            using ControlClient? client = Connect(paths);
            if (client is not null)
            {
                client.Send($"{ControlRequest} {Reload}");
                return client.Receive() is [_, _, "0", ..];
            }
        }
        catch (IOException)
        {
            // It went away meanwhile.
        }

        return TryReadPidFile(paths, out int process, out _, out _) && ProcessHost.Exists(process) && ProcessHost.SendSignal(process, HangUp);
    }

    /// <summary>Whether the daemon knows a node of that name.</summary>
    public bool Knows(string node)
    {
        Send($"{ControlRequest} {DumpNodes}");
        bool found = false;
        while (Receive() is [_, _, var name, ..])
            found |= name == node;
        return found;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _stream.Dispose();
    }

    private static bool TryReadPidFile(NetPaths paths, out int process, out string cookie, out int port)
    {
        (process, cookie, port) = (0, string.Empty, 0);
        try
        {
            using StreamReader file = new(new FileStream(paths.PidFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            Match match = PidFileText().Match(file.ReadToEnd());
            if (!match.Success || !int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out process))
                return false;
            cookie = match.Groups[2].Value;
            return !match.Groups[3].Success || int.TryParse(match.Groups[3].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out port);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void Send(string line) => _stream.Write(System.Text.Encoding.ASCII.GetBytes($"{line}\n"));

    private string[] Receive() => _reader.ReadLine()?.Split(' ') ?? throw new IOException("The daemon closed the control connection");

    /// <summary>The number alone, as tinc 1.0 writes it, or with cookie and port after it, in the same line or the next.</summary>
    [GeneratedRegex(@"\A\s*(\d+)(?:\s+([0-9A-Fa-f]{64})\s+\S+\s+port\s*(\d+))?")]
    private static partial Regex PidFileText();
}
