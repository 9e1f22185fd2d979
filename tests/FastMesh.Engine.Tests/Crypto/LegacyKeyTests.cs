using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

public sealed class LegacyKeyTests
{
    private static readonly string s_hex96 = new('A', 96);

    [Fact]
    public void A_captured_ANS_KEY_is_taken_and_written_back_the_same()
    {
        Assert.True(LegacyKey.TryParse(TincCapture.DataKey, LegacySuite.Default, out LegacyKey? key, out string reason), reason);
        Assert.Equal(TincCapture.DataKey, key.Hex);
        Assert.Equal(LegacySuite.Default, key.Suite);
    }

    [Fact]
    public void Captured_packets_verify_and_altered_ones_do_not()
    {
        Assert.True(LegacyKey.TryParse(TincCapture.DataKey, LegacySuite.Default, out LegacyKey? key, out _));
        foreach (string packet in (string[])[TincCapture.DataPacket, TincCapture.ProbePacket])
        {
            byte[] datagram = Convert.FromHexString(packet);
            Assert.True(key.Verify(datagram));
            datagram[20] ^= 1;
            Assert.False(key.Verify(datagram));
            Assert.False(key.Verify(datagram.AsSpan(0, 7)));
            Assert.False(key.Verify([]));
        }
    }

    [Theory]
    [InlineData("807Z", 427, 672, 4, 0)]
    [InlineData("", 427, 672, 4, 0)]
    public void Bad_hex_is_refused(string hex, int cipher, int digest, int mac, int compression) => AssertRefused(hex, new(cipher, digest, mac, compression));

    [Fact]
    public void Keys_of_the_wrong_length_are_refused()
    {
        AssertRefused(s_hex96[2..], LegacySuite.Default);
        AssertRefused(s_hex96 + "00", LegacySuite.Default);
        AssertRefused(s_hex96[1..], LegacySuite.Default);
        AssertRefused(s_hex96[1..] + "G", LegacySuite.Default);
    }

    [Fact]
    public void No_cipher_goes_only_with_a_key_of_one_byte()
    {
        LegacySuite none = LegacySuite.Default with { Cipher = 0 };
        AssertRefused(s_hex96, none); // CVE-2018-16758: a garbled ANS_KEY must not switch encryption off
        AssertRefused("", none);
        AssertRefused("ABCD", none);
        Assert.True(LegacyKey.TryParse("AB", none, out LegacyKey? key, out _));
        Assert.Equal("AB", key.Hex);
    }

    [Theory]
    [InlineData(999999, 672, 4, 0)]   // unknown cipher
    [InlineData(672, 672, 4, 0)]      // a digest is no cipher
    [InlineData(427, 999999, 4, 0)]   // unknown digest
    [InlineData(427, 427, 4, 0)]      // a cipher is no digest
    [InlineData(427, 672, -1, 0)]
    [InlineData(427, 672, 33, 0)]
    [InlineData(427, 672, 4, -1)]
    [InlineData(427, 672, 4, 12)]
    [InlineData(-427, 672, 4, 0)]
    [InlineData(906, 672, 4, 0)]      // CTR would reuse its key stream
    public void Suites_out_of_range_are_refused(int cipher, int digest, int mac, int compression) =>
        AssertRefused(s_hex96, new(cipher, digest, mac, compression));

    [Fact]
    public void Without_a_digest_the_MAC_length_does_not_matter()
    {
        Assert.True(LegacyKey.TryParse(s_hex96, LegacySuite.Default with { Digest = 0, MacLength = 77 }, out LegacyKey? key, out string reason), reason);
        Assert.Equal(0, key.MacLength);
        Assert.False(key.Verify(new byte[100]));
    }

    [Theory]
    [InlineData(427, 96)]
    [InlineData(419, 64)]
    [InlineData(44, 64)]
    [InlineData(0, 2)]
    public void Generated_keys_have_the_length_of_the_cipher_and_parse(int cipher, int digits)
    {
        LegacySuite suite = LegacySuite.Default with { Cipher = cipher };
        LegacyKey key = LegacyKey.Generate(suite, new SystemRandom());
        Assert.Equal(digits, key.Hex.Length);
        Assert.True(LegacyKey.TryParse(key.Hex, suite, out _, out string reason), reason);
        if (digits > 2)
            Assert.NotEqual(key.Hex, LegacyKey.Generate(suite, new SystemRandom()).Hex);
    }

    [Fact]
    public void A_key_for_a_cipher_that_only_has_a_name_here_opens_nothing()
    {
        LegacyKey key = LegacyKey.Generate(LegacySuite.Default with { Cipher = 91 }, new SystemRandom());
        Assert.Equal(48, key.Hex.Length); // Blowfish: 16 + 8 bytes
        Assert.False(key.IsUsable);
        var opener = new LegacyOpener(key, 16, 0, null);
        Assert.Equal(OpenResult.Malformed, opener.Open(new byte[100], new byte[2000], out _, out _));
        Assert.Equal(0, new LegacySealer(key, 0).Seal(new byte[100], new byte[2000]));
        Assert.False(LegacyKey.TryParse(key.Hex, key.Suite, out _, out _));
    }

    [Theory]
    [InlineData("aes-256-cbc", true, 427, true)]
    [InlineData("AES-128-CBC", true, 419, true)]
    [InlineData("none", true, 0, true)]
    [InlineData("blowfish", true, 91, false)]
    [InlineData("aes-256-gcm", true, 901, false)]
    [InlineData("aes-256-ctr", true, 906, false)]
    [InlineData("camellia-256-cbc", true, 753, true)]
    [InlineData("nonsense", false, 0, false)]
    [InlineData("", false, 0, false)]
    public void Cipher_names_are_those_of_OpenSSL(string name, bool known, int nid, bool usable)
    {
        int? found = LegacySuite.FindCipher(name);
        Assert.Equal(known ? nid : null, found);
        Assert.Equal(usable, found is { } number && LegacySuite.IsUsableCipher(number));
    }

    [Theory]
    [InlineData("sha256", 672, 32, true)]
    [InlineData("SHA1", 64, 20, true)]
    [InlineData("whirlpool", 804, 64, false)]
    [InlineData("none", 0, 0, true)]
    public void Digest_names_are_those_of_OpenSSL(string name, int nid, int size, bool usable)
    {
        Assert.Equal(nid, LegacySuite.FindDigest(name));
        Assert.Equal((size, usable), (LegacySuite.DigestLength(nid), LegacySuite.IsUsableDigest(nid)));
    }

    private static void AssertRefused(string hex, LegacySuite suite)
    {
        Assert.False(LegacyKey.TryParse(hex, suite, out LegacyKey? key, out string reason));
        Assert.Null(key);
        Assert.NotEqual("", reason);
    }
}
