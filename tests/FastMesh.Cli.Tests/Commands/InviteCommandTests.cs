using FastMesh.Cli.Config;
using FastMesh.Cli.Tests.Config;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Tests;

namespace FastMesh.Cli.Tests.Commands;

/// <summary>Invitations from their making to their end, without a network (tinc 1.1 reference, 9.3, 9.4).</summary>
public sealed class InviteCommandTests : IDisposable
{
    private static readonly TimeSpan s_week = TimeSpan.FromDays(7);

    private readonly CommandFixture _fixture = new();
    private readonly LoaderFixture _log = new();

    public InviteCommandTests()
    {
        Ed25519Identity key = Ed25519Identity.Generate(new SystemRandom());
        _fixture.Write("tinc.conf", "Name = alpha\n");
        _fixture.Write("hosts/alpha", $"Address = 192.0.2.1\nPort = 700\nEd25519PublicKey = {key.Public}\n");
        _fixture.Write("ed25519_key.priv", key.ToPem(), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public void Dispose()
    {
        _fixture.Dispose();
        _log.Dispose();
    }

    [Fact]
    public void The_url_redeems_exactly_one_invitation()
    {
        InvitationUrl url = Invite("beta");
        Assert.Equal(new HostPort("192.0.2.1", "700"), url.Address);
        InvitationBook book = Book(s_week);
        Assert.Equal(InvitationUrl.HashOf(book.Key!.Public), url.KeyHash);
        Assert.True(book.TryRedeem(url.Cookie, out string? name, out byte[]? file));
        Assert.Equal("beta", name);
        Assert.StartsWith("Name = beta\nConnectTo = alpha\n#---------------------------------------------------------------#\nName = alpha\nAddress = 192.0.2.1\nPort = 700\n", System.Text.Encoding.UTF8.GetString(file));

        Assert.False(book.TryRedeem(url.Cookie, out _, out _));
        Assert.Equal(["600 invitations/ed25519_key.priv"], InvitationFiles());
    }

    [Fact]
    public void Files_of_invitations_are_the_owners_alone()
    {
        Invite("beta");
        Assert.Equal(2, InvitationFiles().Length);
        Assert.All(InvitationFiles(), f => Assert.StartsWith("600 ", f));
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(_fixture.Net["net/invitations"]));
    }

    [Fact]
    public void Mode_and_broadcast_go_along_and_the_port_is_the_one_that_others_reach()
    {
        _fixture.Write("tinc.conf", "Name = alpha\nmode = switch\nBroadcast = no\nPingInterval = 5\nLocalDiscovery = yes\n");
        _fixture.Write("hosts/alpha", $"Address = alpha.example.org 7001\nPort = 700\nSubnet = 10.0.0.0/8\n{_fixture.Read("hosts/alpha")}");
        InvitationUrl url = Invite("beta");
        Assert.Equal("7001", url.Address.Port);
        Book(s_week).TryRedeem(url.Cookie, out _, out byte[]? file);
        Assert.StartsWith(
            "Name = beta\nConnectTo = alpha\nMode = switch\nBroadcast = no\n#---------------------------------------------------------------#\n"
            + "Name = alpha\nAddress = alpha.example.org 7001\nPort = 7001\nSubnet = 10.0.0.0/8\n",
            System.Text.Encoding.UTF8.GetString(file!));
    }

    [Fact]
    public void An_expired_invitation_is_refused_and_gone()
    {
        InvitationUrl url = Invite("beta");
        File.SetLastWriteTimeUtc(Directory.GetFiles(_fixture.Net["net/invitations"]).Single(f => InvitationUrl.IsFileName(Path.GetFileName(f))), DateTime.UtcNow.AddSeconds(-100));
        Assert.False(Book(TimeSpan.FromSeconds(99)).TryRedeem(url.Cookie, out _, out _));
        Assert.Equal(["An invitation was refused: it has expired"], _log.Messages);
        Assert.Single(InvitationFiles());
    }

    [Theory]
    [InlineData("ConnectTo = beta\nName = beta\n")]
    [InlineData("Name = alpha\n")]
    [InlineData("Name = a/b\n")]
    [InlineData("")]
    public void An_invitation_that_names_nobody_is_refused(string text)
    {
        InvitationUrl url = Invite("beta");
        File.WriteAllText(_fixture.Net["net/invitations/" + InvitationUrl.FileName(url.Cookie, Book(s_week).Key!.Public)], text);
        Assert.False(Book(s_week).TryRedeem(url.Cookie, out _, out _));
        Assert.Equal(["An invitation was refused: its first line names no node that can be invited"], _log.Messages);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(19)]
    public void A_cookie_that_was_never_given_out_redeems_nothing(int length)
    {
        Invite("beta");
        Assert.False(Book(s_week).TryRedeem(new byte[length], out _, out _));
        Assert.Equal(2, InvitationFiles().Length);
    }

    [Fact]
    public void The_key_of_an_invited_node_becomes_its_host_file_once()
    {
        string key = Book(s_week, invite: true).Key!.Public.ToString();
        Assert.True(Book(s_week).TryAccept("beta", key));
        Assert.Equal($"Ed25519PublicKey = {key}\n", _fixture.Read("hosts/beta"));
        Assert.False(Book(s_week).TryAccept("beta", key));
        Assert.False(Book(s_week).TryAccept("gamma", key + "\nAddress = x"));
        Assert.False(Book(s_week).TryAccept("../x", key));
        Assert.False(File.Exists(_fixture.Net["net/hosts/gamma"]));
        Assert.Equal(3, _log.Messages.Length);
    }

    [Fact]
    public void Invitations_share_a_key_until_none_is_left()
    {
        InvitationUrl first = Invite("beta"), second = Invite("gamma");
        Assert.Equal(first.KeyHash, second.KeyHash);
        Assert.NotEqual(first.Cookie, second.Cookie);
        foreach (InvitationUrl url in (InvitationUrl[])[first, second])
            Assert.True(Book(s_week).TryRedeem(url.Cookie, out _, out _));
        Assert.NotEqual(first.KeyHash, Invite("delta").KeyHash);
    }

    [Fact]
    public void Invitations_older_than_a_week_are_cleared_away()
    {
        Invite("beta");
        string file = Directory.GetFiles(_fixture.Net["net/invitations"]).Single(f => InvitationUrl.IsFileName(Path.GetFileName(f)));
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow - s_week - TimeSpan.FromMinutes(1));
        Invite("gamma");
        Assert.False(File.Exists(file));
    }

    [Fact]
    public void The_script_learns_everything_may_edit_the_file_and_does_not_disturb_the_url()
    {
        ExecutableFile.Write(
            _fixture.Net["net/invitation-created"], "#!/bin/sh\necho $NAME $NODE $INVITATION_URL\necho \"Weight = 3\" >>\"$INVITATION_FILE\"\n");
        InvitationUrl url = Invite("beta");
        Assert.True(Book(s_week).TryRedeem(url.Cookie, out _, out byte[]? file));
        Assert.EndsWith("Weight = 3\n", System.Text.Encoding.UTF8.GetString(file));
    }

    [Theory]
    [InlineData("a-b", "Invalid name for node.")]
    [InlineData("alpha", "A host config file for alpha already exists!")]
    public void Nobody_is_invited_twice(string name, string message)
    {
        Assert.Equal(1, _fixture.Run("invite", name));
        Assert.Equal([message], _fixture.Messages);
        Assert.Empty(_fixture.Output);
        Assert.False(Directory.Exists(_fixture.Net["net/invitations"]));
    }

    [Fact]
    public void Without_an_address_the_user_is_asked_or_it_fails()
    {
        _fixture.Write("hosts/alpha", "Port = 700\n");
        Assert.Equal(1, _fixture.Run("invite", "beta"));
        Assert.StartsWith("Where can this node be reached? Add a line such as Address = ", Assert.Single(_fixture.Messages));
        Assert.Equal(0, _fixture.Answer("2001:db8::1\n", "invite", "beta"));
        Assert.StartsWith("[2001:db8::1]:700/", _fixture.Output);
        Assert.Contains("Address = 2001:db8::1\n", _fixture.Read("hosts/alpha"));
    }

    [Fact]
    public void A_directory_of_tinc_10_is_told_how_to_become_an_inviter()
    {
        File.Delete(_fixture.Net["net/ed25519_key.priv"]);
        Assert.Equal(1, _fixture.Run("invite", "beta"));
        Assert.Contains("generate-ed25519-keys", Assert.Single(_fixture.Messages));
    }

    [Fact]
    public void A_dynamic_port_without_a_daemon_is_no_port_to_invite_to()
    {
        _fixture.Write("hosts/alpha", "Address = 192.0.2.1\nPort = 0\n");
        Assert.Equal(1, _fixture.Run("invite", "beta"));
        Assert.StartsWith("Could not invite beta: Its port \"0\"", Assert.Single(_fixture.Messages));
        _fixture.Net.Write("pid", $"1 {new string('A', 64)} 127.0.0.1 port 4711\n");
        Assert.Equal("4711", Invite("beta").Address.Port);
    }

    private InvitationUrl Invite(string name)
    {
        Assert.True(_fixture.Run("invite", name) == 0, string.Join('\n', _fixture.Messages));
        Assert.True(InvitationUrl.TryParse(_fixture.Output.TrimEnd('\n'), out InvitationUrl? url), _fixture.Output);
        return url;
    }

    private InvitationBook Book(TimeSpan expiry, bool invite = false)
    {
        if (invite)
            Invite("omega");
        InvitationBook book = new(new ConfigDirectory(_fixture.Net["net"], []), _log.Log);
        book.Reload("alpha", expiry);
        return book;
    }

    private string[] InvitationFiles() => [.. _fixture.Files().Where(f => f.Contains("invitations/", StringComparison.Ordinal))];
}
