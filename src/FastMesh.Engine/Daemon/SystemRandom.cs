using System.Security.Cryptography;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Daemon;

/// <summary>Random bytes of the operating system.</summary>
internal sealed class SystemRandom : IRandomSource
{
    /// <inheritdoc/>
    public void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
}
