using System.Diagnostics.CodeAnalysis;
using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Tests.Crypto;
using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>
/// Replays what two tincd 1.0.36 said to each other (tinc 1.0 reference, chapter 10): given one side's bytes and the random
/// numbers of the other, the mesh must say exactly what the other said, however the bytes are cut into segments.
/// </summary>
public sealed class CapturedHandshakeTests
{
    private static readonly Instant s_begin = new(1000);

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(281)]
    [InlineData(2176)]
    [InlineData(100_000)]
    public void As_initiator_we_say_byte_for_byte_what_alpha_said(int segment)
    {
        var random = new ScriptedRandom(
            TincCapture.AlphaBlock, TincCapture.AlphaChallenge[2..], "710971b8", "1c23ce05", TincCapture.AlphaLines[^1].Split(' ')[3]);
        Mesh mesh = Create("alpha", TincCapture.AlphaPrivatePem, "10.20.1.0/24", random,
            new Directory("beta", TincCapture.BetaPublicPem, "192.0.2.2"), connectTo: ["beta"]);
        mesh.StartOutgoing("655", s_begin);
        ConnectionId id = Assert.Single(Take(mesh).OfType<MeshAction.Connect>()).Connection;
        mesh.HandleConnected(id, s_begin);

        byte[] output = Talk(mesh, id, Stream("beta", TincCapture.BetaMetaKey, TincCapture.BetaStream), segment);
        Assert.Equal(Stream("alpha", TincCapture.AlphaMetaKey, TincCapture.AlphaStream), output);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(282)]
    [InlineData(100_000)]
    public void As_acceptor_we_say_byte_for_byte_what_beta_said(int segment)
    {
        var random = new ScriptedRandom(
            TincCapture.BetaBlock, TincCapture.BetaChallenge[2..], "03712847", "27676308", TincCapture.BetaLines[^1].Split(' ')[3]);
        Mesh mesh = Create("beta", TincCapture.BetaPrivatePem, "10.20.2.0/24", random,
            new Directory("alpha", TincCapture.AlphaPublicPem, "192.0.2.1"), connectTo: []);
        Assert.True(Endpoint.TryParse("192.0.2.1", "58207", out Endpoint peer));
        ConnectionId id = mesh.HandleAccepted(peer, s_begin);

        byte[] output = Talk(mesh, id, Stream("alpha", TincCapture.AlphaMetaKey, TincCapture.AlphaStream), segment);
        Assert.Equal(Stream("beta", TincCapture.BetaMetaKey, TincCapture.BetaStream), output);
    }

    [Fact]
    public void The_acceptor_proves_itself_only_after_the_initiator_has()
    {
        // CVE-2018-16737 and -16738: no ID before the peer's, no CHAL_REPLY before the peer's.
        var random = new ScriptedRandom(TincCapture.BetaBlock, TincCapture.BetaChallenge[2..]);
        Mesh mesh = Create("beta", TincCapture.BetaPrivatePem, "10.20.2.0/24", random,
            new Directory("alpha", TincCapture.AlphaPublicPem, "192.0.2.1"), connectTo: []);
        ConnectionId id = mesh.HandleAccepted(default, s_begin);
        Assert.Empty(mesh.PendingOutput(id).ToArray());

        byte[] stream = Stream("alpha", TincCapture.AlphaMetaKey, TincCapture.AlphaStream);
        int beforeReply = stream.Length - 534 + TincCapture.AlphaChallenge.Length + 1;
        Assert.Equal(10 + 271 + 259, Talk(mesh, id, stream[..beforeReply], 1000).Length); // ID, METAKEY, CHALLENGE
    }

    [Theory]
    [InlineData("1 0 672 0 0 ", "")]
    [InlineData("1 429 0 0 0 ", "")]
    [InlineData("1 429 672 33 0 ", "")]
    [InlineData("1 429 672 -1 0 ", "")]
    [InlineData("1 99999 672 0 0 ", "")]
    [InlineData("1 427 672 0 0 ", "")] // a block cipher cannot carry a stream
    [InlineData("1 429 672 0 0 ", "AB")] // a byte too long
    [InlineData("1 429 672 0 ", "")]
    [InlineData("2 ", "")]
    public void A_bad_metakey_ends_in_silence(string start, string end) =>
        AssertRefused($"0 alpha 17\n{start}{TincCapture.AlphaMetaKey}{end}\n");

    [Fact]
    public void A_metakey_that_is_not_hex_ends_in_silence() =>
        AssertRefused($"0 alpha 17\n1 429 672 0 0 {new string('Z', 256)}\n");

    [Fact]
    public void A_key_block_that_is_not_below_the_modulus_is_refused() =>
        AssertRefused($"0 alpha 17\n1 429 672 0 0 {TincCapture.BetaModulus}\n");

    [Theory]
    [InlineData("0 beta 17\n")] // our own name: no reflection
    [InlineData("0 gamma 17\n")] // no host file
    [InlineData("0 alpha 16\n")]
    [InlineData("0 al-pha 17\n")]
    [InlineData("0 alpha\n")]
    [InlineData("1 429 672 0 0 00\n")]
    [InlineData("GET / HTTP/1.1\n")]
    [InlineData("\n")]
    public void Before_a_good_id_nothing_is_said(string text)
    {
        Mesh mesh = Create("beta", TincCapture.BetaPrivatePem, "10.20.2.0/24", new ScriptedRandom(),
            new Directory("alpha", TincCapture.AlphaPublicPem, "192.0.2.1"), connectTo: []);
        ConnectionId id = mesh.HandleAccepted(default, s_begin);
        Assert.Empty(Talk(mesh, id, Encoding.ASCII.GetBytes(text), 100, out List<MeshAction> actions));
        Assert.Contains(new MeshAction.Close(id, Tarpit: true), actions);
    }

    [Fact]
    public void A_newer_minor_version_in_the_id_is_accepted_and_answered_with_17()
    {
        Mesh mesh = Create("beta", TincCapture.BetaPrivatePem, "10.20.2.0/24", new ScriptedRandom(),
            new Directory("alpha", TincCapture.AlphaPublicPem, "192.0.2.1"), connectTo: []);
        ConnectionId id = mesh.HandleAccepted(default, s_begin);
        byte[] output = Talk(mesh, id, "0 alpha 17.7 more\n"u8.ToArray(), 100);
        Assert.StartsWith("0 beta 17\n1 429 672 0 0 ", Encoding.ASCII.GetString(output), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_challenge_reply_or_challenge_length_ends_in_silence()
    {
        byte[] stream = Stream("alpha", TincCapture.AlphaMetaKey, TincCapture.AlphaStream);
        foreach (int offset in new[] { 282 + 2, 282 + 259 + 5, 282 + 259 + 66 })
        {
            byte[] garbled = [.. stream];
            garbled[offset] ^= 0x40;
            Mesh mesh = Create("beta", TincCapture.BetaPrivatePem, "10.20.2.0/24",
                new ScriptedRandom(TincCapture.BetaBlock, TincCapture.BetaChallenge[2..]),
                new Directory("alpha", TincCapture.AlphaPublicPem, "192.0.2.1"), connectTo: []);
            ConnectionId id = mesh.HandleAccepted(default, s_begin);
            byte[] output = Talk(mesh, id, garbled, 100, out List<MeshAction> actions);
            Assert.InRange(output.Length, 281, 540); // at most ID, METAKEY and CHALLENGE; never a reply
            Assert.Contains(new MeshAction.Close(id, Tarpit: true), actions);
        }
    }

    /// <summary>Whoever has proven its key may think that it is connected, and hears that it is not; a stranger is kept waiting.</summary>
    [Theory]
    [InlineData(282 + 259, true)]
    [InlineData(282 + 259 + 67, false)] // with CHAL_REPLY, without ACK
    public void A_handshake_that_takes_too_long_ends_in_silence_unless_the_key_is_proven(int length, bool tarpit)
    {
        Mesh mesh = Create("beta", TincCapture.BetaPrivatePem, "10.20.2.0/24",
            new ScriptedRandom(TincCapture.BetaBlock, TincCapture.BetaChallenge[2..]),
            new Directory("alpha", TincCapture.AlphaPublicPem, "192.0.2.1"), connectTo: []);
        ConnectionId id = mesh.HandleAccepted(default, s_begin);
        Talk(mesh, id, Stream("alpha", TincCapture.AlphaMetaKey, TincCapture.AlphaStream)[..length], 100);
        mesh.HandleTimeout(s_begin + TimeSpan.FromSeconds(10));
        List<MeshAction> actions = [];
        while (mesh.TryTakeAction(out MeshAction? action)) actions.Add(action);
        Assert.Contains(new MeshAction.Close(id, tarpit), actions);
    }

    private static void AssertRefused(string text)
    {
        Mesh mesh = Create("beta", TincCapture.BetaPrivatePem, "10.20.2.0/24", new ScriptedRandom(TincCapture.BetaBlock),
            new Directory("alpha", TincCapture.AlphaPublicPem, "192.0.2.1"), connectTo: []);
        ConnectionId id = mesh.HandleAccepted(default, s_begin);
        Talk(mesh, id, Encoding.ASCII.GetBytes(text), 10_000, out List<MeshAction> actions);
        Assert.Contains(new MeshAction.Close(id, Tarpit: true), actions);
    }

    private static byte[] Stream(string name, string metaKey, string encrypted) =>
        [.. Encoding.ASCII.GetBytes($"0 {name} 17\n1 429 672 0 0 {metaKey}\n"), .. Convert.FromHexString(encrypted)];

    private static Mesh Create(string name, string pem, string subnet, IRandomSource random, IPeerDirectory peers, string[] connectTo)
    {
        Assert.True(RsaIdentity.TryFromPem(pem, out RsaIdentity? key, out string reason), reason);
        Assert.True(Subnet.TryParse(subnet, out Subnet own));
        var settings = new MeshSettings { Name = name, Key = key, Subnets = [own], ConnectTo = connectTo };
        var mesh = new Mesh(settings, peers, random, new EngineLog(NullLoggerFactory.Instance));
        mesh.Start(s_begin);
        return mesh;
    }

    private static byte[] Talk(Mesh mesh, ConnectionId id, byte[] input, int segment) => Talk(mesh, id, input, segment, out _);

    /// <summary>Feeds the input in segments, 4 ms after the start: the captured weights are 4.</summary>
    private static byte[] Talk(Mesh mesh, ConnectionId id, byte[] input, int segment, out List<MeshAction> actions)
    {
        Instant now = s_begin + TimeSpan.FromMilliseconds(4);
        List<byte> output = [];
        actions = [];
        for (int at = 0; at <= input.Length; at += segment)
        {
            mesh.HandleMeta(id, input.AsSpan(at, Math.Min(segment, input.Length - at)), now);
            output.AddRange(mesh.PendingOutput(id));
            mesh.HandleSent(id, mesh.PendingOutput(id).Length, now);
            actions.AddRange(Take(mesh));
        }

        return [.. output];
    }

    private static List<MeshAction> Take(Mesh mesh)
    {
        List<MeshAction> actions = [];
        while (mesh.TryTakeAction(out MeshAction? action))
            actions.Add(action);
        return actions;
    }

    /// <summary>Gives the listed bytes in order, then zeros.</summary>
    private sealed class ScriptedRandom(params string[] hex) : IRandomSource
    {
        private readonly Queue<byte> _bytes = new(hex.SelectMany(Convert.FromHexString));

        public void Fill(Span<byte> bytes)
        {
            for (int i = 0; i < bytes.Length; i++)
                bytes[i] = _bytes.TryDequeue(out byte next) ? next : (byte)0;
        }
    }

    private sealed class Directory(string name, string publicPem, string address) : IPeerDirectory
    {
        public IReadOnlyList<string> Names => [name];

        public bool TryRead(string peer, [NotNullWhen(true)] out PeerSettings? settings)
        {
            Assert.True(RsaPublicIdentity.TryFromPem(publicPem, out RsaPublicIdentity? key, out string reason), reason);
            settings = peer == name ? new PeerSettings { PublicKey = key, Addresses = [new(address, "655")] } : null;
            return settings is not null;
        }
    }
}
