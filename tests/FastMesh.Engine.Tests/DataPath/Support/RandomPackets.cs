using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Random packets of every kind that a device can give, and super-packets as the kernel hands them over.</summary>
internal static class RandomPackets
{
    private const byte HopByHop = 0, Routing = 43, DestinationOptions = 60;

    public static TestPacket Next(Random random, bool tags, int payload)
    {
        bool v6 = random.Next(2) == 0, udp = random.Next(3) == 0;
        return new TestPacket
        {
            IPv6 = v6,
            Udp = udp,
            Tags = tags ? Tags(random) : [],
            Payload = payload,
            PayloadSeed = random.Next(),
            Sequence = random.Next(4) == 0 ? uint.MaxValue - (uint)random.Next(70000) : (uint)random.NextInt64(1L << 32),
            Acknowledged = (uint)random.NextInt64(1L << 32),
            Flags = random.Next(3) == 0 ? (byte)random.Next(256) : random.Next(3) == 0 ? (byte)0x18 : (byte)0x10,
            Reserved = (byte)(random.Next(8) == 0 ? random.Next(16) : 0),
            Urgent = (ushort)(random.Next(8) == 0 ? random.Next(65536) : 0),
            Window = (ushort)random.Next(65536),
            Options = udp ? [] : Bytes(random, 4 * random.Next(0, 11)),
            Id = (ushort)random.Next(65536),
            Tos = (byte)random.Next(256),
            Ttl = (byte)random.Next(2, 256),
            DontFragment = random.Next(2) == 0,
            IpOptions = v6 || random.Next(4) != 0 ? [] : Bytes(random, 4 * random.Next(0, 11)),
            Extensions = v6 && random.Next(4) == 0 ? Extensions(random) : [],
            SourcePort = (ushort)random.Next(1, 65536),
            FlowLabel = (uint)random.Next(1 << 20),
        };
    }

    /// <summary>A tag of a customer or of a provider, or both; any priority, so that the tag may look like the first byte of an IP header.</summary>
    public static byte[] Tags(Random random) => random.Next(4) switch
    {
        0 => [0x81, 0, .. Bytes(random, 2)],
        1 => [0x88, 0xa8, .. Bytes(random, 2), 0x81, 0, .. Bytes(random, 2)],
        _ => [],
    };

    public static byte[] Bytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>As the kernel hands a packet over whose checksum it left to us: the field holds the pseudo header's sum.</summary>
    public static byte[] Unfinished(TestPacket packet)
    {
        byte[] frame = packet.Build();
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(packet.Transport + (packet.Udp ? 6 : 16)), packet.Seed(frame));
        return frame;
    }

    /// <summary>The device's header for a packet of segments of that size; 0: for a single packet.</summary>
    public static VirtioHeader HeaderFor(TestPacket packet, int size) => new()
    {
        NeedsChecksum = true,
        Kind = size == 0 ? SegmentationKind.None : packet.Udp ? SegmentationKind.Udp : packet.IPv6 ? SegmentationKind.TcpIPv6 : SegmentationKind.TcpIPv4,
        Ecn = !packet.Udp && (packet.Flags & 0x80) != 0,
        HeaderLength = (ushort)packet.HeaderLength,
        SegmentSize = (ushort)size,
        ChecksumStart = (ushort)packet.Transport,
        ChecksumOffset = (ushort)(packet.Udp ? 6 : 16),
    };

    /// <summary>What the path may change of a device packet is nothing: the frames it stands for, cut no shorter than <paramref name="size"/>.</summary>
    public static List<byte[]> Segments(TestPacket whole, int size) =>
        [.. Enumerable.Range(0, Math.Max(1, (whole.Payload + size - 1) / size)).Select(i => whole.Segment(i, size).Build())];

    /// <summary>The longest headers there can be must fit what the data path handles.</summary>
    private static (byte, byte[])[] Extensions(Random random)
    {
        List<(byte, byte[])> extensions = [];
        if (random.Next(2) == 0)
            extensions.Add((HopByHop, Options(random)));
        if (random.Next(2) == 0)
            extensions.Add((Routing, [0, 0, (byte)random.Next(5), 0, .. Bytes(random, 4)])); // no segments left
        if (random.Next(2) == 0)
            extensions.Add((DestinationOptions, Options(random)));
        return [.. extensions];
    }

    /// <summary>A header of one to four times eight bytes with one unknown option that fills it.</summary>
    private static byte[] Options(Random random)
    {
        int length = 8 * random.Next(1, 4);
        return [0, 0, 0x1e, (byte)(length - 4), .. Bytes(random, length - 4)];
    }
}
