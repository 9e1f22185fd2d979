using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Crypto;

namespace FastMesh.Bench;

/// <summary>Opening one datagram; with the replay window off, so that the same one can be opened again and again.</summary>
[MemoryDiagnoser]
public class OpenBench
{
    private readonly byte[] _output = new byte[4096];
    private byte[] _datagram = [];
    private LegacyOpener _opener = null!;

    [Params("default", "none")]
    public string Suite { get; set; } = "default";

    [Params(64, 1400)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        LegacyKey key = SealBench.Key(Suite);
        byte[] packet = new byte[LegacySealer.SequenceLength + Bytes];
        int length = new LegacySealer(key, 0).Seal(packet, _output);
        _datagram = _output[..length];
        _opener = new LegacyOpener(key, replayWindowBytes: 0, owner: 0, previous: null);
    }

    [Benchmark]
    public OpenResult Open() => _opener.Open(_datagram, _output, out _, out _);
}
