using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Invitations between FastMesh and tinc 1.1: whoever runs the daemon, whoever makes the invitation, whoever joins.</summary>
public sealed class InvitationTests
{
    [SkippableTheory]
    [InlineData(Programs.FastMesh11, Programs.FastMesh11, Programs.FastMesh11)]
    [InlineData(Programs.FastMesh11, Programs.FastMesh11, Programs.Tinc11)]
    [InlineData(Programs.Tinc11, Programs.Tinc11, Programs.FastMesh11)]
    [InlineData(Programs.Tinc11, Programs.Tinc11, Programs.Tinc11)]
    [InlineData(Programs.FastMesh11, Programs.Tinc11, Programs.FastMesh11)]
    [InlineData(Programs.Tinc11, Programs.FastMesh11, Programs.FastMesh11)]
    public void An_invited_node_joins_connects_and_the_invitation_is_used_up(string daemon, string inviter, string joiner)
    {
        using TestNetwork network = new();
        MeshNode alpha = StartInviter(network, daemon), beta = network.AddNode("beta", joiner);
        alpha.WriteScript("invitation-created", $"""
            test "$NODE" = beta && test -n "$INVITATION_URL" || exit 1
            sed -i '/^ConnectTo/a Subnet = 10.20.{beta.Host.Number}.0/24\nIfconfig = {beta.Inner}/16' "$INVITATION_FILE"

            """);
        string url = Invite(alpha, inviter);
        Assert.StartsWith(alpha.Host.Address(), url, StringComparison.Ordinal);

        ShellResult joined = Join(beta, joiner, beta.Directory, url);
        Assert.True(joined.ExitCode == 0, joined.Error + network.LogTails());
        string script = Path.Combine(beta.Directory, "tinc-up");
        if (joiner == Programs.Tinc11) File.Move($"{script}.invitation", script); // pre18 leaves it to the user even with --force
        Assert.Contains($"ip addr replace {beta.Inner}/16", File.ReadAllText(script), StringComparison.Ordinal);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.Equal(PublicKeyOf(beta), PublicKeyOf(alpha, "beta"));
        Assert.Equal(["ed25519_key.priv"], InvitationFiles(alpha));

        AssertRefused(beta, url); // a second time

        File.AppendAllText(Path.Combine(beta.Directory, "tinc.conf"), "AutoConnect = no\n");
        beta.StartWith("-D", "-d5");
        beta.WaitForConnection(alpha);
        network.Until(() => beta.Host.CanPing(alpha.Inner) && alpha.Host.CanPing(beta.Inner), "a ping of the joined node");
        if (Programs.IsFastMesh(joiner)) beta.WaitForLog($"^Session with alpha established: {(Programs.IsFastMesh(daemon) ? "FastMesh" : "tinc 1.1 SPTPS")}, .*, direct$");
    }

    [SkippableTheory, InlineData(Programs.FastMesh11), InlineData(Programs.Tinc11)]
    public void An_expired_invitation_is_refused(string inviter)
    {
        using TestNetwork network = new();
        MeshNode alpha = StartInviter(network, inviter, "InvitationExpire = 86400"), beta = network.AddNode("beta", Programs.FastMesh11);
        string url = Invite(alpha, inviter);
        string file = Path.Combine(alpha.Directory, "invitations", Assert.Single(InvitationFiles(alpha), f => f.Length == 24));
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-2));
        AssertRefused(beta, url);
        Assert.False(File.Exists(file));
        Assert.False(File.Exists(Path.Combine(alpha.Directory, "hosts", "beta")));
    }

    [SkippableTheory, InlineData(Programs.FastMesh11), InlineData(Programs.Tinc11)]
    public void An_inviter_with_another_key_than_the_url_says_is_not_trusted(string inviter)
    {
        using TestNetwork network = new();
        MeshNode alpha = StartInviter(network, inviter), beta = network.AddNode("beta", Programs.FastMesh11);
        string url = Invite(alpha, inviter);
        int hash = url.IndexOf('/', StringComparison.Ordinal) + 1;
        string other = url[..hash] + (url[hash] == 'A' ? 'B' : 'A') + url[(hash + 1)..];
        Assert.Contains("another key", AssertRefused(beta, other).Error, StringComparison.Ordinal);
        Assert.Equal(2, InvitationFiles(alpha).Length);
        Assert.Equal(0, Join(beta, Programs.FastMesh11, beta.Directory, url).ExitCode);
    }

    [SkippableFact]
    public void A_node_that_the_daemon_knows_from_others_cannot_be_invited_again()
    {
        using TestNetwork network = new();
        MeshNode alpha = StartInviter(network, Programs.FastMesh11), beta = network.AddNode("beta", Programs.FastMesh11);
        Assert.Equal(0, Join(beta, Programs.FastMesh11, beta.Directory, Invite(alpha, Programs.FastMesh11)).ExitCode);
        beta.StartWith("-D", "-d5");
        alpha.WaitForConnection(beta);
        File.Delete(Path.Combine(alpha.Directory, "hosts", "beta"));
        ShellResult again = Tool(alpha, Programs.FastMesh11, "-b", "invite", "beta");
        Assert.Equal((1, ""), (again.ExitCode, again.Output));
        Assert.Contains("known to the running daemon", again.Error, StringComparison.Ordinal);
    }

    private static MeshNode StartInviter(TestNetwork network, string kind, params string[] settings)
    {
        Programs.SkipUnlessTinc11();
        Skip.If(Programs.IsReferenceOnly, "the commands are those of two programs");
        MeshNode alpha = network.AddNode("alpha", kind);
        alpha.Settings.Clear(); // the usual PingTimeout: the joining node makes its files within it
        alpha.Settings.AddRange(settings);
        alpha.WriteHostFile(alpha);
        alpha.Start();
        return alpha;
    }

    private static string Invite(MeshNode alpha, string kind)
    {
        ShellResult result = Tool(alpha, kind, "-b", "invite", "beta");
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output.Trim();
    }

    /// <summary>Runs fastmesh, or the program tinc, about the node's directory and daemon.</summary>
    private static ShellResult Tool(MeshNode node, string kind, params string[] arguments) =>
        node.Host.Try([ToolPath(kind), "-c", node.Directory, $"--pidfile={node.PidFile}", .. arguments]);

    private static ShellResult Join(MeshNode beta, string kind, string directory, string url) =>
        beta.Host.Try(ToolPath(kind), "-c", directory, "-b", "--force", "join", url);

    /// <summary>FastMesh gives up after five seconds of silence, says why, and leaves nothing.</summary>
    private static ShellResult AssertRefused(MeshNode beta, string url)
    {
        string directory = Path.Combine(beta.Directory, "refused");
        ShellResult result = Join(beta, Programs.FastMesh11, directory, url);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("Could not join: ", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory));
        return result;
    }

    private static string ToolPath(string kind) => kind == Programs.Tinc11 ? Programs.Tinc11ControlPath : Programs.FastMeshPath;

    private static string PublicKeyOf(MeshNode node, string? name = null) =>
        File.ReadLines(Path.Combine(node.Directory, "hosts", name ?? node.Name)).Single(line => line.StartsWith("Ed25519PublicKey", StringComparison.Ordinal));

    private static string[] InvitationFiles(MeshNode alpha) =>
        [.. Directory.GetFiles(Path.Combine(alpha.Directory, "invitations")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
}
