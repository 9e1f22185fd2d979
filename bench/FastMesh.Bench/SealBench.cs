using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>Sealing a batch of equal frames, as a super-packet's segments are: headers in one place, payloads in another.</summary>
[MemoryDiagnoser]
public class SealBench
{
    private const int HeaderLength = PacketSealer.Room + EthernetFrame.HeaderLength + 40;
    private byte[] _headers = [], _payloads = [], _output = [];
    private TrainPacket[] _packets = [];
    private PacketSealer _sealer = null!;

    [Params(Sessions.Legacy, Sessions.Sptps, Sessions.ChaCha, Sessions.Aes)]
    public string Session { get; set; } = Sessions.Legacy;

    /// <summary>Of each IP packet.</summary>
    [Params(64, 512, 1400, 9000)]
    public int Bytes { get; set; } = 64;

    [Params(1, 8, 64)]
    public int Batch { get; set; } = 1;

    [GlobalSetup]
    public void Setup()
    {
        (_sealer, _) = Sessions.Make(Session, NodeId.Of("alpha"), NodeId.Of("beta"));
        int payload = PacketSealer.Room + EthernetFrame.HeaderLength + Bytes - HeaderLength, room = _sealer.SealedLength(EthernetFrame.HeaderLength + Bytes);
        (_headers, _payloads, _output) = (new byte[Batch * HeaderLength], new byte[Batch * payload], new byte[Batch * room]);
        _packets = new TrainPacket[Batch];
        for (int i = 0; i < Batch; i++)
        {
            (_headers[(i * HeaderLength) + 16], _headers[(i * HeaderLength) + 18]) = (8, 0x45);
            _packets[i] = new() { Header = i * HeaderLength, HeaderLength = HeaderLength, Payload = i * payload, PayloadLength = payload, Output = i * room };
        }
    }

    [Benchmark]
    public int Seal() => _sealer.SealTrain(_headers, _payloads, _output, _packets, direct: true);
}
