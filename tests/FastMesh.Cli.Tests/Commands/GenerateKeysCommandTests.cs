using System.Security.Cryptography;
using System.Text.RegularExpressions;
using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Tests.Commands;

/// <summary>The commands that make keys leave what those of tinc 1.1pre18 leave in the same situations.</summary>
public sealed class GenerateKeysCommandTests : IDisposable
{
    private readonly CommandFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Without_a_name_public_keys_go_to_files_of_their_own()
    {
        Directory.CreateDirectory(_fixture.Net["net"]);
        Assert.Equal(0, _fixture.Run("generate-keys", "1024"));
        Assert.Equal(["600 ed25519_key.priv", "600 rsa_key.priv", "644 ed25519_key.pub", "644 rsa_key.pub"], _fixture.Files());
        Assert.Matches(@"\AEd25519PublicKey = [A-Za-z0-9+/]{43}\n\z", _fixture.Read("ed25519_key.pub"));
        Assert.Matches(@"\A-----BEGIN RSA PUBLIC KEY-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END RSA PUBLIC KEY-----\n\z", _fixture.Read("rsa_key.pub"));
        Assert.Empty(_fixture.Messages);
    }

    [Theory]
    [InlineData("generate-rsa-keys 1024", true, false)]
    [InlineData("generate-ed25519-keys", false, true)]
    public void One_kind_can_be_made_alone(string line, bool rsa, bool ed25519)
    {
        _fixture.Write("tinc.conf", "Name = a\n");
        _fixture.Write("hosts/a", "Subnet = 10.0.0.0/8");
        Assert.Equal(0, _fixture.Run(line.Split(' ')));
        Assert.Equal((rsa, ed25519), (File.Exists(_fixture.Net["net/rsa_key.priv"]), File.Exists(_fixture.Net["net/ed25519_key.priv"])));
        Assert.StartsWith("Subnet = 10.0.0.0/8\n", _fixture.Read("hosts/a"));
        Assert.Equal((rsa, ed25519), (_fixture.Read("hosts/a").Contains("\n-----BEGIN RSA"), _fixture.Read("hosts/a").Contains("\nEd25519PublicKey")));
    }

    [Fact]
    public void Old_keys_are_commented_out_and_the_new_ones_belong_together()
    {
        Assert.Equal(0, _fixture.Run("init", "a"));
        string oldHost = _fixture.Read("hosts/a"), oldEd25519 = _fixture.Read("ed25519_key.priv");
        Assert.Equal(0, _fixture.Run("generate-keys", "1024"));
        Assert.Equal(["Warning: old key(s) found and disabled.", "Warning: old key(s) found and disabled."], _fixture.Messages);

        string commented = string.Concat(oldEd25519.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => $"#{l}\n"));
        Assert.StartsWith(commented + "-----BEGIN ED25519 PRIVATE KEY-----\n", _fixture.Read("ed25519_key.priv"));
        Assert.True(Ed25519Identity.TryFromPem(_fixture.Read("ed25519_key.priv"), out Ed25519Identity? key, out _));
        Assert.Equal($"Ed25519PublicKey = {key.Public}", Assert.Single(_fixture.Read("hosts/a").Split('\n'), l => l.StartsWith("Ed25519", StringComparison.Ordinal)));
        Assert.Contains("#Ed25519PublicKey = " + Regex.Match(oldHost, "Ed25519PublicKey = (.*)").Groups[1].Value, _fixture.Read("hosts/a"));

        using RSA whole = RSA.Create(), half = RSA.Create();
        whole.ImportFromPem(_fixture.Read("rsa_key.priv").Split("\n#").Last().AsSpan()[^900..]);
        half.ImportFromPem(Regex.Match(_fixture.Read("hosts/a"), "^-----BEGIN RSA(.*\n)+?-----END.*", RegexOptions.Multiline).Value);
        Assert.Equal(whole.ExportRSAPublicKey(), half.ExportRSAPublicKey());
    }

    [Theory]
    [InlineData("1023")]
    [InlineData("8200")]
    [InlineData("abc")]
    public void Sizes_that_tinc_refuses_are_refused(string bits)
    {
        Directory.CreateDirectory(_fixture.Net["net"]);
        Assert.Equal(1, _fixture.Run("generate-rsa-keys", bits));
        Assert.Equal([$"Invalid key size {bits} specified! It should be between 1024 and 8192 bits."], _fixture.Messages);
        Assert.Empty(_fixture.Files());
    }

    [Fact]
    public void If_the_public_half_cannot_be_written_the_private_one_stays_as_it_was()
    {
        _fixture.Write("tinc.conf", "Name = a\n");
        _fixture.Write("ed25519_key.priv", "# old\n");
        Assert.Equal(1, _fixture.Run("generate-ed25519-keys")); // there is no directory hosts
        Assert.StartsWith("No keys were written: ", Assert.Single(_fixture.Messages));
        Assert.Equal("# old\n", _fixture.Read("ed25519_key.priv"));
        Assert.Equal(2, _fixture.Files().Length);
    }

    [Fact]
    public void A_user_may_choose_other_files()
    {
        Directory.CreateDirectory(_fixture.Net["net"]);
        Assert.Equal(0, _fixture.Answer($"{_fixture.Net["net/x"]}\n\n", "generate-ed25519-keys"));
        Assert.Equal(["600 x", "644 ed25519_key.pub"], _fixture.Files());
    }
}
