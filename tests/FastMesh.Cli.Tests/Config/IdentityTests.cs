using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Tests.Config;

/// <summary>Which keys a node has and which protocols follow from them (tinc 1.1 reference, 1.4, 2.2), and what FastMesh keeps beside the configuration.</summary>
public sealed class IdentityTests : IDisposable
{
    // Keys of the tinc 1.1 reference, chapter 12.
    private const string AlicePublic = "DE6B/OvzQ4bHw1NGnvEwZeG5WDzml2wXdwthkJRVxgL";

    private const string AlicePem = """
        -----BEGIN ED25519 PRIVATE KEY-----
        4Qp7kyJWK8egpVjdrAeSV1ZbUAk3eLh5hWS8E+x/O+WqXjhYjWOdrd1GjH9hwSAE
        GVvL9WID817Xe744EOntJNQoH878ODhvdAX3Yc+SAn5ZkbNMbWaDf1B3GSmEVFDu
        -----END ED25519 PRIVATE KEY-----

        """;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly LoaderFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void A_directory_of_tinc_10_gets_an_identity_of_its_own_and_keeps_its_protocol()
    {
        MeshSettings mesh = _fixture.Load()!.Mesh;
        Assert.False(mesh.SpeaksSptps);
        Assert.NotNull(mesh.Identity);
        Assert.Empty(_fixture.Messages);
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_fixture.Net["fastmesh/ed25519_key.priv"]));
        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(_fixture.Net["fastmesh"]));
        Assert.Equal(mesh.Identity.Public, _fixture.Load()!.Mesh.Identity!.Public);
    }

    [Fact]
    public void The_users_own_key_is_the_identity_and_turns_on_17_7()
    {
        UseAlice();
        MeshSettings mesh = _fixture.Load()!.Mesh;
        Assert.True(mesh.SpeaksSptps);
        Assert.Equal(AlicePublic, mesh.Identity!.Public.ToString());
        Assert.False(Directory.Exists(_fixture.Net["fastmesh"]));
    }

    [Fact]
    public void A_key_file_of_another_name_counts_too()
    {
        string path = _fixture.Net.Write("alice.key", AlicePem, OwnerOnly);
        Assert.Equal(AlicePublic, _fixture.Load("-o", $"Ed25519PrivateKeyFile={path}")!.Mesh.Identity!.Public.ToString());
        Assert.Equal(AlicePublic, _fixture.Load("-o", "Ed25519PrivateKeyFile=alice.key")!.Mesh.Identity!.Public.ToString());
    }

    [Fact]
    public void ExperimentalProtocol_no_is_a_plain_node_of_tinc_10()
    {
        UseAlice();
        MeshSettings mesh = _fixture.Load("-o", "ExperimentalProtocol=no")!.Mesh;
        Assert.False(mesh.SpeaksSptps);
        Assert.Null(mesh.Identity);
        Assert.False(Directory.Exists(_fixture.Net["fastmesh"]));
    }

    [Fact]
    public void ExperimentalProtocol_yes_needs_a_key()
    {
        Assert.Null(_fixture.Load("-o", "ExperimentalProtocol=yes"));
        Assert.Equal(
            "Error reading Ed25519 private key file `ed25519_key.priv': No such file or directory; generate-ed25519-keys makes a key",
            Assert.Single(_fixture.Messages).Replace(_fixture.Net.Root + "/", string.Empty));
    }

    [Fact]
    public void A_broken_key_is_named_and_leaves_17_0()
    {
        _fixture.Net.Write("ed25519_key.priv", AlicePem.Replace("4Qp7", "4Qp"), OwnerOnly);
        MeshSettings mesh = _fixture.Load()!.Mesh;
        Assert.False(mesh.SpeaksSptps);
        Assert.NotNull(mesh.Identity);
        Assert.Matches("^Error reading Ed25519 private key file `ed25519_key.priv': .*Protocol 17.7 is not spoken", Assert.Single(_fixture.Messages));
    }

    [Fact]
    public void A_key_that_others_may_read_is_used_with_a_warning()
    {
        _fixture.Net.Write("ed25519_key.priv", AlicePem);
        Assert.True(_fixture.Load()!.Mesh.SpeaksSptps);
        Assert.StartsWith("Warning: insecure file permissions for Ed25519 private key file `ed25519_key.priv'!", Assert.Single(_fixture.Messages));
    }

    [Theory]
    [InlineData("LegacyProtocol = yes", "Error reading RSA private key file `rsa_key.priv': No such file or directory; -K makes a key. Nodes of tinc 1.0 cannot be talked to.")]
    [InlineData("LegacyProtocol = no", null)]
    public void With_an_Ed25519_key_the_RSA_key_may_be_missing(string line, string? warning)
    {
        UseAlice();
        File.Delete(_fixture.Net["rsa_key.priv"]);
        _fixture.Net.Write("tinc.conf", $"Name = a\n{line}\n");
        MeshSettings mesh = _fixture.Load()!.Mesh;
        Assert.Null(mesh.Key);
        Assert.True(mesh.SpeaksSptps);
        Assert.Equal(warning is null ? [] : [warning], _fixture.Messages);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ExperimentalProtocol = no")]
    public void Without_any_key_there_is_no_start(string line)
    {
        File.Delete(_fixture.Net["rsa_key.priv"]);
        _fixture.Net.Write("tinc.conf", $"Name = a\n{line}\n");
        Assert.Null(_fixture.Load());
        Assert.StartsWith("Error reading RSA private key file `rsa_key.priv': No such file or directory", Assert.Single(_fixture.Messages));
        Assert.False(Directory.Exists(_fixture.Net["fastmesh"]));
    }

    [Fact]
    public void An_identity_that_is_there_but_broken_stops_the_start_because_others_have_learned_it()
    {
        _fixture.Net.Write("fastmesh/ed25519_key.priv", "x\n", OwnerOnly);
        Assert.Null(_fixture.Load());
        Assert.StartsWith("Error reading this node's own key `fastmesh/ed25519_key.priv': ", Assert.Single(_fixture.Messages));
        Assert.Equal("x\n", _fixture.Net.Read("fastmesh/ed25519_key.priv"));
    }

    [Theory]
    [InlineData(false, "", false)] // a directory of tinc 1.0, which has no AutoConnect
    [InlineData(true, "", true)] // one of tinc 1.1: reference, 9.1
    [InlineData(false, "AutoConnect = yes", true)]
    [InlineData(true, "AutoConnect = no", false)]
    [InlineData(true, "ExperimentalProtocol = no", false)]
    public void AutoConnect_is_preset_as_in_the_tinc_whose_directory_it_is(bool hasEd25519Key, string line, bool expected)
    {
        if (hasEd25519Key)
            UseAlice();
        _fixture.Net.Write("tinc.conf", $"Name = a\n{line}\n");
        DaemonOptions options = _fixture.Load()!;
        Assert.Equal(expected, options.Mesh.AutoConnect);
        Assert.Equal(expected, options.Reread!().Options!.Mesh.AutoConnect);
        Assert.Empty(_fixture.Messages);
    }

    [Fact]
    public void A_directory_that_cannot_be_written_costs_one_warning()
    {
        _fixture.Net.Write("fastmesh", "a file in the way\n");
        DaemonOptions options = _fixture.Load()!;
        Assert.NotNull(options.Mesh.Identity);
        Assert.StartsWith("Could not write `fastmesh/ed25519_key.priv': ", Assert.Single(_fixture.Messages));

        options.Mesh.KnownKeys.Learn("b", Key(1));
        options.Mesh.KnownKeys.Learn("c", Key(2));
        Assert.Equal((Key(1), Key(2)), (options.Mesh.KnownKeys.Find("b"), options.Mesh.KnownKeys.Find("c")));
        Assert.StartsWith("Could not write fastmesh/known/b: ", Assert.Single(_fixture.Messages[1..]));
    }

    [Fact]
    public void A_reload_keeps_the_keys_although_their_files_are_gone()
    {
        UseAlice();
        DaemonOptions options = _fixture.Load()!;
        File.Delete(_fixture.Net["ed25519_key.priv"]);
        File.Delete(_fixture.Net["rsa_key.priv"]);
        MeshSettings again = options.Reread!().Options!.Mesh;
        Assert.Same(options.Mesh.Identity, again.Identity);
        Assert.Same(options.Mesh.Key, again.Key);
        Assert.Same(options.Mesh.KnownKeys, again.KnownKeys);
        Assert.True(again.SpeaksSptps);
    }

    [Fact]
    public void A_learned_key_outlives_the_process_and_leaves_the_host_file_alone()
    {
        string host = _fixture.Net.Read("hosts/a");
        _fixture.Load()!.Mesh.KnownKeys.Learn("b", Key(1));
        Assert.Equal(Key(1), _fixture.Load()!.Mesh.KnownKeys.Find("b"));
        Assert.Matches($@"\A# .*b.* on \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC.*\nEd25519PublicKey = {System.Text.RegularExpressions.Regex.Escape($"{Key(1)}")}\n\z", _fixture.Net.Read("fastmesh/known/b"));
        Assert.Equal(host, _fixture.Net.Read("hosts/a"));
        Assert.Equal(["hosts/a"], Directory.GetFiles(_fixture.Net["hosts"]).Select(f => Path.GetRelativePath(_fixture.Net.Root, f)));
    }

    [Fact]
    public void A_learned_key_can_be_replaced_and_removing_its_file_forgets_it()
    {
        IKnownKeys keys = _fixture.Load()!.Mesh.KnownKeys;
        Assert.Null(keys.Find("b"));
        keys.Learn("b", Key(1));
        keys.Learn("b", Key(2));
        Assert.Equal(Key(2), keys.Find("b"));
        Assert.Equal(_fixture.Net["fastmesh/known/b"], keys.FileOf("b"));
        File.Delete(keys.FileOf("b"));
        Assert.Null(keys.Find("b"));
    }

    [Fact]
    public void Keys_that_are_out_of_reach_count_as_they_were_at_start()
    {
        _fixture.Load()!.Mesh.KnownKeys.Learn("b", Key(1));
        IKnownKeys keys = _fixture.Load()!.Mesh.KnownKeys;
        Directory.Delete(_fixture.Net["fastmesh"], recursive: true);
        Assert.Null(keys.Find("b")); // removed means forgotten

        Directory.CreateSymbolicLink(_fixture.Net["fastmesh"], "fastmesh"); // for root, too, nothing can be opened by way of it
        Assert.Equal(Key(1), keys.Find("b"));
        Assert.Null(keys.Find("c"));
    }

    [Fact]
    public void A_learned_key_that_cannot_be_read_is_reported_once_and_counts_as_unknown()
    {
        IKnownKeys keys = _fixture.Load()!.Mesh.KnownKeys;
        _fixture.Net.Write("fastmesh/known/b", "Ed25519PublicKey = short\n");
        Assert.Null(keys.Find("b") ?? keys.Find("b"));
        Assert.StartsWith("No key can be read from fastmesh/known/b", Assert.Single(_fixture.Messages));
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("")]
    [InlineData("a/b")]
    public void Only_names_of_nodes_become_files(string name)
    {
        IKnownKeys keys = _fixture.Load()!.Mesh.KnownKeys;
        keys.Learn(name, Key(1));
        Assert.Null(keys.Find(name));
        Assert.False(Directory.Exists(_fixture.Net["fastmesh/known"]));
    }

    [Theory]
    [InlineData($"Ed25519PublicKey = {AlicePublic}\n")]
    [InlineData("Ed25519PublicKeyFile = alice.pub\n")]
    [InlineData("-----BEGIN ED25519 PUBLIC KEY-----\nDE6B/OvzQ4bHw1NGnvEwZeG5WDzml2wXdwthkJRVxgL\n-----END ED25519 PUBLIC KEY-----\n")]
    public void A_host_file_can_state_a_key_in_three_ways_and_needs_no_other_then(string text)
    {
        _fixture.Net.Write("alice.pub", $"-----BEGIN ED25519 PUBLIC KEY-----\n{AlicePublic}\n-----END ED25519 PUBLIC KEY-----\n");
        _fixture.Net.Write("hosts/b", text);
        Assert.True(_fixture.Load()!.Peers.TryRead("b", out PeerSettings? peer));
        Assert.Equal(AlicePublic, peer.Ed25519Key?.ToString());
        Assert.Null(peer.PublicKey);
        Assert.Empty(_fixture.Messages);
    }

    [Theory]
    [InlineData("Ed25519PublicKey = abc\n", "Invalid Ed25519PublicKey for b in hosts/b line 1: it has 43 characters of base64")]
    [InlineData("Ed25519PublicKeyFile = /nonexistent\n", "No usable Ed25519 public key for b in /nonexistent: No such file or directory")]
    public void A_stated_key_that_is_none_is_reported(string text, string message)
    {
        _fixture.Net.Write("hosts/b", text + LoaderFixture.PublicPem);
        Assert.True(_fixture.Load()!.Peers.TryRead("b", out PeerSettings? peer));
        Assert.Null(peer.Ed25519Key);
        Assert.NotNull(peer.PublicKey);
        Assert.Equal([message], _fixture.Messages);
    }

    private static Ed25519PublicKey Key(byte value)
        => Ed25519Identity.FromSeed(Encoding.ASCII.GetBytes(new string((char)value, 32))).Public;

    private void UseAlice() => _fixture.Net.Write("ed25519_key.priv", AlicePem, OwnerOnly);
}
