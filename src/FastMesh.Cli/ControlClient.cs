using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli;

/// <summary>The daemon cannot be talked to, or does not answer as it should; the message says it in one line.</summary>
internal class ControlException(string message) : Exception(message);

/// <summary>The daemon has closed the control connection.</summary>
internal sealed class ConnectionEndedException() : ControlException("The daemon has closed the control connection.");

/// <summary>A control connection with the running daemon, ours or tinc 1.1's (tinc 1.1 reference, 10.2).</summary>
internal sealed partial class ControlClient : IDisposable
{
    private const int ControlLine = 18, HangUp = 1;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly NetworkStream _stream;
    private readonly BufferedStream _reader;

    private ControlClient(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true) { ReadTimeout = (int)s_patience.TotalMilliseconds };
        _reader = new BufferedStream(_stream, 64 << 10);
    }

    /// <summary>The daemon's process number.</summary>
    public int Process { get; private set; }

    /// <summary>The daemon's node name.</summary>
    public string Name { get; private set; } = "";

    /// <summary>Connects with the daemon of a net, or gives null if there is none that can be controlled.</summary>
    public static ControlClient? Connect(NetPaths paths)
    {
        try
        {
            return Open(paths);
        }
        catch (ControlException)
        {
            return null; // why is all the same to the caller
        }
    }

    /// <summary>Connects with the daemon of a net.</summary>
    /// <exception cref="ControlException">There is none, or it may not be controlled.</exception>
    public static ControlClient Open(NetPaths paths)
    {
        (int process, string cookie, _) = ReadPidFile(paths);
        if (!ProcessHost.Exists(process))
            throw new ControlException($"No daemon is running{paths.ForNet}: {paths.PidFile} is left over from process {process}.");
        if (cookie.Length == 0)
            throw new ControlException($"The daemon{paths.ForNet}, process {process}, takes no commands: it is tincd 1.0, or has just been started.");

        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        ControlClient? client = null;
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(paths.ControlSocket));
            client = new ControlClient(socket);
            client.Greet(paths, cookie);
            return client;
        }
        catch (Exception e) when (e is SocketException or ControlException or ArgumentException)
        {
            client?.Dispose();
            socket.Dispose();
            throw e as ControlException ?? new ControlException($"Cannot talk to the daemon{paths.ForNet}, process {process}: {Explain(e, paths)}.");
        }
    }

    /// <summary>The port that the running daemon says it listens on, or null.</summary>
    public static int? PortOf(NetPaths paths) => TryReadPidFile(paths, out _, out _, out int port) && port > 0 ? port : null;

    /// <summary>Makes the running daemon read its configuration again; false if there is none.</summary>
    public static bool TryReload(NetPaths paths)
    {
        try
        {
            using ControlClient client = Open(paths);
            return client.Perform(ControlRequest.Reload) == 0;
        }
        catch (ControlException)
        {
            return TryReadPidFile(paths, out int process, out _, out _) && ProcessHost.Exists(process) && ProcessHost.SendSignal(process, HangUp);
        }
    }

    /// <summary>Whether the daemon knows a node of that name.</summary>
    /// <exception cref="ControlException">It went away.</exception>
    public bool Knows(string node) => Rows(ControlRequest.DumpNodes).Any(fields => fields[0] == node);

    /// <summary>Asks for something to be done.</summary>
    /// <returns>The result; what it means depends on the request.</returns>
    /// <exception cref="ControlException">The daemon does not know the request, or went away.</exception>
    public int Perform(ControlRequest type, string argument = "")
    {
        string rest = Ask(type, argument);
        return int.TryParse(rest, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int result) ? result : throw Strange(rest);
    }

    /// <summary>The rows of a dump, each as its fields.</summary>
    /// <exception cref="ControlException">The daemon went away.</exception>
    public List<string[]> Rows(ControlRequest type)
    {
        List<string[]> rows = [];
        for (string row = Ask(type); row.Length > 0; row = Answer(type))
            rows.Add(row.Split(' '));
        return rows;
    }

    /// <summary>A snapshot of everything.</summary>
    /// <exception cref="ControlException">The daemon is tincd, or another version of ours, or went away.</exception>
    public DaemonStatus Status() => Read(Ask(ControlRequest.Status), StatusJson.Default.DaemonStatus);

    /// <summary>Has the daemon test the speed to a node, and gives what it says of that until the test has ended.</summary>
    /// <exception cref="ControlException">The daemon is tincd, or another version of ours, or went away.</exception>
    public IEnumerable<SpeedReport> TestSpeed(string node, int seconds)
    {
        string json = Ask(ControlRequest.SpeedTest, string.Create(CultureInfo.InvariantCulture, $"{node} {1000 * seconds}"));
        SpeedReport report;
        do
        {
            report = Read(json, SpeedJson.Default.SpeedReport);
            yield return report;
            json = report.State == "running" ? Answer(ControlRequest.SpeedTest) : "";
        }
        while (json.Length > 0);
    }

    /// <summary>What a reload would change.</summary>
    /// <exception cref="ControlException">The daemon is tincd, or another version of ours, or went away.</exception>
    public ReloadPlan PlanReload() => Read(Ask(ControlRequest.PlanReload), ReloadJson.Default.ReloadPlan);

    /// <summary>Reloads, and gives what changed.</summary>
    /// <exception cref="ControlException">The daemon is tincd, or another version of ours, or went away.</exception>
    public ReloadPlan Reload() => Read(Ask(ControlRequest.ApplyReload), ReloadJson.Default.ReloadPlan);

    /// <summary>Sends a request and gives what follows its number in the first line of the answer.</summary>
    /// <exception cref="ControlException">The daemon does not know the request, or went away.</exception>
    public string Ask(ControlRequest type, string argument = "")
    {
        Send(string.Create(CultureInfo.InvariantCulture, $"{ControlLine} {(int)type}{(argument.Length > 0 ? " " : "")}{argument}"));
        return Answer(type);
    }

    /// <summary>What follows the number of a request in the next line.</summary>
    /// <exception cref="ControlException">The daemon does not know the request, or went away.</exception>
    public string Answer(ControlRequest type)
    {
        string line = Receive();
        string[] fields = line.Split(' ', 3);
        if (fields is ["18", "-1", ..])
            throw new ControlException("The daemon does not know this command: it is tincd, or an older fastmesh.");
        return fields is ["18", var number, ..] && number == ((int)type).ToString(CultureInfo.InvariantCulture) ? fields.ElementAtOrDefault(2) ?? ""
            : throw Strange(line);
    }

    /// <summary>Waits, however long, until the daemon closes the connection.</summary>
    public void AwaitEnd()
    {
        _stream.ReadTimeout = Timeout.Infinite;
        try
        {
            while (_reader.ReadByte() >= 0)
            {
            }
        }
        catch (IOException)
        {
            // A connection that breaks has ended as well.
        }
    }

    /// <summary>
    /// The next bytes of something watched, however long it takes, after a line that says how many; null when the daemon closes the connection.
    /// </summary>
    /// <exception cref="ControlException">The daemon does not know the request.</exception>
    public byte[]? Watch(ControlRequest type)
    {
        _stream.ReadTimeout = Timeout.Infinite;
        try
        {
            string rest = Answer(type);
            if (!int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out int length))
                throw Strange(rest);
            byte[] bytes = new byte[length];
            _reader.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is IOException or ConnectionEndedException)
        {
            return null;
        }
    }

    /// <summary>Sends a line without waiting for an answer.</summary>
    public void Send(string line)
    {
        try
        {
            _stream.Write(Encoding.ASCII.GetBytes($"{line}\n"));
        }
        catch (IOException)
        {
            throw new ConnectionEndedException();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _stream.Dispose();
    }

    private void Greet(NetPaths paths, string cookie)
    {
        Send($"0 ^{cookie} 0");
        if (Receive().Split(' ') is not ["0", var name, ..] || Receive().Split(' ') is not ["4", _, var number, ..]
            || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int process))
            throw new ControlException($"What listens on {paths.ControlSocket} is neither fastmesh nor tincd.");
        (Name, Process) = (name, process);
    }

    private static T Read<T>(string json, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw Strange(json);
        }
        catch (JsonException)
        {
            throw new ControlException($"The daemon is of another version than this program ({Usage.VersionNumber}): restart it.");
        }
    }

    private string Receive()
    {
        MemoryStream line = new();
        try
        {
            for (int next = _reader.ReadByte(); next != '\n'; next = _reader.ReadByte())
            {
                if (next < 0)
                    throw new ConnectionEndedException();
                line.WriteByte((byte)next);
            }
        }
        catch (IOException e)
        {
            throw e.InnerException is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock }
                ? new ControlException("The daemon does not answer: it is stopped or busy, or what listens on its control socket is another program.")
                : new ConnectionEndedException();
        }

        return Encoding.UTF8.GetString(line.GetBuffer().AsSpan(0, (int)line.Length));
    }

    private static ControlException Strange(string answer) =>
        new($"The daemon has given an answer that makes no sense: {answer[..Math.Min(answer.Length, 60)]}");

    private static string Explain(Exception error, NetPaths paths) => error switch
    {
        SocketException { SocketErrorCode: SocketError.AccessDenied } => $"{paths.ControlSocket} is for another user",
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"nothing listens on {paths.ControlSocket}; the process may be another program",
        SocketException { NativeErrorCode: 2 } or SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => $"{paths.ControlSocket} does not exist",
        _ => $"{paths.ControlSocket}: {error.Message}",
    };

    private static (int Process, string Cookie, int Port) ReadPidFile(NetPaths paths)
    {
        try
        {
            using StreamReader file = new(new FileStream(paths.PidFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            Match match = PidFileText().Match(file.ReadToEnd());
            int port = 0;
            bool valid = int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int process)
                && (!match.Groups[3].Success || int.TryParse(match.Groups[3].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out port));
            return valid ? (process, match.Groups[2].Value, port) : throw new ControlException($"{paths.PidFile} is no pid file of fastmesh or tincd.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ControlException($"No daemon is running{paths.ForNet}: there is no {paths.PidFile}.");
        }
        catch (UnauthorizedAccessException)
        {
            throw new ControlException($"You may not control the daemon{paths.ForNet}: {paths.PidFile} is for another user. Try again as root.");
        }
        catch (IOException e)
        {
            throw new ControlException($"Cannot read {paths.PidFile}: {e.Message}");
        }
    }

    private static bool TryReadPidFile(NetPaths paths, out int process, out string cookie, out int port)
    {
        try
        {
            (process, cookie, port) = ReadPidFile(paths);
            return true;
        }
        catch (ControlException)
        {
            (process, cookie, port) = (0, "", 0);
            return false;
        }
    }

    /// <summary>The number alone, as tinc 1.0 writes it, or with cookie and port after it, in the same line or the next.</summary>
    [GeneratedRegex(@"\A\s*(\d+)(?:\s+([0-9A-Fa-f]{64})\s+\S+\s+port\s*(\d+))?")]
    private static partial Regex PidFileText();
}
