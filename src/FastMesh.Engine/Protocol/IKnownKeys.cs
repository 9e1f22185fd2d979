using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// The Ed25519 keys that nodes gave for themselves and that were believed, of nodes with and without host file. The user's own statements, in host files,
/// are not here (<see cref="PeerSettings.Ed25519Key"/>).
/// </summary>
public interface IKnownKeys
{
    /// <summary>The key of a node, or null.</summary>
    Ed25519PublicKey? Find(string name);

    /// <summary>Keeps a key, also over a restart if possible; one that cannot be written is kept in memory, and a warning says so.</summary>
    void Learn(string name, Ed25519PublicKey key);

    /// <summary>Where it is kept, for messages.</summary>
    string FileOf(string name);
}

/// <summary>Keys that are forgotten with the process.</summary>
public sealed class KeysInMemory : IKnownKeys
{
    private readonly Dictionary<string, Ed25519PublicKey> _keys = [];

    /// <inheritdoc/>
    public Ed25519PublicKey? Find(string name) => _keys.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Learn(string name, Ed25519PublicKey key) => _keys[name] = key;

    /// <inheritdoc/>
    public string FileOf(string name) => "memory";
}
