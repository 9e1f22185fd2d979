namespace FastMesh.Engine.Crypto;

/// <summary>The PRF behind SPTPS keys (tinc 1.1 reference, 3.4).</summary>
public static class KeyDerivation
{
    /// <summary>Fills <paramref name="output"/> from a secret and a seed.</summary>
    public static void Derive(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> seed, Span<byte> output) => throw new NotImplementedException();
}
