using FastMesh.Native.Memory;

namespace FastMesh.Native.Tests.Memory;

public sealed class SlotStackTests
{
    [Fact]
    public void Every_slot_is_handed_out_once_and_then_none()
    {
        SlotStack stack = new(3);
        Assert.Equal([0, 1, 2, -1, -1], new[] { stack.Rent(), stack.Rent(), stack.Rent(), stack.Rent(), stack.Rent() });
        Assert.Equal((3, 3), (stack.Capacity, stack.Outstanding));
    }

    [Fact]
    public void The_slot_returned_last_comes_back_first()
    {
        SlotStack stack = new(3);
        int first = stack.Rent(), second = stack.Rent();
        stack.Return(first);
        stack.Return(second);
        Assert.Equal(0, stack.Outstanding);
        Assert.Equal(second, stack.Rent());
        Assert.Equal(first, stack.Rent());
        Assert.Equal(2, stack.Outstanding);
    }

    [Fact]
    public void Returning_more_than_was_rented_is_refused() => Assert.Throws<InvalidOperationException>(() => new SlotStack(3).Return(0));

#if DEBUG
    [Fact]
    public void Returning_a_slot_twice_is_noticed_in_debug()
    {
        SlotStack stack = new(3);
        int slot = stack.Rent();
        stack.Rent();
        stack.Return(slot);
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => stack.Return(slot));
        Assert.Contains($"Slot {slot}", error.Message, StringComparison.Ordinal);
    }
#endif

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void It_behaves_like_a_set_of_free_slots(int seed)
    {
        Random random = new(seed);
        SlotStack stack = new(16);
        HashSet<int> outside = [];
        for (int i = 0; i < 10_000; i++)
        {
            if (random.Next(2) == 0)
            {
                int slot = stack.Rent();
                Assert.True(slot < 0 ? outside.Count == 16 : outside.Add(slot), $"seed {seed}, step {i}");
            }
            else if (outside.Count > 0)
            {
                int slot = outside.ElementAt(random.Next(outside.Count));
                outside.Remove(slot);
                stack.Return(slot);
            }
            Assert.True(outside.Count == stack.Outstanding, $"seed {seed}, step {i}");
        }
    }
}
