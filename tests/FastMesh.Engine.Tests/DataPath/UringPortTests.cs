using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;
using FastMesh.Native.Uring;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>The ports of a ring on real sockets and devices; what they bring is what the plain ports bring.</summary>
public sealed class UringPortTests
{
    private const int DeviceTag = -1, BellTag = -2, SilentTag = -3;

    [SkippableTheory]
    [InlineData(true, 10, 1000, 400)]
    [InlineData(true, 64, 900, 1)]
    [InlineData(false, 10, 1000, 400)]
    public void A_train_arrives_as_its_datagrams_from_its_sender(bool segmentation, int count, int size, int last)
    {
        using UringPoller poller = Open();
        using UdpListener from = Listen(), to = Listen();
        using MmsgPort sender = new(from.Socket(0), isIPv6: false, segmentation && UdpSocket.HasSegmentation, new());
        ShardPorts ports = Adopt(poller, to);
        byte[] bytes = TestFrames.Pattern(((count - 1) * size) + last);
        Send(sender, to.Local, bytes, size);

        List<(Endpoint From, byte[] Bytes)> received = ReceiveAll(poller, ports, count);
        Assert.All(received, datagram => Assert.Equal(from.Local, datagram.From));
        Assert.Equal([.. Enumerable.Repeat(size, count - 1), last], received.Select(datagram => datagram.Bytes.Length));
        Assert.Equal(bytes, received.SelectMany(datagram => datagram.Bytes).ToArray());
        Dispose(ports);
    }

    [SkippableFact]
    public void More_datagrams_than_there_are_slots_arrive_in_order_and_large_ones_after_small_ones()
    {
        using UringPoller poller = Open();
        using UdpListener from = Listen(), to = Listen();
        using MmsgPort sender = new(from.Socket(0), isIPv6: false, segmentation: false, new());
        ShardPorts ports = Adopt(poller, to);
        int[] sizes = [.. Enumerable.Range(0, 300).Select(i => 20 + i), .. Enumerable.Range(0, 60).Select(i => 60_000 + i), .. Enumerable.Range(0, 100).Select(i => 50 + i)];
        List<(Endpoint From, byte[] Bytes)> received = [];
        foreach (int[] part in sizes.Chunk(100))
        {
            foreach (int size in part)
                Send(sender, to.Local, TestFrames.Pattern(size), size);
            received.AddRange(ReceiveAll(poller, ports, part.Length));
        }

        Assert.Equal(sizes, received.Select(datagram => datagram.Bytes.Length));
        Assert.All(received, datagram => Assert.Equal(TestFrames.Pattern(datagram.Bytes.Length), datagram.Bytes));
        Assert.Equal(0, poller.Wait(0));
        Dispose(ports);
    }

    [SkippableFact]
    public void What_was_not_received_is_reported_again_and_a_bell_until_it_is_drained()
    {
        using UringPoller poller = Open();
        using UdpListener from = Listen(), to = Listen();
        using MmsgPort sender = new(from.Socket(0), isIPv6: false, segmentation: false, new());
        using EventFd bell = new();
        ShardPorts ports = Adopt(poller, to, bell);
        Assert.Equal(0, poller.Wait(0));
        Send(sender, to.Local, TestFrames.Pattern(100), 100);
        for (int i = 0; i < 3; i++)
            Assert.Equal([0], Ready(poller, poller.Wait(-1)));
        bell.Signal();
        for (int i = 0; i < 3; i++)
            Assert.Equal([BellTag, 0], Ready(poller, poller.Wait(0)).Order());
        bell.Drain();
        Assert.Single(ReceiveAll(poller, ports, 1));
        poller.Wait(0); // the poll that was under way when it was drained
        Assert.Equal(0, poller.Wait(1));
        Dispose(ports);
    }

    [SkippableFact]
    public void A_bell_rings_and_datagrams_arrive_though_the_queue_of_requests_was_full()
    {
        using UringPoller poller = Open();
        using UdpListener from = Listen(), to = Listen();
        using MmsgPort sender = new(from.Socket(0), isIPv6: false, segmentation: false, new());
        using EventFd bell = new(), silent = new();
        ShardPorts ports = Adopt(poller, to, bell, silent);
        int file = 2; // in the order of watching: the socket, the bell, the silent one
        while (poller.Ring.Submissions.TryPoll(file, uint.MaxValue))
            ;
        bell.Signal();
        Assert.Equal([BellTag], Ready(poller, poller.Wait(10_000)));
        bell.Drain();
        Send(sender, to.Local, TestFrames.Pattern(100), 100);
        Assert.Single(ReceiveAll(poller, ports, 1));
        Dispose(ports);
    }

    /// <summary>A daemon that is started as soon as another one has ended must get the interface.</summary>
    [SkippableFact]
    public void After_the_stop_a_device_is_free_when_its_owner_closes_it()
    {
        using NamespaceThread space = new();
        space.Call(() =>
        {
            TunOptions options = new() { Name = "ring0" };
            using UringPoller poller = Open();
            using (TunDevice device = TunDevice.Open(options))
            {
                ShardPorts ports = poller.Adopt(
                    new(new TunPort(device.Queue(0), ethernet: false, device.HasVnetHeader), new(false, false, false, default), [], [], null!), [], new());
                poller.Watch(ports.Device, DeviceTag);
                poller.Start();
                poller.Wait(0);
                poller.Stop();
                ports.Device.Dispose();
            }

            using TunDevice next = TunDevice.Open(options);
            return next.QueueCount;
        });
    }

    /// <summary>What a killed daemon has held is free a moment after its end.</summary>
    [SkippableFact]
    public void A_device_that_is_in_use_is_waited_for_a_moment()
    {
        using NamespaceThread space = new();
        space.Call(() =>
        {
            TunDevice before = TunDevice.Open(new() { Name = "ring0" });
            using Timer end = new(_ => before.Dispose(), null, dueTime: 100, Timeout.Infinite);
            using VpnDevice device = VpnDevice.Open(new() { Interface = "ring0" }, queues: 1);
            Assert.Equal("ring0", device.Interface);
            return 0;
        });
    }

    [SkippableTheory]
    [InlineData(TunKind.Tun)]
    [InlineData(TunKind.Tap)]
    public void A_device_gives_what_the_kernel_sends_and_takes_a_batch_of_packets(TunKind kind)
    {
        using NamespaceThread space = new();
        using TunDevice device = space.Call(() => TunDevice.Open(new() { Kind = kind, Name = "ring0" }));
        space.Run("ip", "addr", "add", "10.7.0.1/24", "dev", "ring0");
        space.Run("ip", "link", "set", "ring0", "up");
        space.Run("ip", "neigh", "replace", "10.7.0.2", "lladdr", "02:00:00:00:00:02", "dev", "ring0");
        byte[] address = space.Call(device.ReadHardwareAddress);
        int packets = space.Call(() =>
        {
            using UringPoller poller = Open();
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Parse("10.7.0.1"), 4000));
            bool tap = kind == TunKind.Tap;
            ShardPorts ports = poller.Adopt(
                new(new TunPort(device.Queue(0), tap, device.HasVnetHeader), new(false, false, false, default), [], [], null!), [], new());
            poller.Watch(ports.Device, DeviceTag);
            poller.Start();
            for (int i = 0; i < 100; i++)
                socket.SendTo(TestFrames.Pattern(100 + i), new IPEndPoint(IPAddress.Parse("10.7.0.2"), 4001));
            List<byte[]> frames = ReceiveFrames(poller, ports, 100);
            Assert.Equal(Enumerable.Range(0, 100).Select(i => TestFrames.Pattern(100 + i)), frames.Select(frame => frame[42..]));

            using PacketBatch answers = new(16, 65536);
            for (int i = 0; i < 10; i++)
            {
                byte[] answer = Answer(frames[i], address);
                int offset = answers.Tail;
                answer.CopyTo(answers.Bytes(offset, answer.Length));
                answers.Add(offset, answer.Length);
            }

            answers.Bytes(4)[14] = 0; // no IP packet
            ports.Device.Send(answers);
            Assert.Equal([0, 0, 0, 0, tap ? 0 : Errno.EINVAL, 0, 0, 0, 0, 0], Enumerable.Range(0, 10).Select(i => answers[i].Error));
            byte[] buffer = new byte[2000];
            socket.ReceiveTimeout = 10_000;
            for (int i = 0; i < 10; i++)
            {
                if (i != 4)
                    Assert.Equal(TestFrames.Pattern(100 + i), buffer[..socket.Receive(buffer)]);
            }

            poller.Stop();
            Dispose(ports);
            return frames.Count;
        });
        Assert.Equal(100, packets);
    }

    [SkippableFact]
    public void A_device_that_has_ended_fails_at_each_read_until_the_shard_gives_up()
    {
        using UringPoller poller = Open();
        using AnonymousPipeServerStream pipe = new(PipeDirection.In);
        pipe.DisposeLocalCopyOfClientHandle();
        ShardPorts ports = poller.Adopt(
            new(new TunPort((int)pipe.SafePipeHandle.DangerousGetHandle(), ethernet: false, vnetHeader: false), new(false, false, false, default), [], [], null!), [], new());
        poller.Watch(ports.Device, DeviceTag);
        poller.Start();
        Assert.Equal([DeviceTag], Ready(poller, poller.Wait(-1)));
        for (int i = 0; i < 3; i++)
        {
            ports.FromDevice!.Clear();
            Assert.Equal(-Errno.EIO, ports.Device.Receive(ports.FromDevice));
            poller.Unwatch(ports.Device);
            Assert.Equal(0, poller.Wait(0));
            poller.Watch(ports.Device, DeviceTag);
        }

        poller.Stop();
        Dispose(ports);
    }

    private static UringPoller Open()
    {
        Skip.IfNot(Ring.IsLibraryPresent, "needs liburing2");
        int result = Ring.Create(8, 8, out Ring? ring);
        ring?.Dispose();
        Skip.If(result is -Errno.EPERM or -Errno.ENOSYS, "needs io_uring, which is off here");
        return UringPoller.Create(4);
    }

    private static UdpListener Listen() => UdpListener.Open(Endpoint.FromIPv4(0x7f000001, 0), new UdpSettings(), 1);

    private static ShardPorts Adopt(UringPoller poller, UdpListener listener, EventFd? bell = null, EventFd? silent = null)
    {
        ShardCounters counters = new();
        MmsgPort[] sockets = [new(listener.Socket(0), isIPv6: false, segmentation: true, counters)];
        ShardPorts ports = poller.Adopt(new(new DummyPort(), new(false, false, false, default), sockets, [false], null!), sockets, counters);
        poller.Watch(ports.Device, DeviceTag);
        poller.Watch(ports.Sockets[0], 0);
        poller.Watch(bell?.Descriptor ?? -1, BellTag);
        poller.Watch(silent?.Descriptor ?? -1, SilentTag);
        poller.Start();
        return ports;
    }

    private static void Dispose(ShardPorts ports)
    {
        ports.Poller!.Stop();
        ports.Poller.Dispose();
        ports.Device.Dispose();
        Array.ForEach(ports.Sockets, static socket => socket.Dispose());
    }

    private static int[] Ready(UringPoller poller, int count) => [.. Enumerable.Range(0, count).Select(poller.Ready)];

    private static void Send(MmsgPort sender, Endpoint to, byte[] bytes, int size)
    {
        using PacketBatch batch = new(1, bytes.Length + 256);
        int offset = batch.Tail;
        bytes.CopyTo(batch.Bytes(offset, bytes.Length));
        ref Packet packet = ref batch.Add(offset, bytes.Length);
        (packet.SegmentSize, packet.Endpoint) = (size, to);
        sender.Send(batch);
        Assert.Equal(0, packet.Error);
    }

    private static List<(Endpoint From, byte[] Bytes)> ReceiveAll(UringPoller poller, ShardPorts ports, int count)
    {
        List<(Endpoint, byte[])> datagrams = [];
        PacketBatch batch = ports.FromNetwork!;
        while (datagrams.Count < count && poller.Wait(10_000) > 0)
        {
            batch.Clear();
            ports.Sockets[0].Receive(batch);
            for (int i = 0; i < batch.Count; i++)
            {
                byte[] bytes = batch.Bytes(i).ToArray();
                datagrams.AddRange(bytes.Chunk(batch[i].SegmentSize == 0 ? bytes.Length : batch[i].SegmentSize).Select(part => (batch[i].Endpoint, part)));
            }
        }

        return datagrams;
    }

    /// <summary>UDP frames to the peer; others, such as router solicitations, are left out.</summary>
    private static List<byte[]> ReceiveFrames(UringPoller poller, ShardPorts ports, int count)
    {
        List<byte[]> frames = [];
        while (frames.Count < count && poller.Wait(10_000) > 0)
        {
            ports.FromDevice!.Clear();
            ports.Device.Receive(ports.FromDevice);
            for (int i = 0; i < ports.FromDevice.Count; i++)
            {
                byte[] frame = ports.FromDevice.Bytes(i).ToArray();
                if (frame.AsSpan(12, 2).SequenceEqual<byte>([8, 0]) && frame.AsSpan(30, 4).SequenceEqual<byte>([10, 7, 0, 2]))
                    frames.Add(frame);
            }
        }

        return frames;
    }

    /// <summary>The same datagram back, without a UDP checksum.</summary>
    private static byte[] Answer(byte[] frame, byte[] hardwareAddress)
    {
        byte[] answer = [.. hardwareAddress.Length == 6 ? hardwareAddress : new byte[6], 2, 0, 0, 0, 0, 2, .. frame[12..]];
        frame.AsSpan(26, 4).CopyTo(answer.AsSpan(30));
        frame.AsSpan(30, 4).CopyTo(answer.AsSpan(26));
        frame.AsSpan(34, 2).CopyTo(answer.AsSpan(36));
        frame.AsSpan(36, 2).CopyTo(answer.AsSpan(34));
        answer.AsSpan(40, 2).Clear();
        return answer;
    }
}
