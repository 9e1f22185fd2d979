using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>The Internet checksum of a segment or a super-packet, by vectors and eight bytes at a time.</summary>
[MemoryDiagnoser]
public class ChecksumBench
{
    private byte[] _data = [];

    [Params(64, 1400, 9000, 65000)]
    public int Bytes { get; set; } = 64;

    [GlobalSetup]
    public void Setup() => new Random(1).NextBytes(_data = new byte[Bytes]);

    [Benchmark]
    public ulong Sum() => Checksum.Sum(_data);

    [Benchmark]
    public ulong SumScalar() => Checksum.SumScalar(_data);
}
