using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

public sealed class MlKemAgreementTests
{
    private const string Without = "this OpenSSL has no ML-KEM; scripts/debian13.sh has one";

    [SkippableFact, Trait("Category", "NeedsMlKem")]
    public void Both_sides_get_the_same_secret_and_everybody_else_another()
    {
        Skip.IfNot(MlKemAgreement.IsSupported, Without);
        using MlKemAgreement initiator = new(), other = new();
        byte[] ciphertext = new byte[MlKemAgreement.CiphertextLength], sent = new byte[32], got = new byte[32];
        Assert.Equal(MlKemAgreement.EncapsulationKeyLength, initiator.EncapsulationKey.Length);
        Assert.True(MlKemAgreement.TryEncapsulate(initiator.EncapsulationKey, ciphertext, sent));
        Assert.True(initiator.TryDecapsulate(ciphertext, got));
        Assert.Equal(sent, got);
        Assert.True(other.TryDecapsulate(ciphertext, got));
        Assert.NotEqual(sent, got);
        ciphertext[7] ^= 1;
        Assert.True(initiator.TryDecapsulate(ciphertext, got));
        Assert.NotEqual(sent, got);
    }

    [SkippableFact, Trait("Category", "NeedsMlKem")]
    public void Malformed_keys_and_ciphertexts_are_refused()
    {
        Skip.IfNot(MlKemAgreement.IsSupported, Without);
        using MlKemAgreement initiator = new();
        byte[] ciphertext = new byte[MlKemAgreement.CiphertextLength], shared = new byte[32];
        Assert.False(initiator.TryDecapsulate(ciphertext.AsSpan(1), shared));
        Assert.False(MlKemAgreement.TryEncapsulate(initiator.EncapsulationKey[1..], ciphertext, shared));
        byte[] key = initiator.EncapsulationKey.ToArray();
        key.AsSpan(0, 3).Fill(0xff); // two coefficients of 4095; q is 3329
        Assert.False(MlKemAgreement.TryEncapsulate(key, ciphertext, shared));
    }

    /// <summary>The first and the last 32 bytes of the key that FIPS 203 makes of a seed; test 1 of Wycheproof's mlkem_768_keygen_seed_test.</summary>
    [SkippableFact, Trait("Category", "NeedsMlKem")]
    public void The_key_of_a_seed_is_the_published_one()
    {
        Skip.IfNot(MlKemAgreement.IsSupported, Without);
        using MlKemAgreement initiator = MlKemAgreement.FromSeed(Convert.FromHexString(
            "7c9935a0b07694aa0c6d10e4db6b1add2fd81a25ccb148032dcd739936737f2d8626ed79d451140800e03b59b956f8210e556067407d13dc90fa9e8b872bfb8f"));
        string key = Convert.ToHexStringLower(initiator.EncapsulationKey);
        Assert.StartsWith("a8e651a1e685f22478a8954f007bc7711b930772c78f092e82878e3e937f3679", key, StringComparison.Ordinal);
        Assert.EndsWith("162ec098a900b12dd8fabbfb3fe8cb1dc4e8315f2af0d32f0017ae136e19f028", key, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_encapsulated_where_it_is_not_supported()
    {
        if (!MlKemAgreement.IsSupported)
            Assert.False(MlKemAgreement.TryEncapsulate(new byte[MlKemAgreement.EncapsulationKeyLength], new byte[MlKemAgreement.CiphertextLength], new byte[32]));
    }
}
