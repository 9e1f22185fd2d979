using System.Text;
using FastMesh.Native.Crypto;
using static FastMesh.Native.Tests.Vectors.TincVectors;

namespace FastMesh.Native.Tests.Crypto;

/// <summary>A handshake and a packet of real daemons, taken apart with our primitives.</summary>
public sealed class TincVectorTests
{
    private static readonly byte[] s_exponent = [1, 0, 1];

    [Theory]
    [InlineData(BetaModulus, BetaPrivateExponent, AlphaToBetaMetaKey, AlphaToBetaBlock)]
    [InlineData(AlphaModulus, AlphaPrivateExponent, BetaToAlphaMetaKey, BetaToAlphaBlock)]
    public void Both_directions_of_RSA_give_the_captured_METAKEY_block(string modulus, string exponent, string sealedHex, string blockHex)
    {
        using RsaKey? key = RsaKey.FromNumbers(Hex(modulus), s_exponent, Hex(exponent));
        Assert.NotNull(key);
        Assert.Equal((128, 1024, true), (key.ModulusLength, key.ModulusBits, key.HasPrivate));
        byte[] result = new byte[128];
        Assert.True(key.PrivateTransform(Hex(sealedHex), result));
        Assert.Equal(Hex(blockHex), result);
        Assert.True(key.PublicTransform(Hex(blockHex), result));
        Assert.Equal(Hex(sealedHex), result);
    }

    [Theory]
    [InlineData(AlphaToBetaBlock, AlphaToBetaStream, AlphaToBetaText, 1)]
    [InlineData(AlphaToBetaBlock, AlphaToBetaStream, AlphaToBetaText, 7)]
    [InlineData(BetaToAlphaBlock, BetaToAlphaStream, BetaToAlphaText, 16)]
    [InlineData(BetaToAlphaBlock, BetaToAlphaStream, BetaToAlphaText, 10_000)]
    public void The_meta_stream_decrypts_to_the_captured_text_in_pieces_of_any_size(string block, string stream, string text, int piece)
    {
        byte[] keys = Hex(block), bytes = Hex(stream);
        EvpCipher cipher = EvpCipher.Find(429)!;
        using EvpCipherContext decrypt = cipher.CreateContext(keys.AsSpan(96, 32), keys.AsSpan(80, 16), encrypt: false);
        for (int at = 0; at < bytes.Length; at += piece)
        {
            Span<byte> part = bytes.AsSpan(at, Math.Min(piece, bytes.Length - at));
            Assert.True(decrypt.Update(part, part));
        }
        Assert.Equal(text, Encoding.ASCII.GetString(bytes));
    }

    [Fact]
    public void The_challenge_reply_is_the_captured_hash()
    {
        string line = AlphaToBetaText.Split('\n')[0];
        byte[] hash = new byte[32];
        Assert.True(EvpDigest.Find(672)!.Hash(Hex(line[2..]), hash));
        Assert.Equal("3 " + Convert.ToHexString(hash), BetaToAlphaText.Split('\n')[1]);
    }

    [Fact]
    public void The_data_packet_authenticates_and_decrypts_in_place()
    {
        byte[] packet = Hex(Packet), key = Hex(PacketKey), iv = Hex(PacketIv);
        using HmacContext hmac = new(EvpDigest.Find(672)!, [.. key, .. iv]);
        Assert.True(hmac.Verify(packet.AsSpan(0, 112), packet.AsSpan(112, 4)));
        Assert.False(hmac.Verify(packet.AsSpan(0, 111), packet.AsSpan(112, 4)));

        using EvpCipherContext decrypt = EvpCipher.Find(427)!.CreateContext(key, iv, encrypt: false);
        for (int round = 0; round < 2; round++) // the second packet starts from the same IV
        {
            byte[] copy = packet[..112];
            Assert.Equal(102, decrypt.Crypt([], copy, copy));
            Assert.Equal(Hex(PacketPlain)[..102], copy[..102]);
        }
    }

    [Fact]
    public void The_data_packet_encrypts_to_the_captured_bytes()
    {
        byte[] iv = Hex(PacketIv);
        using EvpCipherContext encrypt = EvpCipher.Find("aes-256-cbc")!.CreateContext(Hex(PacketKey), [], encrypt: true);
        byte[] output = new byte[112];
        Assert.Equal(112, encrypt.EncryptedLength(102));
        Assert.Equal(112, encrypt.Crypt(iv, Hex(PacketPlain).AsSpan(0, 102), output));
        Assert.Equal(Hex(Packet)[..112], output);
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex);
}
