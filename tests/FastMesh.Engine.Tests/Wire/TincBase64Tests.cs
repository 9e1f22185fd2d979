using System.Numerics;
using FastMesh.Engine.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace FastMesh.Engine.Tests.Wire;

public sealed class TincBase64Tests
{
    // tinc 1.1 reference, 2.1 and 12
    [Theory]
    [InlineData("", "")]
    [InlineData("00", "AA")]
    [InlineData("ff", "/D")]
    [InlineData("0102", "BIA")]
    [InlineData("ffff", "//P")]
    [InlineData("010203", "BIwA")]
    [InlineData("000102030405", "AEgADQQB")]
    [InlineData("fbefbe", "7/uv")]
    [InlineData("74696e63", "0lmbjB")]
    [InlineData("000102030405060708090a0b0c0d0e0f1011", "AEgADQQBGcACJowCM0gDPARE")]
    [InlineData("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8", "DE6B/OvzQ4bHw1NGnvEwZeG5WDzml2wXdwthkJRVxgL")]
    public void Examples_of_the_reference_encode_and_decode(string bytes, string text)
    {
        Assert.Equal(text, TincBase64.Encode(Convert.FromHexString(bytes)));
        Assert.True(TincBase64.TryDecode(text, out byte[] decoded));
        Assert.Equal(bytes, Convert.ToHexStringLower(decoded));
        string url = text.Replace('+', '-').Replace('/', '_');
        Assert.Equal(url, TincBase64.Encode(decoded, url: true));
        Assert.True(TincBase64.TryDecode(url, out decoded));
        Assert.Equal(bytes, Convert.ToHexStringLower(decoded));
    }

    [Theory]
    [InlineData("=")]
    [InlineData("AA==")]
    [InlineData("A A")]
    [InlineData("AA\n")]
    [InlineData("AAé")]
    public void Other_characters_make_decoding_fail(string text)
    {
        Assert.False(TincBase64.TryDecode(text, out byte[] decoded));
        Assert.Empty(decoded);
    }

    [Fact]
    public void A_single_character_left_over_is_ignored()
    {
        Assert.True(TincBase64.TryDecode("BIwA/", out byte[] decoded));
        Assert.Equal([1, 2, 3], decoded);
        Assert.Equal([0, 0, 1, 2, 3, 3, 4, 5, 6], Enumerable.Range(0, 9).Select(TincBase64.DecodedLength));
    }

    [Fact]
    public void Any_bytes_come_back_and_characters_are_six_bits_of_one_little_endian_number() => Check.QuickThrowOnFailure(
        Prop.ForAll<byte[]>(static bytes =>
        {
            string text = TincBase64.Encode(bytes);
            BigInteger number = new(bytes, isUnsigned: true), back = 0;
            for (int i = 0; i < text.Length; i++)
                back += (BigInteger)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".IndexOf(text[i], StringComparison.Ordinal) << (6 * i);
            return text.Length == ((bytes.Length * 8) + 5) / 6 && TincBase64.DecodedLength(text.Length) == bytes.Length
                && number == back && TincBase64.TryDecode(text, out byte[] decoded) && decoded.AsSpan().SequenceEqual(bytes);
        }));
}
