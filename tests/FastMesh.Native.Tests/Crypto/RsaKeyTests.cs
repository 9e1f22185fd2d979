using System.Security.Cryptography;
using FastMesh.Native.Crypto;

namespace FastMesh.Native.Tests.Crypto;

public sealed class RsaKeyTests : IDisposable
{
    private readonly RSA _rsa = RSA.Create(1024); // the platform's RSA is the second opinion

    public void Dispose() => _rsa.Dispose();

    [Fact]
    public void Every_PEM_form_of_a_key_is_the_same_key()
    {
        byte[] number = Number();
        byte[] expected = new byte[128];
        using RsaKey publicKey = RsaKey.FromPublicPem(_rsa.ExportRSAPublicKeyPem())!;
        Assert.True(publicKey.PublicTransform(number, expected));
        Assert.False(publicKey.HasPrivate);
        foreach (string pem in new[] { _rsa.ExportRSAPrivateKeyPem(), _rsa.ExportPkcs8PrivateKeyPem() })
        {
            using RsaKey key = RsaKey.FromPrivatePem(pem)!;
            byte[] result = new byte[128];
            Assert.True(key.PublicTransform(number, result));
            Assert.Equal(expected, result);
            Assert.True(key.PrivateTransform(expected, result));
            Assert.Equal(number, result);
        }
        using RsaKey spki = RsaKey.FromPublicPem(_rsa.ExportSubjectPublicKeyInfoPem())!;
        Assert.Equal(expected, Apply(spki, number));
    }

    [Fact]
    public void The_public_transform_is_modular_exponentiation()
    {
        RSAParameters p = _rsa.ExportParameters(false);
        byte[] number = Number();
        System.Numerics.BigInteger expected = System.Numerics.BigInteger.ModPow(Big(number), Big(p.Exponent!), Big(p.Modulus!));
        using RsaKey key = RsaKey.FromNumbers(p.Modulus, p.Exponent, [])!;
        Assert.Equal(expected, Big(Apply(key, number)));
    }

    [Fact]
    public void The_first_block_with_the_right_label_is_taken_and_PKCS1_before_SPKI()
    {
        using RSA other = RSA.Create(1024);
        string text = "Address = example.org\n"
            + other.ExportRSAPublicKeyPem().Replace("RSA", "OLD", StringComparison.Ordinal) + "\n"
            + other.ExportSubjectPublicKeyInfoPem() + "\n" + _rsa.ExportRSAPublicKeyPem() + "\n" + other.ExportRSAPublicKeyPem() + "\n";
        using RsaKey key = RsaKey.FromPublicPem(text)!;
        using RsaKey expected = RsaKey.FromPublicPem(_rsa.ExportRSAPublicKeyPem())!;
        Assert.Equal(Apply(expected, Number()), Apply(key, Number()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Subnet = 10.0.0.0/8\n")]
    [InlineData("-----BEGIN RSA PUBLIC KEY-----\n")]
    [InlineData("-----BEGIN RSA PUBLIC KEY-----\n-----END RSA PUBLIC KEY-----\n")]
    [InlineData("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n")]
    [InlineData("-----BEGIN RSA PUBLIC KEY-----\n!!!!\n-----END RSA PUBLIC KEY-----\n")]
    public void Text_without_a_good_public_key_gives_none(string text) => Assert.Null(RsaKey.FromPublicPem(text));

    [Fact]
    public void Keys_of_other_kinds_give_none()
    {
        using ECDsa ec = ECDsa.Create();
        Assert.Null(RsaKey.FromPrivatePem(ec.ExportPkcs8PrivateKeyPem()));
        Assert.Null(RsaKey.FromPublicPem(ec.ExportSubjectPublicKeyInfoPem()));
        Assert.Null(RsaKey.FromPrivatePem(_rsa.ExportRSAPublicKeyPem()));
        Assert.Null(RsaKey.FromPublicPem(_rsa.ExportRSAPrivateKeyPem()));
        Assert.Null(RsaKey.FromNumbers([], [1, 0, 1], []));
    }

    [Fact]
    public void A_number_not_below_the_modulus_or_of_another_length_is_refused()
    {
        using RsaKey key = RsaKey.FromPrivatePem(_rsa.ExportRSAPrivateKeyPem())!;
        byte[] modulus = _rsa.ExportParameters(false).Modulus!, output = new byte[128];
        Assert.False(key.PublicTransform(modulus, output));
        Assert.False(key.PrivateTransform(modulus, output));
        byte[] largest = [.. modulus];
        largest[^1]--; // the modulus is odd
        Assert.True(key.PublicTransform(largest, output));
        Assert.False(key.PublicTransform(new byte[127], output));
        Assert.False(key.PublicTransform(new byte[129], output));
        Assert.False(key.PublicTransform(new byte[128], new byte[127]));
        Assert.False(key.PublicTransform(new byte[128], new byte[129]));
    }

    [Fact]
    public void A_public_key_has_no_private_transform()
    {
        using RsaKey key = RsaKey.FromPublicPem(_rsa.ExportRSAPublicKeyPem())!;
        Assert.False(key.PrivateTransform(new byte[128], new byte[128]));
        Assert.Throws<CryptographicException>(() => key.ExportPrivatePem());
    }

    [Fact]
    public void A_generated_key_is_read_back_by_the_platform()
    {
        using RsaKey key = RsaKey.Generate(1024);
        Assert.Equal((1024, 128), (key.ModulusBits, key.ModulusLength));
        using RSA read = RSA.Create();
        read.ImportFromPem(key.ExportPrivatePem());
        RSAParameters p = read.ExportParameters(true);
        Assert.Equal([1, 0, 1], p.Exponent!);
        Assert.StartsWith("-----BEGIN RSA PUBLIC KEY-----\n", key.ExportPublicPem(), StringComparison.Ordinal);
        using RSA readPublic = RSA.Create();
        readPublic.ImportFromPem(key.ExportPublicPem());
        Assert.Equal(p.Modulus, readPublic.ExportParameters(false).Modulus);
    }

    [Fact]
    public void A_key_size_that_makes_no_sense_is_refused() => Assert.Throws<CryptographicException>(() => RsaKey.Generate(100));

    private static byte[] Apply(RsaKey key, byte[] number)
    {
        byte[] result = new byte[key.ModulusLength];
        Assert.True(key.PublicTransform(number, result));
        return result;
    }

    private static byte[] Number()
    {
        byte[] number = new byte[128];
        new Random(1).NextBytes(number);
        number[0] &= 0x7F; // tinc's own way to stay below the modulus
        return number;
    }

    private static System.Numerics.BigInteger Big(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
