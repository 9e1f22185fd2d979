using FastMesh.Engine.Crypto;
using FsCheck;
using FsCheck.Fluent;

namespace FastMesh.Engine.Tests.Crypto;

/// <summary>The replay windows of sessions with node ids, against tables and naive models.</summary>
public sealed class DatagramWindowTests
{
    // tinc 1.1 reference, 3.6: 16 bytes are 128 packets, and four far ones are dropped before the fifth is believed.
    [Fact]
    public void Numbered_table_for_the_default_window_of_SPTPS()
    {
        (int Step, uint Sequence, bool Accepted)[] table =
        [
            (1, 1, false),       // below the first expected
            (2, 2, true),
            (3, 2, false),       // seen
            (4, 3, true),
            (5, 6, true),        // skips 4 and 5
            (6, 5, true),
            (7, 5, false),
            (8, 4, true),
            (9, 7, true),        // next is 8
            (10, 136, false),    // next + 128: the first far one
            (11, 135, true),     // next + 127 skips 8..134; next is 136
            (12, 8, true),       // next - 128
            (13, 7, false),      // older, and seen
            (14, 134, true),
            (15, 136, true),
            (16, 9, true),       // next - 128
            (17, 137, true),
            (18, 10, true),
            (19, 138, true),
            (20, 10, false),     // next - 129
            (21, 267, false),    // next is 139: far
            (22, 300, false),
            (23, 1000, false),
            (24, 267, false),
            (25, 400, true),     // the fifth; everything in the window counts as missing
            (26, 273, true),     // next - 128
            (27, 272, false),
            (28, 273, false),
            (29, 399, true),
            (30, 401, true),
            (31, 1000, false),   // far again
            (32, 1000, false),
            (33, 402, true),     // an accepted one starts the count anew
            (34, 1000, false),
            (35, 1000, false),
            (36, 1000, false),
            (37, 1000, false),
            (38, 1000, true),
            (39, uint.MaxValue, false),
        ];
        SptpsWindow window = new(16, next: 2);
        foreach ((int step, uint sequence, bool accepted) in table)
            Assert.True(window.TryAccept(sequence) == accepted, $"step {step}: {sequence}");
    }

    [Fact]
    public void The_last_number_of_SPTPS_is_taken_once()
    {
        SptpsWindow window = new(16, next: uint.MaxValue - 1);
        Assert.True(window.TryAccept(uint.MaxValue));
        Assert.True(window.TryAccept(uint.MaxValue - 1));
        Assert.False(window.TryAccept(uint.MaxValue));
        Assert.False(window.TryAccept(0));
    }

    [Fact]
    public void A_window_of_zero_bytes_checks_nothing()
    {
        SptpsWindow sptps = new(0, next: 2);
        SequenceWindow fastMesh = new(0);
        foreach (uint sequence in (uint[])[7, 7, 0, uint.MaxValue, 7])
            Assert.True(sptps.TryAccept(sequence) && fastMesh.TryAccept(sequence));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(100)]
    public void Any_order_of_arrival_in_SPTPS_is_judged_as_the_reference_says(int bytes) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(80), Prop.ForAll(Arb.From(Steps), steps =>
        {
            SptpsWindow window = new(bytes, next: 2);
            NaiveSptpsWindow model = new(bytes, next: 2);
            foreach ((int kind, int size) in steps)
            {
                uint sequence = (uint)Math.Max(0, Position(kind, size, (long)model.Next, bytes * 8));
                if (window.TryAccept(sequence) != model.TryAccept(sequence))
                    return false;
            }

            return true;
        }));

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(100)]
    [InlineData(1024)]
    public void Any_order_of_arrival_in_FastMesh_is_judged_as_a_set_would(int bytes) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(80), Prop.ForAll(Arb.From(Steps), steps =>
        {
            SequenceWindow window = new(bytes);
            HashSet<long> seen = [];
            long next = 0;
            foreach ((int kind, int size) in steps)
            {
                long sequence = Math.Max(0, Position(kind, size, next, bytes * 8));
                bool expected = sequence >= next - (bytes * 8) && seen.Add(sequence);
                if (window.TryAccept((ulong)sequence) != expected)
                    return false;
                next = Math.Max(next, expected ? sequence + 1 : 0);
            }

            return true;
        }));

    [Fact]
    public void FastMesh_numbers_may_run_to_their_end_and_jump_by_any_distance()
    {
        SequenceWindow window = new(1024);
        const ulong Last = (1UL << 56) - 1;
        Assert.True(window.TryAccept(0));
        Assert.True(window.TryAccept(8191));
        Assert.False(window.TryAccept(0));
        Assert.True(window.TryAccept(8192));
        Assert.True(window.TryAccept(1));
        Assert.False(window.TryAccept(0)); // 8192 back
        Assert.True(window.TryAccept(Last));
        Assert.False(window.TryAccept(Last));
        Assert.True(window.TryAccept(Last - 8191));
        Assert.False(window.TryAccept(Last - 8192));
        Assert.False(window.TryAccept(8192));
    }

    private static Gen<(int Kind, int Size)[]> Steps => Gen.Choose(0, 9).Zip(Gen.Choose(0, 2000)).Select(static t => (t.Item1, t.Item2)).ArrayOf(400);

    /// <summary>Mostly in order, some skipped, some late, a few at the window's edges or far away.</summary>
    private static long Position(int kind, int size, long next, int width) => kind switch
    {
        < 4 => next,
        4 => next + (size % 5),
        5 => next + (size % (2 * width)),
        6 => next - 1 - (size % (2 * width)),
        7 => next - (size % 5),
        8 => next - width + (size % 3) - 1,
        _ => next + width + (size % 3) - 1,
    };

    /// <summary>The reference's words over a set instead of a bitmap.</summary>
    private sealed class NaiveSptpsWindow(int bytes, ulong next)
    {
        private readonly HashSet<ulong> _missing = [];
        private readonly ulong _width = (ulong)bytes * 8;
        private int _far;

        public ulong Next { get; private set; } = next;

        public bool TryAccept(ulong sequence)
        {
            if (sequence >= Next + _width && _far < bytes / 4)
            {
                _far++;
                return false;
            }

            if (sequence >= Next + _width)
            {
                _missing.Clear();
                for (ulong n = sequence + 1 - Math.Min(_width, sequence + 1); n < sequence; n++)
                    _missing.Add(n);
            }
            else if (sequence < Next && (sequence + _width < Next || !_missing.Contains(sequence)))
            {
                return false;
            }

            for (ulong n = Next; n < sequence && sequence < Next + _width; n++)
                _missing.Add(n);
            _missing.Remove(sequence);
            _far = 0;
            Next = Math.Max(Next, sequence + 1);
            return true;
        }
    }
}
