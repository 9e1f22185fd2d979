using System.Net.Sockets;
using System.Text;
using FastMesh.Cli.Logging;
using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Tests.Logging;

/// <summary>The journal's native protocol (systemd: "Native Journal Protocol"), with a socket of ours for a journal.</summary>
public sealed class JournalSinkTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private Socket _journal;

    public JournalSinkTests() => _journal = Listen();

    public void Dispose()
    {
        _journal.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void An_entry_is_a_datagram_of_fields()
    {
        using JournalSink sink = Open();
        sink.Write(Entry("Connection with b activated", new("Node", "b"), new("Count", 3), new("OfTwoWords", "x\nPRIORITY=0")));
        Assert.Equal(
            [
                "MESSAGE=Connection with b activated",
                "PRIORITY=4",
                "MESSAGE_ID=8d1f0b6c4ea94c1c93a5d7e20000007b",
                "SYSLOG_FACILITY=3",
                "SYSLOG_IDENTIFIER=tinc.net",
                $"SYSLOG_PID={Environment.ProcessId}",
                "FASTMESH_EVENT=Activated",
                "FASTMESH_EVENT_ID=123",
                "FASTMESH_NET=net",
                "FASTMESH_NODE=b",
                "FASTMESH_COUNT=3",
                "FASTMESH_OF_TWO_WORDS=x?PRIORITY=0",
                "",
            ],
            Receive());
    }

    [Fact]
    public void A_journal_that_comes_back_gets_entries_again_and_learns_what_it_missed()
    {
        using JournalSink sink = Open();
        _journal.Dispose();
        sink.Write(Entry("lost"));
        File.Delete(_directory["socket"]);
        _journal = Listen();
        sink.Write(Entry("found"));
        string[] fields = Receive();
        Assert.Contains("MESSAGE=found", fields);
        Assert.Contains("FASTMESH_LOST_BEFORE=1", fields);
    }

    [Fact]
    public void A_journal_that_takes_nothing_is_not_waited_for()
    {
        using JournalSink sink = Open();
        string long1000 = new('x', 1000);
        for (int i = 0; i < 10_000; i++)
            sink.Write(Entry(long1000));
        Assert.Contains($"MESSAGE={long1000}", Receive());
    }

    [Fact]
    public void Without_a_journal_there_is_a_reason()
    {
        Assert.Null(JournalSink.TryOpen(_directory["none"], "tinc", null, out string reason));
        Assert.StartsWith($"{_directory["none"]}: ", reason);
    }

    private static LogEntry Entry(string message, params KeyValuePair<string, object?>[] fields)
        => new(DateTime.UnixEpoch, 1, LogLevel.Warning, new EventId(123, "Activated"), message, fields);

    private JournalSink Open()
    {
        JournalSink? sink = JournalSink.TryOpen(_directory["socket"], "tinc.net", "net", out string reason);
        Assert.True(sink is not null, reason);
        return sink;
    }

    private Socket Listen()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_directory["socket"]));
        return socket;
    }

    private string[] Receive()
    {
        byte[] datagram = new byte[65536];
        return Encoding.UTF8.GetString(datagram, 0, _journal.Receive(datagram)).Split('\n');
    }
}
