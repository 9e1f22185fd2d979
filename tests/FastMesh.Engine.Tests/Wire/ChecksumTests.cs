using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Wire;

public sealed class ChecksumTests
{
    [Fact]
    public void The_example_of_RFC_1071_sums_to_ddf2()
    {
        byte[] data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        byte[] field = new byte[2];
        Checksum.WriteSeed(field, Checksum.Sum(data));
        Assert.Equal(new byte[] { 0xdd, 0xf2 }, field);
        Checksum.Write(field, Checksum.Sum(data));
        Assert.Equal(new byte[] { 0x22, 0x0d }, field);
    }

    [Fact]
    public void Every_length_and_alignment_sums_as_the_naive_loop_does()
    {
        var random = new Random(11);
        byte[] data = new byte[2100];
        random.NextBytes(data);
        byte[] field = new byte[2];
        for (int offset = 0; offset < 3; offset++)
        {
            for (int length = 0; length < 2090; length += length < 300 ? 1 : 37)
            {
                ReadOnlySpan<byte> bytes = data.AsSpan(offset, length);
                Checksum.WriteSeed(field, Checksum.Sum(bytes));
                Assert.Equal(Naive(bytes), BinaryPrimitives.ReadUInt16BigEndian(field));
                Assert.Equal(Checksum.Fold(Checksum.Sum(bytes)), Checksum.Fold(Checksum.SumScalar(bytes)));
            }
        }
    }

    [Fact]
    public void The_largest_sum_folds_right()
    {
        byte[] ones = new byte[65536];
        Array.Fill(ones, (byte)0xff);
        Assert.Equal(0xffff, Checksum.Fold(Checksum.Sum(ones)));
        Assert.Equal(0, Checksum.Fold(0));
        Assert.Equal(Naive([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Checksum.Fold(ulong.MaxValue));
    }

    [Fact]
    public void Pieces_add_up_in_any_order()
    {
        byte[] data = new byte[1000];
        new Random(12).NextBytes(data);
        ulong pieces = Checksum.Sum(data.AsSpan(600)) + Checksum.Sum(data.AsSpan(0, 250 * 2)) + Checksum.Sum(data.AsSpan(500, 100));
        Assert.Equal(Checksum.Fold(Checksum.Sum(data)), Checksum.Fold(pieces));
    }

    [Fact]
    public void Adjusting_is_the_same_as_computing_anew()
    {
        var random = new Random(13);
        byte[] data = new byte[40], again = new byte[2];
        for (int i = 0; i < 20000; i++)
        {
            random.NextBytes(data);
            if (i % 3 == 0)
                data.AsSpan(4).Fill((byte)(i % 2 == 0 ? 0 : 0xff)); // the corners of one's complement
            data[10] = data[11] = 0;
            Checksum.Write(data.AsSpan(10), Checksum.Sum(data));
            ushort before = BinaryPrimitives.ReadUInt16BigEndian(data.AsSpan(20)), after = (ushort)random.Next(0x10000);
            BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(20), after);
            Checksum.Adjust(data.AsSpan(10, 2), before, after);
            Assert.True(Checksum.IsValid(Checksum.Sum(data)), $"seed 13, round {i}");
        }
    }

    [Fact]
    public void A_UDP_checksum_is_never_zero()
    {
        byte[] field = new byte[2];
        Checksum.WriteUdp(field, 0xffff);
        Assert.Equal(new byte[] { 0xff, 0xff }, field);
        Checksum.Write(field, 0xffff);
        Assert.Equal(new byte[] { 0, 0 }, field);
    }

    internal static ushort Naive(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            sum += i % 2 == 0 ? (uint)bytes[i] << 8 : bytes[i];
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)sum;
    }
}
