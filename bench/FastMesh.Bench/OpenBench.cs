using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Crypto;

namespace FastMesh.Bench;

/// <summary>Opening one datagram, alone and in a train; with the replay window off, so that the same one can be opened again and again.</summary>
[MemoryDiagnoser]
public class OpenBench
{
    private const int TrainLength = 44;
    private readonly byte[] _output = new byte[4096];
    private byte[] _datagram = [], _train = [];
    private (int Offset, int Length)[] _datagrams = [];
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
        _train = [.. Enumerable.Repeat(_datagram, TrainLength).SelectMany(bytes => bytes)];
        _datagrams = [.. Enumerable.Range(0, TrainLength).Select(i => (i * length, length))];
        _opener = new LegacyOpener(key, replayWindowBytes: 0, owner: 0, previous: null);
    }

    [Benchmark]
    public OpenResult Open() => _opener.Open(_datagram, _output, out _, out _);

    [Benchmark(OperationsPerInvoke = TrainLength)]
    public OpenResult OpenTrain()
    {
        ulong genuine = _opener.Verify(_train, _datagrams);
        OpenResult worst = OpenResult.Opened;
        for (int i = 0; i < _datagrams.Length; i++)
        {
            ReadOnlySpan<byte> datagram = _train.AsSpan(_datagrams[i].Offset, _datagrams[i].Length);
            OpenResult result = _opener.OpenVerified(datagram, (genuine >> i & 1) != 0, _output, out _, out _);
            worst = result > worst ? result : worst;
        }

        return worst;
    }
}
