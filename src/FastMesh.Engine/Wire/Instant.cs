namespace FastMesh.Engine.Wire;

/// <summary>
/// A moment on a monotonic clock, in milliseconds since an arbitrary origin. Time enters the engine only as an argument of
/// this type, so that tests run on a virtual clock.
/// </summary>
/// <param name="Milliseconds">Milliseconds since the origin.</param>
public readonly record struct Instant(long Milliseconds) : IComparable<Instant>
{
    /// <summary>
    /// Microseconds beyond <see cref="Milliseconds"/>, 0 to 999, for what is measured from one instant to another. They count for nothing else:
    /// timers go by milliseconds, and instants of the same millisecond are equal.
    /// </summary>
    public int Microseconds { get; init; }

    /// <summary>A moment after every other.</summary>
    public static readonly Instant Never = new(long.MaxValue);

    /// <summary>The whole second this moment lies in; limits "per clock second" of tinc count in these.</summary>
    public long Second => Milliseconds / 1000;

    /// <summary>The moment <paramref name="span"/> later; saturates at <see cref="Never"/>.</summary>
    public static Instant operator +(Instant from, TimeSpan span)
    {
        long sum = unchecked(from.Milliseconds + (long)span.TotalMilliseconds);
        return span >= TimeSpan.Zero && sum < from.Milliseconds ? Never : new(sum);
    }

    /// <summary>The time from <paramref name="earlier"/> to <paramref name="later"/>.</summary>
    public static TimeSpan operator -(Instant later, Instant earlier) =>
        TimeSpan.FromMilliseconds(later.Milliseconds - earlier.Milliseconds);

    /// <summary>The time since <paramref name="earlier"/> to the microsecond.</summary>
    public TimeSpan Since(Instant earlier) => this - earlier + TimeSpan.FromMicroseconds(Microseconds - earlier.Microseconds);

    /// <inheritdoc/>
    public bool Equals(Instant other) => Milliseconds == other.Milliseconds;

    /// <inheritdoc/>
    public override int GetHashCode() => Milliseconds.GetHashCode();

    /// <inheritdoc/>
    public int CompareTo(Instant other) => Milliseconds.CompareTo(other.Milliseconds);

    /// <summary>Whether the left moment is earlier.</summary>
    public static bool operator <(Instant left, Instant right) => left.Milliseconds < right.Milliseconds;

    /// <summary>Whether the left moment is later.</summary>
    public static bool operator >(Instant left, Instant right) => left.Milliseconds > right.Milliseconds;

    /// <summary>Whether the left moment is not later.</summary>
    public static bool operator <=(Instant left, Instant right) => left.Milliseconds <= right.Milliseconds;

    /// <summary>Whether the left moment is not earlier.</summary>
    public static bool operator >=(Instant left, Instant right) => left.Milliseconds >= right.Milliseconds;
}
