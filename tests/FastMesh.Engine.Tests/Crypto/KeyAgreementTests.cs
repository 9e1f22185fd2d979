using System.Security.Cryptography;
using System.Text;
using FastMesh.Engine.Crypto;
using FsCheck;
using FsCheck.Fluent;

namespace FastMesh.Engine.Tests.Crypto;

/// <summary>From ephemeral keys to session keys: the vectors are those of the tinc 1.1 reference, 12.</summary>
public sealed class KeyAgreementTests
{
    [Fact]
    public void The_shared_secret_of_the_reference_comes_out_on_both_sides()
    {
        using EphemeralKey a = new(new Counting(0x40)), b = new(new Counting(0x60));
        Assert.Equal("2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d", Convert.ToHexStringLower(a.Public));
        Assert.Equal("174553b456dddfc6908ecab1c101fe6ab21e2baa0617795b7d43a63482993fd5", Convert.ToHexStringLower(b.Public));
        Assert.Equal("bb014ac21a894ae2f107347190b91f1c68756ca45bfea4aa20a56e47ac3f3164", Agree(a, b));
        Assert.Equal("bb014ac21a894ae2f107347190b91f1c68756ca45bfea4aa20a56e47ac3f3164", Agree(b, a));
    }

    [Fact]
    public void A_disposed_key_and_points_that_are_none_agree_on_nothing()
    {
        EphemeralKey key = new(new SystemRandom());
        byte[] shared = new byte[32], point = key.Public.ToArray();
        Assert.False(key.TryAgree(new byte[32], shared));
        Assert.False(key.TryAgree(point.AsSpan(1), shared));
        key.Dispose();
        Assert.False(key.TryAgree(point, shared));
    }

    [Fact]
    public void The_PRF_of_the_reference_comes_out()
    {
        byte[] output = new byte[20];
        KeyDerivation.Derive("secret"u8, "seed"u8, output);
        Assert.Equal("f2cb1a217a697fb68fa71def87310fe5a0365974", Convert.ToHexStringLower(output));

        output = new byte[128];
        KeyDerivation.Derive(Range(0), [.. "key expansion"u8, .. Range(0x80), .. Range(0xa0), .. "tinc invitation"u8], output);
        Assert.Equal(
            "bc54316070f686bc5bdb5a42e98a34a848fff9b6252b6409349020bd762c35a79c06139c49fc09e23ab14ae59ef43e19134485038d32e0327dcd6a7b072b892e" +
            "2a963cd275245a059efa84f88abd480c6e09a23fa355cfb144473cb2d10df7648338f2fc71e0173c7bdcb4c47fddd6e46c3583dfef119c2d91845ddf2cdd5105",
            Convert.ToHexStringLower(output));
    }

    [Theory]
    [InlineData("tinc TCP key expansion alice bob\0",
        "64685c7fb8d64f5ad3cd729ad784dcb56bbe2e587f7426e2cf2f43222198175988a5ebc74a5808703126fa726eb48bdcfdf1514f3fdab8eebc10b87f5c250c9b",
        "f09eefea3d0f44147bf369fe0c65686e52ae3d459b1c3d56376e8fea99f8bda74ec9f4eab82a8646b01a3813473f8c5c2603122a9897b4e102826f900c986a02")]
    [InlineData("tinc UDP key expansion alice bob\0",
        "983a590f43f56844068ebdac20a38d9652bd12111520f5517befc9bb3097012e", "eab96e8f636ad43bd5c8772dfcb30e3a98b0068a09dc97a165dd3281632465c9")]
    public void The_keys_of_the_reference_come_out(string label, string toInitiator, string toResponder)
    {
        byte[] shared = Convert.FromHexString("bb014ac21a894ae2f107347190b91f1c68756ca45bfea4aa20a56e47ac3f3164"), keys = new byte[128];
        KeyDerivation.Derive(shared, [.. "key expansion"u8, .. Range(0x80), .. Range(0xa0), .. Encoding.ASCII.GetBytes(label)], keys);
        Assert.StartsWith(toInitiator, Convert.ToHexStringLower(keys, 0, 64));
        Assert.StartsWith(toResponder, Convert.ToHexStringLower(keys, 64, 64));
    }

    [Fact]
    public void The_PRF_equals_its_definition_for_any_secret_seed_and_length() => Check.QuickThrowOnFailure(Prop.ForAll<byte[], byte[], byte>(
        static (secret, seed, length) =>
        {
            byte[] output = new byte[length];
            KeyDerivation.Derive(secret, seed, output);

            using HMACSHA512 hmac = new(secret);
            List<byte> expected = [];
            for (byte[] a = new byte[64]; expected.Count < length;)
            {
                a = hmac.ComputeHash([.. a, .. seed]);
                expected.AddRange(hmac.ComputeHash([.. a, .. seed]));
            }

            return output.AsSpan().SequenceEqual(expected.ToArray().AsSpan(0, length));
        }));

    private static byte[] Range(int first) => [.. Enumerable.Range(first, 32).Select(static i => (byte)i)];

    private static string Agree(EphemeralKey own, EphemeralKey peer)
    {
        byte[] shared = new byte[32];
        Assert.True(own.TryAgree(peer.Public, shared));
        return Convert.ToHexStringLower(shared);
    }

    private sealed class Counting(int first) : IRandomSource
    {
        public void Fill(Span<byte> bytes)
        {
            for (int i = 0; i < bytes.Length; i++)
                bytes[i] = (byte)(first + i);
        }
    }
}
