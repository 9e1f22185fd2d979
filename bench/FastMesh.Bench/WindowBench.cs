using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Crypto;

namespace FastMesh.Bench;

/// <summary>The replay windows of the three formats, with packets in order and with neighbours exchanged.</summary>
[MemoryDiagnoser]
public class WindowBench
{
    private const int Packets = 1024, TincBytes = 16, OurBytes = 1024;
    private ReplayWindow _legacy = new(TincBytes);
    private SptpsWindow _sptps = new(TincBytes, 0);
    private SequenceWindow _fastMesh = new(OurBytes);
    private uint _next;

    /// <summary>0, or 1 for neighbours exchanged.</summary>
    [Params(0u, 1u)]
    public uint Reordering { get; set; }

    [GlobalSetup]
    public void Setup() => (_legacy, _sptps, _fastMesh, _next) = (new(TincBytes), new(TincBytes, 0), new(OurBytes), 0);

    [Benchmark(OperationsPerInvoke = Packets)]
    public int Legacy()
    {
        int accepted = 0;
        for (uint end = Advance(); _next != end; _next++)
            accepted += _legacy.TryAccept(_next ^ Reordering) ? 1 : 0;
        return accepted;
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public int Sptps()
    {
        int accepted = 0;
        for (uint end = Advance(); _next != end; _next++)
            accepted += _sptps.TryAccept(_next ^ Reordering) ? 1 : 0;
        return accepted;
    }

    [Benchmark(OperationsPerInvoke = Packets)]
    public int FastMesh()
    {
        int accepted = 0;
        for (uint end = Advance(); _next != end; _next++)
            accepted += _fastMesh.TryAccept(_next ^ Reordering) ? 1 : 0;
        return accepted;
    }

    /// <summary>The end of the next packets; far below the end of the numbers all begin anew.</summary>
    private uint Advance()
    {
        if (_next > 1u << 30)
            Setup();
        return _next + Packets;
    }
}
