using System.Diagnostics;
using FastMesh.Native.Linux;

namespace FastMesh.Native.Tests.Linux;

public sealed class PacerTests
{
    [Fact]
    public void Each_receiver_gets_the_time_noted_for_it()
    {
        Pacer pacer = new();
        long start = Stopwatch.GetTimestamp();
        pacer.Note(3, nanoseconds: 2_000_000);
        pacer.Note(200, nanoseconds: 1_000_000);
        pacer.Wait(3);
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(2));

        start = Stopwatch.GetTimestamp();
        pacer.Note(200, nanoseconds: 3_000_000);
        pacer.WaitForLast();
        Assert.True(Stopwatch.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(3));
    }

    [Fact]
    public void Nobody_is_waited_for_who_was_not_noted_or_has_had_his_time()
    {
        Pacer pacer = new();
        Assert.False(pacer.WaitForLast());
        pacer.Wait(5);
        pacer.Note(5, nanoseconds: 1_000_000);
        pacer.Wait(5);
        Assert.False(pacer.WaitForLast());
    }

    [Fact]
    public void Noting_allocates_nothing()
    {
        Pacer pacer = new();
        pacer.Note(5, 0);
        AllocationAssert.None(() => pacer.Note(5, 0));
    }
}
