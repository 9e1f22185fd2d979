using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Simulation.Tests;

/// <summary>
/// End-to-end sessions of all kinds in meshes of all kinds of nodes: loss, reordering, duplication, simultaneous starts, new keys, partitions, clock jumps.
/// </summary>
public sealed class SessionTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(3), s_minute = TimeSpan.FromMinutes(1);

    private int _identities;

    public enum Kind
    {
        /// <summary>tinc 1.0, or FastMesh with ExperimentalProtocol = no.</summary>
        Old,

        /// <summary>Stands for tinc 1.1.</summary>
        Sptps,

        /// <summary>FastMesh in a directory of tinc 1.0.</summary>
        Fast,

        /// <summary>FastMesh in a directory of tinc 1.1.</summary>
        FastSptps,
    }

    public static TheoryData<Kind, int> KindsAndSeeds => new()
    {
        { Kind.Sptps, 1 }, { Kind.Sptps, 2 }, { Kind.Fast, 3 }, { Kind.Fast, 4 }, { Kind.FastSptps, 5 },
    };

    [Theory, MemberData(nameof(KindsAndSeeds))]
    public void Neighbours_get_a_session_and_talk_by_udp(Kind kind, int seed)
    {
        SimNetwork net = Pair(kind, seed, dup: 0.1);
        net.RunFor(s_soon);
        Talk(net, "alpha", "beta", 50);
        net.RunFor(s_minute);
        SessionFormat format = kind == Kind.Sptps ? SessionFormat.Sptps : SessionFormat.FastMesh;
        Assert.Equal((format, format), (net["alpha"].Route("beta").Sealer!.Format, net["beta"].Route("alpha").Sealer!.Format));
        int before = net["alpha"].Frames.Tcp;
        Talk(net, "alpha", "beta", 50);
        Assert.Equal(before, net["alpha"].Frames.Tcp);
        Assert.Equal((0, 0), (net["alpha"].Strays, net["beta"].Strays));
        string protocol = kind == Kind.Sptps ? "tinc 1.1 SPTPS, ChaCha20-Poly1305" : "FastMesh, ";
        Assert.Single(net["alpha"].Log.Lines, line => line.StartsWith($"Session with beta established: {protocol}", StringComparison.Ordinal)
            && line.EndsWith(", direct", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(KindsAndSeeds))]
    public void New_keys_every_few_seconds_lose_no_frame_and_fail_none(Kind kind, int seed)
    {
        SimNetwork net = Pair(kind, seed, keyExpire: (10, 7), dup: 0.05);
        net.RunFor(TimeSpan.FromSeconds(40));
        Talk(net, "alpha", "beta", 1000, milliseconds: 100);
        Assert.Equal((0, 0), (net["alpha"].Strays, net["beta"].Strays));
        Assert.True(net["alpha"].Frames.Udp > 800, $"{net["alpha"].Frames}");
    }

    [Theory, MemberData(nameof(KindsAndSeeds))]
    public void New_keys_lose_no_frame_that_travels_by_tcp_over_a_relay(Kind kind, int seed)
    {
        SimNetwork net = new(seed) { DebugLevel = 2 };
        Add(net, "alpha", kind, 9, "hub");
        Add(net, "beta", kind, 12, "hub");
        Add(net, "hub", Kind.Old);
        net.StartAll().RunFor(s_soon);
        Want(net, "alpha", "beta");
        net.RunFor(s_minute);
        net.BlocksUdp = (left, right) => left.Name != "hub" && right.Name != "hub";
        net.RunFor(s_minute);
        Talk(net, "alpha", "beta", 600, milliseconds: 100);
        Assert.Equal((0, 0), (net["alpha"].Strays, net["beta"].Strays));
    }

    [Theory]
    [InlineData(Kind.Sptps, 20)]
    [InlineData(Kind.Sptps, 21)]
    [InlineData(Kind.Sptps, 22)]
    [InlineData(Kind.Fast, 23)]
    [InlineData(Kind.Fast, 24)]
    [InlineData(Kind.Fast, 25)]
    public void Simultaneous_starts_come_to_a_session(Kind kind, int seed)
    {
        SimNetwork net = new(seed) { DebugLevel = 2 };
        Add(net, "alpha", kind, 3600, "hub");
        Add(net, "beta", kind, 3600, "hub");
        Add(net, "hub", kind);
        net.StartAll().RunFor(s_soon);
        for (int i = 0; i < 10; i++)
        {
            Want(net, "alpha", "beta");
            Want(net, "beta", "alpha"); // at the same moment: each start is under way when the other is made
            net.RunFor(TimeSpan.FromSeconds(0.5));
            Assert.True(RunWanting(net, "alpha", "beta", TimeSpan.FromSeconds(kind == Kind.Fast ? 1 : 14)), net.Trace);
            Talk(net, "alpha", "beta", 5);
            net.Part("beta");
            net.RunFor(TimeSpan.FromMinutes(3)); // longer than it takes to notice
            net.Heal();
            Assert.True(net.RunUntil(() => net.AllReachable, TimeSpan.FromMinutes(5)), net.Trace);
            net.RunFor(s_soon);
        }
    }

    [Theory, MemberData(nameof(KindsAndSeeds))]
    public void A_partition_at_any_moment_of_a_handshake_is_survived(Kind kind, int seed)
    {
        for (int cut = 0; cut < 12; cut++)
        {
            SimNetwork net = new(seed * 100 + cut) { DebugLevel = 2 };
            Add(net, "alpha", kind, 3600, "hub");
            Add(net, "beta", kind, 3600, "hub");
            Add(net, "hub", kind);
            net.StartAll().RunFor(s_soon);
            Want(net, "alpha", "beta");
            net.RunFor(TimeSpan.FromMilliseconds(cut * 10));
            net.Part("beta");
            net.RunFor(TimeSpan.FromSeconds(cut % 2 == 0 ? 3 : 180)); // streams stall, or are given up
            net.Heal();
            Assert.True(net.RunUntil(() => net.AllReachable, TimeSpan.FromMinutes(3)), net.Trace);
            Assert.True(RunWanting(net, "alpha", "beta", TimeSpan.FromSeconds(30)), $"cut {cut}\n{net.Trace}");
            net.RunFor(s_soon);
            Talk(net, "alpha", "beta", 20);
        }
    }

    [Theory, MemberData(nameof(KindsAndSeeds))]
    public void A_node_that_comes_back_without_its_memory_gets_a_new_session(Kind kind, int seed)
    {
        SimNetwork net = Pair(kind, seed);
        net.RunFor(s_minute);
        Talk(net, "alpha", "beta", 5);
        net["beta"].Crash(silently: seed % 2 == 0);
        net["beta"].Start();
        net["beta"].Do((mesh, now) => mesh.Retry(now));
        Assert.True(net.RunUntil(() => net.AllReachable, TimeSpan.FromMinutes(3)), net.Trace);
        net.RunFor(TimeSpan.FromSeconds(20));
        Talk(net, "alpha", "beta", 20);
        Talk(net, "beta", "alpha", 20);
    }

    [Theory, MemberData(nameof(KindsAndSeeds))]
    public void Lossy_udp_costs_frames_but_no_session(Kind kind, int seed)
    {
        SimNetwork net = Pair(kind, seed, loss: 0.2, dup: 0.2, keyExpire: (20, 30));
        net.RunFor(s_minute);
        int sent = 0, before = net["beta"].Received.Count;
        for (; sent < 500; sent++)
        {
            net["alpha"].SendTo("beta", $"{sent}");
            net.RunFor(TimeSpan.FromMilliseconds(100));
        }

        net.RunFor(s_soon);
        int arrived = net["beta"].Received.Count - before;
        Assert.InRange(arrived, 350, 500); // a window that lost its way would drop far more; a duplicate that passed would make it more than sent
        Assert.Equal(0, net["beta"].Strays);
        Assert.Single(net["alpha"].Log.Lines, line => line.StartsWith("Session with beta established", StringComparison.Ordinal));
    }

    [Fact]
    public void A_clock_that_jumps_ahead_renews_keys_and_goes_on()
    {
        foreach (Kind kind in new[] { Kind.Sptps, Kind.Fast })
        {
            SimNetwork net = Pair(kind, seed: 30, keyExpire: (3600, 3600));
            net.RunFor(s_minute);
            PacketSealer? before = net["alpha"].Route("beta").Sealer;
            net.Jump(TimeSpan.FromHours(5)); // a suspended machine: every timer is late
            Assert.True(net.RunUntil(() => net.AllReachable, TimeSpan.FromMinutes(5)), net.Trace);
            net.RunFor(s_minute);
            Assert.NotSame(before, net["alpha"].Route("beta").Sealer);
            Talk(net, "alpha", "beta", 20);
        }
    }

    [Theory]
    [InlineData(40)]
    [InlineData(41)]
    public void Nodes_with_rsa_keys_only_vouch_for_their_new_keys_with_them(int seed)
    {
        SimNetwork net = Pair(Kind.Fast, seed);
        net.RunFor(s_minute);
        Assert.Equal(NodeProtocol.FastMesh, net["alpha"].Route("beta").Protocol);
        Talk(net, "alpha", "beta", 5);
        Assert.NotNull(net["alpha"].Settings.KnownKeys.Find("beta"));

        // A third node takes beta's place without beta's RSA key: the connection itself fails, and no key is learned.
        Ed25519PublicKey? known = net["alpha"].Settings.KnownKeys.Find("beta");
        net["beta"].Crash(silently: false);
        net.RunFor(s_minute);
        net["beta"].Start();
        Assert.True(net.RunUntil(() => net.AllReachable && HaveSession(net, "alpha", "beta"), s_minute), net.Trace);
        Assert.Equal(known, net["alpha"].Settings.KnownKeys.Find("beta"));
    }

    [Theory]
    [InlineData(50)]
    [InlineData(51)]
    [InlineData(52)]
    public void All_kinds_of_nodes_in_one_mesh_reach_each_other(int seed)
    {
        SimNetwork net = new(seed) { DebugLevel = 2 };
        Kind[] kinds = [Kind.Old, Kind.Sptps, Kind.Fast, Kind.FastSptps];
        string[] names = [.. Enumerable.Range(0, 12).Select(i => $"n{i:D2}")];
        for (int i = 0; i < names.Length; i++)
            Add(net, names[i], kinds[(i + seed) % kinds.Length], 300, i == 0 ? [] : i < 4 ? [names[i - 1]] : [names[i - 1], names[i - 3]]);
        net.StartAll();
        Assert.True(net.RunUntil(() => net.AllReachable, s_minute), net.Trace);
        for (int round = 0; round < 30; round++)
        {
            foreach (string from in names)
            {
                foreach (string to in names.Where(to => to != from))
                    net[from].SendTo(to, "warm-up");
            }

            net.RunFor(TimeSpan.FromSeconds(1));
        }

        foreach (string from in names)
        {
            foreach (string to in names.Where(to => to != from))
                net[from].SendTo(to, $"from {from}");
        }

        net.RunFor(s_soon);
        string[] lost = [.. from one in names from other in names where one != other && !net[other].Received.Contains($"from {one}")
            select $"{one} ({net[one].Settings.SpeaksSptps} {net[one].Settings.IsFastMesh}) to {other} ({net[other].Settings.SpeaksSptps} {net[other].Settings.IsFastMesh}) as {net[one].Route(other).Protocol}"];
        Assert.True(lost.Length == 0, $"lost {string.Join("; ", lost)}");
        Assert.All(names, name => Assert.Equal(names.Length - 1, net[name].Received.Count(text => text != "warm-up")));
        Assert.All(names.SelectMany(name => net[name].Table.Peers), peer => Assert.True(
            peer.Protocol == NodeProtocol.Legacy || peer.Sealer is not null, $"{peer.Name} has no session\n{net.Trace}"));
        for (int i = 0; i < names.Length; i++)
        {
            for (int j = 0; j < names.Length; j++)
            {
                if (i != j)
                    Assert.Equal(Expected(kinds[(i + seed) % 4], kinds[(j + seed) % 4]), net[names[i]].Route(names[j]).Protocol);
            }
        }
    }

    [Fact]
    public void A_node_that_becomes_a_fastmesh_node_and_goes_back_changes_its_sessions_with_it()
    {
        SimNetwork net = new(seed: 60) { DebugLevel = 2 };
        SimNode alpha = Add(net, "alpha", Kind.Fast, 3600, "beta");
        SimNode beta = Add(net, "beta", Kind.Old);
        net.StartAll().RunFor(s_minute);
        Assert.Equal(NodeProtocol.Legacy, alpha.Route("beta").Protocol);
        Talk(net, "alpha", "beta", 5);

        foreach (Kind kind in new[] { Kind.Fast, Kind.Old, Kind.Fast })
        {
            beta.Crash(silently: false);
            beta.Settings = Configure(kind, beta.Settings);
            net.RunFor(s_soon);
            beta.Start();
            Assert.True(net.RunUntil(() => net.AllReachable, s_minute), net.Trace);
            net.RunFor(TimeSpan.FromSeconds(20));
            Assert.Equal(kind == Kind.Fast ? NodeProtocol.FastMesh : NodeProtocol.Legacy, alpha.Route("beta").Protocol);
            Talk(net, "alpha", "beta", 5);
            Talk(net, "beta", "alpha", 5);
        }

        Assert.Single(alpha.Log.Lines, line => line.StartsWith("beta has gone back to tinc 1.0", StringComparison.Ordinal));
    }

    private static NodeProtocol Expected(Kind self, Kind other) => (self, other) switch
    {
        (Kind.Fast or Kind.FastSptps, Kind.Fast or Kind.FastSptps) => NodeProtocol.FastMesh,
        (Kind.Sptps, Kind.Sptps or Kind.FastSptps) or (Kind.FastSptps, Kind.Sptps) => NodeProtocol.Sptps,
        _ => NodeProtocol.Legacy,
    };

    private SimNetwork Pair(Kind kind, int seed, (int A, int B)? keyExpire = null, double loss = 0, double dup = 0)
    {
        SimNetwork net = new(seed) { DebugLevel = 2, Loss = loss, Duplicates = dup };
        Add(net, "alpha", kind, keyExpire?.A ?? 3600, "beta");
        Add(net, "beta", kind, keyExpire?.B ?? 3600);
        return net.StartAll();
    }

    private SimNode Add(SimNetwork net, string name, Kind kind, int keyExpire = 3600, params string[] dials) => net.Add(
        name, settings => Configure(kind, settings) with { ConnectTo = dials, KeyExpire = TimeSpan.FromSeconds(keyExpire) });

    private MeshSettings Configure(Kind kind, MeshSettings settings) => settings with
    {
        Identity = kind == Kind.Old ? null : settings.Identity ?? SimKeys.Identity(100 + _identities++),
        SpeaksSptps = kind is Kind.Sptps or Kind.FastSptps,
        IsFastMesh = kind != Kind.Sptps,
    };

    private static void Want(SimNetwork net, string from, string to) => net[from].SendTo(to, "wanted");

    private static bool HaveSession(SimNetwork net, string a, string b) => net.AllReachable
        && net[a].Route(b).Sealer is not null && net[a].Route(b).Opener is not null && net[b].Route(a).Sealer is not null && net[b].Route(a).Opener is not null;

    private static bool RunWanting(SimNetwork net, string from, string to, TimeSpan limit)
    {
        for (double waited = 0; waited < limit.TotalSeconds && !HaveSession(net, from, to); waited++)
        {
            Want(net, from, to);
            net.RunFor(TimeSpan.FromSeconds(1));
        }

        return HaveSession(net, from, to);
    }

    /// <summary>Sends numbered frames; every single one arrives exactly once.</summary>
    private static void Talk(SimNetwork net, string from, string to, int count, int milliseconds = 20)
    {
        string[] sent = [.. Enumerable.Range(0, count).Select(i => $"{from} {i}")];
        net[to].Received.Clear();
        foreach (string text in sent)
        {
            net[from].SendTo(to, text);
            net.RunFor(TimeSpan.FromMilliseconds(milliseconds));
        }

        net.RunFor(s_soon);
        string[] arrived = [.. net[to].Received.Where(text => text.StartsWith(from, StringComparison.Ordinal))];
        Assert.True(sent.Order().SequenceEqual(arrived.Order()),
            $"lost {string.Join(", ", sent.Except(arrived))}; {arrived.Length} of {sent.Length} arrived\n{net.Trace}");
    }
}
