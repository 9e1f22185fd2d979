using System.Net;
using System.Net.Sockets;
using FastMesh.Native.Interop;
using FastMesh.Native.Linux;
using SocketAddress = FastMesh.Native.Linux.SocketAddress;

namespace FastMesh.Native.Tests.Linux;

public sealed unsafe class SocketTests
{
    [Fact]
    public void UDP_options_arrive_in_the_kernel()
    {
        using SafeFd v4 = UdpSocket.Open(Sockaddr.Of("127.0.0.1", 0), new() { ReceiveBuffer = 100_000, SendBuffer = 90_000 });
        Assert.Equal(1, Get(v4, Libc.SOL_SOCKET, Libc.SO_REUSEADDR));
        Assert.Equal(1, Get(v4, Libc.SOL_SOCKET, Libc.SO_BROADCAST));
        Assert.Equal(0, Get(v4, Libc.SOL_SOCKET, Libc.SO_REUSEPORT));
        Assert.Equal(200_000, Get(v4, Libc.SOL_SOCKET, Libc.SO_RCVBUF)); // the kernel doubles it
        Assert.Equal(180_000, Get(v4, Libc.SOL_SOCKET, Libc.SO_SNDBUF));
        Assert.Equal(2, Get(v4, Libc.SOL_IP, Libc.IP_MTU_DISCOVER));
        Assert.False(UdpSocket.AllowsFragmentation(v4.Descriptor));
        Assert.Equal(0, UdpSocket.SetFragmentation(v4.Descriptor, SocketAddress.InterNetwork, allowed: true));
        Assert.True(UdpSocket.AllowsFragmentation(v4.Descriptor));
        Assert.Equal(Libc.O_NONBLOCK, Libc.fcntl(v4.Descriptor, Libc.F_GETFL, 0) & Libc.O_NONBLOCK);
        Assert.Equal(1, Libc.fcntl(v4.Descriptor, Libc.F_GETFD, 0));

        using SafeFd v6 = UdpSocket.Open(Sockaddr.Of("::1", 0), new() { PathMtuDiscovery = false, ReusePort = true });
        Assert.Equal(1, Get(v6, Libc.SOL_IPV6, Libc.IPV6_V6ONLY));
        Assert.Equal(1, Get(v6, Libc.SOL_SOCKET, Libc.SO_REUSEPORT));
        Assert.Equal(0, Get(v6, Libc.SOL_IPV6, Libc.IPV6_MTU_DISCOVER));
        Assert.Equal(0, UdpSocket.SetTrafficClass(v6.Descriptor, SocketAddress.InterNetworkV6, 0x2C));
        Assert.Equal(0x2C, Get(v6, Libc.SOL_IPV6, Libc.IPV6_TCLASS));
        Assert.Equal(0, UdpSocket.SetTrafficClass(v4.Descriptor, SocketAddress.InterNetwork, 0xB8));
        Assert.Equal(0xB8, Get(v4, Libc.SOL_IP, Libc.IP_TOS));
    }

    [SkippableFact]
    public void A_mark_is_on_datagram_and_stream_sockets()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root");
        const int SO_MARK = 36; // asm-generic/socket.h
        using SafeFd udp = UdpSocket.Open(Sockaddr.Of("127.0.0.1", 0), new() { Mark = 7 });
        using SafeFd listener = TcpSocket.Listen(Sockaddr.Of("127.0.0.1", 0), 1, mark: 8);
        Assert.Equal((7, 8), (Get(udp, Libc.SOL_SOCKET, SO_MARK), Get(listener, Libc.SOL_SOCKET, SO_MARK)));
        using SafeFd plain = UdpSocket.Open(Sockaddr.Of("127.0.0.1", 0), new());
        Assert.Equal(0, Get(plain, Libc.SOL_SOCKET, SO_MARK));
        Assert.Equal(0, TcpSocket.SetMark(plain.Descriptor, 9));
        Assert.Equal(9, Get(plain, Libc.SOL_SOCKET, SO_MARK));
    }

    [SkippableFact]
    public void Root_gets_seven_mebibytes_of_buffer_by_default()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root");
        using SafeFd socket = UdpSocket.Open(Sockaddr.Of("127.0.0.1", 0), new());
        Assert.Equal(2 * UdpSocket.DefaultBuffer, Get(socket, Libc.SOL_SOCKET, Libc.SO_RCVBUF));
        Assert.Equal(2 * UdpSocket.DefaultBuffer, Get(socket, Libc.SOL_SOCKET, Libc.SO_SNDBUF));
    }

    [SkippableFact]
    public void The_kernel_tells_the_mtu_of_a_way() => PrivateNetwork.Run(network =>
    {
        network.Ip("link set lo up mtu 1420");
        Assert.Equal(1420, UdpSocket.PathMtu(Sockaddr.Of("127.0.0.1", 655)));
        Assert.Equal(1420, UdpSocket.PathMtu(Sockaddr.Of("::1", 655)));
        network.Ip("route add unreachable 192.0.2.0/24");
        Assert.True(UdpSocket.PathMtu(Sockaddr.Of("192.0.2.1", 655)) < 0);
    });

    [Fact]
    public void An_address_that_is_not_ours_and_an_interface_that_is_not_there_are_named_in_the_error()
    {
        LinuxException error = Assert.Throws<LinuxException>(() => UdpSocket.Open(Sockaddr.Of("192.0.2.1", 0), new()));
        Assert.Equal("Could not bind the UDP socket: Cannot assign requested address (EADDRNOTAVAIL)", error.Message);
        Assert.Equal(Errno.EADDRNOTAVAIL, error.Errno);
        error = Assert.Throws<LinuxException>(() => TcpSocket.Listen(Sockaddr.Of("127.0.0.1", 0), 3, "no-such-if"));
        Assert.Contains("no-such-if", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_steering_program_chooses_the_socket_of_a_group()
    {
        UdpSocketOptions options = new() { ReusePort = true };
        using SafeFd first = UdpSocket.Open(Sockaddr.Of("127.0.0.1", 0), options);
        byte[] address = Sockaddr.LocalOf(first);
        using SafeFd second = UdpSocket.Open(address, options), sender = UdpSocket.Open(Sockaddr.Of("127.0.0.1", 0), new());
        BpfInstruction[] program = [new(0x30, 0, 0, 0), new(0x16, 0, 0, 0)]; // A = first byte of the payload; return A
        Assert.Equal(0, UdpSocket.AttachSteering(first.Descriptor, program));
        byte[] buffer = new byte[16];
        foreach (byte index in (byte[])[1, 0, 1, 1, 0])
        {
            Assert.Equal(3, UdpSocket.SendTo(sender.Descriptor, [index, 7, 7], address));
            Assert.Equal(3, FileIo.Read((index == 0 ? first : second).Descriptor, buffer));
            Assert.Equal(index, buffer[0]);
        }
    }

    [Theory]
    [InlineData("127.0.0.1", AddressFamily.InterNetwork)]
    [InlineData("::1", AddressFamily.InterNetworkV6)]
    public void A_connection_is_made_accepted_and_used_without_blocking(string ip, AddressFamily family)
    {
        using SafeFd listener = TcpSocket.Listen(Sockaddr.Of(ip, 0), 3);
        byte[] peer = new byte[SocketAddress.MaxLength], buffer = new byte[100];
        Assert.Equal(-Errno.EAGAIN, TcpSocket.Accept(listener.Descriptor, peer, out _));

        int nativeFamily = family == AddressFamily.InterNetwork ? SocketAddress.InterNetwork : SocketAddress.InterNetworkV6;
        using SafeFd client = new(TcpSocket.Open(nativeFamily));
        Assert.Equal(0, SocketAddress.Bind(client.Descriptor, Sockaddr.Of(ip, 0)));
        Assert.Contains(SocketAddress.Connect(client.Descriptor, Sockaddr.LocalOf(listener)), new[] { 0, -Errno.EINPROGRESS });
        using Epoll epoll = new(4);
        Assert.Equal(0, epoll.Add(client.Descriptor, EpollEvents.Out, 1));
        Assert.Equal(1, epoll.Wait(60_000));
        Assert.Equal(0, TcpSocket.ConnectResult(client.Descriptor));

        using SafeFd server = new(TcpSocket.Accept(listener.Descriptor, peer, out int length));
        Assert.Equal(Sockaddr.LocalOf(client), peer[..length]);
        Assert.Equal(length, SocketAddress.Peer(server.Descriptor, buffer));
        Assert.Equal(peer[..length], buffer[..length]);
        Assert.Equal(-Errno.EAGAIN, TcpSocket.Receive(server.Descriptor, buffer));

        TcpSocket.SetLowDelay(server.Descriptor, nativeFamily);
        Assert.Equal(1, Get(server, Libc.SOL_TCP, Libc.TCP_NODELAY));
        Assert.Equal(0x10, family == AddressFamily.InterNetwork
            ? Get(server, Libc.SOL_IP, Libc.IP_TOS)
            : Get(server, Libc.SOL_IPV6, Libc.IPV6_TCLASS));

        Assert.Equal(5, TcpSocket.Send(client.Descriptor, "hello"u8));
        Assert.Equal(5, TcpSocket.Receive(server.Descriptor, buffer));
        Assert.Equal(0, TcpSocket.ShutdownSend(client.Descriptor));
        Assert.Equal(0, TcpSocket.Receive(server.Descriptor, buffer));
        Assert.True(TcpSocket.IsStreamSocket(server.Descriptor));
    }

    [Fact]
    public void A_socket_with_a_path_is_its_owners_alone_and_replaces_a_stale_one_but_nothing_else()
    {
        string directory = Directory.CreateTempSubdirectory("fastmesh-").FullName, path = Path.Combine(directory, "s");
        try
        {
            UnixSocket.Listen(path, 3).Dispose(); // what is left is stale
            using (SafeFd listener = UnixSocket.Listen(path, 3))
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
                using Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                client.Connect(new UnixDomainSocketEndPoint(path));
                using SafeFd server = new(TcpSocket.Accept(listener.Descriptor, new byte[2], out _));
                Assert.Equal(3, FileIo.Write(server.Descriptor, "abc"u8));
                Assert.Equal(3, client.Receive(new byte[9]));
                Assert.Equal(Errno.EADDRINUSE, Assert.Throws<LinuxException>(() => UnixSocket.Listen(path, 3)).Errno);
            }

            string file = Path.Combine(directory, "file"), tooLong = Path.Combine(directory, new string('x', UnixSocket.MaxPathLength));
            File.WriteAllText(file, "text");
            Assert.Equal(Errno.EEXIST, Assert.Throws<LinuxException>(() => UnixSocket.Listen(file, 3)).Errno);
            Assert.Equal("text", File.ReadAllText(file));
            Assert.Equal(Errno.ENAMETOOLONG, Assert.Throws<LinuxException>(() => UnixSocket.Listen(tooLong, 3)).Errno);
            Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => UnixSocket.Listen(directory + "/no/s", 3)).Errno);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_refused_connection_says_so_and_a_broken_one_raises_no_signal()
    {
        byte[] address;
        using (SafeFd listener = TcpSocket.Listen(Sockaddr.Of("127.0.0.1", 0), 3))
            address = Sockaddr.LocalOf(listener);
        using SafeFd client = new(TcpSocket.Open(SocketAddress.InterNetwork));
        int result = SocketAddress.Connect(client.Descriptor, address);
        if (result == -Errno.EINPROGRESS)
        {
            using Epoll epoll = new(1);
            epoll.Add(client.Descriptor, EpollEvents.Out, 0);
            Assert.Equal(1, epoll.Wait(60_000));
            result = TcpSocket.ConnectResult(client.Descriptor);
        }
        Assert.Equal(-Errno.ECONNREFUSED, result);
        Assert.Equal(-Errno.EPIPE, TcpSocket.Send(client.Descriptor, "x"u8));
    }

    [Fact]
    public void A_listening_IPv6_socket_leaves_the_port_free_for_IPv4()
    {
        using SafeFd v6 = TcpSocket.Listen(Sockaddr.Of("::", 0), 3);
        using SafeFd v4 = TcpSocket.Listen(Sockaddr.Of("0.0.0.0", Sockaddr.PortOf(Sockaddr.LocalOf(v6))), 3);
        Assert.Equal(Sockaddr.PortOf(Sockaddr.LocalOf(v6)), Sockaddr.PortOf(Sockaddr.LocalOf(v4)));
    }

    [Fact]
    public void Both_ends_of_a_pair_talk()
    {
        (SafeFd ours, SafeFd theirs) = TcpSocket.SocketPair();
        using (ours)
        using (theirs)
        {
            byte[] buffer = new byte[10];
            Assert.Equal(-Errno.EAGAIN, FileIo.Read(ours.Descriptor, buffer));
            Assert.Equal(3, FileIo.Write(theirs.Descriptor, "abc"u8));
            Assert.Equal(3, FileIo.Read(ours.Descriptor, buffer));
        }
    }

    [Fact]
    public void The_local_address_towards_loopback_is_loopback()
    {
        byte[] local = new byte[SocketAddress.MaxLength];
        int length = NetworkInterface.LocalAddressTowards(Sockaddr.Of("127.0.0.1", 655), local);
        Assert.Equal(16, length);
        Assert.Equal(IPAddress.Loopback.GetAddressBytes(), local[4..8]);
        Assert.True(NetworkInterface.LocalAddressTowards([], local) < 0);
    }

    [Fact]
    public void The_loopback_interface_has_an_index_an_MTU_and_an_empty_hardware_address()
    {
        Assert.Equal(int.Parse(File.ReadAllText("/sys/class/net/lo/ifindex"), null), NetworkInterface.Index("lo"));
        Assert.Equal(int.Parse(File.ReadAllText("/sys/class/net/lo/mtu"), null), NetworkInterface.Mtu("lo"));
        byte[] address = [1, 1, 1, 1, 1, 1];
        Assert.Equal(0, NetworkInterface.HardwareAddress("lo", address));
        Assert.Equal(new byte[6], address);
        Assert.Equal(-Errno.ENODEV, NetworkInterface.Index("no-such-if"));
        Assert.Equal(-Errno.ENODEV, NetworkInterface.Index("lo-and-far-longer-than-fifteen"));
    }

    private static int Get(SafeFd socket, int level, int name)
    {
        int value;
        uint length = sizeof(int);
        Assert.Equal(0, Libc.getsockopt(socket.Descriptor, level, name, &value, &length));
        return value;
    }
}
