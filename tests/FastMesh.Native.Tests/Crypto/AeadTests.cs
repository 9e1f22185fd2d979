using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using FastMesh.Native.Crypto;

namespace FastMesh.Native.Tests.Crypto;

public sealed class AeadTests
{
    /// <summary>Every implementation by name; those of ipsec-mb only where it is installed.</summary>
    public static TheoryData<string> Implementations() => [.. All.Keys];

    [SkippableFact]
    public void Ipsec_mb_is_used_where_it_is_installed()
    {
        Skip.IfNot(File.Exists("/usr/lib/x86_64-linux-gnu/libIPSec_MB.so.1") || File.Exists("/usr/lib/x86_64-linux-gnu/libIPSec_MB.so.2"),
            "ipsec-mb is not installed");
        Assert.True(IpsecMbGcm.IsAvailable && IpsecMbChaChaPoly.IsAvailable && Poly1305.HasIpsecMb);
        Assert.IsType<IpsecMbGcm>(Aead.CreateAes256Gcm(new byte[32]));
        Assert.IsType<IpsecMbChaChaPoly>(Aead.CreateChaCha20Poly1305(new byte[32]));
    }

    [SkippableFact]
    public void Our_own_ChaCha20_is_used_where_the_processor_has_the_registers()
    {
        Skip.IfNot(Avx2.IsSupported, "the processor has no AVX2");
        Assert.IsType<VectorTincChaChaPoly>(Aead.CreateTincChaCha20Poly1305(new byte[32]));
    }

    [Fact]
    public void Fast_AES_is_seen_as_the_kernel_sees_it()
    {
        string[] flags = [.. File.ReadLines("/proc/cpuinfo").FirstOrDefault(static l => l.StartsWith("flags", StringComparison.Ordinal)
            || l.StartsWith("Features", StringComparison.Ordinal))?.Split(' ') ?? []];
        Assert.Equal(flags.Contains("aes") && (flags.Contains("pclmulqdq") || flags.Contains("pmull")), CpuFeatures.HasFastAes);
    }

    /// <summary>Test cases 13 to 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), which NIST SP 800-38D refers to.</summary>
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "",
        "530f8afbc74536b9a963b4f1c4cb738b")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
        "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")]
    [InlineData("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad" +
        "b094dac5d93471bdec1a502270e3cc6c")]
    [InlineData("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" +
        "76fc6ece0f4e1768cddf8853bb2d551b")]
    public void Vectors_of_AES_256_GCM_come_out(string key, string nonce, string associated, string plain, string expected) =>
        Check(["GCM by libcrypto", "GCM by ipsec-mb"], key, nonce, associated, plain, expected);

    /// <summary>RFC 8439, 2.8.2.</summary>
    [Fact]
    public void The_vector_of_RFC_8439_comes_out() => Check(
        ["ChaCha by libcrypto", "ChaCha by ipsec-mb"],
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        "070000004041424344454647",
        "50515253c0c1c2c3c4c5c6c7",
        Convert.ToHexString("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."u8),
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36" +
        "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116" +
        "1ae10b594f09e26a7e902ecbd0600691");

    /// <summary>tinc 1.1 reference, 12: record protection.</summary>
    [Theory]
    [InlineData("000000000000000000000002", "0050494e47", "4d9af9b94d8080abfa10525d2055f8682ddddd18d2")]
    [InlineData("000000000000000000000000", "", "8a35d86fbcde6accb2cc7d4cd8ea2492")]
    [InlineData(
        "000000000000000001020304",
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" +
        "000000000000000000000000",
        "96c21cb2db1126a9d46d24fca8405a74012d14d733b96dde8d724caa215a2fd860dd20412570f941c2022b9b7be8de0f8e4fbb05cb4d0e6be8423f04c2b84b2d5aff" +
        "95379cb9c5faefdf327c78c9c0520922e15933d24c894003a4ef93380936")]
    public void Vectors_of_tincs_variant_come_out(string nonce, string plain, string expected) => Check(
        ["tinc by libcrypto", "tinc by ipsec-mb", "tinc by vectors and libcrypto", "tinc by vectors and ipsec-mb"],
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", nonce, "", plain, expected);

    /// <summary>tinc 1.1 reference, 14: vectors of the unreleased branch, whose AEADs are the standard ones.</summary>
    [Theory]
    [InlineData("ChaCha by libcrypto", "8fbaa96605aa34a9b3084bcbd2421c38656b95326e")]
    [InlineData("ChaCha by ipsec-mb", "8fbaa96605aa34a9b3084bcbd2421c38656b95326e")]
    [InlineData("GCM by libcrypto", "e63ea22ebdcfd1bf0a2c6f8f595c46adfaf722967a")]
    [InlineData("GCM by ipsec-mb", "e63ea22ebdcfd1bf0a2c6f8f595c46adfaf722967a")]
    public void Vectors_of_the_cipher_suite_branch_come_out(string implementation, string expected) => Check(
        [implementation], "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "020000000000000000000000", "", "0050494e47", expected);

    [Theory, MemberData(nameof(Implementations))]
    public void Packets_of_all_lengths_agree_with_another_library_in_place_too_and_nothing_else_is_written(string implementation)
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        byte[] key = new byte[32], nonce = new byte[12], output = new byte[9200];
        random.NextBytes(key);
        random.NextBytes(nonce.AsSpan(4));
        using Aead aead = All[implementation](key);
        for (int length = 0; length < 9000; length += length < 300 ? 1 : length < 2030 ? 7 : length < 2060 ? 1 : 1111)
        {
            byte[] plain = new byte[length], associated = new byte[implementation.StartsWith("tinc", StringComparison.Ordinal) ? 0 : random.Next(20)];
            random.NextBytes(plain);
            random.NextBytes(associated);
            byte[] expected = Reference(implementation, key, nonce, associated, plain);
            int at = random.Next(64), end = at + length + 16;
            string where = $"seed {seed}, length {length}";

            output.AsSpan().Fill(0xA5);
            Assert.True(aead.Seal(nonce, associated, plain, output.AsSpan(at)));
            Assert.True(output.AsSpan(at, length + 16).SequenceEqual(expected), where);
            Assert.True(output.AsSpan(0, at).IndexOfAnyExcept((byte)0xA5) < 0 && output.AsSpan(end).IndexOfAnyExcept((byte)0xA5) < 0, where);

            Assert.True(aead.Open(nonce, associated, output.AsSpan(at, length + 16), output.AsSpan(at)), where);
            Assert.True(output.AsSpan(at, length).SequenceEqual(plain), $"opened in place, {where}");
            Assert.True(aead.Seal(nonce, associated, output.AsSpan(at, length), output.AsSpan(at)));
            Assert.True(output.AsSpan(at, length + 16).SequenceEqual(expected), $"sealed in place, {where}");

            output.AsSpan().Fill(0xA5);
            Assert.True(aead.Open(nonce, associated, expected, output.AsSpan(at, length)));
            Assert.True(output.AsSpan(at, length).SequenceEqual(plain), where);
            Assert.True(output.AsSpan(0, at).IndexOfAnyExcept((byte)0xA5) < 0 && output.AsSpan(at + length).IndexOfAnyExcept((byte)0xA5) < 0, where);
        }
    }

    [Theory, MemberData(nameof(Implementations))]
    public void Any_changed_bit_is_noticed_and_the_next_packet_opens(string implementation)
    {
        byte[] key = new byte[32], nonce = new byte[12], packet = new byte[40 + 16], plain = new byte[40];
        byte[] associated = implementation.StartsWith("tinc", StringComparison.Ordinal) ? [] : [1, 2, 3, 4, 5, 6, 7, 8];
        using Aead aead = All[implementation](key);
        Assert.True(aead.Seal(nonce, associated, plain, packet));
        for (int bit = 0; bit < 8 * packet.Length; bit++)
        {
            packet[bit / 8] ^= (byte)(1 << (bit % 8));
            plain.AsSpan().Fill(0xEE);
            Assert.False(aead.Open(nonce, associated, packet, plain));
            Assert.Equal(-1, plain.AsSpan().IndexOfAnyExcept((byte)0));
            packet[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int i = 0; i < nonce.Length; i++)
        {
            nonce[i] ^= 0x80;
            Assert.False(aead.Open(nonce, associated, packet, plain));
            nonce[i] ^= 0x80;
        }

        for (int i = 0; i < associated.Length; i++)
        {
            associated[i] ^= 1;
            Assert.False(aead.Open(nonce, associated, packet, plain));
            associated[i] ^= 1;
        }

        Assert.True(aead.Open(nonce, associated, packet, plain));
    }

    [Theory, MemberData(nameof(Implementations))]
    public void Wrong_lengths_are_refused(string implementation)
    {
        Assert.Throws<ArgumentException>(() => All[implementation](new byte[31]));
        Aead aead = All[implementation](new byte[32]);
        byte[] room = new byte[64];
        Assert.False(aead.Seal(new byte[11], default, new byte[10], room));
        Assert.False(aead.Seal(new byte[12], default, new byte[10], room.AsSpan(0, 25)));
        Assert.False(aead.Open(new byte[12], default, new byte[15], room));
        Assert.False(aead.Open(new byte[12], default, new byte[26], room.AsSpan(0, 9)));
        aead.Dispose();
        Assert.False(aead.Seal(new byte[12], default, new byte[10], room));
    }

    [Theory, MemberData(nameof(Implementations))]
    public void Packets_allocate_nothing(string implementation)
    {
        using Aead aead = All[implementation](new byte[32]);
        byte[] nonce = new byte[12], plain = new byte[1400], packet = new byte[1416];
        AllocationAssert.None(() =>
        {
            aead.Seal(nonce, default, plain, packet);
            aead.Open(nonce, default, packet, plain);
            aead.Open(nonce, default, plain, packet); // a forgery
        });
    }

    /// <summary>Owners are threads; each has its own object, and ipsec-mb's managers are per thread.</summary>
    [Theory, MemberData(nameof(Implementations))]
    public void Two_threads_with_objects_of_their_own_do_not_disturb_each_other(string implementation)
    {
        byte[] expected = new byte[1416];
        using (Aead aead = All[implementation](new byte[32]))
            Assert.True(aead.Seal(new byte[12], default, new byte[1400], expected));
        Parallel.For(0, 4, _ =>
        {
            using Aead aead = All[implementation](new byte[32]);
            byte[] packet = new byte[1416];
            for (int i = 0; i < 2000; i++)
                Assert.True(aead.Seal(new byte[12], default, new byte[1400], packet) && packet.AsSpan().SequenceEqual(expected));
        });
    }

    private static readonly SortedDictionary<string, Func<byte[], Aead>> All = Available();

    private static SortedDictionary<string, Func<byte[], Aead>> Available()
    {
        SortedDictionary<string, Func<byte[], Aead>> all = new(StringComparer.Ordinal)
        {
            ["GCM by libcrypto"] = static key => EvpAead.CreateAes256Gcm(key),
            ["ChaCha by libcrypto"] = static key => EvpAead.CreateChaCha20Poly1305(key),
            ["tinc by libcrypto"] = static key => new TincChaChaPoly(key, byIpsecMb: false),
        };
        if (IpsecMbGcm.IsAvailable)
            all["GCM by ipsec-mb"] = static key => new IpsecMbGcm(key);
        if (IpsecMbChaChaPoly.IsAvailable)
            all["ChaCha by ipsec-mb"] = static key => new IpsecMbChaChaPoly(key);
        if (Poly1305.HasIpsecMb)
            all["tinc by ipsec-mb"] = static key => new TincChaChaPoly(key, byIpsecMb: true);
        if (VectorTincChaChaPoly.IsAvailable)
            all["tinc by vectors and libcrypto"] = static key => new VectorTincChaChaPoly(key, byIpsecMb: false);
        if (VectorTincChaChaPoly.IsAvailable && Poly1305.HasIpsecMb)
            all["tinc by vectors and ipsec-mb"] = static key => new VectorTincChaChaPoly(key, byIpsecMb: true);
        return all;
    }

    private static byte[] Reference(string implementation, byte[] key, byte[] nonce, byte[] associated, byte[] plain)
    {
        if (implementation.StartsWith("tinc", StringComparison.Ordinal))
            return SodiumOracle.SealTinc(key, BinaryPrimitives.ReadUInt64BigEndian(nonce.AsSpan(4)), plain);
        if (implementation.StartsWith("ChaCha", StringComparison.Ordinal))
            return SodiumOracle.SealRfc(key, nonce, associated, plain);
        byte[] sealedBytes = new byte[plain.Length + 16];
        using AesGcm gcm = new(key, 16);
        gcm.Encrypt(nonce, plain, sealedBytes.AsSpan(0, plain.Length), sealedBytes.AsSpan(plain.Length), associated);
        return sealedBytes;
    }

    private static void Check(string[] implementations, string key, string nonce, string associated, string plain, string expected)
    {
        byte[] n = Convert.FromHexString(nonce), a = Convert.FromHexString(associated), p = Convert.FromHexString(plain);
        foreach (string implementation in implementations.Where(All.ContainsKey))
        {
            using Aead aead = All[implementation](Convert.FromHexString(key));
            byte[] output = new byte[p.Length + 16], back = new byte[p.Length];
            Assert.True(aead.Seal(n, a, p, output));
            Assert.Equal(expected, Convert.ToHexStringLower(output));
            Assert.True(aead.Open(n, a, output, back));
            Assert.Equal(p, back);
        }
    }
}
