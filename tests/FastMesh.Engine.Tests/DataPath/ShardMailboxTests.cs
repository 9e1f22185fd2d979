using FastMesh.Engine.DataPath;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

public sealed class ShardMailboxTests
{
    [Fact]
    public void A_full_ring_refuses_and_goes_on_when_emptied()
    {
        using FrameRing<int> ring = new(4);
        for (int i = 0; i < 4; i++)
            Assert.True(ring.TryAdd(i, [(byte)i]));
        Assert.False(ring.TryAdd(4, [4]));
        Assert.True(ring.TryPeek(out int header, out Span<byte> bytes));
        Assert.Equal((0, 0, 1), (header, bytes[0], bytes.Length));
        ring.Remove();
        Assert.False(ring.TryAdd(4, [4], reserve: 1));
        Assert.True(ring.TryAdd(4, [4]));
        Assert.False(ring.TryAdd(5, [5]));
    }

    [Fact]
    public void Bytes_that_fit_no_slot_are_refused()
    {
        using FrameRing<int> ring = new(4);
        Assert.True(ring.TryAdd(0, new byte[FrameRing<int>.MaxBytes]));
        Assert.False(ring.TryAdd(0, new byte[FrameRing<int>.MaxBytes + 1]));
    }

    [Fact]
    public void Senders_are_heard_in_turn()
    {
        using ShardMailbox<int> mailbox = new(3, 8);
        for (int i = 0; i < 3; i++)
        {
            Assert.True(mailbox.TryAdd(0, i, default));
            Assert.True(mailbox.TryAdd(2, 100 + i, default));
        }

        List<int> taken = [];
        while (mailbox.TryTake(out int header, out _))
            taken.Add(header);
        Assert.Equal([0, 100, 1, 101, 2, 102], taken);
    }

    [Fact]
    public void A_receiver_with_mail_does_not_sleep_and_one_without_is_woken()
    {
        using ShardMailbox<int> mailbox = new(1, 8);
        using Epoll epoll = new(1);
        epoll.Add(mailbox.Descriptor, EpollEvents.In, 0);
        Assert.True(mailbox.TrySleep());
        mailbox.Awake();
        mailbox.TryAdd(0, 1, default);
        mailbox.Wake();
        Assert.Equal(0, epoll.Wait(0)); // nobody sleeps: no system call was made
        Assert.False(mailbox.TrySleep());
        Assert.True(mailbox.TryTake(out _, out _));
        Assert.False(mailbox.TryTake(out _, out _));
        Assert.True(mailbox.TrySleep());
        mailbox.TryAdd(0, 2, default);
        mailbox.Wake();
        Assert.Equal(1, epoll.Wait(0));
        mailbox.Drain();
        Assert.Equal(0, epoll.Wait(0));
    }

    [Fact]
    public void Nothing_is_lost_or_reordered_between_threads_that_sleep_and_wake()
    {
        const int Count = 200_000, Senders = 2;
        using ShardMailbox<int> mailbox = new(Senders, 64);
        using Epoll epoll = new(1);
        epoll.Add(mailbox.Descriptor, EpollEvents.In, 0);
        Thread[] senders = [.. Enumerable.Range(0, Senders).Select(sender => new Thread(() =>
        {
            byte[] bytes = new byte[8];
            for (int i = 0; i < Count; i++)
            {
                BitConverter.TryWriteBytes(bytes, i);
                while (!mailbox.TryAdd(sender, (sender << 24) | i, bytes))
                    Thread.Yield();
                mailbox.Wake();
            }
        }))];
        Array.ForEach(senders, sender => sender.Start());

        int[] next = new int[Senders];
        while (next.Sum() < Senders * Count)
        {
            while (mailbox.TryTake(out int header, out Span<byte> bytes))
            {
                Assert.Equal(next[header >> 24]++, header & 0xffffff);
                Assert.Equal(header & 0xffffff, BitConverter.ToInt32(bytes));
            }

            if (mailbox.TrySleep())
            {
                int woken = next.Sum() == Senders * Count ? 1 : epoll.Wait(20_000);
                Assert.True(woken == 1, "a wake-up was lost");
                mailbox.Drain();
            }

            mailbox.Awake();
        }

        Array.ForEach(senders, sender => sender.Join());
    }
}
