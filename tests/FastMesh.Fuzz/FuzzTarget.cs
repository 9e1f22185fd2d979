namespace FastMesh.Fuzz;

/// <summary>
/// One parser under attack. <see cref="Run"/> gets arbitrary bytes and must return; it throws when a slow, independent check of
/// what the parser accepted fails.
/// </summary>
internal abstract class FuzzTarget
{
    /// <summary>The target's name; also the folder of its corpus.</summary>
    public string Name => GetType().Name;

    /// <summary>Longest input worth trying, bytes.</summary>
    public virtual int MaxLength => 2300;

    /// <summary>Only every that manieth of the inputs is tried, where one takes long.</summary>
    public virtual int Share => 1;

    /// <summary>Valid inputs to mutate, besides the corpus on disk.</summary>
    public abstract IEnumerable<byte[]> Seeds { get; }

    /// <summary>Feeds one input, which lies against a guard page.</summary>
    public abstract void Run(Span<byte> input);
}
