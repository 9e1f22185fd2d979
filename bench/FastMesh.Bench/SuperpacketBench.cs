using BenchmarkDotNet.Attributes;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>One super-packet of 46 segments of 1400 bytes: cut into them, and merged from them.</summary>
[MemoryDiagnoser]
public class SuperpacketBench
{
    private readonly byte[] _headers = new byte[HeaderBytes.Capacity];
    private byte[] _frame = [];
    private byte[][] _segments = [];
    private SuperpacketMerger _merger = new(mergesTcp: true, mergesUdp: true);
    private VirtioHeader _virtio;

    [Params(SegmentationKind.TcpIPv4, SegmentationKind.TcpIPv6, SegmentationKind.Udp)]
    public SegmentationKind Kind { get; set; } = SegmentationKind.TcpIPv4;

    [GlobalSetup]
    public void Setup()
    {
        const int Payload = TestFrames.Segments * TestFrames.Segment;
        _frame = Kind switch
        {
            SegmentationKind.TcpIPv4 => TestFrames.IPv4(IpProtocol.Tcp, 20 + Payload),
            SegmentationKind.TcpIPv6 => TestFrames.IPv6(IpProtocol.Tcp, 20 + Payload),
            _ => TestFrames.IPv4(IpProtocol.Udp, 8 + Payload),
        };
        _virtio = TestFrames.Virtio(Kind);
        List<byte[]> segments = [];
        Superpacket.TryRead(_virtio, _frame, out Superpacket superpacket);
        while (superpacket.TryNext(_headers, out int offset, out int length))
            segments.Add([.. _headers.AsSpan(0, superpacket.HeaderLength), .. _frame.AsSpan(offset, length)]);
        _segments = [.. segments];
        if (Cut() != TestFrames.Segments || Merge() != TestFrames.Segments)
            throw new InvalidOperationException($"Cut into {Cut()}, merged from {Merge()}");
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
