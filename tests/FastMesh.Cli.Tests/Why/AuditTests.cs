using FastMesh.Cli.Why;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Cli.Tests.Why;

/// <summary>What an audit finds weak.</summary>
public sealed class AuditTests
{
    [Theory]
    [InlineData("AES-256-CBC", 256, 256, 0)]
    [InlineData("AES-256-CBC", 256, 64, 0)]
    [InlineData("AES-256-CBC", 256, 32, 1)]
    [InlineData("AES-128-CBC", 128, 80, 0)]
    [InlineData("BF-CBC", 128, 160, 1)]
    [InlineData("DES-CBC", 64, 32, 2)]
    [InlineData("none", 0, 0, 2)]
    public void Ciphers_keys_and_macs_are_judged(string cipher, int keyBits, int macBits, int weak)
    {
        NodeStatus beta = SampleStatus.Node("beta") with
        {
            Protocol = NodeProtocol.Legacy,
            Session = new("", SampleStatus.Noon, 1, false) { Strength = new(cipher, keyBits, macBits, false) },
        };
        AuditReport report = new Audit(SampleStatus.NoFiles, SampleStatus.Of(beta)).Run();
        Assert.Equal(weak + 1, report.Weak); // tinc 1.0's protocol itself
        Assert.Equal((cipher, keyBits, macBits, false), (report.Pairs[0].Cipher, report.Pairs[0].KeyBits, report.Pairs[0].MacBits, report.Pairs[0].EndToEnd));
    }

    [Fact]
    public void A_session_of_its_own_is_not_weak_but_notes_what_it_is_not()
    {
        AuditReport report = new Audit(SampleStatus.NoFiles, SampleStatus.Of(SampleStatus.Node("beta"), SampleStatus.Node("gamma", PathKind.Unreachable) with { Session = null })).Run();
        Assert.Equal((true, 0, 1), (report.IsLive, report.Weak, report.Notes));
        Assert.Equal((300L, false, true), (report.Pairs[0].KeyAgeSeconds, report.Pairs[0].PostQuantum, report.Pairs[0].EndToEnd));
        Assert.Equal((false, null, null), (report.Pairs[1].Reachable, report.Pairs[1].Protocol, report.Pairs[1].Cipher));
    }

    [Fact]
    public void Without_a_daemon_the_files_are_judged()
    {
        using Commands.CommandFixture net = new();
        Assert.Equal(0, net.Run("init", "alpha"));
        net.Write("hosts/beta", File.ReadAllText(net.Net["net/hosts/alpha"]));
        Assert.Equal(0, net.Run("audit"));
        Assert.StartsWith("alpha: no daemon runs here; this is what the files promise\n", net.Output, StringComparison.Ordinal);
        Assert.Matches("\nbeta +- .* host file\n0 weak, 0 to note.\n$", net.Output);
        Assert.Equal(2, net.Run("why", "beta"));
        Assert.Equal(2, net.Run("speed", "beta"));
    }

    [Fact]
    public void Nothing_to_talk_to_and_nothing_to_read_is_wrong_usage()
    {
        using Commands.CommandFixture net = new();
        Assert.Equal(2, net.Run("audit"));
        Assert.Equal(2, net.Run("speed", "beta", "11"));
        Assert.Equal("speed takes seconds from 1 to 10, not `11'.", net.Messages[^1]);
    }
}
