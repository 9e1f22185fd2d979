using System.Diagnostics;
using System.Text;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.Daemon;

public sealed class MetaSocketTests : IDisposable
{
    private const ulong Tag = 77;
    private readonly Epoll _epoll = new(8);
    private readonly SafeFd _listener;
    private readonly byte[] _address = new byte[Endpoint.MaxSockaddrLength];
    private readonly int _addressLength;

    public MetaSocketTests()
    {
        int length = Endpoint.FromIPv4(0x7f000001, 0).WriteSockaddr(_address);
        _listener = TcpSocket.Listen(_address.AsSpan(0, length), 4);
        _addressLength = SocketAddress.Local(_listener.Descriptor, _address);
    }

    public void Dispose()
    {
        _epoll.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public void Connects_writes_reads_and_sees_the_end()
    {
        using MetaSocket socket = Connect();
        using SafeFd peer = Accept();
        WaitFor(EpollEvents.Out);
        Assert.Equal(0, socket.FinishConnect());
        Assert.False(socket.Connecting);

        Assert.Equal(5, socket.Write("hello"u8));
        byte[] buffer = new byte[16];
        Assert.Equal(5, ReadPeer(peer, buffer));
        Assert.Equal("hello", Encoding.ASCII.GetString(buffer, 0, 5));

        TcpSocket.Send(peer.Descriptor, "there"u8);
        WaitFor(EpollEvents.In);
        Assert.Equal(5, socket.Read(buffer));
        Assert.Equal(-Errno.EAGAIN, socket.Read(buffer));

        peer.Dispose();
        WaitFor(EpollEvents.In);
        Assert.Equal(0, socket.Read(buffer));
    }

    [Fact]
    public void A_refused_connection_gives_the_error()
    {
        _listener.Dispose();
        using MetaSocket socket = Connect();
        WaitFor(EpollEvents.Error);
        Assert.Equal(-Errno.ECONNREFUSED, socket.FinishConnect());
    }

    [Fact]
    public void A_full_stream_reports_when_there_is_room_again()
    {
        using MetaSocket socket = Connect();
        using SafeFd peer = Accept();
        WaitFor(EpollEvents.Out);
        Assert.Equal(0, socket.FinishConnect());

        byte[] chunk = new byte[1 << 16];
        long written = 0;
        int result;
        do
        {
            while ((result = socket.Write(chunk)) > 0)
                written += result;
            Assert.Equal(-Errno.EAGAIN, result);
        }
        while (_epoll.Wait(0) > 0); // the kernel may move what it has to the other end a little later

        for (long read = 0; read < written;)
            read += Math.Max(0, TcpSocket.Receive(peer.Descriptor, chunk));
        WaitFor(EpollEvents.Out);
        socket.HandleAllWritten();
        Assert.Equal(0, _epoll.Wait(0));
    }

    [Fact]
    public void A_command_is_a_stream_whose_end_the_command_sees()
    {
        ProcessStartInfo start = new("/bin/sh") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("read line; echo got $line; exec cat > /dev/null");
        using Process command = Process.Start(start)!;
        int process = command.Id;
        using Process watcher = Process.GetProcessById(process);
        using (MetaSocket socket = MetaSocket.ForCommand(_epoll, new ConnectionId(1), Tag, command))
        {
            Assert.Equal(4, socket.Write("abc\n"u8));
            WaitFor(EpollEvents.In);
            byte[] buffer = new byte[16];
            int count = socket.Read(buffer);
            Assert.Equal("got abc\n", Encoding.ASCII.GetString(buffer, 0, count));
        }

        Assert.True(watcher.WaitForExit(TimeSpan.FromSeconds(30)));
    }

    private MetaSocket Connect()
    {
        int fd = TcpSocket.Open(SocketAddress.InterNetwork);
        int result = SocketAddress.Connect(fd, _address.AsSpan(0, _addressLength));
        return MetaSocket.ForTcp(_epoll, new ConnectionId(1), Tag, new SafeFd(fd), connecting: result == -Errno.EINPROGRESS);
    }

    private SafeFd Accept()
    {
        int fd = -1;
        SpinWait.SpinUntil(() => (fd = TcpSocket.Accept(_listener.Descriptor, new byte[28], out _)) >= 0, 60_000);
        Assert.True(fd >= 0);
        return new SafeFd(fd);
    }

    private static int ReadPeer(SafeFd peer, byte[] buffer)
    {
        int count = -1;
        SpinWait.SpinUntil(() => (count = TcpSocket.Receive(peer.Descriptor, buffer)) >= 0, 60_000);
        return count;
    }

    private void WaitFor(EpollEvents expected)
    {
        for (int i = 0; i < 100; i++)
        {
            if (_epoll.Wait(1000) > 0)
            {
                Assert.Equal(Tag, _epoll.Tag(0));
                Assert.NotEqual(EpollEvents.None, _epoll.Events(0) & expected);
                return;
            }
        }

        Assert.Fail($"No {expected}");
    }
}
