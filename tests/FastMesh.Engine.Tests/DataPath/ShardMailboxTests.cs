using FastMesh.Engine.DataPath;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

public sealed class ShardMailboxTests
{
    private const int Count = 200_000, Senders = 2;

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
    public void Mail_that_comes_just_when_the_box_was_found_empty_may_be_left_for_later()
    {
        using ShardMailbox<int> mailbox = new(1, 8);
        using Epoll epoll = new(1);
        epoll.Add(mailbox.Descriptor, EpollEvents.In, 0);
        Assert.True(mailbox.TryRest());
        mailbox.TryAdd(0, 1, default);
        mailbox.Wake();
        Assert.True(mailbox.TryTake(out _, out _));
        Assert.False(mailbox.TryTake(out _, out _));
        mailbox.TryAdd(0, 2, default);
        mailbox.Wake();
        Assert.False(mailbox.TryRest());
        Assert.Equal(1, epoll.Wait(0));
        Assert.True(mailbox.TryTake(out int header, out _));
        Assert.Equal(2, header);
        Assert.False(mailbox.TryTake(out _, out _));
        Assert.True(mailbox.TryRest());
        Assert.Equal(0, epoll.Wait(0));
    }

    [Fact]
    public void Nothing_is_lost_or_reordered_between_threads_that_sleep_and_wake()
    {
        using ShardMailbox<int> mailbox = new(Senders, 64);
        using Epoll epoll = new(1);
        epoll.Add(mailbox.Descriptor, EpollEvents.In, 0);
        Thread[] senders = StartSenders(mailbox);
        int[] next = new int[Senders];
        while (next.Sum() < Senders * Count)
        {
            while (mailbox.TryTake(out int header, out Span<byte> bytes))
                Check(next, header, bytes);
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

    [Fact]
    public void Nothing_is_lost_by_a_receiver_that_takes_a_few_at_a_time()
    {
        const int AtATime = 8;
        using ShardMailbox<int> mailbox = new(Senders, 64);
        using Epoll epoll = new(1);
        epoll.Add(mailbox.Descriptor, EpollEvents.In, 0);
        Thread[] senders = StartSenders(mailbox);
        int[] next = new int[Senders];
        while (next.Sum() < Senders * Count)
        {
            Assert.True(epoll.Wait(20_000) == 1, "a wake-up was lost");
            bool rests = false;
            for (int i = 0; i < AtATime && !rests; i++)
            {
                if (mailbox.TryTake(out int header, out Span<byte> bytes))
                    Check(next, header, bytes);
                else
                    rests = mailbox.TryRest();
            }
        }

        Array.ForEach(senders, sender => sender.Join());
    }

    /// <summary>Starts threads that each send their numbers in order and wake the receiver after every one.</summary>
    private static Thread[] StartSenders(ShardMailbox<int> mailbox)
    {
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
        })
        { IsBackground = true })];
        Array.ForEach(senders, sender => sender.Start());
        return senders;
    }

    private static void Check(int[] next, int header, ReadOnlySpan<byte> bytes)
    {
        Assert.Equal(next[header >> 24]++, header & 0xffffff);
        Assert.Equal(header & 0xffffff, BitConverter.ToInt32(bytes));
    }
}
