using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

public sealed class ReplayWindowTests
{
    // The default window: 16 bytes, 128 numbers, four far-future packets dropped (tinc 1.0 reference, 5.4).
    [Fact]
    public void Numbered_table_for_the_default_window()
    {
        (int Step, uint Sequence, bool Accepted)[] table =
        [
            (1, 0, false),       // never sent
            (2, 1, true),
            (3, 1, false),       // seen
            (4, 2, true),
            (5, 5, true),        // skips 3 and 4
            (6, 4, true),
            (7, 4, false),
            (8, 3, true),
            (9, 3, false),
            (10, 6, true),
            (11, 133, true),     // R + 127 is the last that is not far: skips 7..132
            (12, 7, true),
            (13, 132, true),
            (14, 5, false),      // R - 128
            (15, 6, false),      // R - 127, seen
            (16, 134, true),
            (17, 8, true),
            (18, 262, false),    // R + 128: first far packet
            (19, 263, false),
            (20, 264, false),
            (21, 265, false),
            (22, 266, true),     // the fifth resynchronises
            (23, 200, false),    // and forgets what was skipped
            (24, 267, true),
            (25, 1000, false),   // far again
            (26, 268, true),     // an accepted packet starts the count anew
            (27, 1000, false),
            (28, 1001, false),
            (29, 1002, false),
            (30, 1003, false),
            (31, 1004, true),
            (32, uint.MaxValue, false),
        ];
        var window = new ReplayWindow(16);
        foreach ((int step, uint sequence, bool accepted) in table)
            Assert.True(window.TryAccept(sequence) == accepted, $"step {step}: {sequence}");
        Assert.Equal(1004u, window.Highest);
    }

    [Fact]
    public void The_numbers_may_run_to_their_end()
    {
        var window = new ReplayWindow(16);
        for (int i = 0; i < 5; i++)
            window.TryAccept(uint.MaxValue - 3);
        Assert.Equal(uint.MaxValue - 3, window.Highest);
        Assert.True(window.TryAccept(uint.MaxValue));
        Assert.True(window.TryAccept(uint.MaxValue - 1));
        Assert.False(window.TryAccept(uint.MaxValue));
        Assert.False(window.TryAccept(0));
    }

    [Fact]
    public void A_window_of_zero_accepts_everything_and_keeps_the_highest()
    {
        var window = new ReplayWindow(0);
        Assert.True(window.TryAccept(9) && window.TryAccept(9) && window.TryAccept(0) && window.TryAccept(4000000000));
        Assert.Equal(4000000000, window.Highest);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(100)]
    public void Random_orders_are_judged_as_a_naive_model_does(int bytes)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var window = new ReplayWindow(bytes);
            var model = new NaiveWindow(bytes);
            int width = bytes * 8;
            for (int i = 0; i < 1500; i++)
            {
                long near = model.Highest + random.Next(-width - 3, random.Next(8) == 0 ? 3 * width : 4);
                uint sequence = (uint)Math.Clamp(near, 0, uint.MaxValue);
                Assert.True(model.TryAccept(sequence) == window.TryAccept(sequence), $"seed {seed}, packet {i}: {sequence}");
                Assert.True(model.Highest == window.Highest, $"seed {seed}, packet {i}: highest");
            }
        }
    }

    /// <summary>The text of the reference with sets of numbers and no wrap-around.</summary>
    private sealed class NaiveWindow(int bytes)
    {
        private readonly HashSet<long> _skipped = [];
        private int _far;

        public long Highest { get; private set; }

        public bool TryAccept(long s)
        {
            int width = bytes * 8;
            if (s != Highest + 1)
            {
                if (s >= Highest + width)
                {
                    if (_far < bytes / 4)
                    {
                        _far++;
                        return false;
                    }

                    _skipped.Clear();
                }
                else if (s <= Highest)
                {
                    if (s <= Highest - width || !_skipped.Contains(s))
                        return false;
                }
                else
                {
                    for (long skipped = Highest + 1; skipped < s; skipped++)
                        _skipped.Add(skipped);
                }
            }

            _far = 0;
            _skipped.Remove(s);
            Highest = Math.Max(Highest, s);
            return true;
        }
    }
}
