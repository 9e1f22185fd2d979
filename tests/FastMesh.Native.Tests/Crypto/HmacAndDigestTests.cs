using System.Text;
using FastMesh.Native.Crypto;

namespace FastMesh.Native.Tests.Crypto;

public sealed class HmacAndDigestTests
{
    // RFC 4231, test cases 1, 2, 3, 6 and 7: key, data, SHA-256, SHA-512
    public static TheoryData<string, string, string, string> Rfc4231 => new()
    {
        {
            Repeat("0b", 20), Ascii("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"
        },
        {
            Ascii("Jefe"), Ascii("what do ya want for nothing?"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        },
        {
            Repeat("aa", 20), Repeat("dd", 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"
        },
        {
            Repeat("aa", 131), Ascii("Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
        },
        {
            Repeat("aa", 131),
            Ascii("This is a test using a larger than block-size key and a larger than block-size data. "
                + "The key needs to be hashed before being used by the HMAC algorithm."),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"
        },
    };

    [Theory]
    [MemberData(nameof(Rfc4231))]
    public void HMAC_gives_the_tags_of_RFC_4231_again_and_again(string key, string data, string sha256, string sha512)
    {
        Check("sha256", sha256);
        Check("sha512", sha512);

        void Check(string digest, string expected)
        {
            byte[] input = Convert.FromHexString(data), tag = new byte[expected.Length / 2];
            using HmacContext hmac = new(EvpDigest.Find(digest)!, Convert.FromHexString(key));
            for (int round = 0; round < 3; round++)
            {
                Assert.True(hmac.Compute(input, tag));
                Assert.Equal(expected, Convert.ToHexStringLower(tag));
                Assert.True(hmac.Compute([], tag)); // another message between
            }
            Assert.True(hmac.Compute(input, tag.AsSpan(0, 4))); // RFC 4231 test case 5: truncation keeps the leading bytes
            Assert.Equal(expected[..8], Convert.ToHexStringLower(tag.AsSpan(0, 4)));
        }
    }

    // RFC 2202, test case 2
    [Theory]
    [InlineData("md5", "750c783e6ab0b503eaa86e310a5db738")]
    [InlineData("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")]
    public void HMAC_gives_the_tags_of_RFC_2202(string digest, string expected)
    {
        using HmacContext hmac = new(EvpDigest.Find(digest)!, "Jefe"u8);
        byte[] tag = new byte[expected.Length / 2];
        Assert.True(hmac.Compute("what do ya want for nothing?"u8, tag));
        Assert.Equal(expected, Convert.ToHexStringLower(tag));
    }

    [Theory]
    [InlineData("sha256")]
    [InlineData("sha1")]
    public void Verify_accepts_any_leading_part_of_the_tag_and_nothing_else(string name)
    {
        EvpDigest digest = EvpDigest.Find(name)!;
        using HmacContext hmac = new(digest, "key"u8);
        byte[] tag = new byte[digest.Size];
        Assert.True(hmac.Compute("data"u8, tag));
        for (int length = 0; length <= tag.Length; length++)
            Assert.True(hmac.Verify("data"u8, tag.AsSpan(0, length)));
        for (int i = 0; i < tag.Length; i++)
        {
            tag[i] ^= 0x80;
            Assert.False(hmac.Verify("data"u8, tag));
            tag[i] ^= 0x80;
        }
        Assert.False(hmac.Verify("data"u8, new byte[tag.Length + 1]));
        Assert.False(hmac.Compute("data"u8, new byte[tag.Length + 1]));
    }

    [Theory]
    [InlineData("sha256")]
    [InlineData("sha384")]
    public void An_empty_key_is_a_key(string name)
    {
        EvpDigest digest = EvpDigest.Find(name)!;
        using HmacContext hmac = new(digest, []);
        byte[] tag = new byte[digest.Size];
        Assert.True(hmac.Compute("abc"u8, tag));
        byte[] expected = name == "sha256"
            ? System.Security.Cryptography.HMACSHA256.HashData([], "abc"u8)
            : System.Security.Cryptography.HMACSHA384.HashData([], "abc"u8);
        Assert.Equal(expected, tag);
    }

    // FIPS 180-4 and RFC 1321 examples for "abc"; numbers and sizes from the tinc 1.0 reference, 5.1
    [Theory]
    [InlineData("md5", 4, "900150983cd24fb0d6963f7d28e17f72")]
    [InlineData("sha1", 64, "a9993e364706816aba3e25717850c26c9cd0d89d")]
    [InlineData("SHA256", 672, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData(
        "sha512", 674,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")]
    [InlineData("ripemd160", 117, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc")]
    public void A_digest_is_found_by_name_and_number_and_hashes_abc_as_published(string name, int nid, string expected)
    {
        EvpDigest digest = EvpDigest.Find(name)!;
        Assert.Same(digest, EvpDigest.Find(nid));
        Assert.Equal(expected.Length / 2, digest.Size);
        byte[] hash = new byte[EvpDigest.MaxSize];
        Assert.True(digest.Hash("abc"u8, hash));
        Assert.Equal(expected, Convert.ToHexStringLower(hash.AsSpan(0, digest.Size)));
        Assert.False(digest.Hash("abc"u8, new byte[digest.Size - 1]));
    }

    [Fact]
    public void A_legacy_digest_is_known_but_not_usable()
    {
        EvpDigest whirlpool = EvpDigest.Find(804)!;
        Assert.Equal(64, whirlpool.Size);
        Assert.False(whirlpool.IsUsable);
        Assert.False(whirlpool.Hash("abc"u8, new byte[64]));
        Assert.Throws<ArgumentException>(() => new HmacContext(whirlpool, []));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(427)] // a cipher
    [InlineData(999_999)]
    public void An_unknown_number_finds_no_digest(int nid) => Assert.Null(EvpDigest.Find(nid));

    private static string Repeat(string hex, int times) => string.Concat(Enumerable.Repeat(hex, times));

    private static string Ascii(string text) => Convert.ToHexString(Encoding.ASCII.GetBytes(text));
}
