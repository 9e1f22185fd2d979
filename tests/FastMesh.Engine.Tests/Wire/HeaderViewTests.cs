using FastMesh.Engine.Tests.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Wire;

public sealed class HeaderViewTests
{
    [Fact]
    public void A_virtio_header_is_read_and_written_in_the_layout_of_the_kernel()
    {
        byte[] bytes = [1, 0x84, 54, 0, 0x78, 0x05, 34, 0, 16, 0];
        Assert.True(VirtioHeader.TryRead(bytes, out VirtioHeader header));
        Assert.Equal(
            new VirtioHeader
            {
                NeedsChecksum = true,
                Kind = SegmentationKind.TcpIPv6,
                Ecn = true,
                HeaderLength = 54,
                SegmentSize = 1400,
                ChecksumStart = 34,
                ChecksumOffset = 16,
            },
            header);
        byte[] written = new byte[10];
        header.Write(written);
        Assert.Equal(bytes, written);
        Assert.False(VirtioHeader.TryRead(bytes.AsSpan(0, 9), out _));
    }

    [Fact]
    public void A_frame_shows_its_type_before_and_behind_VLAN_tags()
    {
        byte[] plain = new TestPacket { Payload = 10 }.Build(), tagged = new TestPacket { Payload = 10, Vlan = true }.Build();
        Assert.True(EthernetFrame.TryRead(plain, out EthernetFrame frame));
        Assert.Equal((EtherType.IPv4, EtherType.IPv4, 14), (frame.Type, frame.InnerType, frame.PayloadOffset));
        Assert.True(EthernetFrame.TryRead(tagged, out frame));
        Assert.Equal((EtherType.Vlan, EtherType.IPv4, 18), (frame.Type, frame.InnerType, frame.PayloadOffset));
        Assert.True(EthernetFrame.TryRead(tagged.AsSpan(0, 17), out frame)); // a tag that is cut off is no tag
        Assert.Equal(14, frame.PayloadOffset);
        byte[] twice = new TestPacket { Payload = 10, Tags = [0x88, 0xa8, 0, 7, 0x81, 0, 0, 5] }.Build();
        Assert.True(EthernetFrame.TryRead(twice, out frame));
        Assert.Equal((EtherType.ServiceVlan, EtherType.IPv4, 22), (frame.Type, frame.InnerType, frame.PayloadOffset));
        Assert.True(EthernetFrame.TryRead(twice.AsSpan(0, 21), out frame));
        Assert.Equal((EtherType.Vlan, 18), (frame.InnerType, frame.PayloadOffset));
        Assert.False(EthernetFrame.TryRead(plain.AsSpan(0, 13), out _));
        Assert.Equal((0x020000000002UL, 0x020000000001UL, false), (frame.Destination.Value, frame.Source.Value, frame.IsGroup));
    }

    [Fact]
    public void IP_headers_show_their_fields()
    {
        byte[] v4 = new TestPacket { Payload = 9, Tos = 0xb8, Ttl = 7, DontFragment = true }.Build();
        Assert.True(IpPacket.TryRead(v4.AsSpan(14), out IpPacket packet));
        Assert.True(packet.IsIPv4 && packet.IsComplete && !packet.IsFragment);
        Assert.Equal((20, 49, 0xb8, 7, IpProtocol.Tcp), (packet.HeaderLength, packet.StatedLength, packet.TrafficClass, packet.TimeToLive, packet.Protocol));
        Assert.Equal((0x0a140101u, 0x0a140201u), (packet.IPv4Source, packet.IPv4Destination));

        byte[] v6 = new TestPacket { IPv6 = true, Payload = 9, Tos = 0xb8, Ttl = 7 }.Build();
        Assert.True(IpPacket.TryRead(v6.AsSpan(14), out packet));
        Assert.True(!packet.IsIPv4 && packet.IsComplete);
        Assert.Equal((40, 69, 0xb8, 7, IpProtocol.Tcp), (packet.HeaderLength, packet.StatedLength, packet.TrafficClass, packet.TimeToLive, packet.Protocol));
        Assert.Equal(((UInt128)0xfd00 << 112) + 1, packet.IPv6Source);
        Assert.Equal(((UInt128)0xfd00 << 112) + 2, packet.IPv6Destination);
    }

    [Theory]
    [InlineData("")]
    [InlineData("45000014000000004001000001020304050607")]     // 19 bytes
    [InlineData("44000014000000004001000001020304050607080000")] // header of 16 bytes
    [InlineData("46000014000000004001000001020304050607080000")] // options missing
    [InlineData("60000000000006400000000000000000000000000000000000000000000000000000000000")]
    [InlineData("50000014000000004001000001020304050607080000")]
    public void Incomplete_headers_are_refused(string hex) => Assert.False(IpPacket.TryRead(Convert.FromHexString(hex), out _));
}
