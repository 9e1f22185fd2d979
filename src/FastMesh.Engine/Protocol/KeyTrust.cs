using System.Text;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Decides which Ed25519 keys of other nodes are believed. What the user wrote in host files comes first: the Ed25519 key itself, then, where a node can show a
/// certificate, the RSA key; then what was learned before; a node that nothing is known of is believed once, and remembered.
/// </summary>
internal sealed class KeyTrust(IPeerDirectory directory, IKnownKeys known, EngineLog log)
{
    private readonly Dictionary<string, string> _complaints = [];

    /// <summary>The key by which a node is known now, or null.</summary>
    public Ed25519PublicKey? Find(string name) => ReadHostFile(name)?.Ed25519Key ?? known.Find(name);

    /// <summary>Whether a key was learned that the host file does not state.</summary>
    public bool HasLearned(string name) => known.Find(name) is not null;

    /// <summary>What the RSA key of a node signs to vouch for its Ed25519 key.</summary>
    public static byte[] Certified(string name, Ed25519PublicKey key) =>
        [.. "FastMesh identity"u8, .. Encoding.ASCII.GetBytes(name), .. key.Bytes];

    /// <summary>
    /// Decides on a key that its owner says, and where possible has proved, to be its own; learns it if it is new. A refusal is logged, once per key, with the
    /// file to look at.
    /// </summary>
    /// <param name="name">The node.</param>
    /// <param name="key">Its key.</param>
    /// <param name="certificate">
    /// RSA signature of <see cref="Certified"/>, empty if it has no RSA key; null where the protocol has no certificates (tinc 1.1), so that an RSA key in the
    /// host file says nothing.
    /// </param>
    public bool Accept(string name, Ed25519PublicKey key, byte[]? certificate)
    {
        PeerSettings? host = ReadHostFile(name);
        Ed25519PublicKey? learned = known.Find(name);
        if (host?.Ed25519Key is { } stated)
            return stated.Equals(key) || Complain(name, key, $"it is not the Ed25519PublicKey in hosts/{name}");
        if (certificate is not null && host?.PublicKey is { } rsa)
        {
            if (!rsa.Verify(Certified(name, key), certificate))
                return Complain(name, key, $"it is not signed by the RSA key in hosts/{name}");
        }
        else if (learned is not null && !learned.Equals(key))
        {
            return Complain(name, key, $"another one was learned before; if {name} has a new key, remove {known.FileOf(name)}");
        }

        if (!key.Equals(learned))
        {
            log.Connections.LearnedKey(name, key.ToString());
            known.Learn(name, key);
        }

        _complaints.Remove(name);
        return true;
    }

    /// <summary>A missing file is no error here: most nodes have none.</summary>
    private PeerSettings? ReadHostFile(string name) =>
        directory.Names.Contains(name) && directory.TryRead(name, out PeerSettings? peer) ? peer : null;

    private bool Complain(string name, Ed25519PublicKey key, string reason)
    {
        string complaint = $"{key} {reason}";
        if (_complaints.GetValueOrDefault(name) != complaint)
            log.Always.KeyRefused(name, key.ToString(), reason);
        _complaints[name] = complaint;
        return false;
    }
}
