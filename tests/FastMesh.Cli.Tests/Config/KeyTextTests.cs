using FastMesh.Cli.Config;

namespace FastMesh.Cli.Tests.Config;

public class KeyTextTests
{
    [Fact]
    public void Only_keys_of_the_kind_are_commented_out()
    {
        const string Text = "Ed25519PublicKey = a\nEd25519PublicKeyFile = b\ned25519publickey=c\r\n-----BEGIN ED25519 PUBLIC KEY-----\nxyz\n-----END ED25519 PUBLIC KEY-----\n"
            + "-----BEGIN RSA PUBLIC KEY-----\nEd25519PublicKey\n-----END RSA PUBLIC KEY-----\nPort = 1";
        Assert.Equal(
            "#Ed25519PublicKey = a\nEd25519PublicKeyFile = b\n#ed25519publickey=c\r\n#-----BEGIN ED25519 PUBLIC KEY-----\n#xyz\n#-----END ED25519 PUBLIC KEY-----\n"
            + "-----BEGIN RSA PUBLIC KEY-----\nEd25519PublicKey\n-----END RSA PUBLIC KEY-----\nPort = 1",
            KeyText.DisableEd25519Public(Text));
        Assert.Equal(
            "Port = 1\n#-----BEGIN RSA PUBLIC KEY-----\n#abc\n#-----END RSA PUBLIC KEY-----\nPublicKeyFile = x\n#PublicKey = 12",
            KeyText.DisableRsaPublic("Port = 1\n-----BEGIN RSA PUBLIC KEY-----\nabc\n-----END RSA PUBLIC KEY-----\nPublicKeyFile = x\nPublicKey = 12"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("#-----BEGIN RSA PRIVATE KEY-----\n#x\n#-----END RSA PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN ED25519 PRIVATE KEY-----\nx\n-----END ED25519 PRIVATE KEY-----\n")]
    public void What_is_no_such_key_stays(string text) => Assert.Equal(text, KeyText.DisableRsaPrivate(text));
}
