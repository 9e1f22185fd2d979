using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>One end of a FastMesh session in a test.</summary>
internal sealed class FastMeshEnd
{
    private Ed25519PublicKey? _believed;

    public FastMeshEnd(string name, string peer, int seed, FastMeshOffer? offer = null, int shards = 1)
    {
        Random = new TestRandom(seed);
        (Name, Identity) = (name, Ed25519Identity.Generate(Random));
        Session = new FastMeshSession(new FastMeshParty(
            Identity, offer ?? FastMeshPair.FullOffer, name, peer,
            suite => new DatagramSession(SessionFormat.FastMesh, suite, NodeId.Of(name), NodeId.Of(peer), WithEthernet: false, HasIds: true, Owner: 0), shards,
            (key, certificate) => Believes?.Invoke(key, certificate) ?? key.Equals(_believed ??= key), Random));
    }

    public string Name { get; }

    public TestRandom Random { get; }

    public Ed25519Identity Identity { get; }

    public FastMeshSession Session { get; }

    /// <summary>Decides on the peer's key; null takes the first one and stays with it.</summary>
    public Func<Ed25519PublicKey, byte[], bool>? Believes { private get; set; }
}

/// <summary>Two ends, and someone between them who sees every line.</summary>
internal sealed class FastMeshPair
{
    public static readonly FastMeshOffer FullOffer = new(
        FastMeshSuites.ChaCha20Poly1305 | FastMeshSuites.Aes256Gcm,
        FastMeshFlags.AesIsFast | (MlKemAgreement.IsSupported ? FastMeshFlags.MlKem : FastMeshFlags.None), 0, []);

    private readonly LinkedList<(FastMeshEnd To, FastMeshLine Line)> _wire = [];

    public FastMeshPair(int seed = 1, FastMeshOffer? offerA = null, FastMeshOffer? offerB = null, int shardsA = 1, int shardsB = 1) =>
        (Alice, Bob) = (new FastMeshEnd("alice", "bob", seed, offerA, shardsA), new FastMeshEnd("bob", "alice", seed + 1000, offerB, shardsB));

    public FastMeshEnd Alice { get; }

    public FastMeshEnd Bob { get; }

    public Instant Now { get; private set; } = new(1_000_000);

    /// <summary>Every line that was sent, in order, and to whom.</summary>
    public List<(FastMeshEnd To, FastMeshLine Line)> Seen { get; } = [];

    /// <summary>What becomes of line number n (from 0); null: all arrive as they are.</summary>
    public Func<int, FastMeshEnd, FastMeshLine, IEnumerable<FastMeshLine>>? Attacker { get; set; }

    public bool IsEstablished => Alice.Session.Sealer is not null && Bob.Session.Sealer is not null
        && !Alice.Session.IsStarting && !Bob.Session.IsStarting;

    /// <summary>Whether both ends have the same session, and which.</summary>
    public FastMeshAgreement? Common => Alice.Session.Agreement is { } a && Bob.Session.Agreement is { } b
        && a.Output.AsSpan().SequenceEqual(b.Input) && a.Input.AsSpan().SequenceEqual(b.Output) && a.Suite == b.Suite && a.IsHybrid == b.IsHybrid
        ? a
        : null;

    public FastMeshEnd Other(FastMeshEnd end) => end == Alice ? Bob : Alice;

    public void Start(FastMeshEnd end)
    {
        end.Session.Start(Now);
        Collect(end);
    }

    /// <summary>Puts a line on the wire behind all others.</summary>
    public void Inject(FastMeshEnd to, FastMeshLine line) => _wire.AddLast((to, line));

    /// <summary>Lets everything arrive, and retries happen, for so many seconds or until both have the session.</summary>
    public FastMeshPair Run(double seconds = 60)
    {
        Instant end = Now + TimeSpan.FromSeconds(seconds);
        Deliver();
        while (!IsEstablished && (Due(Alice) ?? Due(Bob)) is not null)
        {
            FastMeshEnd next = (Due(Alice) ?? Instant.Never) <= (Due(Bob) ?? Instant.Never) ? Alice : Bob;
            Instant at = Due(next)!.Value;
            if (at > end)
                break;
            Now = at;
            Start(next);
            Deliver();
        }

        return this;
    }

    /// <summary>Delivers what is under way, one line after the other.</summary>
    public void Deliver()
    {
        while (DeliverOne())
        {
        }
    }

    public bool DeliverOne()
    {
        if (_wire.First is not { } first)
            return false;
        _wire.RemoveFirst();
        (FastMeshEnd to, FastMeshLine line) = first.Value;
        to.Session.Handle(line.Message, line.Data, Now);
        Collect(to);
        return true;
    }

    /// <summary>Seals a frame at one end and opens it at the other.</summary>
    public OpenResult Carry(FastMeshEnd from, byte[] payload, out byte[] arrived)
    {
        byte[] datagram = Seal(from, payload);
        return Open(Other(from), datagram, out arrived);
    }

    public static byte[] Seal(FastMeshEnd from, byte[] payload, int shard = 0)
    {
        PacketSealer sealer = from.Session.Sealer!.Of(shard);
        byte[] frame = [.. new byte[PacketSealer.Room], .. new byte[12], 8, 0, 0x45, .. payload];
        byte[] output = new byte[sealer.SealedLength(frame.Length - PacketSealer.Room)];
        return output[..sealer.Seal(frame, output, direct: true)];
    }

    public static OpenResult Open(FastMeshEnd to, byte[] datagram, out byte[] arrived)
    {
        arrived = [];
        if (to.Session.Opener?.Of(datagram) is not { } opener)
            return OpenResult.Malformed;
        byte[] output = new byte[opener.OutputLength(datagram.Length)];
        OpenResult result = opener.Open(datagram, output, out int offset, out int length);
        if (result == OpenResult.Opened)
            arrived = output[(offset + 15)..(offset + length)];
        return result;
    }

    private static Instant? Due(FastMeshEnd end) => end.Session.RetryAt;

    private void Collect(FastMeshEnd from)
    {
        FastMeshEnd to = Other(from);
        foreach (FastMeshLine line in from.Session.TakeLines())
        {
            int number = Seen.Count;
            Seen.Add((to, line));
            foreach (FastMeshLine passed in Attacker?.Invoke(number, to, line) ?? [line])
                Inject(to, passed);
        }
    }
}

/// <summary>Random bytes that are the same in every run with the same seed.</summary>
internal sealed class TestRandom(int seed) : IRandomSource
{
    private readonly Random _random = new(seed);

    public void Fill(Span<byte> bytes) => _random.NextBytes(bytes);
}
