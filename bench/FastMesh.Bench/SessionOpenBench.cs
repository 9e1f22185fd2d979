using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Crypto;

namespace FastMesh.Bench;

/// <summary>Opening one datagram of a session with node ids by the suite; with the replay window off, so that the same one can be opened again and again.</summary>
[MemoryDiagnoser]
public class SessionOpenBench
{
    private readonly byte[] _output = new byte[4096];
    private byte[] _datagram = [];
    private DatagramOpener _opener = null!;

    [Params(DataSuite.TincChaCha20Poly1305, DataSuite.ChaCha20Poly1305, DataSuite.Aes256Gcm)]
    public DataSuite Suite { get; set; }

    [Params(64, 1400)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        DatagramSession session = SessionSealBench.Session(Suite);
        var sealer = new DatagramSealer(session, new byte[DatagramKey.Length], new RecordCounter(), compression: 0);
        _datagram = _output[..sealer.Seal(SessionSealBench.Packet(Bytes), _output, direct: true)];
        _opener = new DatagramOpener(session, new byte[DatagramKey.Length], replayWindowBytes: 0, compression: 0, previous: null, nextSequence: 0);
    }

    [Benchmark]
    public OpenResult Open() => _opener.Open(_datagram, _output, out _, out _);
}
