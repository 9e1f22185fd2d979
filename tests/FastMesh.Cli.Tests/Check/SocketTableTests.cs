using System.Net;
using System.Net.Sockets;
using FastMesh.Cli.Check;

namespace FastMesh.Cli.Tests.Check;

/// <summary>The kernel's list of TCP sockets.</summary>
public class SocketTableTests
{
    [SkippableFact]
    public void Lines_of_proc_net_tcp_are_understood()
    {
        // proc_pid_net(5); addresses are words in the order of a little-endian machine
        const string Text = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:028F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 19467 1 0 100 0 0 10 0
               1: 0100007F:A0F2 020200C0:028F 01 00000000:00000000 00:00000000 00000000     0        0 22001 1 0 20 4 30 10 -1
               2: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF0000020200C0:1F90 01 00000000:00000000 00:00000000 00000000 0 0 23 1
               3: garbage
            """;
        Skip.IfNot(BitConverter.IsLittleEndian, "the text is of a little-endian machine");
        TcpEntry[] entries = [.. SocketTable.Parse(Text)];
        Assert.Equal(
            [
                new(new(IPAddress.Loopback, 655), new(IPAddress.Any, 0), 10, "19467"),
                new(new(IPAddress.Loopback, 0xa0f2), IPEndPoint.Parse("192.0.2.2:655"), 1, "22001"),
                new(new(IPAddress.Loopback, 80), IPEndPoint.Parse("192.0.2.2:8080"), 1, "23"),
            ],
            entries);
    }

    [Fact]
    public void The_connections_of_this_process_are_found()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using TcpClient client = new();
        client.Connect((IPEndPoint)listener.LocalEndpoint);
        Assert.Contains(SocketTable.ConnectionsOf(Environment.ProcessId), e => e.Remote.Equals(listener.LocalEndpoint));
    }
}
