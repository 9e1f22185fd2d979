using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>Addresses at which other nodes were reached, the latest first (tinc 1.1 reference, 9.2).</summary>
public interface IKnownAddresses
{
    /// <summary>The addresses of a node, or none.</summary>
    IReadOnlyList<Endpoint> Find(string name);

    /// <summary>Puts a node's addresses in place of what was kept, also over a restart if possible; if not, a warning says so once.</summary>
    void Keep(string name, IReadOnlyList<Endpoint> addresses);
}

/// <summary>Addresses that are forgotten with the process.</summary>
public sealed class AddressesInMemory : IKnownAddresses
{
    private readonly Dictionary<string, IReadOnlyList<Endpoint>> _addresses = [];

    /// <inheritdoc/>
    public IReadOnlyList<Endpoint> Find(string name) => _addresses.GetValueOrDefault(name) ?? [];

    /// <inheritdoc/>
    public void Keep(string name, IReadOnlyList<Endpoint> addresses) => _addresses[name] = addresses;
}
