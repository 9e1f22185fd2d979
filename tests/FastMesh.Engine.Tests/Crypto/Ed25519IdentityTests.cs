using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Crypto;

public sealed class Ed25519IdentityTests
{
    // tinc 1.1 reference, 12: key A
    private const string Pem =
        "-----BEGIN ED25519 PRIVATE KEY-----\n" +
        "4Qp7kyJWK8egpVjdrAeSV1ZbUAk3eLh5hWS8E+x/O+WqXjhYjWOdrd1GjH9hwSAE\n" +
        "GVvL9WID817Xe744EOntJNQoH878ODhvdAX3Yc+SAn5ZkbNMbWaDf1B3GSmEVFDu\n" +
        "-----END ED25519 PRIVATE KEY-----\n";

    private const string PublicText = "DE6B/OvzQ4bHw1NGnvEwZeG5WDzml2wXdwthkJRVxgL";
    private static readonly byte[] s_seed = [.. Enumerable.Range(0, 32).Select(static i => (byte)i)];

    [Fact]
    public void The_key_file_of_the_reference_is_read_and_written()
    {
        Assert.True(Ed25519Identity.TryFromPem(Pem, out Ed25519Identity? identity, out string reason), reason);
        Assert.Equal(PublicText, identity.Public.ToString());
        Assert.Equal("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8", Convert.ToHexStringLower(identity.Public.Bytes));
        Assert.Equal(Pem, identity.ToPem());
        Assert.Equal(Pem, Ed25519Identity.FromSeed(s_seed).ToPem());
    }

    [Fact]
    public void The_signature_of_the_reference_comes_out()
    {
        byte[] signature = new byte[64];
        Ed25519Identity identity = Ed25519Identity.FromSeed(s_seed);
        identity.Sign("abc"u8, signature);
        Assert.Equal(
            "cc46d62d3754f41754b27b6ea2cb2c272bafa7a5a1f6062bd060f414e50caaeac2da66ad39cef4424a90236ea907b7d8057e3443dc5abfc9986967ee7213a407",
            Convert.ToHexStringLower(signature));
        Assert.True(identity.Public.Verify("abc"u8, signature));
        Assert.False(identity.Public.Verify("abd"u8, signature));
    }

    [Fact]
    public void Old_keys_that_are_commented_out_and_text_around_the_block_are_skipped()
    {
        string old = string.Concat(Ed25519Identity.Generate(new SystemRandom()).ToPem().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static l => $"#{l}\n"));
        string other = "-----BEGIN RSA PRIVATE KEY-----\nnot base64 at all!\n-----END RSA PRIVATE KEY-----\n";
        Assert.True(Ed25519Identity.TryFromPem(old + other + Pem.ReplaceLineEndings("\r\n") + "more", out Ed25519Identity? identity, out string reason), reason);
        Assert.Equal(PublicText, identity.Public.ToString());
    }

    [Theory]
    [InlineData("", "it holds no block ED25519 PRIVATE KEY")]
    [InlineData("-----BEGIN ED25519 PUBLIC KEY-----\n-----END ED25519 PUBLIC KEY-----", "it holds no block ED25519 PRIVATE KEY")]
    [InlineData("-----BEGIN ED25519 PRIVATE KEY-----\n4Qp7", "the block ED25519 PRIVATE KEY has no end")]
    [InlineData("-----BEGIN ED25519 PRIVATE KEY-----\n4Q=7\n-----END", "the block ED25519 PRIVATE KEY has a line that is not base64")]
    [InlineData("-----BEGIN ED25519 PRIVATE KEY-----\n4Qp7\n-----END ED25519 PRIVATE KEY-----", "the block ED25519 PRIVATE KEY holds 3 bytes instead of 96")]
    public void What_is_no_key_file_is_refused_with_a_reason(string text, string expected)
    {
        Assert.False(Ed25519Identity.TryFromPem(text, out _, out string reason));
        Assert.Equal(expected, reason);
    }

    [Fact]
    public void More_bytes_than_a_key_has_are_refused()
    {
        string line = Pem.Split('\n')[1] + "\n";
        Assert.False(Ed25519Identity.TryFromPem(Pem.Replace(line, line + line, StringComparison.Ordinal), out _, out string reason));
        Assert.EndsWith("holds 144 bytes instead of 96", reason);
    }

    [Fact]
    public void Halves_that_do_not_belong_together_are_refused()
    {
        // Byte 95 is the last one: the three characters before the end of the second line.
        Assert.False(Ed25519Identity.TryFromPem(Pem.Replace("VFDu", "VFDv", StringComparison.Ordinal), out _, out string reason));
        Assert.Contains("does not belong", reason);
        string zero = new('A', 64);
        Assert.False(Ed25519Identity.TryFromPem($"-----BEGIN ED25519 PRIVATE KEY-----\n{zero}\n{zero}\n-----END", out _, out reason));
        Assert.Contains("does not belong", reason);
    }

    [Fact]
    public void Public_keys_are_43_characters_of_either_alphabet()
    {
        Assert.True(Ed25519PublicKey.TryParse(PublicText, out Ed25519PublicKey? key));
        Assert.True(Ed25519PublicKey.TryParse(PublicText.Replace('/', '_'), out Ed25519PublicKey? same));
        Assert.Equal(key, same);
        Assert.Equal(key.GetHashCode(), same.GetHashCode());
        Assert.NotEqual(key, Ed25519Identity.Generate(new SystemRandom()).Public);
        Assert.False(Ed25519PublicKey.TryParse(PublicText.AsSpan(1), out _));
        Assert.False(Ed25519PublicKey.TryParse(PublicText + "A", out _));
        Assert.False(Ed25519PublicKey.TryParse($"={PublicText.AsSpan(1)}", out _));
    }

    [Fact]
    public void A_public_key_may_be_a_block_in_a_host_file()
    {
        string text = $"Address = example.org\n-----BEGIN ED25519 PUBLIC KEY-----\n{PublicText}\n-----END ED25519 PUBLIC KEY-----\nPort = 655\n";
        Assert.True(Ed25519PublicKey.TryFromPem(text, out Ed25519PublicKey? key, out _));
        Assert.Equal(PublicText, key.ToString());
        Assert.False(Ed25519PublicKey.TryFromPem("Port = 655", out _, out string reason));
        Assert.Equal("it holds no block ED25519 PUBLIC KEY", reason);
    }

    [Fact]
    public void Generated_keys_differ_and_survive_their_text()
    {
        Ed25519Identity identity = Ed25519Identity.Generate(new SystemRandom());
        Assert.True(Ed25519Identity.TryFromPem(identity.ToPem(), out Ed25519Identity? read, out _));
        Assert.Equal(identity.Public, read.Public);
        byte[] signature = new byte[64];
        read.Sign("message"u8, signature);
        Assert.True(identity.Public.Verify("message"u8, signature));
        Assert.Equal(TincBase64.EncodedLength(32), identity.Public.ToString().Length);
    }
}
