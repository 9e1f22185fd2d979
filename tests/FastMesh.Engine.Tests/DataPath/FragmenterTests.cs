using System.Buffers.Binary;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Tests.Wire;

namespace FastMesh.Engine.Tests.DataPath;

public sealed class FragmenterTests
{
    [Theory]
    [InlineData(1400, 1000, 960)]   // 1000 - 34 = 966, down to a multiple of 8
    [InlineData(1480, 1514, 1480)]
    [InlineData(1481, 1514, 1480)]
    [InlineData(5000, 590, 552)]    // 556 down to 552
    [InlineData(5000, 100, 552)]    // never below 590
    [InlineData(1400, 1000, 960, "81000005")] // 1000 - 38 = 962
    [InlineData(1400, 1000, 952, "88a8000581000005")] // 1000 - 42 = 958
    public void Fragments_reassemble_to_the_packet(int payload, int mtu, int piece, string tags = "")
    {
        TestPacket packet = new() { Payload = payload - 20, Id = 4711, Tags = Convert.FromHexString(tags) };
        int at = packet.IpOffset;
        byte[] frame = packet.Build(), rebuilt = new byte[payload], output = new byte[1600];
        Assert.True(Fragmenter.TryCreate(frame, mtu, out Fragmenter fragmenter));
        int total = 0, count = 0;
        for (int length; (length = fragmenter.Next(output)) > 0; count++)
        {
            Span<byte> ip = output.AsSpan(at, length - at);
            Assert.Equal(frame[..at], output[..at]);
            Assert.Equal(ip.Length, BinaryPrimitives.ReadUInt16BigEndian(ip[2..]));
            Assert.Equal(4711, BinaryPrimitives.ReadUInt16BigEndian(ip[4..]));
            Assert.Equal(0xffff, ChecksumTests.Naive(ip[..20]));
            Assert.Equal(frame[(at + 8)..(at + 10)], ip.Slice(8, 2).ToArray());
            Assert.Equal(frame[(at + 12)..(at + 20)], ip.Slice(12, 8).ToArray());
            ushort field = BinaryPrimitives.ReadUInt16BigEndian(ip[6..]);
            Assert.Equal(total, (field & 0x1fff) * 8);
            ip[20..].CopyTo(rebuilt.AsSpan(total));
            total += ip.Length - 20;
            Assert.Equal(total < payload ? 0x2000 : 0, field & 0xe000);
            Assert.Equal(Math.Min(piece, payload - (count * piece)), ip.Length - 20);
        }

        Assert.Equal(payload, total);
        Assert.Equal(frame[(at + 20)..], rebuilt);
    }

    [Fact]
    public void A_fragment_is_cut_further_with_its_own_offset_and_flag()
    {
        byte[] frame = new TestPacket { Payload = 1180, FragmentField = 0x2000 + 100 }.Build(), output = new byte[700];
        Assert.True(Fragmenter.TryCreate(frame, 590, out Fragmenter fragmenter));
        var fields = new List<int>();
        while (fragmenter.Next(output) > 0)
            fields.Add(BinaryPrimitives.ReadUInt16BigEndian(output.AsSpan(20)));
        Assert.Equal([0x2000 + 100, 0x2000 + 169, 0x2000 + 238], fields);
    }

    [Fact]
    public void What_cannot_be_cut_is_refused()
    {
        byte[] frame = new TestPacket { Payload = 1400 }.Build();
        Assert.False(Fragmenter.TryCreate(frame.AsSpan(0, frame.Length - 1), 1000, out _)); // the length disagrees
        Assert.False(Fragmenter.TryCreate(new TestPacket { Payload = 1400, IpOptions = [1, 1, 1, 0] }.Build(), 1000, out _));
        Assert.False(Fragmenter.TryCreate(new TestPacket { Payload = 1400, IPv6 = true }.Build(), 1000, out _));
        Assert.False(Fragmenter.TryCreate([], 1000, out _));
        Assert.True(Fragmenter.TryCreate(frame, 1000, out Fragmenter fragmenter));
        Assert.Equal(0, fragmenter.Next(new byte[993])); // 14 + 20 + 960 do not fit
    }
}
