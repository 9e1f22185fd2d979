using System.Globalization;
using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>The life of end-to-end sessions with tinc 1.1 and between FastMesh nodes: how keys become known, re-keying, compression.</summary>
[Collection(nameof(Undisturbed))]
public sealed class GenerationSessionTests
{
    /// <summary>tinc 1.1 reference, 1.3: neighbours that know RSA keys only tell each other their Ed25519 keys, and connect again.</summary>
    [SkippableTheory]
    [InlineData(Programs.FastMesh11, Programs.Tinc11)]
    [InlineData(Programs.Tinc11, Programs.FastMesh11)]
    public void Neighbours_that_know_only_each_others_rsa_keys_upgrade_to_ed25519(string dialler, string listener)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", dialler), beta = network.AddNode("beta", listener);
        foreach (MeshNode node in network.Nodes) node.PublishesEd25519 = false;
        alpha.ConnectTo(beta);
        network.Start();

        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping after the upgrade");
        Assert.Equal(0, beta.Host.Ping(alpha.Inner, count: 5).Lost);
        foreach ((MeshNode node, MeshNode peer) in new[] { (alpha, beta), (beta, alpha) })
        {
            string hostFile = File.ReadAllText(Path.Combine(node.Directory, "hosts", peer.Name));
            Assert.Equal(Programs.IsTinc11(node.Kind), hostFile.Contains(peer.Ed25519.PublicLine, StringComparison.Ordinal));
            if (Programs.IsFastMesh(node.Kind)) node.WaitForSession(peer, "direct");
        }
    }

    /// <summary>Where both sides are tinc 1.1, each waits for the other to go on (tinc 1.1 reference, 1.1); FastMesh asks for the upgrade.</summary>
    [SkippableFact]
    public void A_listener_that_lacks_only_the_diallers_key_learns_it()
    {
        Skip.If(Programs.IsReferenceOnly, "tinc waits for ever");
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.Tinc11), beta = network.AddNode("beta", Programs.FastMesh11);
        alpha.PublishesEd25519 = false;
        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping after the upgrade");
        beta.WaitForSession(alpha, "direct");
    }

    /// <summary>A tinc 1.0 node whose host file has an Ed25519 key, or any tinc 1.0 node where the old protocol is switched off.</summary>
    [SkippableTheory]
    [InlineData(true, false, "^Peer beta .* tries to roll back")]
    [InlineData(true, true, "^Peer beta .* tries to roll back")]
    [InlineData(false, true, "^Peer beta .* LegacyProtocol = no")]
    public void The_old_protocol_is_refused_where_the_user_has_written_so(bool hasKey, bool dials, string refusal)
    {
        Skip.If(Programs.IsReferenceOnly && !hasKey, "LegacyProtocol is FastMesh's");
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh11), beta = network.AddNode("beta", Programs.Tincd);
        if (dials) alpha.ConnectTo(beta);
        else beta.ConnectTo(alpha);
        foreach (MeshNode node in network.Nodes) node.Settings.Add("MaxTimeout = 1");
        network.ExchangeHostFiles();
        if (hasKey) File.AppendAllText(Path.Combine(alpha.Directory, "hosts", "beta"), beta.Ed25519.PublicLine + "\n");
        else alpha.Settings.Add("LegacyProtocol = no");
        (dials ? beta : alpha).Start();
        (dials ? alpha : beta).Start();

        // The second refusal shows that the first one was final: nothing else has been tried in between.
        alpha.WaitForLog(refusal);
        alpha.WaitForLog(refusal, Array.FindIndex(alpha.Log(), line => Regex.IsMatch(line, refusal)) + 1);
        Assert.False(alpha.HasLogged("activated$") || beta.HasLogged("activated$"));
        Assert.False(alpha.Host.CanPing(beta.Inner));
    }

    /// <summary>The ends have a host file of the middle only, so they ask each other for their keys (tinc 1.1 reference, 5.2).</summary>
    [SkippableTheory]
    [InlineData(Programs.FastMesh11, Programs.Tinc11, Programs.Tinc11)]
    [InlineData(Programs.Tinc11, Programs.FastMesh11, Programs.Tinc11)]
    [InlineData(Programs.FastMesh11, Programs.Tincd, Programs.Tinc11)]
    [InlineData(Programs.FastMesh11, Programs.Tinc11, Programs.FastMesh11)]
    [InlineData(Programs.FastMesh, Programs.Tinc11, Programs.FastMesh)]
    [InlineData(Programs.FastMesh, Programs.Tincd, Programs.FastMesh11)]
    public void Ends_that_have_no_host_files_of_each_other_reach_each_other(string left, string middle, string right)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", left, 0), beta = network.AddNode("beta", middle, 0, 1), gamma = network.AddNode("gamma", right, 1);
        foreach (MeshNode end in new[] { alpha, gamma })
        {
            end.ConnectTo(beta);
            end.Strangers.Add(end == alpha ? gamma : alpha);
        }

        network.Start();
        network.Until(() => alpha.Host.CanPing(gamma.Inner), "the first ping");
        Assert.Equal(0, alpha.Host.Ping(gamma.Inner, count: 10).Lost);
        Assert.Equal(0, gamma.Host.Ping(alpha.Inner, count: 10).Lost);
        foreach ((MeshNode node, MeshNode peer) in new[] { (alpha, gamma), (gamma, alpha) })
        {
            if (!Programs.IsFastMesh(node.Kind)) continue;
            node.WaitForSession(peer, "(via beta|over TCP)");
            Assert.False(File.Exists(Path.Combine(node.Directory, "hosts", peer.Name)), "host files are the user's");
        }
    }

    /// <summary>The keys of one side expire every other second. Between two of tinc 1.1's own, a packet in a thousand is lost.</summary>
    [SkippableTheory]
    [InlineData(Programs.FastMesh11, Programs.Tinc11)]
    [InlineData(Programs.Tinc11, Programs.FastMesh11)]
    [InlineData(Programs.FastMesh, Programs.FastMesh)]
    public void No_packet_is_lost_while_keys_are_renewed(string renewing, string other)
    {
        Skip.If(Programs.IsReferenceOnly, "tinc loses some");
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", renewing), beta = network.AddNode("beta", other);
        alpha.Settings.Add("KeyExpire = 2");
        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        alpha.WaitForUdp(beta);
        beta.WaitForUdp(alpha);

        int mark = beta.LogMark();
        int tolerated = Programs.IsFastMesh(renewing) && Programs.IsFastMesh(other) ? 0 : 2; // tincd switches without waiting for the other side
        Assert.InRange(alpha.Host.Ping(beta.Inner, count: 1000, interval: 0.01).Lost, 0, tolerated);
        int requests = beta.Log(mark).Count(line => line.StartsWith("Got ANS_KEY from alpha", StringComparison.Ordinal) ||
            line.StartsWith("Got REQ_KEY from alpha", StringComparison.Ordinal));
        Assert.True(requests >= 6, $"{requests} requests of handshakes in ten seconds");
    }

    /// <summary>Each spoke wants another level: zlib's, LZO's two and, where both ends are FastMesh, LZ4. The hub wants zlib.</summary>
    [SkippableTheory]
    [InlineData(Programs.FastMesh11, Programs.Tinc11, new[] { 1, 9, 10, 11 })]
    [InlineData(Programs.Tinc11, Programs.FastMesh11, new[] { 1, 9, 10, 11 })]
    [InlineData(Programs.FastMesh, Programs.FastMesh, new[] { 1, 10, 12 })]
    public void Packets_are_compressed_at_the_level_that_the_receiver_wants(string hubKind, string spokeKind, int[] levels)
    {
        Skip.If(Programs.IsReferenceOnly && levels.Contains(12), "tinc 1.1pre18 has no LZ4");
        using TestNetwork network = new();
        MeshNode hub = network.AddNode("hub", hubKind);
        hub.HostSettings.Add("Compression = 6");
        MeshNode[] spokes = [.. levels.Select(level => network.AddNode($"level{level}", spokeKind))];
        foreach ((MeshNode spoke, int level) in spokes.Zip(levels))
        {
            spoke.HostSettings.Add($"Compression = {level}");
            spoke.ConnectTo(hub);
        }

        network.Start();
        foreach (MeshNode spoke in spokes)
        {
            // Until UDP works, tinc 1.1 sends compressed packets over TCP in a form that it drops itself (reference, 6.4).
            network.Until(() => spoke.Host.CanPing(hub.Inner) && MinMtu(spoke, hub) > 500 && MinMtu(hub, spoke) > 500, $"UDP between the hub and {spoke.Name}");
            foreach ((MeshNode from, MeshNode to) in new[] { (hub, spoke), (spoke, hub) })
            {
                long before = BytesSent(from.Host);
                from.Host.Run("ping", "-n", "-c", "40", "-i", "0.02", "-w", "5", "-s", "1000", "-p", "00", to.Inner);
                Assert.InRange(BytesSent(from.Host) - before, 40 * 100, 40 * 600);
            }
        }
    }

    private static int MinMtu(MeshNode from, MeshNode to) => StateDump.Of(from).Nodes.TryGetValue(to.Name, out NodeState? state) ? state.MinMtu : 0;

    private static long BytesSent(NetworkHost host) =>
        long.Parse(host.Sh("awk '/eth0:/ { print $10 }' /proc/net/dev"), CultureInfo.InvariantCulture);
}
