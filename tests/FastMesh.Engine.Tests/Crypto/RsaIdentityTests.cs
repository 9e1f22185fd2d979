using System.Numerics;
using System.Security.Cryptography;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

public sealed class RsaIdentityTests
{
    // 512 bits, public exponent 65535; d has an odd number of digits.
    private const string HexModulus =
        "D6BA681E1C415204F2DB7F0E2F2952A10DA6BFC9335A7617AE5C738B333F94E306B0875ED69E59E20F70DEAE97DF141F2B953745E4242C4C5D27DCF8B6E0C6C7";
    private const string HexExponent =
        "3890F35E61EFD6FB04B4B6FD0389763DC346606BF0E3155EF25D6D0D685D78258A86C6855A8FA0A607076290CE66AEB88FD3BC1C2D7B1E0C9D1D525A379B85F";

    [Theory]
    [InlineData(TincCapture.AlphaPrivatePem, TincCapture.BetaMetaKey, TincCapture.BetaBlock)]
    [InlineData(TincCapture.BetaPrivatePem, TincCapture.AlphaMetaKey, TincCapture.AlphaBlock)]
    public void Captured_METAKEY_decrypts_to_the_captured_block(string pem, string sealedBlock, string block)
    {
        Assert.True(RsaIdentity.TryFromPem(pem, out RsaIdentity? identity, out string reason), reason);
        byte[] output = new byte[identity.ModulusLength];
        Assert.True(identity.Decrypt(Convert.FromHexString(sealedBlock), output));
        Assert.Equal(block, Convert.ToHexStringLower(output));
    }

    [Theory]
    [InlineData(TincCapture.BetaPublicPem, TincCapture.AlphaBlock, TincCapture.AlphaMetaKey)]
    [InlineData(TincCapture.AlphaPublicPem, TincCapture.BetaBlock, TincCapture.BetaMetaKey)]
    public void Captured_block_encrypts_to_the_captured_METAKEY(string pem, string block, string sealedBlock)
    {
        string hostFile = "Address = example.org\n\n-----BEGIN OLD PUBLIC KEY-----\nAAAA\n-----END OLD PUBLIC KEY-----\n" + pem + "\nPort = 656\n";
        Assert.True(RsaPublicIdentity.TryFromPem(hostFile, out RsaPublicIdentity? identity, out string reason), reason);
        byte[] output = new byte[identity.ModulusLength];
        Assert.True(identity.Encrypt(Convert.FromHexString(block), output));
        Assert.Equal(sealedBlock, Convert.ToHexString(output));
    }

    [Fact]
    public void Numbers_not_below_the_modulus_and_other_lengths_are_refused()
    {
        Assert.True(RsaIdentity.TryFromPem(TincCapture.AlphaPrivatePem, out RsaIdentity? identity, out _));
        byte[] output = new byte[128], modulus = Convert.FromHexString(TincCapture.AlphaModulus);
        Assert.False(identity.Decrypt(modulus, output));
        Assert.False(identity.Public.Encrypt(modulus, output));
        Assert.False(identity.Decrypt(modulus.AsSpan(1), output));
        modulus[^1]--; // n - 1 is its own image under every odd exponent
        Assert.True(identity.Decrypt(modulus, output));
        Assert.Equal(modulus, output);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(1024)]
    [InlineData(2048)]
    public void Signatures_are_those_of_NET_and_the_other_way_round(int bits)
    {
        RsaKeyPair pair = RsaKeyPair.Generate(bits);
        Assert.True(RsaIdentity.TryFromPem(pair.PrivatePem, out RsaIdentity? identity, out _));
        using var rsa = RSA.Create();
        rsa.ImportFromPem(pair.PrivatePem);
        byte[] message = "FastMesh identity"u8.ToArray(), signature = identity.Sign(message);
        byte[] theirs = rsa.SignData(message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

        Assert.Equal(theirs, signature); // the scheme is deterministic
        Assert.True(identity.Public.Verify(message, signature));
        Assert.False(identity.Public.Verify("FastMesh identity "u8, signature));
        Assert.False(identity.Public.Verify(message, signature.AsSpan(1)));
        signature[^1] ^= 1;
        Assert.False(identity.Public.Verify(message, signature));
    }

    [Fact]
    public void Hex_form_uses_exponent_65535()
    {
        Assert.True(RsaIdentity.TryFromHex(HexModulus, HexExponent, out RsaIdentity? identity, out string reason), reason);
        Assert.True(RsaPublicIdentity.TryFromHex(HexModulus, out RsaPublicIdentity? peer, out reason), reason);
        Assert.Equal(512, identity.ModulusBits);

        byte[] block = new byte[64], sealedBlock = new byte[64], opened = new byte[64];
        new Random(4).NextBytes(block);
        block[0] &= 0x7f;
        Assert.True(peer.Encrypt(block, sealedBlock));
        BigInteger expected = BigInteger.ModPow(Number(block), 65535, Number(Convert.FromHexString(HexModulus)));
        Assert.Equal(expected, Number(sealedBlock));
        Assert.True(identity.Decrypt(sealedBlock, opened));
        Assert.Equal(block, opened);
    }

    [Theory]
    [InlineData("")]
    [InlineData("12 34")]
    [InlineData("0x1234")]
    [InlineData("ABCD")] // 16 bits
    public void Hex_forms_that_are_no_key_are_refused_with_a_reason(string modulus)
    {
        Assert.False(RsaPublicIdentity.TryFromHex(modulus, out _, out string reason));
        Assert.NotEqual("", reason);
        Assert.False(RsaIdentity.TryFromHex(modulus, HexExponent, out _, out reason));
        Assert.NotEqual("", reason);
    }

    [Theory]
    [InlineData("D6BA681E1C415204F2DB7F0E2F2952A10DA6BFC9335A7617AE5C738B333F94E306B0875ED69E59E20F70DEAE97DF141F2B953745E4242C4C5D27DCF8B6E0C6C70F")]
    public void A_modulus_of_520_bits_is_a_multiple_of_eight_and_taken(string modulus)
    {
        Assert.True(RsaPublicIdentity.TryFromHex(modulus, out RsaPublicIdentity? identity, out string reason), reason);
        Assert.Equal(65, identity.ModulusLength);
    }

    [Theory]
    [InlineData(1021)]
    [InlineData(504)]
    [InlineData(8200)]
    public void A_modulus_of_another_size_is_refused(int bits)
    {
        BigInteger modulus = (BigInteger.One << (bits - 1)) | 1;
        Assert.False(RsaPublicIdentity.TryFromHex(Convert.ToHexString(modulus.ToByteArray(isBigEndian: true)), out _, out string reason));
        Assert.Contains($"{bits} bits", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_generated_pair_fits_together_and_is_PKCS1()
    {
        RsaKeyPair pair = RsaKeyPair.Generate(1024);
        Assert.StartsWith("-----BEGIN RSA PRIVATE KEY-----\n", pair.PrivatePem, StringComparison.Ordinal);
        Assert.StartsWith("-----BEGIN RSA PUBLIC KEY-----\n", pair.PublicPem, StringComparison.Ordinal);
        Assert.True(RsaIdentity.TryFromPem(pair.PrivatePem, out RsaIdentity? identity, out _));
        Assert.True(RsaPublicIdentity.TryFromPem(pair.PublicPem, out RsaPublicIdentity? peer, out _));

        byte[] block = new byte[128], sealedBlock = new byte[128], opened = new byte[128];
        new Random(5).NextBytes(block);
        block[0] &= 0x7f;
        Assert.True(peer.Encrypt(block, sealedBlock) && identity.Decrypt(sealedBlock, opened));
        Assert.Equal(block, opened);
        Assert.Throws<ArgumentOutOfRangeException>(() => RsaKeyPair.Generate(1020));
    }

    [Fact]
    public void A_public_PEM_is_no_private_key_and_the_other_way_round()
    {
        Assert.False(RsaIdentity.TryFromPem(TincCapture.AlphaPublicPem, out _, out string reason));
        Assert.NotEqual("", reason);
        Assert.False(RsaPublicIdentity.TryFromPem(TincCapture.AlphaPrivatePem, out _, out reason));
        Assert.NotEqual("", reason);
    }

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
