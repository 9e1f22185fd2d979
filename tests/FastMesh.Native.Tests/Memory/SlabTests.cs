using FastMesh.Native.Memory;

namespace FastMesh.Native.Tests.Memory;

public sealed unsafe class SlabTests
{
    [Fact]
    public void Slots_are_zero_aligned_equal_and_disjoint()
    {
        using Slab slab = new(slots: 5, slotSize: 100);
        Assert.Equal((5, 128), (slab.Slots, slab.SlotSize));
        Assert.Equal(0u, (nuint)slab.Address(0) % 4096);
        for (int slot = 0; slot < slab.Slots; slot++)
        {
            Span<byte> bytes = slab.Span(slot);
            Assert.Equal(128, bytes.Length);
            Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)0));
            Assert.Equal((nint)slab.Address(0) + (slot * 128), (nint)slab.Address(slot));
            bytes.Fill((byte)(slot + 1));
        }
        for (int slot = 0; slot < slab.Slots; slot++)
            Assert.Equal(-1, slab.Span(slot).IndexOfAnyExcept((byte)(slot + 1)));
    }

    [Fact]
    public void A_span_and_an_address_are_the_same_memory()
    {
        using Slab slab = new(2, 64);
        slab.Span(1)[63] = 9;
        Assert.Equal(9, slab.Address(1)[63]);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(int.MinValue)]
    public void A_slot_that_does_not_exist_is_refused(int slot)
    {
        using Slab slab = new(3, 64);
        Assert.Throws<ArgumentOutOfRangeException>(() => slab.Span(slot).Length);
    }

    [Fact]
    public void A_disposed_slab_gives_no_memory_and_may_be_disposed_again()
    {
        Slab slab = new(3, 64);
        slab.Dispose();
        slab.Dispose();
        Assert.Throws<ObjectDisposedException>(() => slab.Span(0).Length);
    }

    [Theory]
    [InlineData(0, 64)]
    [InlineData(1, 0)]
    [InlineData(-1, 64)]
    public void Sizes_must_be_positive(int slots, int size) => Assert.Throws<ArgumentOutOfRangeException>(() => new Slab(slots, size));

    [Fact]
    public void A_slot_size_near_the_limit_is_refused_and_not_wrapped() => Assert.Throws<OverflowException>(() => new Slab(1, int.MaxValue));
}
