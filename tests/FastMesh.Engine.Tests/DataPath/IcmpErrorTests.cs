using System.Buffers.Binary;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Tests.Wire;

namespace FastMesh.Engine.Tests.DataPath;

public sealed class IcmpErrorTests
{
    private readonly byte[] _output = new byte[IcmpError.MaxLength];

    // Types and codes by the table of tinc 1.0 reference, 6.4.
    [Theory]
    [InlineData(nameof(IcmpProblem.UnknownDestination), 3, 6, 1, 3)]
    [InlineData(nameof(IcmpProblem.Unreachable), 3, 0, 1, 0)]
    [InlineData(nameof(IcmpProblem.Prohibited), 3, 9, 1, 1)]
    [InlineData(nameof(IcmpProblem.TooBig), 3, 4, 2, 0)]
    [InlineData(nameof(IcmpProblem.TimeExceeded), 11, 0, 3, 0)]
    public void Every_problem_has_its_types(string name, int type4, int code4, int type6, int code6)
    {
        IcmpProblem problem = Enum.Parse<IcmpProblem>(name);
        byte[] answer = Answer(new TestPacket { Payload = 1000 }.Build(), problem, 1300);
        Assert.Equal((type4, code4), (answer[34], answer[35]));
        Assert.Equal(problem == IcmpProblem.TooBig ? 1300u : 0, BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(38)));
        answer = Answer(new TestPacket { IPv6 = true, Payload = 1400 }.Build(), problem, 1300);
        Assert.Equal((type6, code6), (answer[54], answer[55]));
        Assert.Equal(problem == IcmpProblem.TooBig ? 1300u : 0, BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(58)));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(507)]
    [InlineData(508)]
    [InlineData(1400)]
    public void An_IPv4_answer_is_complete(int payload)
    {
        byte[] frame = new TestPacket { Payload = payload, Tos = 0xfc }.Build();
        byte[] answer = Answer(frame, IcmpProblem.Unreachable, 0);
        int quote = Math.Min(548, frame.Length - 14);
        Assert.Equal(14 + 20 + 8 + quote, answer.Length);
        Assert.Equal("0200000000010200000000020800", Convert.ToHexString(answer.AsSpan(0, 14))); // addresses swapped
        Span<byte> ip = answer.AsSpan(14);
        Assert.Equal(0x4500, BinaryPrimitives.ReadUInt16BigEndian(ip));
        Assert.Equal(ip.Length, BinaryPrimitives.ReadUInt16BigEndian(ip[2..]));
        Assert.Equal("00000000FF01", Convert.ToHexString(ip.Slice(4, 6))); // id 0, no flags, TTL 255, ICMP
        Assert.Equal("0A1402010A140101", Convert.ToHexString(ip.Slice(12, 8)));
        Assert.Equal(0xffff, ChecksumTests.Naive(ip[..20]));
        Assert.Equal(0xffff, ChecksumTests.Naive(ip[20..]));
        Assert.True(ip[28..].SequenceEqual(frame.AsSpan(14, quote)));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(468)]
    [InlineData(1400)]
    public void An_IPv6_answer_is_complete(int payload)
    {
        byte[] frame = new TestPacket { IPv6 = true, Payload = payload }.Build();
        byte[] answer = Answer(frame, IcmpProblem.Unreachable, 0);
        int quote = Math.Min(528, frame.Length - 14);
        Assert.Equal(14 + 40 + 8 + quote, answer.Length);
        Span<byte> ip = answer.AsSpan(14);
        Assert.Equal(0x60000000u, BinaryPrimitives.ReadUInt32BigEndian(ip));
        Assert.Equal(8 + quote, BinaryPrimitives.ReadUInt16BigEndian(ip[4..]));
        Assert.Equal((58, 255), (ip[6], ip[7]));
        Assert.Equal((2, 1), (ip[23], ip[39]));
        byte[] pseudo = [.. ip.Slice(8, 32), 0, 0, .. ip.Slice(4, 2), 0, 0, 0, 58];
        Assert.Equal(0xffff, ChecksumTests.Naive([.. pseudo, .. ip[40..]]));
        Assert.True(ip[48..].SequenceEqual(frame.AsSpan(14, quote)));
    }

    [Fact]
    public void Time_exceeded_comes_from_the_given_address_if_its_family_fits()
    {
        byte[] frame = new TestPacket().Build();
        int length = IcmpError.Write(frame, IcmpProblem.TimeExceeded, 0, [192, 0, 2, 7], _output);
        Assert.Equal("C00002070A140101", Convert.ToHexString(_output.AsSpan(26, 8)));
        Assert.Equal(0xffff, ChecksumTests.Naive(_output.AsSpan(14, 20)));
        IcmpError.Write(frame, IcmpProblem.TimeExceeded, 0, new byte[16], _output);
        Assert.Equal("0A140201", Convert.ToHexString(_output.AsSpan(26, 4)));
        Assert.Equal(14 + 28 + frame.Length - 14, length);
    }

    [Fact]
    public void A_VLAN_tag_is_kept()
    {
        byte[] answer = Answer(new TestPacket { Vlan = true, Payload = 1400 }.Build(), IcmpProblem.TimeExceeded, 0);
        Assert.Equal("020000000001020000000002810000050800", Convert.ToHexString(answer.AsSpan(0, 18)));
        Assert.Equal(18 + 20 + 8 + 548, answer.Length);
    }

    [Theory]
    [InlineData(false, 1, 8, true)]     // echo request
    [InlineData(false, 1, 3, false)]    // unreachable
    [InlineData(false, 1, 11, false)]   // time exceeded
    [InlineData(true, 58, 128, true)]   // echo request
    [InlineData(true, 58, 1, false)]    // unreachable
    [InlineData(true, 58, 3, false)]    // time exceeded
    public void Errors_are_not_answered_with_errors(bool ipv6, byte protocol, byte type, bool answered)
    {
        byte[] frame = new TestPacket { IPv6 = ipv6 }.Build();
        frame[ipv6 ? 20 : 23] = protocol;
        frame[ipv6 ? 54 : 34] = type;
        Assert.Equal(answered, IcmpError.Write(frame, IcmpProblem.Unreachable, 0, default, _output) > 0);
    }

    [Fact]
    public void What_is_not_IP_gets_no_answer()
    {
        byte[] frame = new TestPacket().Build();
        Assert.Equal(0, IcmpError.Write(frame.AsSpan(0, 33), IcmpProblem.Unreachable, 0, default, _output));
        Assert.Equal(0, IcmpError.Write([], IcmpProblem.Unreachable, 0, default, _output));
        frame[13] = 6; // ARP
        Assert.Equal(0, IcmpError.Write(frame, IcmpProblem.Unreachable, 0, default, _output));
    }

    private byte[] Answer(byte[] frame, IcmpProblem problem, int mtu) =>
        _output[..IcmpError.Write(frame, problem, mtu, default, _output)];
}
