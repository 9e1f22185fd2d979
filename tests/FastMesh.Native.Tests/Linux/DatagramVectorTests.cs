using FastMesh.Native.Linux;
using FastMesh.Native.Memory;

namespace FastMesh.Native.Tests.Linux;

/// <summary>Over loopback, which delivers a UDP send before the call returns: so nothing here waits.</summary>
public sealed unsafe class DatagramVectorTests : IDisposable
{
    private readonly Slab _slab = new(8, 65536);
    private readonly DatagramVector _send = new(8), _receive = new(8);

    public DatagramVectorTests()
    {
        for (int i = 0; i < 8; i++)
            _receive.SetBuffer(i, _slab.Address(i), _slab.SlotSize);
    }

    public void Dispose()
    {
        _send.Dispose();
        _receive.Dispose();
        _slab.Dispose();
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void A_batch_arrives_with_lengths_bytes_and_the_senders_address(string ip)
    {
        using SafeFd from = Open(ip), to = Open(ip);
        byte[] destination = Sockaddr.LocalOf(to);
        using Slab data = new(5, 2048);
        for (int i = 0; i < 5; i++)
        {
            data.Span(i).Fill((byte)(i + 1));
            _send.SetMessage(i, data.Address(i), 100 * i, destination);
        }
        Assert.Equal(5, _send.Send(from.Descriptor, 0, 5));
        Assert.Equal(5, _receive.Receive(to.Descriptor, 8));
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal((100 * i, 0, false), (_receive.Length(i), _receive.SegmentSize(i), _receive.IsTruncated(i)));
            Assert.True(_slab.Span(i)[..(100 * i)].IndexOfAnyExcept((byte)(i + 1)) < 0);
            Assert.Equal(Sockaddr.LocalOf(from), _receive.Name(i).ToArray());
        }
        Assert.Equal(-Errno.EAGAIN, _receive.Receive(to.Descriptor, 8));
    }

    [Fact]
    public void Part_of_a_vector_is_sent_from_where_the_caller_says()
    {
        using SafeFd from = Open("127.0.0.1"), to = Open("127.0.0.1");
        using Slab data = new(1, 64);
        byte[] destination = Sockaddr.LocalOf(to);
        for (int i = 0; i < 6; i++)
            _send.SetMessage(i, data.Address(0), i, destination);
        Assert.Equal(2, _send.Send(from.Descriptor, 3, 2));
        Assert.Equal(2, _receive.Receive(to.Descriptor, 8));
        Assert.Equal((3, 4), (_receive.Length(0), _receive.Length(1)));
    }

    [Fact]
    public void No_more_messages_are_received_than_asked_for()
    {
        using SafeFd from = Open("127.0.0.1"), to = Open("127.0.0.1");
        using Slab data = new(1, 64);
        for (int i = 0; i < 5; i++)
            _send.SetMessage(i, data.Address(0), 1 + i, Sockaddr.LocalOf(to));
        Assert.Equal(5, _send.Send(from.Descriptor, 0, 5));
        Assert.Equal(2, _receive.Receive(to.Descriptor, 2));
        Assert.Equal(3, _receive.Receive(to.Descriptor, 8));
        Assert.Equal(3, _receive.Length(0));
    }

    [Fact]
    public void A_datagram_longer_than_its_buffer_is_marked_truncated_and_the_mark_does_not_stick()
    {
        using SafeFd from = Open("127.0.0.1"), to = Open("127.0.0.1");
        byte[] destination = Sockaddr.LocalOf(to);
        _receive.SetBuffer(0, _slab.Address(0), 10);
        Assert.Equal(20, UdpSocket.SendTo(from.Descriptor, new byte[20], destination));
        Assert.Equal(5, UdpSocket.SendTo(from.Descriptor, new byte[5], destination));
        Assert.Equal(1, _receive.Receive(to.Descriptor, 1));
        Assert.Equal((10, true), (_receive.Length(0), _receive.IsTruncated(0)));
        Assert.Equal(1, _receive.Receive(to.Descriptor, 1));
        Assert.Equal((5, false), (_receive.Length(0), _receive.IsTruncated(0)));
    }

    [SkippableTheory]
    [InlineData("127.0.0.1", 1400, 30, 700)]
    [InlineData("::1", 1280, 46, 1280)]
    public void A_train_crosses_as_one_message_in_and_one_out(string ip, int segment, int count, int last)
    {
        Skip.IfNot(UdpSocket.HasSegmentation && UdpSocket.HasReceiveOffload, "this kernel has no UDP_SEGMENT or UDP_GRO");
        using SafeFd from = Open(ip), to = Open(ip, offload: true);
        using Slab data = new(1, 65536);
        int length = (segment * (count - 1)) + last;
        new Random(1).NextBytes(data.Span(0));
        _send.SetMessage(0, data.Address(0), length, Sockaddr.LocalOf(to), segment);
        Assert.Equal(1, _send.Send(from.Descriptor, 0, 1));
        Assert.Equal(1, _receive.Receive(to.Descriptor, 8));
        Assert.Equal((length, segment), (_receive.Length(0), _receive.SegmentSize(0)));
        Assert.True(data.Span(0)[..length].SequenceEqual(_slab.Span(0)[..length]));

        _send.SetMessage(0, data.Address(0), 100, Sockaddr.LocalOf(to)); // the same message without a segment size
        Assert.Equal(1, _send.Send(from.Descriptor, 0, 1));
        Assert.Equal(1, _receive.Receive(to.Descriptor, 8));
        Assert.Equal((100, 0), (_receive.Length(0), _receive.SegmentSize(0)));
    }

    [SkippableFact]
    public void A_receiver_without_offload_gets_a_train_as_single_datagrams()
    {
        Skip.IfNot(UdpSocket.HasSegmentation, "this kernel has no UDP_SEGMENT");
        using SafeFd from = Open("127.0.0.1"), to = Open("127.0.0.1");
        using Slab data = new(1, 8192);
        _send.SetMessage(0, data.Address(0), 4100, Sockaddr.LocalOf(to), 1000);
        Assert.Equal(1, _send.Send(from.Descriptor, 0, 1));
        Assert.Equal(5, _receive.Receive(to.Descriptor, 8));
        Assert.Equal((1000, 1000, 100), (_receive.Length(0), _receive.Length(3), _receive.Length(4)));
        Assert.Equal(0, _receive.SegmentSize(0));
    }

    [Fact]
    public void A_datagram_that_is_too_long_gives_EMSGSIZE_and_what_precedes_it_goes_out()
    {
        using SafeFd from = Open("127.0.0.1"), to = Open("127.0.0.1");
        byte[] destination = Sockaddr.LocalOf(to);
        _send.SetMessage(0, _slab.Address(0), 100, destination);
        _send.SetMessage(1, _slab.Address(0), 65508, destination); // 65507 is the most IPv4 carries
        Assert.Equal(1, _send.Send(from.Descriptor, 0, 2));
        Assert.Equal(-Errno.EMSGSIZE, _send.Send(from.Descriptor, 1, 1));
    }

    [Fact]
    public void Numbers_outside_the_vector_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => _receive.Length(8));
        Assert.Throws<ArgumentOutOfRangeException>(() => _receive.Length(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _receive.Receive(0, 9));
        Assert.Throws<ArgumentOutOfRangeException>(() => _send.Send(0, 5, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => _send.Send(0, -1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => _send.Send(0, int.MaxValue, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DatagramVector(1025));
    }

    [Fact]
    public void Sending_and_receiving_allocate_nothing()
    {
        using SafeFd from = Open("127.0.0.1"), to = Open("127.0.0.1", offload: UdpSocket.HasReceiveOffload);
        byte[] destination = Sockaddr.LocalOf(to);
        int segment = UdpSocket.HasSegmentation ? 1000 : 0;
        using Slab data = new(1, 8192);
        int fromFd = from.Descriptor, toFd = to.Descriptor;
        AllocationAssert.None(() =>
        {
            for (int i = 0; i < 4; i++)
                _send.SetMessage(i, data.Address(0), 4000, destination, segment);
            _send.Send(fromFd, 0, 4);
            int received = _receive.Receive(toFd, 8);
            for (int i = 0; i < received; i++)
                if (_receive.Length(i) == 0 || _receive.Name(i).Length != 16 || _receive.SegmentSize(i) > 1000)
                    throw new InvalidOperationException();
        });
    }

    private static SafeFd Open(string ip, bool offload = false) =>
        UdpSocket.Open(Sockaddr.Of(ip, 0), new() { ReceiveOffload = offload });
}
