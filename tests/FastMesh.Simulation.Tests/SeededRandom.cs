using FastMesh.Engine.Crypto;

namespace FastMesh.Simulation.Tests;

/// <summary>Random bytes that are the same in every run with the same seed.</summary>
internal sealed class SeededRandom(int seed) : IRandomSource
{
    private readonly Random _random = new(seed);

    public void Fill(Span<byte> bytes) => _random.NextBytes(bytes);
}
