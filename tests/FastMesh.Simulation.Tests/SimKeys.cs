using FastMesh.Engine.Crypto;

namespace FastMesh.Simulation.Tests;

/// <summary>RSA keys, made once per test run. Short ones: what is simulated does not depend on their length.</summary>
internal static class SimKeys
{
    private const int Bits = 512;

    private static readonly List<RsaIdentity> s_keys = [];

    /// <summary>Key number <paramref name="index"/>.</summary>
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
