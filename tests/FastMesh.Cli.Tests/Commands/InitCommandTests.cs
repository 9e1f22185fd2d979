using System.Security.Cryptography;
using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Tests.Commands;

/// <summary><c>init</c> leaves what <c>tinc init</c> 1.1pre18 leaves, and says the same about what is wrong.</summary>
public sealed class InitCommandTests : IDisposable
{
    private readonly CommandFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void A_new_node_has_both_pairs_of_keys_and_a_placeholder_script()
    {
        Assert.Equal(0, _fixture.Run("init", "alpha"));
        Assert.Equal(["600 ed25519_key.priv", "600 rsa_key.priv", "644 hosts/alpha", "644 tinc.conf", "755 tinc-up"], _fixture.Files());
        Assert.Equal("Name = alpha\n", _fixture.Read("tinc.conf"));
        Assert.True(Directory.Exists(_fixture.Net["net/cache"]));
        Assert.Empty(_fixture.Output);
    }

    [Fact]
    public void The_public_halves_are_in_the_host_file()
    {
        Assert.Equal(0, _fixture.Run("init", "alpha"));
        Assert.True(Ed25519Identity.TryFromPem(_fixture.Read("ed25519_key.priv"), out Ed25519Identity? key, out _));
        Assert.Contains($"Ed25519PublicKey = {key.Public}\n", _fixture.Read("hosts/alpha"));
        using RSA whole = RSA.Create(), half = RSA.Create();
        whole.ImportFromPem(_fixture.Read("rsa_key.priv"));
        half.ImportFromPem(_fixture.Read("hosts/alpha"));
        Assert.Equal(2048, half.KeySize);
        Assert.Equal(whole.ExportRSAPublicKey(), half.ExportRSAPublicKey());
    }

    [Fact]
    public void The_daemon_can_load_what_init_made()
    {
        Assert.Equal(0, _fixture.Run("init", "alpha"));
        using Config.LoaderFixture loader = new();
        Assert.Null(CommandLine.TryParse(["-c", _fixture.Net["net"]], out CommandLine line));
        var options = new FastMesh.Cli.Config.ConfigLoader(NetPaths.From(line), line, loader.Log).Load();
        Assert.Empty(loader.Messages);
        Assert.True(options!.Mesh.SpeaksSptps);
        Assert.NotNull(options.Mesh.Key);
    }

    [Theory]
    [InlineData("init", 1, "No Name given!")]
    [InlineData("init a-b", 1, "Invalid Name! Only a-z, A-Z, 0-9 and _ are allowed characters.")]
    [InlineData("init a b", 2, "Too many arguments!")]
    public void Without_a_good_name_nothing_is_made(string line, int code, string message)
    {
        Assert.Equal(code, _fixture.Run(line.Split(' ')));
        Assert.Equal([message], _fixture.Messages);
        Assert.False(Directory.Exists(_fixture.Net["net"]));
    }

    [Fact]
    public void A_user_is_asked_for_the_name()
    {
        Assert.Equal(0, _fixture.Answer("beta\n", "INIT"));
        Assert.Equal("Name = beta\n", _fixture.Read("tinc.conf"));
    }

    [Fact]
    public void An_existing_configuration_is_left_alone()
    {
        _fixture.Write("tinc.conf", "Name = old\n");
        Assert.Equal(1, _fixture.Run("init", "alpha"));
        Assert.Equal(["Configuration file net/tinc.conf already exists!"], _fixture.Messages);
        Assert.Equal(["644 tinc.conf"], _fixture.Files());
    }

    [Fact]
    public void A_key_in_the_way_leaves_everything_as_it_was()
    {
        _fixture.Write("ed25519_key.priv", "x\n");
        Assert.Equal(1, _fixture.Run("init", "alpha"));
        Assert.Equal(["Nothing was written: net/ed25519_key.priv exists already"], _fixture.Messages.Where(m => !m.StartsWith("Port", StringComparison.Ordinal)));
        Assert.Equal(["644 ed25519_key.priv"], _fixture.Files());
        Assert.False(Directory.Exists(_fixture.Net["net/hosts"]));
    }
}
