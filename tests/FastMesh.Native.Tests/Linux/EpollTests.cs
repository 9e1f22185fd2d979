using FastMesh.Native.Linux;

namespace FastMesh.Native.Tests.Linux;

public sealed class EpollTests
{
    [Fact]
    public void A_signal_wakes_the_loop_with_its_tag_until_it_is_drained()
    {
        using Epoll epoll = new(4);
        using EventFd one = new(), two = new();
        Assert.Equal(0, epoll.Add(one.Descriptor, EpollEvents.In, 0x1122334455667788));
        Assert.Equal(0, epoll.Add(two.Descriptor, EpollEvents.In, ulong.MaxValue));
        Assert.Equal(0, epoll.Wait(0));
        one.Signal();
        one.Signal();
        for (int round = 0; round < 2; round++) // level triggered
        {
            Assert.Equal(1, epoll.Wait(-1));
            Assert.Equal((0x1122334455667788UL, EpollEvents.In), (epoll.Tag(0), epoll.Events(0)));
        }
        two.Signal();
        Assert.Equal(2, epoll.Wait(-1));
        ulong[] tags = [.. new[] { epoll.Tag(0), epoll.Tag(1) }.Order()];
        Assert.Equal([0x1122334455667788, ulong.MaxValue], tags);
        one.Drain();
        two.Drain();
        Assert.Equal(0, epoll.Wait(0));
    }

    [Fact]
    public void Interest_can_change_and_end()
    {
        using Epoll epoll = new(1);
        using EventFd fd = new();
        Assert.Equal(0, epoll.Add(fd.Descriptor, EpollEvents.None, 1));
        fd.Signal();
        Assert.Equal(0, epoll.Wait(0));
        Assert.Equal(0, epoll.Modify(fd.Descriptor, EpollEvents.In | EpollEvents.Out, 2));
        Assert.Equal(1, epoll.Wait(0));
        Assert.Equal((2UL, EpollEvents.In | EpollEvents.Out), (epoll.Tag(0), epoll.Events(0)));
        Assert.Equal(0, epoll.Remove(fd.Descriptor));
        Assert.Equal(0, epoll.Wait(0));
        Assert.Equal(-Errno.ENOENT, epoll.Modify(fd.Descriptor, EpollEvents.In, 3));
    }

    [Fact]
    public void Another_thread_can_wake_a_waiting_loop()
    {
        using Epoll epoll = new(1);
        using EventFd fd = new();
        epoll.Add(fd.Descriptor, EpollEvents.In, 5);
        Thread waker = new(fd.Signal);
        waker.Start();
        Assert.Equal(1, epoll.Wait(10_000));
        waker.Join();
    }

    [Fact]
    public void Draining_what_was_not_signalled_does_not_block()
    {
        using EventFd fd = new();
        fd.Drain();
        fd.Signal();
        fd.Drain();
        fd.Drain();
    }

    [Fact]
    public void Waiting_allocates_nothing()
    {
        using Epoll epoll = new(8);
        using EventFd fd = new();
        epoll.Add(fd.Descriptor, EpollEvents.In, 5);
        AllocationAssert.None(() =>
        {
            fd.Signal();
            epoll.Wait(0);
            fd.Drain();
        });
    }

    [Theory]
    [InlineData(Errno.EPERM, "EPERM", "Operation not permitted")]
    [InlineData(-Errno.EADDRINUSE, "EADDRINUSE", "Address already in use")]
    [InlineData(12345, "errno 12345", "Unknown error 12345")]
    public void An_error_number_of_either_sign_has_a_name_and_a_text(int error, string name, string text)
    {
        Assert.Equal((name, text), (Errno.Name(error), Errno.Message(error)));
        LinuxException exception = new("Could not do it", error);
        Assert.Equal($"Could not do it: {text} ({name})", exception.Message);
        Assert.Equal(Math.Abs(error), exception.Errno);
    }

    [Theory]
    [InlineData(-Errno.EAGAIN, true)]
    [InlineData(-Errno.ENOBUFS, true)]
    [InlineData(Errno.EINTR, true)]
    [InlineData(-Errno.EBADF, false)]
    [InlineData(0, false)]
    public void Only_errors_that_pass_by_themselves_are_transient(int error, bool expected) => Assert.Equal(expected, Errno.IsTransient(error));
}
