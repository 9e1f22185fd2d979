using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

public class RehearsalTests
{
    [Theory]
    [InlineData(DataSuite.Aes256Gcm)]
    [InlineData(DataSuite.ChaCha20Poly1305)]
    public void Packets_cross_both_shards_and_it_ends_by_itself(DataSuite suite)
    {
        using Rehearsal rehearsal = new(suite, static () => new Instant(1000));
        rehearsal.Wait();
        Assert.InRange(rehearsal.Arrived, 100, int.MaxValue);
    }

    [Fact]
    public void It_may_be_ended_at_any_time()
    {
        Rehearsal rehearsal = new(DataSuite.Aes256Gcm, static () => new Instant(1000));
        rehearsal.Dispose();
    }
}
