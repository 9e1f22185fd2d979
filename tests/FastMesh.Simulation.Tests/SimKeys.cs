using FastMesh.Engine.Crypto;

namespace FastMesh.Simulation.Tests;

/// <summary>Keys of the nodes. RSA keys are made once per test run; short ones: what is simulated does not depend on their length.</summary>
internal static class SimKeys
{
    private const int Bits = 512;

    private static readonly List<RsaIdentity> s_keys = [];

    /// <summary>Ed25519 key number <paramref name="index"/>.</summary>
    public static Ed25519Identity Identity(int index) => Ed25519Identity.FromSeed([.. Enumerable.Range(index, 32).Select(value => (byte)value)]);

    /// <summary>RSA key number <paramref name="index"/>.</summary>
    public static RsaIdentity Get(int index)
    {
        lock (s_keys)
        {
            while (s_keys.Count <= index)
            {
                Assert.True(RsaIdentity.TryFromPem(RsaKeyPair.Generate(Bits).PrivatePem, out RsaIdentity? key, out string reason), reason);
                s_keys.Add(key);
            }

            return s_keys[index];
        }
    }
}
