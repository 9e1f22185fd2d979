using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>
/// The same life with the same peer under both programs; every script writes down its name, its arguments, its working
/// directory and its whole environment. What they wrote must be the same, byte for byte and in the same order.
/// </summary>
public sealed class ScriptTests
{
    private static readonly string[] s_scripts =
        ["tinc-up", "tinc-down", "host-up", "host-down", "subnet-up", "subnet-down", "hosts/peer-up", "hosts/peer-down"];

    [SkippableTheory, InlineData("router"), InlineData("switch")]
    public void Scripts_see_the_environment_that_tincd_gives_them(string mode)
    {
        using TestNetwork network = new();
        MeshNode peer = network.AddNode("peer", Programs.Tincd);
        NetworkHost host = network.AddHost("self");
        string expected = Life(network, host, peer, Programs.Tincd, mode);
        string actual = Life(network, host, peer, Programs.FastMesh, mode);
        Assert.Equal(Sequence(expected), Sequence(actual));
        Assert.Equal(expected, actual);
        Assert.All(s_scripts, script => Assert.Contains($"== {script}\n", expected, StringComparison.Ordinal));
        Assert.Contains("\nREMOTEADDRESS=192.0.2.1\n", expected, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh)]
    [InlineData(Programs.Tincd)]
    public void A_script_that_fails_or_cannot_run_is_logged_and_changes_nothing(string kind)
    {
        using TestNetwork network = new();
        MeshNode self = network.AddNode("self", kind), peer = network.AddNode("peer", Programs.Tincd);
        self.WriteScript("host-up", "exit 7\n");
        self.WriteFile("subnet-up", "#!/bin/sh\nexit 0\n");
        self.WriteScript("hosts/peer-up", "kill -TERM $$\n");
        self.ConnectTo(peer);
        network.Start();
        self.WaitForLog("^Script host-up exited with non-zero status 7$");
        self.WaitForLog("^Script subnet-up exited with non-zero status 126$");
        network.Until(() => self.Host.CanPing(peer.Inner), "the first ping");
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh)]
    [InlineData(Programs.Tincd)]
    public void ScriptsInterpreter_runs_scripts_that_are_not_executable(string kind)
    {
        using TestNetwork network = new();
        MeshNode self = network.AddNode("self", kind);
        self.Settings.Add("ScriptsInterpreter = /bin/sh");
        self.WriteFile("tinc-up", $"echo \"$INTERFACE\" >{self.Directory}/interpreted\n");
        self.Start();
        Assert.Equal("mesh\n", File.ReadAllText(Path.Combine(self.Directory, "interpreted")));
    }

    [SkippableTheory, InlineData(Programs.Tinc11), InlineData(Programs.FastMesh11), InlineData(Programs.FastMesh)]
    public void With_DeviceStandby_tinc_up_runs_when_the_first_node_comes_and_tinc_down_when_the_last_one_goes(string kind)
    {
        using TestNetwork network = new();
        MeshNode self = network.AddNode("self", kind), peer = network.AddNode("peer", Programs.Tincd);
        self.Settings.Add("DeviceStandby = yes");
        peer.ConnectTo(self);
        string order = Path.Combine(self.Directory, "order");
        foreach (string script in new[] { "tinc-up", "tinc-down", "host-up", "host-down", "subnet-up", "subnet-down" })
            self.WriteScript(script, $"{(script == "tinc-up" ? self.TincUp() : "")}echo {script} $NODE >>{order}\n");
        network.ExchangeHostFiles();
        self.Start();
        network.Until(() => Ran(order) == "subnet-up self,subnet-up self", "the own subnets");
        peer.Start();
        const string Up = "host-up peer,subnet-up peer,subnet-up peer,tinc-up";
        string there = $"subnet-up self,subnet-up self,{Up}", gone = $"{there},host-down peer,subnet-down peer,subnet-down peer,tinc-down";
        network.Until(() => Ran(order) == there, "tinc-up");
        network.Until(() => self.Host.CanPing(peer.Inner), "a ping");
        peer.Stop();
        network.Until(() => Ran(order) == gone, "tinc-down");
        peer.Start();
        network.Until(() => Ran(order) == $"{gone},{Up}", "tinc-up again");
        Assert.Equal(0, self.Stop());
        Assert.Equal($"{gone},{Up},host-down peer,subnet-down peer,subnet-down peer,tinc-down,subnet-down self,subnet-down self", Ran(order));
        self.Start();
        self.Stop();
        Assert.EndsWith("tinc-down,subnet-down self,subnet-down self,subnet-up self,subnet-up self,subnet-down self,subnet-down self", Ran(order), StringComparison.Ordinal);
    }

    private static string Ran(string file) => File.Exists(file) ? string.Join(',', File.ReadAllLines(file).Select(line => line.Trim())) : "";

    private static string Life(TestNetwork network, NetworkHost host, MeshNode peer, string kind, string mode)
    {
        string dump = Path.Combine(network.Directory, "dump");
        File.Delete(dump);

        // The same name means the same directory under both programs, so that not even a path differs.
        using MeshNode self = new(host, "self", kind);
        foreach (string script in s_scripts)
        {
            self.WriteScript(script, (script == "tinc-up" ? QuietTincUp(self) : "") + $$"""
                { echo "== {{script}}"; echo "arguments: $#"; pwd; env | grep -v -e ^SHLVL= -e ^_= -e ^INHERITED_PID= | sort; } >>{{dump}}

                """);
        }

        peer.WriteScript("tinc-up", QuietTincUp(peer));
        if (peer.Settings.Count == 1) peer.Settings.Add($"Mode = {mode}");
        self.Settings.Add($"Mode = {mode}");
        self.Environment["INHERITED"] = "a value with spaces";
        self.ConnectTo(peer);
        foreach (MeshNode reader in new[] { self, peer })
        {
            reader.WriteHostFile(self);
            reader.WriteHostFile(peer);
        }

        peer.Start();
        self.Start();
        self.WaitForConnection(peer);
        Poll.Until(() => Count(dump, "== subnet-up\n") >= 4, () => $"the peer's subnets did not come up\n{self.LogTail(30)}");
        Poll.Until(() => File.Exists(dump) && Count(dump, "== hosts/peer-up\n") == 1, () => "the peer did not come up");
        if (mode == "switch")
        {
            // The own address is learned from a question that nobody answers, before the peer's can be.
            Poll.Until(() => !host.CanPing("10.20.99.9") && Count(dump, "\nSUBNET=2:0:0:0:0:") >= 1, () => "the own address was not learned");
        }

        Poll.Until(() => host.CanPing(peer.Inner), () => "no ping");
        if (mode == "switch") Poll.Until(() => Count(dump, "\nSUBNET=2:0:0:0:0:") >= 2, () => $"the addresses were not learned\n{self.LogTail(30)}");
        peer.Stop();
        Poll.Until(() => Count(dump, "== subnet-down\n") >= 2, () => $"the peer's subnets did not go down\n{self.LogTail(30)}");
        self.Stop();
        return File.ReadAllText(dump);
    }

    /// <summary>What ran in which order, and for what: a readable first comparison.</summary>
    private static string Sequence(string dump) => string.Join('\n', dump.Split("== ", StringSplitOptions.RemoveEmptyEntries).Select(part =>
    {
        string[] lines = part.Split('\n');
        return string.Join(' ', [lines[0], .. lines.Where(line => line.StartsWith("NODE=", StringComparison.Ordinal) || line.StartsWith("SUBNET=", StringComparison.Ordinal))]);
    }));

    /// <summary>A fixed hardware address, and no IPv6, whose chatter would be learned at times of its own.</summary>
    private static string QuietTincUp(MeshNode node) => $"""
        echo 1 >/proc/sys/net/ipv6/conf/$INTERFACE/disable_ipv6
        ip link set dev $INTERFACE address 02:00:00:00:00:0{node.Host.Number} 2>/dev/null
        ip link set dev $INTERFACE up
        ip addr add {node.Inner}/16 dev $INTERFACE

        """;

    private static int Count(string file, string text) => File.Exists(file) ? File.ReadAllText(file).Split(text).Length - 1 : 0;
}
