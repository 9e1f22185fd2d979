using System.Text.Json;
using FastMesh.Interop.Tests.Support;
using FastMesh.Tests;

namespace FastMesh.Interop.Tests;

/// <summary>What <c>why</c>, <c>audit</c> and <c>speed</c> say of real daemons: direct, by TCP, by a relay, over a narrow path, out of reach.</summary>
public sealed class WhyTests
{
    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.FastMesh, "FastMesh session: ", "signed by the RSA key of 2048 bits in hosts/beta")]
    [InlineData(Programs.FastMesh, Programs.Tincd, "tinc 1.0 keys: AES-256-CBC with SHA-256/4", "It has proven to have the RSA key of 2048 bits in hosts/beta")]
    [InlineData(Programs.FastMesh11, Programs.Tinc11, "tinc 1.1 session (SPTPS): ChaCha20-Poly1305", "Its key is the Ed25519PublicKey in hosts/beta")]
    public void A_direct_path_is_explained_with_its_session_and_whose_key_is_believed(string kind, string other, string session, string key)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, kind, other);
        alpha.WaitForUdp(beta);
        network.Until(() => Why(alpha, "beta").GetProperty("path").GetString() == "direct", "the direct path");

        JsonElement why = Why(alpha, "beta");
        Assert.Equal($"Packets to beta go straight to it by UDP, to {beta.Host.Address()} port 655.", why.GetProperty("summary").GetString());
        Assert.StartsWith(session, Fact(why, "session"), StringComparison.Ordinal);
        Assert.Contains(key, Fact(why, "key"), StringComparison.Ordinal);
        Assert.Contains("neighbour", Fact(why, "mesh"), StringComparison.Ordinal);
        Assert.StartsWith($"It answered by UDP from {beta.Host.Address()} port 655", Fact(why, "udp"), StringComparison.Ordinal);

        JsonElement subnet = Why(alpha, beta.Inner);
        Assert.StartsWith($"{beta.Inner} belongs to beta. ", subnet.GetProperty("summary").GetString(), StringComparison.Ordinal);
        Assert.Equal("It is in 10.20.2.0/24 of beta, and in no other subnet.", Fact(subnet, "subnet"));
        Assert.StartsWith("No node owns 10.99.0.1", Why(alpha, "10.99.0.1").GetProperty("summary").GetString(), StringComparison.Ordinal);
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.FastMesh, Programs.FastMesh)]
    public void Where_udp_is_blocked_the_words_name_the_port_to_let_in(string kind, string other)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, kind, other, filter: true);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        network.Until(() => Advice(Why(alpha, "beta")).Length > 0, "advice");

        JsonElement why = Why(alpha, "beta");
        Assert.Equal(("tcp", "Packets to beta go by TCP, on the connection with it."), (why.GetProperty("path").GetString(), why.GetProperty("summary").GetString()));
        Assert.Matches($@"^[0-9]+ probes by UDP to {beta.Host.Address()} port 655 have had no answer for ", Fact(why, "udp"));
        Assert.Contains(Advice(why), advice => advice.StartsWith($"no UDP answer from {beta.Host.Address()} port 655 since ", StringComparison.Ordinal)
            && advice.Contains(": let UDP port 655 in at beta, and UDP port 655 in here", StringComparison.Ordinal));
    }

    [SkippableFact]
    public void A_relay_and_a_narrow_path_are_named_and_a_speed_test_takes_them()
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh), beta = network.AddNode("beta", Programs.FastMesh), gamma = network.AddNode("gamma", Programs.FastMesh);
        gamma.Settings.Add("IndirectData = yes");
        alpha.ConnectTo(beta);
        gamma.ConnectTo(beta);
        alpha.Host.SetMtu(1100); // the sender's: a receiver lets four bytes more in, for a VLAN tag
        network.Start();
        network.Until(() => alpha.Host.CanPing(gamma.Inner), "the first ping");
        network.Until(() => Why(alpha, "gamma").GetProperty("path").GetString() == "relay" && Why(alpha, "beta").GetProperty("facts").GetRawText().Contains("Probes have found", StringComparison.Ordinal), "the relayed path");

        JsonElement why = Why(alpha, "gamma");
        Assert.Equal("Packets to gamma go by UDP to beta, which passes them on.", why.GetProperty("summary").GetString());
        Assert.Contains(Facts(why, "udp"), fact => fact.StartsWith("IndirectData is set at gamma", StringComparison.Ordinal));
        // 1100 bytes of IPv4 less 20 and 8 of its headers and 37 of FastMesh
        Assert.Equal("Probes have found that packets of up to 1035 bytes arrive whole by UDP, and no longer ones.", Fact(Why(alpha, "beta"), "mtu"));
        Assert.Contains(Advice(Why(alpha, "beta")), advice => advice.Contains("short packets only", StringComparison.Ordinal));

        JsonElement speed = Json(alpha, 0, "speed", "gamma", "1");
        Assert.Equal(("done", "via beta"), (speed.GetProperty("state").GetString(), speed.GetProperty("path").GetString()));
        foreach (string direction in (string[])["there", "back"])
            Assert.True(speed.GetProperty(direction).GetProperty("packetsReceived").GetInt64() > 100, speed.ToString());
    }

    [SkippableFact]
    public void A_speed_test_goes_by_tcp_and_is_refused_where_that_is_configured_and_by_tinc()
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, Programs.FastMesh, Programs.FastMesh, filter: true);
        MeshNode gamma = network.AddNode("gamma", Programs.Tincd);
        gamma.ConnectTo(beta);
        network.ExchangeHostFiles();
        gamma.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        JsonElement speed = Json(alpha, 0, "speed", "beta", "1");
        Assert.Equal(("done", "over TCP"), (speed.GetProperty("state").GetString(), speed.GetProperty("path").GetString()));
        Assert.True(speed.GetProperty("there").GetProperty("packetsReceived").GetInt64() > 20, speed.ToString());

        Assert.StartsWith("beta allows one speed test a minute", Json(alpha, 1, "speed", "beta", "1").GetProperty("error").GetString(), StringComparison.Ordinal);
        network.Until(() => alpha.Host.CanPing(gamma.Inner), "the ping to tinc 1.0");
        Assert.StartsWith("gamma speaks tinc 1.0: a speed test needs", Json(alpha, 1, "speed", "gamma").GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("No node nobody is known", Json(alpha, 1, "speed", "nobody").GetProperty("error").GetString());
    }

    [SkippableFact]
    public void A_node_that_cannot_be_reached_is_explained_by_the_last_error_at_its_address()
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, Programs.FastMesh, Programs.FastMesh);
        beta.Stop();
        network.Until(() => Why(alpha, "beta").GetProperty("facts").GetRawText().Contains("refused", StringComparison.Ordinal), "the refusal");
        JsonElement why = Why(alpha, "beta");
        Assert.Equal("unreachable", why.GetProperty("path").GetString());
        Assert.Contains(Facts(why, "connection"), fact => fact.StartsWith($"Connecting to {beta.Host.Address()} port 655 failed ", StringComparison.Ordinal)
            && fact.EndsWith(" ago: Connection refused.", StringComparison.Ordinal));
        Assert.Contains(Advice(why), advice => advice.StartsWith($"nothing listens at {beta.Host.Address()} port 655", StringComparison.Ordinal));
    }

    [SkippableFact]
    public void An_audit_finds_tinc_1_0_and_its_short_mac_weak_and_its_own_kind_strong()
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, Programs.FastMesh, Programs.Tincd);
        MeshNode gamma = network.AddNode("gamma", Programs.FastMesh);
        gamma.ConnectTo(alpha);
        network.ExchangeHostFiles();
        gamma.Start();
        alpha.WaitForUdp(beta);
        alpha.WaitForUdp(gamma);

        JsonElement audit = Json(alpha, 1, "audit");
        Assert.True(audit.GetProperty("isLive").GetBoolean());
        JsonElement tinc = Pair(audit, "beta"), ours = Pair(audit, "gamma");
        Assert.Equal(("legacy", "AES-256-CBC", 256, 32, false), (tinc.GetProperty("protocol").GetString(), tinc.GetProperty("cipher").GetString(),
            tinc.GetProperty("keyBits").GetInt32(), tinc.GetProperty("macBits").GetInt32(), tinc.GetProperty("endToEnd").GetBoolean()));
        Assert.Contains(tinc.GetProperty("findings").EnumerateArray(), one => one.GetProperty("fix").GetString() == "write MACLength = 16 into tinc.conf of beta");
        Assert.Equal(("fastMesh", 256, 128, true, "rsaSigned"), (ours.GetProperty("protocol").GetString(), ours.GetProperty("keyBits").GetInt32(),
            ours.GetProperty("macBits").GetInt32(), ours.GetProperty("endToEnd").GetBoolean(), ours.GetProperty("keyTrust").GetString()));
        Assert.DoesNotContain(ours.GetProperty("findings").EnumerateArray(), one => one.GetProperty("level").GetString() == "weak");

        alpha.Stop();
        JsonElement promised = Json(alpha, 0, "audit");
        Assert.False(promised.GetProperty("isLive").GetBoolean());
        Assert.Equal("rsa", Pair(promised, "beta").GetProperty("keyTrust").GetString());
    }

    private static (MeshNode Alpha, MeshNode Beta) Pair(TestNetwork network, string kind, string other, bool filter = false)
    {
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", other);
        if (filter)
            beta.Host.Filter("input udp dport 655 drop");
        alpha.ConnectTo(beta);
        network.Start();
        alpha.WaitForConnection(beta);
        return (alpha, beta);
    }

    private static JsonElement Pair(JsonElement audit, string node) =>
        audit.GetProperty("pairs").EnumerateArray().Single(pair => pair.GetProperty("node").GetString() == node);

    private static JsonElement Why(MeshNode node, string question) => Json(node, 0, "why", question);

    private static JsonElement Json(MeshNode node, int exitCode, params string[] arguments)
    {
        ShellResult result = Shell.Try([.. node.Command, "--json", .. arguments]);
        Assert.True(result.ExitCode == exitCode, $"{string.Join(' ', arguments)}: {result.ExitCode}\n{result.Output}{result.Error}{node.Host.Network.LogTails()}");
        JsonSchemaCheck.Validate($"{arguments[0]}.json", result.Output);
        using JsonDocument document = JsonDocument.Parse(result.Output);
        return document.RootElement.Clone();
    }

    private static string[] Facts(JsonElement why, string topic) =>
        [.. why.GetProperty("facts").EnumerateArray().Where(fact => fact.GetProperty("topic").GetString() == topic).Select(fact => fact.GetProperty("text").GetString()!)];

    private static string Fact(JsonElement why, string topic) => Facts(why, topic).FirstOrDefault() ?? $"nothing about {topic} in {why}";

    private static string[] Advice(JsonElement why) => [.. why.GetProperty("advice").EnumerateArray().Select(advice => advice.GetString()!)];
}
