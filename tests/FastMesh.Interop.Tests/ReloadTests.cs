using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>HUP: new peers are dialled, changed or removed host files end connections, the rest is not touched.</summary>
public sealed class ReloadTests
{
    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void A_reload_dials_a_host_that_was_added_and_keeps_the_others(string kind)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", Programs.Tincd), gamma = network.AddNode("gamma", Programs.Tincd);
        alpha.ConnectTo(beta);
        network.Start();
        File.Delete(Path.Combine(alpha.Directory, "hosts", gamma.Name));
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");

        int mark = alpha.LogMark();
        alpha.WriteHostFile(gamma);
        alpha.ConnectTo(gamma);
        alpha.WriteConfiguration();
        alpha.Signal("HUP");
        alpha.WaitForLog("Got HUP signal", mark);
        alpha.WaitForConnection(gamma, mark);
        network.Until(() => alpha.Host.CanPing(gamma.Inner), "a ping to the new host");
        Assert.False(alpha.HasLogged("Closing connection with beta", mark));
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 5).Lost);
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void A_reload_closes_the_connection_of_a_host_file_that_is_gone(string kind)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", Programs.Tincd), gamma = network.AddNode("gamma", Programs.Tincd);
        beta.ConnectTo(alpha);
        gamma.ConnectTo(alpha);
        network.Start();
        alpha.WaitForConnection(beta);
        alpha.WaitForConnection(gamma);

        int mark = alpha.LogMark();
        File.Delete(Path.Combine(alpha.Directory, "hosts", beta.Name));
        alpha.Signal("HUP");
        alpha.WaitForLog("Closing connection with beta", mark);
        alpha.WaitForLog(@"Peer .* had unknown identity \(beta\)", mark);
        Assert.False(alpha.HasLogged("Closing connection with gamma", mark));
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void A_reload_reconnects_a_peer_whose_host_file_changed(string kind)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", Programs.Tincd);
        alpha.ConnectTo(beta);
        network.Start();
        alpha.WaitForConnection(beta);

        int mark = alpha.LogMark();
        string file = Path.Combine(alpha.Directory, "hosts", beta.Name);
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddSeconds(2));
        alpha.Signal("HUP");
        alpha.WaitForLog("Closing connection with beta", mark);
        alpha.WaitForConnection(beta, mark);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping after the reload");
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void A_reload_of_a_broken_configuration_ends_the_daemon_with_1(string kind)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", kind);
        network.Start();
        alpha.WriteFile("tinc.conf", "Name = alpha\nConnectTo =\n");
        alpha.Signal("HUP");
        Assert.Equal(1, alpha.WaitForExit());
        Assert.False(File.Exists(alpha.PidFile));
    }
}
