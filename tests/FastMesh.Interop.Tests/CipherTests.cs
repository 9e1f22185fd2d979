using System.Collections.Concurrent;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Every cipher, digest and compression that Debian's build can use, sealed and opened by the node under test.</summary>
public sealed class CipherTests
{
    private const int Lanes = 2, EnoughFailures = 10;

    /// <summary>The CBC modes that OpenSSL 3 offers without its legacy provider; the number travels in ANS_KEY.</summary>
    private static readonly (string Name, int Nid)[] s_ciphers =
    [
        ("none", 0), ("aes-128-cbc", 419), ("aes-192-cbc", 423), ("aes-256-cbc", 427), ("des-ede-cbc", 43), ("des-ede3-cbc", 44),
        ("camellia-128-cbc", 751), ("camellia-192-cbc", 752), ("camellia-256-cbc", 753),
        ("aria-128-cbc", 1066), ("aria-192-cbc", 1071), ("aria-256-cbc", 1076), ("sm4-cbc", 1134),
    ];

    private static readonly (string Name, int Nid, int Size)[] s_digests =
    [
        ("none", 0, 0), ("md5", 4, 16), ("md5-sha1", 114, 36), ("sha1", 64, 20), ("sha224", 675, 28), ("sha256", 672, 32),
        ("sha384", 673, 48), ("sha512", 674, 64), ("sha512-224", 1094, 28), ("sha512-256", 1095, 32), ("sha3-224", 1096, 28),
        ("sha3-256", 1097, 32), ("sha3-384", 1098, 48), ("sha3-512", 1099, 64), ("ripemd160", 117, 20), ("blake2b512", 1056, 64),
        ("blake2s256", 1057, 32), ("sm3", 1143, 32),
    ];

    /// <summary>One node stays and the other comes back with one pair after the other: the stayer seals with every pair, the changer opens.</summary>
    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void Every_cipher_and_digest_pair_carries_packets(string staying, string changing)
    {
        List<Variant> variants = [];
        foreach ((string cipher, int cipherNid) in s_ciphers)
        {
            foreach ((string digest, int digestNid, int size) in s_digests)
            {
                variants.Add(new($"{cipher}+{digest}", [$"Cipher = {cipher}", $"Digest = {digest}"],
                    state => state.Cipher == cipherNid && state.Digest == digestNid && state.MacLength == Math.Min(size, 4)));
            }
        }

        // The default MAC length is 4 and an absent digest has none.
        AssertCarried(staying, changing, [.. variants.Select(v => v.Name.EndsWith("none", StringComparison.Ordinal) ? v.With("MACLength = 0") : v)]);
    }

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void Every_length_of_the_authentication_code_carries_packets(string staying, string changing) =>
        AssertCarried(staying, changing, [.. new[] { 0, 1, 3, 8, 16, 31, 32 }.Select(length =>
            new Variant($"mac{length}", [$"MACLength = {length}"], state => state.MacLength == length))]);

    [SkippableTheory, InlineData(Programs.FastMesh, Programs.Tincd), InlineData(Programs.Tincd, Programs.FastMesh)]
    public void Every_compression_level_carries_packets(string staying, string changing) =>
        AssertCarried(staying, changing, [.. Enumerable.Range(0, 12).Select(level =>
            new Variant($"compression{level}", [$"Compression = {level}"], state => state.Compression == level))]);

    private static void AssertCarried(string staying, string changing, Variant[] variants)
    {
        Programs.SkipUnlessUsable();
        ConcurrentQueue<string> failures = [];
        Parallel.For(0, Lanes, lane => RunLane(staying, changing, [.. variants.Where((_, i) => i % Lanes == lane)], failures));
        Assert.True(failures.IsEmpty, $"{failures.Count} of {variants.Length}:\n{string.Join('\n', failures)}");
    }

    private static void RunLane(string staying, string changing, Variant[] variants, ConcurrentQueue<string> failures)
    {
        using TestNetwork network = new();
        MeshNode stayer = network.AddNode("stayer", staying);
        stayer.Settings.Add("PMTUDiscovery = no");
        NetworkHost host = network.AddHost("changer");

        // Each variant is a node of its own, so that the stayer knows nothing of it from before.
        MeshNode[] changers = [.. variants.Select((_, i) => new MeshNode(host, $"changer{i}", changing) { Keys = NodeKeys.For("changer") })];
        foreach (MeshNode changer in changers)
        {
            changer.Settings.Add("PMTUDiscovery = no");
            changer.ConnectTo(stayer);
            changer.WriteHostFile(stayer);
            changer.WriteHostFile(changer);
            stayer.WriteHostFile(changer);
        }

        stayer.WriteHostFile(stayer);
        stayer.Start();
        for (int i = 0; i < variants.Length && failures.Count < EnoughFailures; i++)
        {
            changers[i].Settings.AddRange(variants[i].Settings);
            using MeshNode changer = changers[i];
            if (Failure(stayer, changer, variants[i]) is { } reason) failures.Enqueue($"{variants[i].Name}: {reason}");
        }
    }

    private static string? Failure(MeshNode stayer, MeshNode changer, Variant variant)
    {
        int mark = stayer.LogMark();
        changer.WriteConfiguration();
        changer.StartWith("-D", "-d5");
        bool HaveKeys() => stayer.HasLogged($"^Got ANS_KEY from {changer.Name} ", mark) && changer.HasLogged("^Got ANS_KEY");
        Poll.TryUntil(() => HaveKeys() || !changer.IsRunning, TimeSpan.FromSeconds(30));
        if (!HaveKeys()) return $"no keys exchanged; {changer.LogTail(3)}";

        NodeState state = StateDump.Of(stayer).Nodes[changer.Name];
        if (!variant.IsShownBy(state)) return $"announced as {state}";
        if (!Poll.TryUntil(() => stayer.Host.CanPing(changer.Inner), TimeSpan.FromSeconds(20))) return $"no answer; {stayer.LogTail(2)}; {changer.LogTail(2)}";
        long sent = stayer.Host.UdpSent() + changer.Host.UdpSent();
        foreach (int size in new[] { 0, 333, 1372 })
        {
            PingResult result = stayer.Host.Ping(changer.Inner, count: 2, size: size);
            if (result.Lost != 0) return $"size {size}: {result}; {stayer.LogTail(2)}; {changer.LogTail(2)}";
        }

        return stayer.Host.UdpSent() + changer.Host.UdpSent() - sent < 6 ? "the packets did not go by UDP" : null;
    }

    private sealed record Variant(string Name, string[] Settings, Func<NodeState, bool> IsShownBy)
    {
        public Variant With(string setting) => this with { Settings = [.. Settings, setting] };
    }
}
