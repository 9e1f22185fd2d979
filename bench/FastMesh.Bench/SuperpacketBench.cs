using BenchmarkDotNet.Attributes;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>One TCP super-packet of 46 segments: cut into them, and merged from them.</summary>
[MemoryDiagnoser]
public class SuperpacketBench
{
    private const int Headers = 54, Segment = 1400, Count = 46;
    private readonly byte[] _frame = new byte[Headers + (Count * Segment)], _headers = new byte[Headers];
    private readonly byte[][] _segments = new byte[Count][];
    private SuperpacketMerger _merger = new(mergesTcp: true, mergesUdp: true);
    private VirtioHeader _virtio;

    [GlobalSetup]
    public void Setup()
    {
        Convert.FromHexString("0200000000020200000000010800" + "45000000000040004006" + "00000A1401010A140201" + "1451145100000001000000015010FFFF00000000")
            .CopyTo(_frame, 0);
        _virtio = new VirtioHeader
        {
            NeedsChecksum = true,
            Kind = SegmentationKind.TcpIPv4,
            SegmentSize = Segment,
            ChecksumStart = 34,
            ChecksumOffset = 16,
        };
        Superpacket.TryRead(_virtio, _frame, out Superpacket superpacket);
        for (int i = 0; superpacket.TryNext(_headers, out int offset, out int length); i++)
            _segments[i] = [.. _headers, .. _frame.AsSpan(offset, length)];
    }

    [Benchmark]
    public int Cut()
    {
        int segments = 0;
        Superpacket.TryRead(_virtio, _frame, out Superpacket superpacket);
        while (superpacket.TryNext(_headers, out _, out _))
            segments++;
        return segments;
    }

    [Benchmark]
    public int Merge()
    {
        _merger.Start(_segments[0]);
        int merged = 1;
        foreach (byte[] segment in _segments.AsSpan(1))
            merged += _merger.TryAppend(segment) ? 1 : 0;
        _merger.Finish(_frame);
        return merged;
    }
}
