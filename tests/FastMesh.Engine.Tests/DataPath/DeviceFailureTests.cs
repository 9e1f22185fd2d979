using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Failing reads of the device: tinc 1.0 reference, chapter 8.</summary>
public sealed class DeviceFailureTests
{
    [Fact]
    public void The_eleventh_failed_read_in_a_row_is_reported()
    {
        using TestShard shard = new(new TestNetwork().Build());
        shard.Device.ReceiveError = -Errno.EBADFD;
        for (int i = 0; i < 10; i++)
            shard.Work();
        Assert.Empty(shard.Reports());
        shard.Work();
        Assert.Equal(ShardReportKind.DeviceFailed, Assert.Single(shard.Reports()).Header.Kind);
    }

    [Fact]
    public void A_read_that_works_forgives_failures()
    {
        using TestShard shard = new(new TestNetwork().Build());
        for (int i = 0; i < 30; i++)
        {
            shard.Device.ReceiveError = i % 10 == 9 ? 0 : -Errno.EIO;
            shard.Work();
        }

        Assert.Empty(shard.Reports());
    }

    [Fact]
    public void Reads_are_repeated_after_growing_pauses()
    {
        DeviceHealth health = new();
        Instant now = new(1000);
        Assert.Equal(-1, health.WaitLimit(now));
        Assert.False(health.Failed(now));
        Assert.Equal(50, health.WaitLimit(now));
        Assert.False(health.IsRetryDue(new(1049)));
        Assert.True(health.IsRetryDue(new(1050)));
        Assert.False(health.IsRetryDue(new(1050)));
        Assert.False(health.Failed(now));
        Assert.Equal(100, health.WaitLimit(now));
    }
}
