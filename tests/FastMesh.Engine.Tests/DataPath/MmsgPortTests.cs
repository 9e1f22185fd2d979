using System.Net.Sockets;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Real UDP sockets over loopback.</summary>
public sealed class MmsgPortTests : IDisposable
{
    private readonly UdpListener _from = Open(), _to = Open();
    private readonly ShardCounters _counters = new();
    private readonly PacketBatch _batch = new(64, 1 << 20);

    public void Dispose()
    {
        _from.Dispose();
        _to.Dispose();
        _batch.Dispose();
    }

    [Theory]
    [InlineData(true, 10, 1000, 400)]
    [InlineData(true, 45, 1400, 1400)]
    [InlineData(true, 64, 900, 1)]
    [InlineData(false, 10, 1000, 400)]
    public void A_train_arrives_as_its_datagrams_from_its_sender(bool segmentation, int count, int size, int last)
    {
        using MmsgPort sender = Port(_from, segmentation), receiver = Port(_to, true);
        byte[] bytes = TestFrames.Pattern(((count - 1) * size) + last);
        Send(sender, bytes, size);
        Assert.Equal(0, _batch[0].Error);

        List<(Endpoint From, byte[] Bytes)> received = Receive(receiver, count);
        Assert.All(received, datagram => Assert.Equal(_from.Local, datagram.From));
        Assert.Equal([.. Enumerable.Repeat(size, count - 1), last], received.Select(datagram => datagram.Bytes.Length));
        Assert.Equal(bytes, received.SelectMany(datagram => datagram.Bytes).ToArray());
    }

    [Fact]
    public void A_train_that_the_kernel_refuses_goes_out_singly_with_all_that_follows()
    {
        LeaveOutChecksums(_from); // without outer checksums the kernel does not segment (linux-dataplane reference, 2.3): EINVAL
        using MmsgPort sender = Port(_from, true), receiver = Port(_to, true);
        byte[] bytes = TestFrames.Pattern(2500);
        for (int i = 0; i < 3; i++)
            Queue(bytes, 1000);
        sender.Send(_batch);
        Assert.Equal([0, 0, 0], Enumerable.Range(0, 3).Select(i => _batch[i].Error));
        Assert.Equal([Errno.EINVAL, 0, 0], Enumerable.Range(0, 3).Select(i => _batch[i].Refused));
        Assert.Equal([1000, 1000, 500, 1000, 1000, 500, 1000, 1000, 500], Receive(receiver, 9).Select(datagram => datagram.Bytes.Length));

        _batch.Clear();
        Send(sender, bytes, 1000); // in the next batch trains are tried again: who fills it knows better
        Assert.Equal((0, Errno.EINVAL), (_batch[0].Error, _batch[0].Refused));
        Assert.Equal(3, Receive(receiver, 3).Count);
    }

    [Fact]
    public void One_bad_packet_does_not_stop_the_others()
    {
        using MmsgPort sender = Port(_from, true), receiver = Port(_to, true);
        Queue(TestFrames.Pattern(100), 100);
        Queue(TestFrames.Pattern(200), 200).Endpoint = Endpoint.FromIPv4(0x7f000001, 0); // port 0: EINVAL
        Queue(TestFrames.Pattern(300), 300);
        sender.Send(_batch);
        Assert.Equal([0, Errno.EINVAL, 0], Enumerable.Range(0, 3).Select(i => _batch[i].Error));
        Assert.Equal([100, 300], Receive(receiver, 2).Select(datagram => datagram.Bytes.Length));
    }

    [Fact]
    public void The_traffic_class_is_set_when_it_changes()
    {
        using MmsgPort sender = Port(_from, true);
        using Socket observer = new(new SafeSocketHandle(_from.Socket(0), ownsHandle: false));
        foreach (byte value in new byte[] { 0xb8, 0, 0x28 })
        {
            _batch.Clear();
            Queue(TestFrames.Pattern(100), 100).TrafficClass = value;
            sender.Send(_batch);
            Assert.Equal(value, (int)observer.GetSocketOption(SocketOptionLevel.IP, SocketOptionName.TypeOfService)!);
        }
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 5)]
    [InlineData(true, 1)]
    [InlineData(true, 5)]
    public void Datagrams_are_received_with_their_traffic_class(bool ipv6, int datagrams)
    {
        Endpoint any = ipv6 ? Endpoint.FromIPv6(1, 0) : Endpoint.FromIPv4(0x7f000001, 0);
        using UdpListener from = UdpListener.Open(any, new UdpSettings(), 1), to = UdpListener.Open(any, new UdpSettings(), 1);
        using MmsgPort sender = new(from.Socket(0), ipv6, UdpSocket.HasSegmentation, _counters), receiver = new(to.Socket(0), ipv6, true, _counters);
        foreach (byte value in new byte[] { 0xb9, 3, 0 })
        {
            _batch.Clear();
            ref Packet packet = ref Queue(TestFrames.Pattern(datagrams * 100), 100);
            (packet.TrafficClass, packet.Endpoint) = (value, to.Local);
            sender.Send(_batch);
            _batch.Clear();
            Assert.True(receiver.Receive(_batch) > 0);
            Assert.Equal(value, _batch[0].TrafficClass);
        }
    }

    [Fact]
    public void An_empty_socket_gives_nothing_and_no_error()
    {
        using MmsgPort receiver = Port(_to, true);
        Assert.Equal(0, receiver.Receive(_batch));
        Assert.Equal(0, _batch.Count);
    }

    private static UdpListener Open() => UdpListener.Open(Endpoint.FromIPv4(0x7f000001, 0), new UdpSettings(), 1);

    private static void LeaveOutChecksums(UdpListener listener)
    {
        using Socket socket = new(new SafeSocketHandle(listener.Socket(0), ownsHandle: false));
        socket.SetRawSocketOption(1, 11, BitConverter.GetBytes(1)); // SOL_SOCKET, SO_NO_CHECK
    }

    private MmsgPort Port(UdpListener listener, bool segmentation) =>
        new(listener.Socket(0), isIPv6: false, segmentation && UdpSocket.HasSegmentation, _counters);

    private ref Packet Queue(byte[] bytes, int size)
    {
        int offset = _batch.Tail;
        bytes.CopyTo(_batch.Bytes(offset, bytes.Length));
        ref Packet packet = ref _batch.Add(offset, bytes.Length);
        (packet.SegmentSize, packet.Endpoint) = (size, _to.Local);
        return ref packet;
    }

    private void Send(MmsgPort port, byte[] bytes, int size)
    {
        Queue(bytes, size);
        port.Send(_batch);
    }

    private static List<(Endpoint From, byte[] Bytes)> Receive(MmsgPort port, int count)
    {
        using PacketBatch batch = new(8, 9 * 65536);
        List<(Endpoint, byte[])> datagrams = [];
        while (datagrams.Count < count && port.Receive(batch) > 0)
        {
            for (int i = 0; i < batch.Count; i++)
            {
                byte[] bytes = batch.Bytes(i).ToArray();
                datagrams.AddRange(bytes.Chunk(batch[i].SegmentSize == 0 ? bytes.Length : batch[i].SegmentSize).Select(part => (batch[i].Endpoint, part)));
            }

            batch.Clear();
        }

        return datagrams;
    }
}
