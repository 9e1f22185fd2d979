using System.Net;
using System.Net.Sockets;
using FastMesh.Native.Interop;
using FastMesh.Native.Linux;
using FastMesh.Native.Memory;
using FastMesh.Native.Uring;

namespace FastMesh.Native.Tests.Uring;

/// <summary>Rings of the real kernel; the expected results are those of the plain system calls.</summary>
public sealed unsafe class RingTests
{
    private const int ETIME = 62;

    [SkippableFact]
    public void Liburing_fills_in_the_structures_that_are_read()
    {
        SkipUnlessUsable();
        Liburing.IoUring ring = default;
        Liburing.IoUringParams parameters = new() { CompletionEntries = 64, Flags = Liburing.IORING_SETUP_CQSIZE };
        Assert.Equal(0, Liburing.io_uring_queue_init_params(8, &ring, &parameters));
        Assert.Equal((7u, 8u), (ring.SubmissionMask, ring.SubmissionEntries));
        Assert.Equal((63u, 64u), (ring.CompletionMask, ring.CompletionEntries));
        Assert.Equal((0u, 0u, 0u, 0u), (*ring.SubmissionHead, *ring.SubmissionTail, *ring.CompletionHead, *ring.CompletionTail));
        Assert.Equal(parameters.Features, ring.Features);
        Assert.NotEqual(0u, ring.Features & Liburing.IORING_FEAT_EXT_ARG);
        Assert.Contains("io_uring", new FileInfo($"/proc/self/fd/{ring.RingDescriptor}").LinkTarget, StringComparison.Ordinal);
        Liburing.io_uring_queue_exit(&ring);
    }

    [SkippableFact]
    public void A_poll_completes_with_its_number_once_and_a_wait_ends_after_its_time()
    {
        using Ring ring = Open(8);
        using EventFd one = new(), two = new();
        Assert.Equal(0, ring.RegisterFiles([one.Descriptor, two.Descriptor]));
        Assert.Equal(0, ring.Enable());
        Assert.True(ring.Submissions.TryPoll(0, 11));
        Assert.True(ring.Submissions.TryPoll(1, ulong.MaxValue - 1));
        Assert.Equal(2, ring.Submissions.Waiting);
        Assert.Equal(2, ring.Submit());
        Assert.Equal(0, ring.Submissions.Waiting);
        Assert.Equal(-ETIME, ring.Wait(1));
        Assert.False(ring.Completions.TryTake(out _));

        two.Signal();
        Assert.Equal(0, ring.Wait(-1));
        Assert.True(ring.Completions.TryTake(out Completion completion));
        Assert.Equal((ulong.MaxValue - 1, 1, false, -1), (completion.UserData, completion.Result & 1, completion.HasMore, completion.Buffer));
        Assert.False(ring.Completions.TryTake(out _));
    }

    [SkippableFact]
    public void Work_that_the_kernel_put_off_shows_without_a_system_call()
    {
        using Ring ring = Open(8);
        Skip.IfNot(ring.Features.HasFlag(RingFeatures.DeferredWork), "needs Linux 6.1");
        using EventFd bell = new();
        Assert.Equal(0, ring.RegisterFiles([bell.Descriptor]));
        Assert.Equal(0, ring.Enable());
        ring.Submissions.TryPoll(0, 1);
        Assert.True(ring.HasWork);
        ring.Submit();
        Assert.False(ring.HasWork);
        bell.Signal();
        Assert.True(ring.HasWork);
        Assert.False(ring.Completions.TryTake(out _));
        ring.Submit();
        Assert.True(ring.Completions.TryTake(out _));
    }

    [SkippableFact]
    public void A_full_queue_takes_requests_again_after_it_was_submitted()
    {
        using Ring ring = Open(4);
        using EventFd bell = new();
        Assert.Equal(0, ring.RegisterFiles([bell.Descriptor]));
        Assert.Equal(0, ring.Enable());
        bell.Signal();
        List<ulong> numbers = [];
        for (ulong i = 0; i < 1000; i++) // the indices of both queues run round many times
        {
            if (ring.Submissions.TryPoll(0, i))
                continue;
            Assert.Equal(4, ring.Submissions.Waiting);
            Assert.Equal(4, ring.Submit());
            Assert.True(ring.Submissions.TryPoll(0, i));
            while (ring.Completions.TryTake(out Completion completion))
                numbers.Add(completion.UserData);
        }

        ring.Submit();
        while (ring.Completions.TryTake(out Completion completion))
            numbers.Add(completion.UserData);
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (ulong)i), numbers);
    }

    [SkippableFact]
    public void Canceled_requests_complete()
    {
        using Ring ring = Open(8);
        using EventFd bell = new();
        Assert.Equal(0, ring.RegisterFiles([bell.Descriptor]));
        Assert.Equal(0, ring.Enable());
        ring.Submissions.TryPoll(0, 1);
        ring.Submit();
        Assert.True(ring.Submissions.TryCancelAll(2));
        Dictionary<ulong, int> results = [];
        while (results.Count < 2)
        {
            ring.Wait(-1);
            while (ring.Completions.TryTake(out Completion completion))
                results[completion.UserData] = completion.Result;
        }

        Assert.Equal(-Errno.ECANCELED, results[1]);
    }

    [SkippableFact]
    public void Packets_are_written_in_order_and_errors_go_with_their_packet()
    {
        using Ring ring = Open(8);
        using Socket receiver = NewSocket(), sender = NewSocket();
        sender.Connect(receiver.LocalEndPoint!);
        Assert.Equal(0, ring.RegisterFiles([(int)sender.Handle]));
        Assert.Equal(0, ring.Enable());
        using Slab data = new(1, 70000);
        for (int i = 0; i < 3; i++)
            Assert.True(ring.Submissions.TryWrite(0, data.Address(0), i == 1 ? 70000 : 100 + i, (ulong)i));
        Assert.Equal(3, ring.Submit());
        int[] results = new int[3];
        for (int i = 0; i < 3; i++)
        {
            Assert.True(ring.Completions.TryTake(out Completion completion));
            results[completion.UserData] = completion.Result;
        }

        Assert.Equal([100, -Errno.EMSGSIZE, 102], results);
        byte[] buffer = new byte[200];
        Assert.Equal([100, 102], new[] { receiver.Receive(buffer), receiver.Receive(buffer) });
    }

    [SkippableFact]
    public void Datagrams_take_a_buffer_each_until_there_is_none_and_go_on_when_there_is()
    {
        using Ring ring = Open(8);
        using Socket receiver = NewSocket(), sender = NewSocket();
        Assert.Equal(0, ring.RegisterFiles([(int)receiver.Handle]));
        Assert.Equal(0, BufferRing.Create(ring, group: 5, entries: 4, out BufferRing? buffers));
        Assert.Equal(0, ring.Enable());
        using ReceiveTemplate template = new();
        using Slab slab = new(4, ReceivedMessage.PayloadOffset + 256);
        for (int i = 0; i < 4; i++)
            buffers!.Add(slab.Address(i), ReceivedMessage.PayloadOffset + 256, i);
        ring.Submissions.TryReceiveMultishot(0, 5, template, 77);
        ring.Submit();
        for (int i = 0; i < 6; i++)
            sender.SendTo([(byte)i, .. new byte[i == 2 ? 300 : 10 * i]], receiver.LocalEndPoint!);

        List<int> lengths = [];
        Completion completion = WaitFor(ring);
        for (; completion.Buffer >= 0; completion = WaitFor(ring))
        {
            Assert.True(ReceivedMessage.TryRead(slab.Span(completion.Buffer)[..completion.Result], out ReceivedMessage message));
            Assert.Equal(lengths.Count, slab.Span(completion.Buffer)[ReceivedMessage.PayloadOffset]);
            Assert.Equal(lengths.Count == 2, message.IsTruncated);
            Assert.Equal(Sockaddr.Of("127.0.0.1", ((IPEndPoint)sender.LocalEndPoint!).Port), message.Name.ToArray());
            lengths.Add(message.PayloadLength);
            Assert.True(completion.HasMore);
        }

        Assert.Equal([1, 11, 256, 31], lengths);
        Assert.Equal((77ul, -Errno.ENOBUFS, false), (completion.UserData, completion.Result, completion.HasMore));

        buffers!.Add(slab.Address(3), ReceivedMessage.PayloadOffset + 256, 3);
        buffers.Add(slab.Address(1), ReceivedMessage.PayloadOffset + 256, 1);
        ring.Submissions.TryReceiveMultishot(0, 5, template, 78);
        Assert.Equal((3, 78ul), (WaitFor(ring) is var fifth ? fifth.Buffer : 0, fifth.UserData));
        Assert.Equal((4, 5), (slab.Span(3)[ReceivedMessage.PayloadOffset], WaitFor(ring).Buffer == 1 ? slab.Span(1)[ReceivedMessage.PayloadOffset] : 0));
        ring.Dispose();
        buffers.Dispose();
    }

    [Fact]
    public void A_message_shorter_than_its_areas_is_refused_and_lying_lengths_are_cut()
    {
        Assert.False(ReceivedMessage.TryRead(new byte[ReceivedMessage.PayloadOffset - 1], out _));
        byte[] bytes = new byte[ReceivedMessage.PayloadOffset + 5];
        bytes.AsSpan(0, 16).Fill(0xff);
        Assert.True(ReceivedMessage.TryRead(bytes, out ReceivedMessage message));
        Assert.Equal((ReceivedMessage.NameSize, ReceivedMessage.ControlSize), (message.Name.Length, message.Control.Length));
        Assert.Equal((5, true), (message.PayloadLength, message.IsTruncated));
    }

    private static Completion WaitFor(Ring ring)
    {
        Completion completion;
        while (!ring.Completions.TryTake(out completion))
            ring.Wait(-1);
        return completion;
    }

    private static Socket NewSocket()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static void SkipUnlessUsable() => Open(8).Dispose();

    private static Ring Open(int submissions)
    {
        Skip.IfNot(Ring.IsLibraryPresent, "needs liburing2");
        int result = Ring.Create(submissions, 64, out Ring? ring);
        Skip.If(result is -Errno.EPERM or -Errno.ENOSYS, "needs io_uring, which is off here");
        Assert.Equal(0, result);
        return ring!;
    }
}
