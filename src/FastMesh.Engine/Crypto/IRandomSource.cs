namespace FastMesh.Engine.Crypto;

/// <summary>Where random bytes come from: the system's generator in the daemon, a seeded one in simulations.</summary>
public interface IRandomSource
{
    /// <summary>Fills <paramref name="bytes"/> with random bytes, fit for keys when it is the system's generator.</summary>
    void Fill(Span<byte> bytes);
}
