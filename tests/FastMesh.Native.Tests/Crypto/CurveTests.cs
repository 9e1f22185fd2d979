using FastMesh.Native.Crypto;

namespace FastMesh.Native.Tests.Crypto;

public sealed class CurveTests
{
    /// <summary>RFC 8032, 7.1: tests 1 to 3 and SHA(abc).</summary>
    [Theory]
    [InlineData("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
    [InlineData("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]
    [InlineData("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704")]
    public void Vectors_of_RFC_8032_come_out(string seed, string publicKey, string message, string signature) =>
        CheckSignature(seed, publicKey, Convert.FromHexString(message), signature);

    /// <summary>tinc 1.1 reference, 12: key A and its signature over "abc".</summary>
    [Fact]
    public void The_vector_of_tincs_expanded_keys_comes_out()
    {
        const string Seed = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        byte[] expanded = new byte[64];
        Ed25519.Expand(Convert.FromHexString(Seed), expanded);
        Assert.Equal(
            "3894eea49c580aef816935762be049559d6d1440dede12e6a125f1841fff8e6fa9d71862a3e5746b571be3d187b0041046f52ebd850c7cbd5fde8ee38473b649",
            Convert.ToHexStringLower(expanded));
        CheckSignature(Seed, "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8", "abc"u8.ToArray(),
            "cc46d62d3754f41754b27b6ea2cb2c272bafa7a5a1f6062bd060f414e50caaeac2da66ad39cef4424a90236ea907b7d8057e3443dc5abfc9986967ee7213a407");
    }

    [Fact]
    public void Keys_and_signatures_agree_with_libsodiums_own_for_random_seeds()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        for (int i = 0; i < 100; i++)
        {
            byte[] secret = new byte[32], message = new byte[random.Next(200)];
            random.NextBytes(secret);
            random.NextBytes(message);
            (byte[] publicKey, byte[] signature) = SodiumOracle.Sign(secret, message);
            CheckSignature(Convert.ToHexString(secret), Convert.ToHexStringLower(publicKey), message, Convert.ToHexStringLower(signature));
        }
    }

    [Fact]
    public void A_signature_of_anything_else_is_refused()
    {
        (byte[] publicKey, byte[] signature) = SodiumOracle.Sign(new byte[32], "message"u8.ToArray());
        Assert.True(Ed25519.Verify(publicKey, "message"u8, signature));
        Assert.False(Ed25519.Verify(publicKey, "massage"u8, signature));
        Assert.False(Ed25519.Verify(publicKey, "message"u8, signature.AsSpan(1)));
        Assert.False(Ed25519.Verify(publicKey.AsSpan(1), "message"u8, signature));
        for (int bit = 0; bit < 512; bit++)
        {
            signature[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Ed25519.Verify(publicKey, "message"u8, signature));
            signature[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.False(Ed25519.Verify(new byte[32], "message"u8, signature)); // a point of order 4
    }

    /// <summary>RFC 7748, 6.1; what is exchanged are the points of edwards25519 that belong to the public keys there.</summary>
    [Fact]
    public void The_vector_of_RFC_7748_comes_out()
    {
        byte[] alice = Clamped("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        byte[] bob = Clamped("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        const string Shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
        byte[] shared = new byte[32];
        Assert.True(Curve25519.TryAgree(alice, PublicOf(bob), shared));
        Assert.Equal(Shared, Convert.ToHexStringLower(shared));
        Assert.True(Curve25519.TryAgree(bob, PublicOf(alice), shared));
        Assert.Equal(Shared, Convert.ToHexStringLower(shared));
    }

    /// <summary>tinc 1.1 reference, 12: the ephemeral keys of the full handshake and their shared secret.</summary>
    [Fact]
    public void The_vector_of_tincs_handshake_comes_out()
    {
        byte[] a = new byte[64], b = new byte[64], shared = new byte[32];
        Ed25519.Expand([.. Enumerable.Range(0x40, 32).Select(static i => (byte)i)], a);
        Ed25519.Expand([.. Enumerable.Range(0x60, 32).Select(static i => (byte)i)], b);
        Assert.Equal("2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d", Convert.ToHexStringLower(PublicOf(a)));
        Assert.Equal("174553b456dddfc6908ecab1c101fe6ab21e2baa0617795b7d43a63482993fd5", Convert.ToHexStringLower(PublicOf(b)));
        Assert.Equal("f14b5173130a1b80687f273d49e8f4740a793a949b83b105837f2a61e8fee14f", Convert.ToHexStringLower(SodiumOracle.MontgomeryPublic(a[..32])));
        Assert.True(Curve25519.TryAgree(a.AsSpan(0, 32), PublicOf(b), shared));
        Assert.Equal("bb014ac21a894ae2f107347190b91f1c68756ca45bfea4aa20a56e47ac3f3164", Convert.ToHexStringLower(shared));
    }

    [Fact]
    public void Random_agreements_equal_X25519_between_Montgomery_keys_whatever_the_sign_bit_says()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        for (int i = 0; i < 100; i++)
        {
            byte[] first = new byte[32], second = new byte[32], a = new byte[64], b = new byte[64], shared = new byte[32];
            random.NextBytes(first);
            random.NextBytes(second);
            Ed25519.Expand(first, a);
            Ed25519.Expand(second, b);
            byte[] point = PublicOf(b);
            byte[] expected = SodiumOracle.X25519(a[..32], SodiumOracle.MontgomeryPublic(b[..32]));
            Assert.True(Curve25519.TryAgree(a.AsSpan(0, 32), point, shared));
            Assert.True(expected.AsSpan().SequenceEqual(shared), $"seed {seed}");
            point[31] ^= 0x80;
            Assert.True(Curve25519.TryAgree(a.AsSpan(0, 32), point, shared));
            Assert.True(expected.AsSpan().SequenceEqual(shared), $"seed {seed}");
        }
    }

    [Theory]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")] // the neutral element
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")] // order 2
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")] // order 4
    [InlineData("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")] // order 8
    [InlineData("0200000000000000000000000000000000000000000000000000000000000000")] // not on the curve
    [InlineData("01020304")]
    public void Points_that_no_honest_key_has_are_refused(string point)
    {
        byte[] scalar = new byte[64];
        Ed25519.Expand(new byte[32], scalar);
        Assert.False(Curve25519.TryAgree(scalar.AsSpan(0, 32), Convert.FromHexString(point), new byte[32]));
    }

    [Fact]
    public void Wrong_lengths_are_refused()
    {
        byte[] expanded = new byte[64];
        Assert.Throws<ArgumentException>(() => Ed25519.Expand(new byte[31], expanded));
        Assert.Throws<ArgumentException>(() => Ed25519.GetPublic(expanded, new byte[31]));
        Assert.Throws<ArgumentException>(() => Ed25519.Sign(expanded, new byte[32], default, new byte[63]));
        Assert.Throws<System.Security.Cryptography.CryptographicException>(() => Ed25519.GetPublic(expanded, new byte[32]));
    }

    private static byte[] Clamped(string hex)
    {
        byte[] scalar = Convert.FromHexString(hex);
        scalar[0] &= 0xF8;
        scalar[31] = (byte)((scalar[31] & 0x3F) | 0x40);
        return scalar;
    }

    private static byte[] PublicOf(byte[] scalar)
    {
        byte[] point = new byte[32];
        Ed25519.GetPublic(scalar, point);
        return point;
    }

    private static void CheckSignature(string seed, string publicKey, byte[] message, string signature)
    {
        byte[] expanded = new byte[64], point = new byte[32], got = new byte[64];
        Ed25519.Expand(Convert.FromHexString(seed), expanded);
        Ed25519.GetPublic(expanded, point);
        Ed25519.Sign(expanded, point, message, got);
        Assert.Equal(publicKey, Convert.ToHexStringLower(point));
        Assert.Equal(signature, Convert.ToHexStringLower(got));
        Assert.True(Ed25519.Verify(point, message, got));
    }
}
