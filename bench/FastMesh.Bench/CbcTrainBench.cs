using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Crypto;
using FastMesh.Native.Crypto;

namespace FastMesh.Bench;

/// <summary>Encryption of a train of equal packets with tinc's default cipher: one at a time by libcrypto, and eight at a time.</summary>
[MemoryDiagnoser]
public class CbcTrainBench
{
    private const int Header = 18, Stride = 2048;
    private readonly byte[] _plain = new byte[64 * Stride], _output = new byte[64 * Stride];
    private TrainPacket[] _packets = [];
    private CbcTrain _train = null!;
    private EvpCipherContext _evp = null!;

    [Params(1, 8, 46)]
    public int Packets { get; set; }

    [Params(64, 1400)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        byte[] key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)], iv = new byte[16];
        _train = new CbcTrain(key, iv);
        _evp = EvpCipher.Find("aes-256-cbc")!.CreateContext(key, iv, encrypt: true);
        _packets = new TrainPacket[Packets];
        for (int i = 0; i < Packets; i++)
        {
            int at = i * Stride;
            _packets[i] = new() { Header = at, HeaderLength = Header, Payload = at + Header, PayloadLength = Bytes - Header, Output = at };
        }
    }

    [Benchmark]
    public void Libcrypto()
    {
        foreach (TrainPacket packet in _packets)
            _evp.Crypt(default, _plain.AsSpan(packet.Header, packet.Length), _output.AsSpan(packet.Output, Stride));
    }

    [Benchmark]
    public void Train() => _train.Encrypt(_plain, _plain, _output, _packets);
}
