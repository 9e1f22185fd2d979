using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>
/// HUP, and the commands plan and reload: new peers are dialled, host files that changed what a connection rests on, or are gone, end it, the
/// rest is not touched; what is broken changes nothing.
/// </summary>
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
        File.AppendAllText(file, "\nWeight = 7\n");
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddSeconds(2)); // what tincd looks at
        alpha.Signal("HUP");
        alpha.WaitForLog("Closing connection with beta", mark);
        alpha.WaitForConnection(beta, mark);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping after the reload");
    }

    [SkippableFact]
    public void HUP_with_a_broken_configuration_ends_tincd()
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.Tincd);
        network.Start();
        alpha.WriteFile("tinc.conf", "Name = alpha\nConnectTo =\n");
        alpha.Signal("HUP");
        Assert.Equal(1, alpha.WaitForExit());
        Assert.False(File.Exists(alpha.PidFile));
    }

    [SkippableFact]
    public void HUP_with_a_broken_configuration_changes_nothing_and_once_mended_everything()
    {
        using TestNetwork network = new();
        SkipUnlessFastMesh();
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh), beta = network.AddNode("beta", Programs.Tincd);
        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");

        int mark = alpha.LogMark();
        File.AppendAllText(Path.Combine(alpha.Directory, "hosts", "beta"), "\nWeight = 7\n");
        alpha.WriteFile("tinc.conf", "Name = alpha\nConnectTo =\n");
        alpha.Signal("HUP");
        alpha.WaitForLog("^Reload refused: everything stays as it was until this is mended:$", mark);
        alpha.WaitForLog("^  No value for variable `ConnectTo' on line 2 while reading config file .*/tinc.conf; write it as NAME = VALUE$", mark);
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 3).Lost);
        Assert.False(alpha.HasLogged("Closing connection with beta", mark));

        alpha.WriteConfiguration();
        alpha.Signal("HUP");
        alpha.WaitForLog("Closing connection with beta", mark);
        alpha.WaitForConnection(beta, mark);
    }

    [SkippableFact]
    public void The_plan_says_what_the_reload_then_does()
    {
        using TestNetwork network = new();
        SkipUnlessFastMesh();
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh), beta = network.AddNode("beta", Programs.Tincd), gamma = network.AddNode("gamma", Programs.Tincd);
        alpha.ConnectTo(beta);
        network.Start();
        alpha.WaitForConnection(beta);
        Assert.Equal((0, "Nothing to change: the daemon runs with what the files say.\n"), Command(alpha, "plan"));

        int mark = alpha.LogMark();
        alpha.ConnectTo(gamma);
        alpha.Settings.AddRange(["PingInterval = 30", "Mode = switch"]);
        alpha.WriteConfiguration();
        File.AppendAllText(Path.Combine(alpha.Directory, "hosts", "beta"), "\n# a comment\nTCPOnly = yes\n");
        File.AppendAllText(Path.Combine(alpha.Directory, "hosts", "alpha"), "\nSubnet = 10.99.0.0/16\n");
        string changes = $"""
              values
                + ConnectTo = gamma ({alpha.Directory}/tinc.conf line 3): at the reload
                + Mode = switch ({alpha.Directory}/tinc.conf line 6): only at a restart of the daemon
                + PingInterval = 30 ({alpha.Directory}/tinc.conf line 5): at the reload
                + Subnet = 10.99.0.0/16 ({alpha.Directory}/hosts/alpha line {LineOf(alpha, "hosts/alpha", "Subnet = 10.99")}): at the reload
                + beta.TCPOnly = yes ({alpha.Directory}/hosts/beta line {LineOf(alpha, "hosts/beta", "TCPOnly")}): with the next connection
              connections
                beta: closed and dialled again, because TCPOnly, IndirectData changed in its host file
                gamma: dialled, because ConnectTo names it
              subnets
                + 10.99.0.0/16#10 of alpha

            """;
        Assert.Equal((0, $"A reload would change:\n{changes}"), Command(alpha, "plan"));
        Assert.False(alpha.HasLogged("Closing|Trying to connect to gamma", mark));

        Assert.Equal((0, $"Reloaded:\n{changes}"), Command(alpha, "reload"));
        alpha.WaitForLog("Closing connection with beta", mark);
        alpha.WaitForConnection(beta, mark);
        alpha.WaitForConnection(gamma, mark);
        network.Until(() => StateDump.Of(beta).Subnets.Contains("10.99.0.0/16#10 owner alpha"), "the new subnet at beta");
        Assert.Equal((0, $"""
            A reload would change:
              values
                + Mode = switch ({alpha.Directory}/tinc.conf line 6): only at a restart of the daemon

            """), Command(alpha, "plan"));
    }

    [SkippableFact]
    public void Broken_files_give_1_with_their_lines_and_no_daemon_gives_2()
    {
        using TestNetwork network = new();
        SkipUnlessFastMesh();
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh);
        network.Start();
        alpha.WriteFile("tinc.conf", "Name = alpha\nMode = bridge\nBroadcast = maybe\n");
        foreach (string command in (string[])["plan", "reload"])
        {
            (int code, string output) = Command(alpha, command);
            Assert.Equal(1, code);
            Assert.Contains($"Invalid routing mode \"bridge\" for configuration variable Mode in {alpha.Directory}/tinc.conf line 2; ", output, StringComparison.Ordinal);
            Assert.Contains($"Invalid broadcast mode \"maybe\" for configuration variable Broadcast in {alpha.Directory}/tinc.conf line 3; ", output, StringComparison.Ordinal);
        }

        Assert.Equal(0, alpha.Stop());
        Assert.Equal(2, Command(alpha, "plan").Code);
        Assert.Equal(2, Command(alpha, "reload").Code);
    }

    private static void SkipUnlessFastMesh() => Skip.If(Programs.IsReferenceOnly, "commands of FastMesh only");

    private static (int Code, string Output) Command(MeshNode node, params string[] command)
    {
        ShellResult result = Shell.Try([.. node.Command, .. command]);
        return (result.ExitCode, result.Output + result.Error);
    }

    private static int LineOf(MeshNode node, string file, string text) =>
        1 + Array.FindIndex(File.ReadAllLines(Path.Combine(node.Directory, file)), line => line.StartsWith(text, StringComparison.Ordinal));
}
