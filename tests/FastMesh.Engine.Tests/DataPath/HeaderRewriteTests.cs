using System.Buffers.Binary;
using FastMesh.Engine.DataPath;

namespace FastMesh.Engine.Tests.DataPath;

public sealed class HeaderRewriteTests
{
    [Theory]
    [InlineData(false, false, "020405B4", 1400 - 34 - 20)]                       // in first place, as tincd handles it
    [InlineData(true, false, "020405B4", 1400 - 54 - 20)]
    [InlineData(false, true, "020405B4", 1400 - 38 - 20)]
    [InlineData(false, false, "0101080A0102030405060708020405B4", 1346)]         // behind time stamps
    [InlineData(true, true, "01020405B4030307", 1400 - 58 - 20)]                 // at an odd offset
    [InlineData(false, false, "01010102040FFF00", 1346)]
    public void A_larger_MSS_is_lowered_wherever_it_stands(bool ipv6, bool vlan, string options, int expected)
    {
        TestPacket syn = new() { IPv6 = ipv6, Vlan = vlan, Flags = 0x02, Payload = 0, Options = Convert.FromHexString(options) };
        byte[] frame = syn.Build();
        MssClamp.Apply(frame, 1400);
        int at = options.IndexOf("0204", StringComparison.Ordinal) / 2;
        string clamped = options[..((at * 2) + 4)] + expected.ToString("X4", null) + options[((at * 2) + 8)..];
        Assert.Equal((syn with { Options = Convert.FromHexString(clamped) }).Build(), frame); // checksum included
    }

    [Theory]
    [InlineData("020405B4", 1514)]          // 1460 fits exactly
    [InlineData("02040218", 1400)]          // small already
    [InlineData("01010101", 600)]           // no MSS
    [InlineData("00000000", 600)]
    [InlineData("000205B4", 600)]           // behind the end of options
    [InlineData("030002040FFF0000", 600)]   // an option of length 0
    [InlineData("030902040FFF0000", 600)]   // an option that leaves the header
    [InlineData("0101010101010102", 600)]   // cut off
    [InlineData("02030FFF", 600)]           // not an MSS
    public void Other_headers_are_left_alone(string options, int mtu)
    {
        byte[] before = new TestPacket { Flags = 0x02, Payload = 0, Options = Convert.FromHexString(options) }.Build(), frame = [.. before];
        MssClamp.Apply(frame, mtu);
        Assert.Equal(before, frame);
    }

    [Fact]
    public void Only_first_fragments_of_TCP_are_clamped_and_noise_does_no_harm()
    {
        TestPacket syn = new() { Payload = 0, Options = [2, 4, 5, 180] };
        foreach (TestPacket other in (TestPacket[])[syn with { Udp = true, Payload = 40 }, syn with { FragmentField = 5 }])
        {
            byte[] before = other.Build(), frame = [.. before];
            MssClamp.Apply(frame, 600);
            Assert.Equal(before, frame);
        }

        for (int seed = 0; seed < 20000; seed++)
        {
            var random = new Random(seed);
            byte[] frame = syn.Build();
            frame[random.Next(frame.Length)] = (byte)random.Next(256);
            frame[random.Next(30, frame.Length)] = (byte)random.Next(256);
            Span<byte> cut = frame.AsSpan(0, random.Next(frame.Length + 1));
            MssClamp.Apply(cut, random.Next(0, 1600));
            TimeToLive.Decrement(cut);
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void The_time_to_live_goes_down_by_one_with_its_checksum(bool ipv6, bool vlan)
    {
        for (int ttl = 255; ttl > 1; ttl--)
        {
            TestPacket packet = new() { IPv6 = ipv6, Vlan = vlan, Ttl = (byte)ttl, Id = (ushort)(ttl * 257) };
            byte[] frame = packet.Build();
            Assert.Equal(TimeToLiveResult.Alive, TimeToLive.Decrement(frame));
            Assert.Equal((packet with { Ttl = (byte)(ttl - 1) }).Build(), frame);
        }
    }

    [Theory]
    [InlineData(false, 6, 0, "Expired")]
    [InlineData(false, 1, 8, "Expired")]
    [InlineData(false, 1, 11, "ExpiredSilently")]
    [InlineData(true, 6, 0, "Expired")]
    [InlineData(true, 58, 128, "Expired")]
    [InlineData(true, 58, 3, "ExpiredSilently")]
    public void A_used_up_packet_expires_unless_it_says_so_itself(bool ipv6, byte protocol, byte type, string expected)
    {
        foreach (byte ttl in (byte[])[0, 1])
        {
            byte[] frame = new TestPacket { IPv6 = ipv6, Ttl = ttl }.Build();
            frame[ipv6 ? 20 : 23] = protocol;
            frame[ipv6 ? 54 : 34] = type;
            byte[] before = [.. frame];
            Assert.Equal(expected, TimeToLive.Decrement(frame).ToString());
            Assert.Equal(before, frame);
        }
    }

    [Fact]
    public void Frames_that_are_not_IP_have_no_time_to_live()
    {
        byte[] arp = new byte[42];
        BinaryPrimitives.WriteUInt16BigEndian(arp.AsSpan(12), 0x0806);
        Assert.Equal(TimeToLiveResult.Alive, TimeToLive.Decrement(arp));
        Assert.Equal(TimeToLiveResult.Alive, TimeToLive.Decrement([]));
    }
}
