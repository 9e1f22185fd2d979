using BenchmarkDotNet.Attributes;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>Reading the headers of one frame as routing does.</summary>
[MemoryDiagnoser]
public class HeaderBench
{
    private readonly byte[] _virtio = new byte[VirtioHeader.Length];
    private byte[] _frame = [];

    [Params("ipv4", "ipv6", "vlan")]
    public string Kind { get; set; } = "ipv4";

    [GlobalSetup]
    public void Setup()
    {
        _frame = Kind == "ipv6" ? TestFrames.IPv6(IpProtocol.Tcp, 20) : TestFrames.IPv4(IpProtocol.Tcp, 20);
        if (Kind == "vlan")
            _frame = [.. _frame[..12], 0x81, 0, 0, 5, .. _frame[12..]];
    }

    [Benchmark]
    public uint Frame()
    {
        uint sum = 0;
        if (EthernetFrame.TryRead(_frame, out EthernetFrame frame) && IpPacket.TryRead(frame.Payload, out IpPacket packet))
            sum = packet.IsIPv4 ? packet.IPv4Destination + packet.TrafficClass : (uint)packet.IPv6Destination + packet.TrafficClass;
        return sum;
    }

    [Benchmark]
    public bool Virtio()
    {
        bool ok = VirtioHeader.TryRead(_virtio, out VirtioHeader header);
        header.Write(_virtio);
        return ok;
    }
}
