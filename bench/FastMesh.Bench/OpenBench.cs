using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>Opening a batch of equal datagrams that came as a train.</summary>
[MemoryDiagnoser]
public class OpenBench
{
    private byte[] _train = [], _output = [];
    private (int Offset, int Length)[] _datagrams = [];
    private PacketOpener _opener = null!;

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
        (PacketSealer sealer, _opener) = Sessions.Make(Session, NodeId.Of("alpha"), NodeId.Of("beta"));
        byte[] packet = new byte[PacketSealer.Room + EthernetFrame.HeaderLength + Bytes];
        (packet[16], packet[18]) = (8, 0x45);
        byte[] datagram = new byte[sealer.SealedLength(packet.Length - PacketSealer.Room)];
        datagram = datagram[..sealer.Seal(packet, datagram, direct: true)];
        _train = [.. Enumerable.Repeat(datagram, Batch).SelectMany(bytes => bytes)];
        _datagrams = [.. Enumerable.Range(0, Batch).Select(i => (i * datagram.Length, datagram.Length))];
        _output = new byte[_opener.OutputLength(datagram.Length)];
    }

    [Benchmark]
    public OpenResult Open()
    {
        ulong genuine = _opener.Verify(_train, _datagrams);
        OpenResult worst = OpenResult.Opened;
        for (int i = 0; i < _datagrams.Length; i++)
        {
            ReadOnlySpan<byte> datagram = _train.AsSpan(_datagrams[i].Offset, _datagrams[i].Length);
            OpenResult result = _opener.OpenVerified(datagram, (genuine >> i & 1) != 0, _output, out _, out _);
            worst = result > worst ? result : worst;
        }

        return worst == OpenResult.Opened ? worst : throw new InvalidOperationException($"The opener says {worst}");
    }
}
