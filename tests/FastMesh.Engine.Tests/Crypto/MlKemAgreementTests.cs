using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

[Trait("Category", "Debian13")]
public sealed class MlKemAgreementTests
{
    private const string Without = "this OpenSSL has no ML-KEM; scripts/debian13.sh has one";

    [SkippableFact]
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

    [SkippableFact]
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

    [Fact]
    public void Nothing_is_encapsulated_where_it_is_not_supported()
    {
        if (!MlKemAgreement.IsSupported)
            Assert.False(MlKemAgreement.TryEncapsulate(new byte[MlKemAgreement.EncapsulationKeyLength], new byte[MlKemAgreement.CiphertextLength], new byte[32]));
    }
}
