using System.Text;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

public sealed class MetaCipherTests
{
    public static TheoryData<string, string, string[]> Streams => new()
    {
        { TincCapture.AlphaBlock, TincCapture.AlphaStream, TincCapture.AlphaLines },
        { TincCapture.BetaBlock, TincCapture.BetaStream, TincCapture.BetaLines },
    };

    [Theory, MemberData(nameof(Streams))]
    public void Captured_stream_decrypts_in_pieces_of_any_size(string block, string stream, string[] lines)
    {
        byte[] bytes = Convert.FromHexString(stream);
        var random = new Random(bytes[0]);
        MetaCipher cipher = Create(429, block, encrypt: false);
        for (int at = 0, piece; at < bytes.Length; at += piece)
        {
            piece = Math.Min(random.Next(1, 40), bytes.Length - at);
            Span<byte> inPlace = bytes.AsSpan(at, piece);
            cipher.Transform(inPlace, inPlace);
        }

        Assert.Equal(string.Join('\n', lines) + "\n", Encoding.ASCII.GetString(bytes));
    }

    [Theory, MemberData(nameof(Streams))]
    public void The_captured_text_encrypts_to_the_captured_stream(string block, string stream, string[] lines)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(string.Join('\n', lines) + "\n"), output = new byte[bytes.Length];
        Create(429, block, encrypt: true).Transform(bytes, output);
        Assert.Equal(stream, Convert.ToHexStringLower(output));
    }

    [Theory]
    [InlineData(TincCapture.AlphaChallenge, "F77407F69629E4B2D2F263BF502D971B1E25305C2CA961787565FC59514568B3")]
    [InlineData(TincCapture.BetaChallenge, "439A60F73FA180AFFAD6ACDE79C3E553F9B11B1074FC719B8AA5B00B27B06B17")]
    public void The_reply_is_the_SHA256_of_the_captured_challenge(string challengeLine, string reply)
    {
        byte[] hash = new byte[MetaDigest.MaxLength];
        Assert.True(MetaDigest.TryHash(672, Convert.FromHexString(challengeLine[2..]), hash, out int length));
        Assert.Equal(reply, Convert.ToHexString(hash.AsSpan(0, length)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(427)]     // CBC is no stream
    [InlineData(901)]     // GCM
    [InlineData(94)]      // Blowfish: OpenSSL 3 keeps it in its legacy provider
    [InlineData(123456)]
    [InlineData(-1)]
    public void Numbers_that_name_no_usable_stream_cipher_are_refused(int nid) =>
        Assert.Null(MetaCipher.TryCreate(nid, new byte[128], encrypt: true));

    [Fact]
    public void A_block_too_short_for_key_and_IV_is_refused()
    {
        Assert.Null(MetaCipher.TryCreate(429, new byte[47], encrypt: true));
        Assert.NotNull(MetaCipher.TryCreate(429, new byte[48], encrypt: true));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(99999)]
    public void Unknown_digests_are_refused(int nid) => Assert.False(MetaDigest.TryHash(nid, [1], new byte[64], out _));

    [Fact]
    public void The_budget_counts_down()
    {
        MetaCipher aes = Create(429, TincCapture.AlphaBlock, encrypt: true);
        Assert.Equal(long.MaxValue, aes.ByteBudget); // 2^63, as near as a long gets
        aes.Transform(new byte[100], new byte[100]);
        Assert.Equal(long.MaxValue - 100, aes.ByteBudget);

        MetaCipher tripleDes = Create(61, TincCapture.AlphaBlock, encrypt: true); // des-ede3-cfb: 8-byte IV
        Assert.Equal(1L << 31, tripleDes.ByteBudget);
    }

    [Theory]
    [InlineData(0, 421)]
    [InlineData(419, 421)]  // AES-128
    [InlineData(91, 421)]   // Blowfish
    [InlineData(423, 425)]  // AES-192
    [InlineData(44, 425)]   // 3DES
    [InlineData(427, 429)]  // AES-256
    [InlineData(753, 429)]  // Camellia-256
    public void The_meta_cipher_follows_the_key_length_of_the_UDP_cipher(int udp, int meta) =>
        Assert.Equal(meta, MetaCipher.NidForUdpCipher(udp));

    private static MetaCipher Create(int nid, string block, bool encrypt) =>
        MetaCipher.TryCreate(nid, Convert.FromHexString(block), encrypt) ?? throw new InvalidOperationException("refused");
}
