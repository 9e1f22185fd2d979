using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>Sealing frames of sessions with node ids by the suite: one, and a train of a super-packet's segments.</summary>
[MemoryDiagnoser]
public class SessionSealBench
{
    private const int TrainLength = 44, HeaderLength = PacketSealer.Room + 14 + 40, Stride = 2048;
    private readonly byte[] _headers = new byte[TrainLength * HeaderLength], _payloads = new byte[TrainLength * Stride], _output = new byte[TrainLength * Stride];
    private readonly TrainPacket[] _packets = new TrainPacket[TrainLength];
    private byte[] _packet = [];
    private DatagramSealer _sealer = null!;

    [Params(DataSuite.TincChaCha20Poly1305, DataSuite.ChaCha20Poly1305, DataSuite.Aes256Gcm)]
    public DataSuite Suite { get; set; }

    [Params(64, 1400)]
    public int Bytes { get; set; }

    internal static DatagramSession Session(DataSuite suite) => new(
        suite == DataSuite.TincChaCha20Poly1305 ? SessionFormat.Sptps : SessionFormat.FastMesh, suite, NodeId.Of("alpha"), NodeId.Of("beta"), false, true, 0);

    /// <summary>The IP packet with its Ethernet header and the room in front.</summary>
    internal static byte[] Packet(int bytes) => [.. new byte[PacketSealer.Room + 12], 8, 0, 0x45, .. new byte[bytes - 1]];

    [GlobalSetup]
    public void Setup()
    {
        _sealer = new DatagramSealer(Session(Suite), new byte[DatagramKey.Length], new RecordCounter(), compression: 0);
        _packet = Packet(Bytes);
        for (int i = 0; i < TrainLength; i++)
        {
            _packet.AsSpan(0, HeaderLength).CopyTo(_headers.AsSpan(i * HeaderLength));
            _packets[i] = new()
            {
                Header = i * HeaderLength,
                HeaderLength = HeaderLength,
                Payload = i * (_packet.Length - HeaderLength),
                PayloadLength = _packet.Length - HeaderLength,
                Output = i * _sealer.SealedLength(_packet.Length - PacketSealer.Room),
            };
        }
    }

    [Benchmark]
    public int Seal() => _sealer.Seal(_packet, _output, direct: true);

    [Benchmark(OperationsPerInvoke = TrainLength)]
    public int SealTrain() => _sealer.SealTrain(_headers, _payloads, _output, _packets, direct: true);
}
