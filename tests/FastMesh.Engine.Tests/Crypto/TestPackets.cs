using System.Buffers.Binary;

namespace FastMesh.Engine.Tests.Crypto;

/// <summary>Frames of random length, half of them easy to compress.</summary>
internal static class TestPackets
{
    /// <summary>An IPv4 or IPv6 packet with the Ethernet header that a router rebuilds: no addresses.</summary>
    public static byte[] Ip(Random random)
    {
        byte[] frame = Fill(random, random.Next(34, 1518));
        bool isIPv6 = random.Next(2) == 0;
        frame.AsSpan(0, 12).Clear();
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), (ushort)(isIPv6 ? 0x86dd : 0x0800));
        frame[14] = isIPv6 ? (byte)0x60 : (byte)0x45;
        return frame;
    }

    /// <summary>Any Ethernet frame whose type is not zero.</summary>
    public static byte[] Ethernet(Random random)
    {
        byte[] frame = Fill(random, random.Next(14, 1518));
        frame[12] |= 0x08;
        return frame;
    }

    /// <summary>A frame with ethertype 0.</summary>
    public static byte[] Probe(Random random)
    {
        byte[] frame = Fill(random, random.Next(18, 1518));
        frame.AsSpan(12, 2).Clear();
        return frame;
    }

    private static byte[] Fill(Random random, int length)
    {
        byte[] frame = new byte[length];
        random.NextBytes(random.Next(2) == 0 ? frame : frame.AsSpan(0, Math.Min(length, 40)));
        return frame;
    }
}
