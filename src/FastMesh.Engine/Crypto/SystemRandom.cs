using System.Security.Cryptography;

namespace FastMesh.Engine.Crypto;

/// <summary>The operating system's generator. Stateless, usable from any thread.</summary>
public sealed class SystemRandom : IRandomSource
{
    /// <inheritdoc/>
#pragma warning disable RS0030 // This is the place behind IRandomSource that the ban points to.
    public void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
#pragma warning restore RS0030
}
