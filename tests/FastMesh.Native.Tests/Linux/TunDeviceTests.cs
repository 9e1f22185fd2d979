using System.Buffers.Binary;
using FastMesh.Native.Interop;
using FastMesh.Native.Linux;

namespace FastMesh.Native.Tests.Linux;

public sealed class TunDeviceTests
{
    [SkippableFact]
    public void A_new_tun_device_has_the_name_asked_for_a_vnet_header_and_all_offloads() => PrivateNetwork.Run(static net =>
    {
        using TunDevice device = TunDevice.Open(new() { Kind = TunKind.Tun, Name = "master" });
        Assert.Equal(("master", 1, true), (device.Name, device.QueueCount, device.HasVnetHeader));
        Assert.Equal(TunOffloads.Checksum | TunOffloads.Tso4 | TunOffloads.Tso6, device.Offloads & (TunOffloads)7);
        Assert.Equal(device.Offloads.HasFlag(TunOffloads.Uso4), device.Offloads.HasFlag(TunOffloads.Uso6));
        Assert.Equal(1500, device.Mtu);
        Assert.Equal(-Errno.EAGAIN, FileIo.Read(device.Queue(0), new byte[2000]));
        net.Ip("link set dev master mtu 1400");
        Assert.Equal(1400, device.Mtu);
        Assert.True(NetworkInterface.Index("master") > 0);
    });

    [SkippableFact]
    public void A_device_that_stays_is_known_as_such() => PrivateNetwork.Run(static net =>
    {
        net.Ip("tuntap add stays mode tun");
        using TunDevice stays = TunDevice.Open(new() { Name = "stays" }), goes = TunDevice.Open(new() { Name = "goes" });
        Assert.Equal((true, false), (stays.IsPersistent, goes.IsPersistent));
    });

    [SkippableFact]
    public void The_kernel_names_a_device_without_a_name() => PrivateNetwork.Run(static net =>
    {
        using TunDevice tun = TunDevice.Open(new() { Kind = TunKind.Tun });
        using TunDevice tap = TunDevice.Open(new() { Kind = TunKind.Tap });
        Assert.Equal(("tun0", "tap0"), (tun.Name, tap.Name));
    });

    [SkippableFact]
    public void A_name_is_cut_to_fifteen_bytes() => PrivateNetwork.Run(static net =>
    {
        using TunDevice device = TunDevice.Open(new() { Name = "abcdefghijklmnopqrst" });
        Assert.Equal("abcdefghijklmno", device.Name);
    });

    [SkippableFact]
    public void A_tap_device_has_the_hardware_address_the_system_shows() => PrivateNetwork.Run(static net =>
    {
        using TunDevice device = TunDevice.Open(new() { Kind = TunKind.Tap, Name = "tap7" });
        net.Ip("link set tap7 address 02:00:5e:10:20:30");
        Assert.Equal([2, 0, 0x5E, 0x10, 0x20, 0x30], device.ReadHardwareAddress());
    });

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_packet_the_host_sends_is_read_and_one_we_write_is_received(bool offload) => PrivateNetwork.Run(net =>
    {
        using TunDevice device = TunDevice.Open(new() { Name = "t0", Offloads = offload ? TunOffloads.All : null });
        Assert.Equal(offload, device.HasVnetHeader);
        Assert.Equal(offload, device.Offloads != TunOffloads.None);
        int header = offload ? 10 : 0;
        net.Ip("addr add 10.9.0.1/24 dev t0");
        net.Ip("link set t0 up");
        using SafeFd socket = UdpSocket.Open(Sockaddr.Of("10.9.0.1", 4000), new());
        Assert.Equal(5, UdpSocket.SendTo(socket.Descriptor, "hello"u8, Sockaddr.Of("10.9.0.2", 5000)));

        byte[] buffer = new byte[4096];
        int length = ReadIPv4(device.Queue(0), buffer, header);
        Assert.Equal(header + 20 + 8 + 5, length);
        Assert.Equal("hello"u8.ToArray(), buffer[(header + 28)..length]);

        byte[] answer = new byte[header + 20 + 8 + 3];
        WriteUdpPacket(answer.AsSpan(header), "hey"u8);
        Assert.Equal(answer.Length, FileIo.Write(device.Queue(0), answer));
        Assert.Equal(3, FileIo.Read(socket.Descriptor, buffer));
        Assert.Equal("hey"u8.ToArray(), buffer[..3]);
    });

    /// <summary>The ladder of the linux-dataplane reference, chapter 8: a kernel that knows less must find every step of it working.</summary>
    [SkippableTheory]
    [InlineData(0x67)]
    [InlineData(0x0F)]
    [InlineData(0x07)]
    [InlineData(0x01)]
    [InlineData(0x00)]
    public void A_device_is_asked_for_no_more_offloads_than_it_may_be(int most) => PrivateNetwork.Run(net =>
    {
        using TunDevice device = TunDevice.Open(new() { Name = "t0", Offloads = (TunOffloads)most });
        Assert.True(device.HasVnetHeader);
        TunOffloads uso = TunOffloads.Uso4 | TunOffloads.Uso6; // before Linux 6.2 there is none
        Assert.Equal((TunOffloads)most & ~uso, device.Offloads & ~uso);
        Assert.Contains(device.Offloads & uso, new[] { TunOffloads.None, (TunOffloads)most & uso });
    });

    [SkippableFact]
    public void Several_queues_are_several_descriptors_of_one_device() => PrivateNetwork.Run(static net =>
    {
        using TunDevice device = TunDevice.Open(new() { Name = "mq", Queues = 3 });
        Assert.Equal((3, "mq", true), (device.QueueCount, device.Name, device.HasVnetHeader));
        Assert.Equal(3, new[] { device.Queue(0), device.Queue(1), device.Queue(2) }.Distinct().Count());
    });

    [SkippableTheory]
    [InlineData("tun", 1, 1)]
    [InlineData("tun", 4, 1)] // was made with one queue
    [InlineData("tun multi_queue", 1, 1)]
    [InlineData("tun multi_queue", 4, 4)]
    [InlineData("tun vnet_hdr", 1, 1)]
    [InlineData("tun multi_queue vnet_hdr", 4, 4)]
    [InlineData("tun pi", 1, 1)]
    public void A_persistent_device_made_by_others_works_whatever_its_flags(string flags, int wanted, int queues) => PrivateNetwork.Run(net =>
    {
        net.Ip($"tuntap add dev old mode {flags}");
        net.Ip("addr add 10.9.0.1/24 dev old");
        foreach (bool offload in (bool[])[true, false, true]) // closed and attached again
        {
            using TunDevice device = TunDevice.Open(new() { Name = "old", Queues = wanted, Offloads = offload ? TunOffloads.All : null });
            Assert.Equal(queues, device.QueueCount);
            net.Ip("link set old up");
            using SafeFd socket = UdpSocket.Open(Sockaddr.Of("10.9.0.1", 4000), new());
            Assert.Equal(5, UdpSocket.SendTo(socket.Descriptor, "hello"u8, Sockaddr.Of("10.9.0.2", 5000)));
            Assert.True(offload || device.Offloads == TunOffloads.None);
            int header = device.HasVnetHeader ? TunDevice.VnetHeaderLength : 0;
            byte[] buffer = new byte[4096];
            int length = -Errno.EAGAIN;
            for (int queue = 0; queue < queues && length < 0; queue++)
                length = ReadIPv4(device.Queue(queue), buffer, header);
            Assert.Equal(header + 33, length); // neither packet information nor a header we do not know of
        }
    });

    [SkippableFact]
    public unsafe void A_header_length_that_others_left_behind_is_put_right() => PrivateNetwork.Run(static net =>
    {
        const nuint TUNGETVNETHDRSZ = 0x800454D7;
        net.Ip("tuntap add dev old mode tun vnet_hdr");
        int length = 12;
        using (TunDevice other = TunDevice.Open(new() { Name = "old" }))
            Assert.Equal(0, Libc.ioctl(other.Queue(0), Libc.TUNSETVNETHDRSZ, (nint)(&length)));
        using TunDevice device = TunDevice.Open(new() { Name = "old" });
        Assert.Equal(0, Libc.ioctl(device.Queue(0), TUNGETVNETHDRSZ, (nint)(&length)));
        Assert.Equal(10, length);
    });

    [SkippableFact]
    public void A_device_in_use_of_another_kind_or_missing_is_explained() => PrivateNetwork.Run(static net =>
    {
        using TunDevice device = TunDevice.Open(new() { Name = "t0" });
        LinuxException busy = Assert.Throws<LinuxException>(() => TunDevice.Open(new() { Name = "t0" }));
        Assert.Equal(Errno.EBUSY, busy.Errno);
        Assert.Contains("t0", busy.Message, StringComparison.Ordinal);
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => TunDevice.Open(new() { Name = "t0", Kind = TunKind.Tap })).Errno);
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => TunDevice.Open(new() { Name = "lo" })).Errno);
        LinuxException missing = Assert.Throws<LinuxException>(() => TunDevice.Open(new() { DevicePath = "/dev/net/no-such" }));
        Assert.Equal("Could not open /dev/net/no-such: No such file or directory (ENOENT)", missing.Message);
        Assert.Equal(Errno.ENOTTY, Assert.Throws<LinuxException>(() => TunDevice.Open(new() { DevicePath = "/dev/null" })).Errno);
    });

    /// <summary>The kernel would add a queue to it, and the two programs would get some packets each.</summary>
    [SkippableTheory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_device_of_several_queues_that_another_program_has_open_is_in_use(int queues) => PrivateNetwork.Run(_ =>
    {
        using TunDevice device = TunDevice.Open(new() { Name = "shared0", Queues = 2 });
        LinuxException refusal = Assert.Throws<LinuxException>(() => TunDevice.Open(new() { Name = "shared0", Queues = queues }));
        Assert.Equal(Errno.EBUSY, refusal.Errno);
    });

    [SkippableFact]
    public void A_device_goes_with_its_last_descriptor() => PrivateNetwork.Run(static net =>
    {
        TunDevice.Open(new() { Name = "gone" }).Dispose();
        Assert.Equal(-Errno.ENODEV, NetworkInterface.Index("gone"));
    });

    [SkippableFact]
    public void A_raw_packet_socket_sees_the_frames_of_its_interface() => PrivateNetwork.Run(static net =>
    {
        net.Ip("link set lo up");
        using SafeFd raw = PacketSocket.Open("lo");
        using SafeFd socket = UdpSocket.Open(Sockaddr.Of("127.0.0.1", 0), new());
        UdpSocket.SendTo(socket.Descriptor, "hello"u8, Sockaddr.LocalOf(socket));
        byte[] frame = new byte[2000];
        int length = FileIo.Read(raw.Descriptor, frame);
        Assert.Equal(14 + 20 + 8 + 5, length);
        Assert.Equal("hello"u8.ToArray(), frame[42..47]);
        Assert.Equal(length, FileIo.Write(raw.Descriptor, frame.AsSpan(0, length)));
        LinuxException error = Assert.Throws<LinuxException>(() => PacketSocket.Open("eth9"));
        Assert.Equal("Can't find interface eth9: No such device (ENODEV)", error.Message);
    });

    [SkippableTheory]
    [InlineData("239.1.2.3", "10.9.0.1/24")]
    [InlineData("ff02::1:2:3", "fe80::1/64 nodad")]
    public void A_multicast_group_hears_its_own_members(string group, string address) => PrivateNetwork.Run(net =>
    {
        using TunDevice device = TunDevice.Open(new() { Name = "t0", Kind = TunKind.Tap });
        net.Ip("link set dev t0 up");
        net.Ip($"addr add {address} dev t0");
        if (!group.Contains(':', StringComparison.Ordinal))
            net.Ip("route add 224.0.0.0/4 dev t0");
        byte[] name = Sockaddr.Of(group, 7655, scope: NetworkInterface.Index("t0"));
        using SafeFd one = MulticastSocket.Open(name, ttl: 1), two = MulticastSocket.Open(name, ttl: 1);
        Assert.Equal(5, UdpSocket.SendTo(one.Descriptor, "hello"u8, name));
        byte[] buffer = new byte[10];
        Assert.Equal(5, FileIo.Read(one.Descriptor, buffer)); // loop-back is on
        Assert.Equal(5, FileIo.Read(two.Descriptor, buffer));
    });

    [SkippableTheory]
    [InlineData("ff02::1", "::", "fe80::1/64 nodad", 14 + 40 + 8)]
    [InlineData("239.1.2.3", "0.0.0.0", "10.9.0.1/24", 14 + 20 + 8)]
    public void Multicast_without_a_scope_leaves_by_the_chosen_interface(string group, string local, string address, int headers) =>
        PrivateNetwork.Run(net =>
        {
            using TunDevice device = TunDevice.Open(new() { Name = "t0", Kind = TunKind.Tap, Offloads = null });
            net.Ip("link set dev t0 up");
            net.Ip($"addr add {address} dev t0");
            byte[] bound = Sockaddr.Of(local, 0), frame = new byte[2000];
            using SafeFd socket = UdpSocket.Open(bound, new());
            int family = SocketAddress.Family(bound);
            Assert.Equal(0, UdpSocket.SetMulticastInterface(socket.Descriptor, family, NetworkInterface.Index("t0")));
            Assert.Equal(5, UdpSocket.SendTo(socket.Descriptor, "probe"u8, Sockaddr.Of(group, 655)));
            int length;
            do
            {
                length = FileIo.Read(device.Queue(0), frame);
                Assert.True(length > 0, "the datagram did not come out");
            }
            while (length != headers + 5 || !frame.AsSpan(headers, 5).SequenceEqual("probe"u8));
        });

    /// <summary>Skips what the host sends by itself (IPv6 router solicitations).</summary>
    private static int ReadIPv4(int fd, byte[] buffer, int header)
    {
        int length;
        do
        {
            length = FileIo.Read(fd, buffer);
        }
        while (length > header && buffer[header] >> 4 == 6);
        return length;
    }

    /// <summary>10.9.0.2:5000 to 10.9.0.1:4000, without UDP checksum.</summary>
    private static void WriteUdpPacket(Span<byte> packet, ReadOnlySpan<byte> payload)
    {
        ReadOnlySpan<byte> fixedPart = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1];
        fixedPart.CopyTo(packet);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
        uint sum = 0;
        for (int i = 0; i < 20; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(packet[i..]);
        sum = (sum & 0xFFFF) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], (ushort)~sum);
        BinaryPrimitives.WriteUInt16BigEndian(packet[20..], 5000);
        BinaryPrimitives.WriteUInt16BigEndian(packet[22..], 4000);
        BinaryPrimitives.WriteUInt16BigEndian(packet[24..], (ushort)(8 + payload.Length));
        payload.CopyTo(packet[28..]);
    }
}
