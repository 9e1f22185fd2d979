using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>The Internet checksum of one segment, by vectors and eight bytes at a time.</summary>
[MemoryDiagnoser]
public class ChecksumBench
{
    private byte[] _data = [];

    [Params(64, 1400)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup() => new Random(1).NextBytes(_data = new byte[Bytes]);

    [Benchmark]
    public ulong Sum() => Checksum.Sum(_data);

    [Benchmark(Baseline = true)]
    public ulong SumScalar() => Checksum.SumScalar(_data);
}
