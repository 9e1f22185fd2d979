using System.IO.Compression;
using FastMesh.Native.Crypto;

namespace FastMesh.Native.Tests.Crypto;

public sealed class CompressionTests
{
    private const int PacketRoom = 1661; // what tinc allows a packet to expand to

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(9)]
    public void The_platform_expands_what_we_compress_and_the_other_way_round(int level)
    {
        using Zlib zlib = new(level);
        foreach (byte[] packet in Packets())
        {
            byte[] small = new byte[2000], back = new byte[PacketRoom];
            int length = zlib.Compress(packet, small);
            Assert.True(length > 0);
            using ZLibStream reader = new(new MemoryStream(small, 0, length), CompressionMode.Decompress);
            using MemoryStream expanded = new();
            reader.CopyTo(expanded);
            Assert.Equal(packet, expanded.ToArray());

            if (packet.Length == 0)
                continue; // ZLibStream writes nothing at all for it
            using MemoryStream theirs = new();
            using (ZLibStream writer = new(theirs, CompressionLevel.SmallestSize, leaveOpen: true))
                writer.Write(packet);
            Assert.Equal(packet.Length, zlib.Expand(theirs.ToArray(), back));
            Assert.Equal(packet, back[..packet.Length]);
        }
    }

    [Fact]
    public void Damaged_cut_or_oversized_zlib_data_are_refused_and_the_next_packet_is_unharmed()
    {
        using Zlib zlib = new(6);
        byte[] packet = Packets()[2], small = new byte[2000], back = new byte[PacketRoom];
        int length = zlib.Compress(packet, small);
        for (int cut = 0; cut < length; cut++)
            Assert.Equal(-1, zlib.Expand(small.AsSpan(0, cut), back));
        Assert.Equal(-1, zlib.Expand(small.AsSpan(0, length), back.AsSpan(0, packet.Length - 1)));
        small[length - 1] ^= 1; // Adler-32
        Assert.Equal(-1, zlib.Expand(small.AsSpan(0, length), back));
        small[length - 1] ^= 1;
        Assert.Equal(packet.Length, zlib.Expand(small.AsSpan(0, length), back));
    }

    [Fact]
    public void A_small_packet_cannot_expand_beyond_the_bound()
    {
        using Zlib zlib = new(9);
        byte[] bomb = new byte[1000];
        int length = zlib.Compress(new byte[500_000], bomb);
        Assert.InRange(length, 1, 1000);
        byte[] room = new byte[PacketRoom + 1];
        room[PacketRoom] = 0xA5;
        Assert.Equal(-1, zlib.Expand(bomb.AsSpan(0, length), room.AsSpan(0, PacketRoom)));
        Assert.Equal(0xA5, room[PacketRoom]);
    }

    [Fact]
    public void Output_too_short_to_compress_into_is_refused()
    {
        using Zlib zlib = new(9);
        Assert.Equal(-1, zlib.Compress(Packets()[3], new byte[100]));
    }

    [Fact]
    public void Compressing_a_packet_allocates_nothing()
    {
        using Zlib zlib = new(1);
        byte[] packet = Packets()[2], small = new byte[2000], back = new byte[PacketRoom];
        AllocationAssert.None(() => zlib.Expand(small.AsSpan(0, zlib.Compress(packet, small)), back));
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void LZO_survives_the_round_trip_and_refuses_damage(bool best)
    {
        Skip.IfNot(Lzo.IsAvailable, "liblzo2 is not installed");
        using Lzo lzo = new(best);
        foreach (byte[] packet in Packets())
        {
            byte[] small = new byte[Lzo.MaxCompressedLength(packet.Length)], back = new byte[PacketRoom];
            int length = lzo.Compress(packet, small);
            Assert.InRange(length, 1, small.Length);
            Assert.Equal(packet.Length, Lzo.Expand(small.AsSpan(0, length), back));
            Assert.Equal(packet, back[..packet.Length]);
            Assert.Equal(-1, Lzo.Expand(small.AsSpan(0, length - 1), back));
            if (packet.Length > 0)
                Assert.Equal(-1, Lzo.Expand(small.AsSpan(0, length), back.AsSpan(0, packet.Length - 1)));
            Assert.Equal(-1, lzo.Compress(packet, small.AsSpan(0, small.Length - 1)));
        }
        Assert.Equal(-1, Lzo.Expand([], new byte[10]));
    }

    // The published stream format: a first byte of 17 + n announces n literals, 11 00 00 ends the stream.
    [SkippableFact]
    public void LZO_expands_a_stream_written_by_hand()
    {
        Skip.IfNot(Lzo.IsAvailable, "liblzo2 is not installed");
        byte[] back = new byte[64];
        byte[] stream = [17 + 11, .. "hello world"u8, 0x11, 0, 0];
        Assert.Equal(11, Lzo.Expand(stream, back));
        Assert.Equal("hello world"u8.ToArray(), back[..11]);
    }

    [SkippableFact]
    public void LZO_allocates_nothing_per_packet()
    {
        Skip.IfNot(Lzo.IsAvailable, "liblzo2 is not installed");
        using Lzo lzo = new(best: false);
        byte[] packet = Packets()[2], small = new byte[2000], back = new byte[PacketRoom];
        AllocationAssert.None(() => Lzo.Expand(small.AsSpan(0, lzo.Compress(packet, small)), back));
    }

    [SkippableFact]
    public void LZ4_survives_the_round_trip_and_refuses_damage()
    {
        Skip.IfNot(Lz4.IsAvailable, "liblz4 is not installed");
        foreach (byte[] packet in Packets())
        {
            byte[] small = new byte[packet.Length + (packet.Length / 255) + 16], back = new byte[PacketRoom];
            int length = Lz4.Compress(packet, small);
            Assert.InRange(length, 1, small.Length);
            Assert.Equal(packet.Length, Lz4.Expand(small.AsSpan(0, length), back));
            Assert.Equal(packet, back[..packet.Length]);
            Assert.Equal(-1, Lz4.Compress(packet, small.AsSpan(0, length - 1)));
            if (packet.Length > 1)
                Assert.Equal(-1, Lz4.Expand(small.AsSpan(0, length), back.AsSpan(0, packet.Length - 1)));
        }
        Assert.Equal(-1, Lz4.Expand([], new byte[10]));
    }

    // The published block format: a token of n << 4 announces n literals; the last sequence has literals only.
    [SkippableFact]
    public void LZ4_expands_a_block_written_by_hand()
    {
        Skip.IfNot(Lz4.IsAvailable, "liblz4 is not installed");
        byte[] back = new byte[64];
        // 5 literals, a match of 4 + 7 bytes at distance 5, then the last 5 literals
        Assert.Equal(21, Lz4.Expand([0x57, .. "hello"u8, 5, 0, 0x50, .. "world"u8], back));
        Assert.Equal("hellohellohellohworld"u8.ToArray(), back[..21]);
        Assert.Equal(-1, Lz4.Expand([0x57, .. "hello"u8, 6, 0, 0x50, .. "world"u8], back)); // points before the beginning
    }

    [SkippableFact]
    public void LZ4_allocates_nothing_per_packet()
    {
        Skip.IfNot(Lz4.IsAvailable, "liblz4 is not installed");
        byte[] packet = Packets()[2], small = new byte[2000], back = new byte[PacketRoom];
        AllocationAssert.None(() => Lz4.Expand(small.AsSpan(0, Lz4.Compress(packet, small)), back));
    }

    /// <summary>Empty, one byte, text, noise, zeroes.</summary>
    private static byte[][] Packets()
    {
        byte[] text = new byte[1400], noise = new byte[1518];
        for (int i = 0; i < text.Length; i++)
            text[i] = (byte)"the quick brown fox "[i % 20];
        new Random(1).NextBytes(noise);
        return [[], [7], text, noise, new byte[1661]];
    }
}
