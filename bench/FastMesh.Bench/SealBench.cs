using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Crypto;

namespace FastMesh.Bench;

/// <summary>Sealing one frame: tinc's default suite, and a MAC without encryption.</summary>
[MemoryDiagnoser]
public class SealBench
{
    private readonly byte[] _output = new byte[4096];
    private byte[] _packet = [];
    private LegacySealer _sealer = null!;

    [Params("default", "none")]
    public string Suite { get; set; } = "default";

    [Params(64, 1400)]
    public int Bytes { get; set; }

    internal static LegacyKey Key(string suite) =>
        LegacyKey.Generate(suite == "none" ? LegacySuite.Default with { Cipher = 0 } : LegacySuite.Default, new SystemRandom());

    [GlobalSetup]
    public void Setup()
    {
        _sealer = new LegacySealer(Key(Suite), 0);
        _packet = new byte[LegacySealer.SequenceLength + Bytes];
    }

    [Benchmark]
    public int Seal() => _sealer.Seal(_packet, _output);
}
