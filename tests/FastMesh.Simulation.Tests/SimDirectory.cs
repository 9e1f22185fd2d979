using System.Diagnostics.CodeAnalysis;
using FastMesh.Engine.Protocol;

namespace FastMesh.Simulation.Tests;

/// <summary>The host files of one node, in memory.</summary>
internal sealed class SimDirectory : IPeerDirectory
{
    public SortedDictionary<string, PeerSettings> Files { get; } = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Names => [.. Files.Keys];

    public bool TryRead(string name, [NotNullWhen(true)] out PeerSettings? peer) => Files.TryGetValue(name, out peer);
}
