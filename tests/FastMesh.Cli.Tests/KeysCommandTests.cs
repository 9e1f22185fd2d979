using System.Security.Cryptography;
using System.Text.RegularExpressions;
using FastMesh.Cli.Commands;
using FastMesh.Cli.Config;

namespace FastMesh.Cli.Tests;

/// <summary>What <c>tincd -K</c> leaves behind in the same situations (tinc 1.0 reference, 2.3, and runs of tincd 1.0.36).</summary>
public sealed partial class KeysCommandTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TemporaryDirectory _net = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    public void Dispose() => _net.Dispose();

    [Fact]
    public void Without_a_name_the_public_key_goes_to_rsa_key_pub()
    {
        Assert.Equal(0, Generate());
        Assert.Matches(PrivateKeyFile(), _net.Read("rsa_key.priv"));
        Assert.Matches(PublicKeyFile(), _net.Read("rsa_key.pub"));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_net["rsa_key.priv"]));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_net["rsa_key.pub"]));
        Assert.Equal($"Cannot open config file {_net["tinc.conf"]}: No such file or directory", ErrorLines()[0]);
        Assert.Equal(["Generating 512 bits keys:", "Done."], ErrorLines()[1..]);
    }

    [Fact]
    public void With_a_name_the_public_key_is_added_to_the_host_file()
    {
        _net.Write("tinc.conf", "Name = foo\n");
        _net.Write("hosts/foo", "Subnet = 1.2.3.4");
        Assert.Equal(0, Generate());
        Assert.StartsWith("Subnet = 1.2.3.4\n-----BEGIN RSA PUBLIC KEY-----\n", _net.Read("hosts/foo"));
        Assert.EndsWith("\n-----END RSA PUBLIC KEY-----\n", _net.Read("hosts/foo"));
        Assert.Equal((UnixFileMode)0b110_100_100, File.GetUnixFileMode(_net["hosts/foo"]));
        Assert.False(File.Exists(_net["rsa_key.pub"]));
    }

    [Fact]
    public void A_bad_name_is_reported_and_does_not_stop_the_generation()
    {
        _net.Write("tinc.conf", "Name = fo-o\n");
        Assert.Equal(0, Generate());
        Assert.StartsWith("Invalid name for myself!", ErrorLines()[0]);
        Assert.True(File.Exists(_net["rsa_key.pub"]));
    }

    [Fact]
    public void An_option_can_give_the_name()
    {
        Directory.CreateDirectory(_net["hosts"]);
        Assert.Equal(0, Generate(overrides: new ConfigEntry("Name", "bar", null, 1)));
        Assert.True(File.Exists(_net["hosts/bar"]));
    }

    [Fact]
    public void Without_hosts_the_private_key_is_written_and_the_exit_code_is_1()
    {
        _net.Write("tinc.conf", "Name = foo\n");
        Assert.Equal(1, Generate());
        Assert.True(File.Exists(_net["rsa_key.priv"]));
        Assert.Equal($"Error opening file `{_net["hosts/foo"]}': No such file or directory", ErrorLines()[^1]);
    }

    [Fact]
    public void A_directory_in_the_way_is_an_error()
    {
        Directory.CreateDirectory(_net["rsa_key.priv"]);
        Assert.Equal(1, Generate());
        Assert.Equal($"Error opening file `{_net["rsa_key.priv"]}': Is a directory", ErrorLines()[^1]);
        Assert.False(File.Exists(_net["rsa_key.pub"]));
    }

    [Fact]
    public void Old_keys_are_relabelled_and_stay_in_the_file()
    {
        const string Before = "x\n  -----BEGIN RSA PUBLIC KEY-----\n-----BEGIN RSA PUBLIC KEY-----\r\nabc\n-----END RSA PUBLIC KEY-----\n"
            + "-----BEGIN PUBLIC KEY-----\nno newline -----END RSA";
        const string Disabled = "x\n  -----BEGIN RSA PUBLIC KEY-----\n-----BEGIN OLD PUBLIC KEY-----\r\nabc\n-----END OLD PUBLIC KEY-----\n"
            + "-----BEGIN PUBLIC KEY-----\nno newline -----END RSA";
        _net.Write("tinc.conf", "Name = foo\n");
        _net.Write("hosts/foo", Before);
        Assert.Equal(0, Generate());
        Assert.StartsWith(Disabled + "\n-----BEGIN RSA PUBLIC KEY-----\n", _net.Read("hosts/foo"));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_net["hosts/foo"]));
        Assert.False(File.Exists(_net["hosts/foo.tmp"]));
        Assert.Equal("Warning: old key(s) found and disabled.", ErrorLines()[^1]);
    }

    [Fact]
    public void A_second_generation_leaves_one_key_in_use_in_each_file()
    {
        Assert.Equal(0, Generate());
        Assert.Equal(0, Generate());
        Assert.Single(Regex.Matches(_net.Read("rsa_key.priv"), "^-----BEGIN RSA PRIVATE KEY-----$", RegexOptions.Multiline));
        Assert.Single(Regex.Matches(_net.Read("rsa_key.priv"), "^-----BEGIN OLD PRIVATE KEY-----$", RegexOptions.Multiline));
        Assert.Equal(2, ErrorLines().Count(l => l == "Warning: old key(s) found and disabled."));
    }

    [Fact]
    public void The_two_halves_belong_together_and_the_exponent_is_65537()
    {
        Assert.Equal(0, Generate());
        using RSA whole = RSA.Create();
        using RSA half = RSA.Create();
        whole.ImportFromPem(_net.Read("rsa_key.priv"));
        half.ImportFromPem(_net.Read("rsa_key.pub"));
        Assert.Equal(512, half.KeySize);
        Assert.Equal(whole.ExportRSAPublicKey(), half.ExportRSAPublicKey());
        Assert.Equal([1, 0, 1], half.ExportParameters(false).Exponent);
    }

    [Fact]
    public void A_terminal_is_asked_for_both_files_and_an_empty_answer_takes_the_default()
    {
        Assert.Equal(0, Generate(input: $"\n{_net["elsewhere"]}\n"));
        Assert.Equal(
            $"Please enter a file to save private RSA key to [{_net["rsa_key.priv"]}]: "
            + $"Please enter a file to save public RSA key to [{_net["rsa_key.pub"]}]: ",
            _output.ToString());
        Assert.Matches(PrivateKeyFile(), _net.Read("rsa_key.priv"));
        Assert.Matches(PublicKeyFile(), _net.Read("elsewhere"));
        Assert.False(File.Exists(_net["rsa_key.pub"]));
    }

    private int Generate(string? input = null, params ConfigEntry[] overrides)
    {
        StringReader? reader = input is null ? null : new StringReader(input);
        return new KeysCommand(new ConfigDirectory(_net.Root, overrides), reader, _output, _error).Generate(512);
    }

    private string[] ErrorLines() => [.. _error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.TrimStart('.'))];

    [GeneratedRegex(@"\A\n-----BEGIN RSA PRIVATE KEY-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END RSA PRIVATE KEY-----\n\z")]
    private static partial Regex PrivateKeyFile();

    [GeneratedRegex(@"\A\n-----BEGIN RSA PUBLIC KEY-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END RSA PUBLIC KEY-----\n\z")]
    private static partial Regex PublicKeyFile();
}
