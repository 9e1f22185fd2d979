using System.Buffers.Binary;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Tests.Wire;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

public sealed class NeighbourReplyTests
{
    private const string Request = "FFFFFFFFFFFF" + "0A0B0C0D0E0F" + "0806" + "0001080006040001" + "0A0B0C0D0E0F" + "0A010001" + "000000000000" + "0A010202";

    [Fact]
    public void An_ARP_request_is_answered_with_the_askers_address_inverted_at_the_end()
    {
        byte[] frame = Convert.FromHexString(Request);
        Assert.True(NeighbourReply.TryReadArp(frame, out MacAddress asker, out uint target));
        Assert.Equal((0x0a0b0c0d0e0ful, 0x0a010202u), (asker.Value, target));
        NeighbourReply.AnswerArp(frame);
        Assert.Equal(
            "0A0B0C0D0E0F" + "0A0B0C0D0EF0" + "0806" + "0001080006040002" + "0A0B0C0D0EF0" + "0A010202" + "0A0B0C0D0E0F" + "0A010001",
            Convert.ToHexString(frame));
    }

    [Theory]
    [InlineData(13, 0x00)] // another EtherType
    [InlineData(15, 0x02)] // not Ethernet
    [InlineData(17, 0x01)] // not IPv4
    [InlineData(18, 0x08)] // another address length
    [InlineData(21, 0x02)] // a reply
    public void Other_ARP_is_not_answered(int at, byte value)
    {
        byte[] frame = Convert.FromHexString(Request);
        Assert.False(NeighbourReply.TryReadArp(frame.AsSpan(0, 41), out _, out _));
        frame[at] = value;
        Assert.False(NeighbourReply.TryReadArp(frame, out _, out _));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_solicitation_is_answered_with_a_solicited_advertisement(bool withOption)
    {
        byte[] frame = Solicitation(withOption);
        Assert.True(NeighbourReply.TryReadSolicitation(frame, out MacAddress asker, out UInt128 target));
        Assert.Equal(0x0a0b0c0d0e0ful, asker.Value);
        Assert.Equal(((UInt128)0xfd00 << 112) + 9, target);

        Assert.Equal(frame.Length, NeighbourReply.AnswerSolicitation(frame));
        Assert.Equal("0A0B0C0D0E0F0A0B0C0D0EF086DD", Convert.ToHexString(frame.AsSpan(0, 14)));
        Span<byte> ip = frame.AsSpan(14);
        Assert.Equal((58, 255), (ip[6], ip[7]));
        Assert.Equal(((UInt128)0xfd00 << 112) + 9, BinaryPrimitives.ReadUInt128BigEndian(ip[8..]));
        Assert.Equal(((UInt128)0xfe80 << 112) + 1, BinaryPrimitives.ReadUInt128BigEndian(ip[24..]));
        Span<byte> icmp = ip[40..];
        Assert.Equal((136, 0, 0x40000000u), (icmp[0], icmp[1], BinaryPrimitives.ReadUInt32BigEndian(icmp[4..])));
        Assert.Equal(((UInt128)0xfd00 << 112) + 9, BinaryPrimitives.ReadUInt128BigEndian(icmp[8..]));
        if (withOption)
            Assert.Equal("02010A0B0C0D0EF0", Convert.ToHexString(icmp[24..]));
        Assert.Equal(0xffff, Sum(ip));
    }

    [Fact]
    public void Damaged_short_and_odd_solicitations_are_not_answered()
    {
        for (int at = 14 + 8; at < 86; at++)
        {
            byte[] frame = Solicitation(withOption: true);
            frame[at] ^= 0x10;
            Assert.False(NeighbourReply.TryReadSolicitation(frame, out _, out _), $"byte {at}");
            Assert.False(NeighbourReply.TryReadSolicitation(Solicitation(true).AsSpan(0, at), out _, out _));
        }

        byte[] target = Solicitation(withOption: true);
        target[78] = 2; // a target option in a question
        Seal(target);
        Assert.False(NeighbourReply.TryReadSolicitation(target, out _, out _));
        byte[] probe = Solicitation(withOption: false);
        probe.AsSpan(22, 16).Clear(); // duplicate address detection asks from ::
        Seal(probe);
        Assert.False(NeighbourReply.TryReadSolicitation(probe, out _, out _));
    }

    private static byte[] Solicitation(bool withOption)
    {
        byte[] frame = Convert.FromHexString(
            "3333FF000009" + "0A0B0C0D0E0F" + "86DD" + "60000000" + (withOption ? "0020" : "0018") + "3AFF"
            + "FE800000000000000000000000000001" + "FF0200000000000000000001FF000009"
            + "8700" + "0000" + "00000000" + "FD000000000000000000000000000009" + (withOption ? "01010A0B0C0D0E0F" : ""));
        Seal(frame);
        return frame;
    }

    private static void Seal(byte[] frame)
    {
        frame[56] = frame[57] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(56), (ushort)~Sum(frame.AsSpan(14)));
    }

    private static ushort Sum(ReadOnlySpan<byte> ip) =>
        ChecksumTests.Naive([.. ip.Slice(8, 32), 0, 0, .. ip.Slice(4, 2), 0, 0, 0, 58, .. ip[40..]]);
}
