using System.Security.Cryptography;
using FastMesh.Native.Crypto;

namespace FastMesh.Native.Tests.Crypto;

public sealed class HmacTrainTests
{
    private const int Stride = 2048;

    [SkippableFact]
    public void Trains_are_hashed_side_by_side_where_ipsec_mb_is_installed()
    {
        Skip.IfNot(File.Exists("/usr/lib/x86_64-linux-gnu/libIPSec_MB.so.1") || File.Exists("/usr/lib/x86_64-linux-gnu/libIPSec_MB.so.2"),
            "ipsec-mb is not installed");
        Assert.True(HmacContext.HasTrains);
    }

    [Theory]
    [InlineData("sha256", 4)]
    [InlineData("sha256", 32)]
    [InlineData("sha256", 0)]
    [InlineData("sha1", 4)]
    [InlineData("sha512", 64)]
    public void Trains_agree_with_NET_and_with_single_messages(string digest, int tagLength)
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        byte[] memory = new byte[131 * Stride], single = new byte[64];
        for (int round = 0; round < 60; round++)
        {
            byte[] key = new byte[random.Next(1, 100)];
            random.NextBytes(key);
            random.NextBytes(memory);
            byte[] before = [.. memory];
            using HmacContext hmac = new(EvpDigest.Find(digest)!, key);
            int equal = random.Next(2) == 0 ? 0 : random.Next(1, 1700);
            var messages = new (int Offset, int Length)[random.Next(0, 131)];
            for (int i = 0; i < messages.Length; i++)
                messages[i] = ((i * Stride) + random.Next(64), equal > 0 ? equal : random.Next(1, 1700));

            Assert.True(hmac.ComputeTrain(memory, messages, tagLength));

            foreach ((int offset, int length) in messages)
            {
                Span<byte> data = before.AsSpan(offset, length), tag = before.AsSpan(offset + length, tagLength);
                Net(digest, key, data).AsSpan(0, tagLength).CopyTo(tag);
                Assert.True(hmac.Compute(data, single.AsSpan(0, tagLength)) && tag.SequenceEqual(single.AsSpan(0, tagLength)), $"seed {seed}");
            }

            Assert.True(memory.AsSpan().SequenceEqual(before), $"seed {seed}, round {round}, {messages.Length} messages");
        }
    }

    [Theory]
    [InlineData("sha256", 4)]
    [InlineData("sha256", 32)]
    [InlineData("sha1", 20)]
    public void Every_changed_bit_of_a_train_is_found_and_only_there(string digest, int tagLength)
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        byte[] memory = new byte[64 * Stride], key = new byte[48];
        for (int round = 0; round < 60; round++)
        {
            random.NextBytes(key);
            random.NextBytes(memory);
            using HmacContext hmac = new(EvpDigest.Find(digest)!, key);
            var messages = new (int Offset, int Length)[random.Next(0, 65)];
            ulong expected = 0;
            for (int i = 0; i < messages.Length; i++)
            {
                (int offset, int length) = messages[i] = ((i * Stride) + random.Next(64), random.Next(1, 1700));
                Net(digest, key, memory.AsSpan(offset, length)).AsSpan(0, tagLength).CopyTo(memory.AsSpan(offset + length));
                if (random.Next(3) == 0)
                    memory[offset + random.Next(length + tagLength)] ^= (byte)(1 << random.Next(8));
                else
                    expected |= 1UL << i;
            }

            Assert.True(expected == hmac.VerifyTrain(memory, messages, tagLength), $"seed {seed}, round {round}, {messages.Length} messages");
        }
    }

    [Fact]
    public void Empty_tags_are_right_and_tags_longer_than_the_digest_are_wrong()
    {
        using HmacContext hmac = new(EvpDigest.Find("sha256")!, new byte[48]);
        Assert.Equal(7UL, hmac.VerifyTrain(new byte[300], [(0, 80), (100, 80), (200, 80)], 0));
        Assert.Equal(0UL, hmac.VerifyTrain(new byte[300], [(0, 80), (100, 80)], 33));
    }

    [Fact]
    public void Verifying_outside_of_the_memory_or_too_many_is_misuse()
    {
        using HmacContext hmac = new(EvpDigest.Find("sha256")!, new byte[48]);
        Assert.Throws<ArgumentOutOfRangeException>(() => hmac.VerifyTrain(new byte[200], [(0, 80), (100, 97)], 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => hmac.VerifyTrain(new byte[200], [(0, 80), (-1, 80)], 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => hmac.VerifyTrain(new byte[200], new (int, int)[65], 4));
    }

    [Fact]
    public void A_message_without_room_for_its_tag_is_misuse()
    {
        using HmacContext hmac = new(EvpDigest.Find("sha256")!, new byte[48]);
        Assert.Throws<ArgumentOutOfRangeException>(() => hmac.ComputeTrain(new byte[200], [(0, 80), (100, 97)], 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => hmac.ComputeTrain(new byte[200], [(0, 80), (-1, 80)], 4));
        Assert.False(hmac.ComputeTrain(new byte[200], [(0, 80)], 33));
    }

    [Fact]
    public void Threads_do_not_disturb_each_other()
    {
        byte[] key = new byte[48];
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 4 }, index =>
        {
            using HmacContext hmac = new(EvpDigest.Find("sha256")!, key);
            byte[] memory = new byte[20 * Stride];
            memory.AsSpan().Fill((byte)index);
            (int, int)[] messages = [.. Enumerable.Range(0, 20).Select(i => (i * Stride, 1000 + i))];
            for (int round = 0; round < 50; round++)
                Assert.True(hmac.ComputeTrain(memory, messages, 32));
            for (int i = 0; i < 20; i++)
                Assert.Equal(HMACSHA256.HashData(key, memory.AsSpan(i * Stride, 1000 + i)), memory.AsSpan((i * Stride) + 1000 + i, 32).ToArray());
        });
    }

    [Fact]
    public void Trains_allocate_nothing()
    {
        using HmacContext hmac = new(EvpDigest.Find("sha256")!, new byte[48]);
        byte[] memory = new byte[46 * Stride];
        (int, int)[] messages = [.. Enumerable.Range(0, 46).Select(i => (i * Stride, 1424))];
        AllocationAssert.None(() => hmac.ComputeTrain(memory, messages, 4));
        AllocationAssert.None(() => hmac.VerifyTrain(memory, messages, 4));
    }

    private static byte[] Net(string digest, byte[] key, ReadOnlySpan<byte> data) => digest switch
    {
        "sha256" => HMACSHA256.HashData(key, data),
#pragma warning disable CA5350 // tinc's peers may ask for it
        "sha1" => HMACSHA1.HashData(key, data),
#pragma warning restore CA5350
        _ => HMACSHA512.HashData(key, data),
    };
}
