using System.Globalization;
using System.Net.Sockets;
using System.Text;
using FastMesh.Engine.Daemon;

namespace FastMesh.Cli.Logging;

/// <summary>
/// systemd's journal by its native protocol: a datagram per entry with a line <c>FIELD=value</c> for each field. Other than the file system
/// the connected socket is there in another root too. A journal that takes nothing costs lines, which are counted, but no waiting.
/// </summary>
internal sealed class JournalSink : LogSink
{
    /// <summary>Where the journal listens.</summary>
    public const string DefaultPath = "/run/systemd/journal/socket";

    /// <summary>First 24 hexadecimal digits of every MESSAGE_ID; the last 8 are the event's number.</summary>
    public const string MessageIdPrefix = "8d1f0b6c4ea94c1c93a5d7e2";

    private readonly UnixDomainSocketEndPoint _address;
    private readonly string _identity;
    private readonly string? _net;
    private Socket _socket;
    private long _lost;

    private JournalSink(Socket socket, UnixDomainSocketEndPoint address, string identity, string? net)
        => (_socket, _address, _identity, _net) = (socket, address, identity, net);

    /// <summary>Connects to the journal.</summary>
    /// <param name="path">Its socket.</param>
    /// <param name="identity">SYSLOG_IDENTIFIER.</param>
    /// <param name="net">The net's name, or null without one.</param>
    /// <param name="reason">Why there is no sink.</param>
    /// <returns>The sink, or null.</returns>
    public static JournalSink? TryOpen(string path, string identity, string? net, out string reason)
    {
        UnixDomainSocketEndPoint address = new(path);
        reason = "";
        try
        {
            return new JournalSink(Connect(address), address, identity, net);
        }
        catch (SocketException e)
        {
            reason = $"{path}: {e.Message}";
            return null;
        }
    }

    /// <inheritdoc/>
    public override void Write(in LogEntry entry)
    {
        byte[] datagram = Encoding.UTF8.GetBytes(Compose(entry));
        if (TrySend(datagram))
            _lost = 0;
        else
            _lost++;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _socket.Dispose();
        base.Dispose();
    }

    private string Compose(in LogEntry entry)
    {
        StringBuilder text = new();
        Append(text, "MESSAGE", entry.Message);
        Append(text, "PRIORITY", SystemLog.Priority(entry.Level));
        Append(text, "MESSAGE_ID", string.Create(CultureInfo.InvariantCulture, $"{MessageIdPrefix}{entry.Event.Id:x8}"));
        Append(text, "SYSLOG_FACILITY", SystemLog.Facility);
        Append(text, "SYSLOG_IDENTIFIER", _identity);
        Append(text, "SYSLOG_PID", Environment.ProcessId);
        Append(text, "FASTMESH_EVENT", entry.Event.Name ?? "");
        Append(text, "FASTMESH_EVENT_ID", entry.Event.Id);
        if (_net is not null)
            Append(text, "FASTMESH_NET", _net);
        foreach ((string name, object value) in entry.Fields)
            Append(text, FieldName(name), value);
        if (_lost > 0)
            Append(text, "FASTMESH_LOST_BEFORE", _lost);
        return text.ToString();
    }

    /// <summary>Values of one line only, so that none can pass for a field; longer ones are the journal's to cut.</summary>
    private static void Append(StringBuilder text, string name, object value)
        => text.Append(name).Append('=').Append(OneLine.Of(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")).Append('\n');

    /// <summary>eventId becomes FASTMESH_EVENT_ID.</summary>
    private static string FieldName(string camelCase)
        => camelCase.Aggregate(new StringBuilder("FASTMESH_"), (name, c) => (char.IsUpper(c) ? name.Append('_') : name).Append(char.ToUpperInvariant(c))).ToString();

    /// <summary>Sends; connects anew once if the journal was started again.</summary>
    private bool TrySend(byte[] datagram)
    {
        try
        {
            _socket.Send(datagram);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.NotConnected or SocketError.ConnectionReset)
        {
            return TryReconnect(datagram);
        }
        catch (SocketException)
        {
            return false; // it is full
        }
    }

    private bool TryReconnect(byte[] datagram)
    {
        try
        {
            Socket socket = Connect(_address);
            _socket.Dispose();
            _socket = socket;
            _socket.Send(datagram);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static Socket Connect(UnixDomainSocketEndPoint address)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(address);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }
}
