using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>Sessions with fixed keys, by the names that benchmarks show: tinc 1.0, tinc 1.1, FastMesh with either suite.</summary>
internal static class Sessions
{
    public const string Legacy = "legacy", Sptps = "sptps", ChaCha = "chacha", Aes = "aes";

    /// <summary>Both ends of one direction, for one shard each, or in FastMesh for as many as there are lanes. The replay window is off, so that the same datagram can be opened again and again.</summary>
    public static (PacketSealer Sealer, PacketOpener Opener) Make(string session, NodeId from, NodeId to, int lanes = 1)
    {
        if (session == Legacy)
        {
            LegacyKey legacy = LegacyKey.Generate(LegacySuite.Default, new SystemRandom());
            return (new LegacySealer(legacy, 0), new LegacyOpener(legacy, replayWindowBytes: 0, owner: 0, previous: null));
        }

        DataSuite suite = session switch
        {
            Sptps => DataSuite.TincChaCha20Poly1305,
            Aes => DataSuite.Aes256Gcm,
            _ => DataSuite.ChaCha20Poly1305,
        };
        SessionFormat format = session == Sptps ? SessionFormat.Sptps : SessionFormat.FastMesh;
        DatagramSession there = new(format, suite, from, to, WithEthernet: false, HasIds: true, Owner: 0);
        byte[] key = new byte[DatagramKey.Length];
        if (format == SessionFormat.FastMesh)
        {
            return (DatagramSealer.Create(there, key, compression: 0, lanes),
                DatagramOpener.Create(there, key, replayWindowBytes: 0, compression: 0, previous: null, lanes, shards: lanes));
        }

        return (new DatagramSealer(there, key, new RecordCounter(), compression: 0),
            new DatagramOpener(there, key, replayWindowBytes: 0, compression: 0, previous: null, nextSequence: 0));
    }
}
