using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>A node to connect to and what came of it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsChosen">Whether AutoConnect has chosen it; else it is one of ConnectTo.</param>
/// <param name="IsConnected">Whether a connection to it is active.</param>
/// <param name="NextAttempt">When it is tried next, or null.</param>
/// <param name="Failures">The last failure at each address.</param>
internal readonly record struct DialRow(string Name, bool IsChosen, bool IsConnected, Instant? NextAttempt, IReadOnlyList<DialAttempt> Failures);

/// <summary>How strong a session is.</summary>
/// <param name="Cipher">Its name.</param>
/// <param name="KeyBits">Bits of its key.</param>
/// <param name="MacBits">Bits of what authenticates each packet.</param>
/// <param name="PostQuantum">Whether the key agreement is hybrid.</param>
internal readonly record struct SessionStrength(string Cipher, int KeyBits, int MacBits, bool PostQuantum);

/// <summary>What only people who ask why want to know.</summary>
public sealed partial class Mesh
{
    private const int AeadKeyBits = 256, AeadTagBits = 128;

    /// <summary>The nodes that this one is to be connected with.</summary>
    internal IEnumerable<DialRow> DialRows() => _outgoing.Values.Select(outgoing => new DialRow(
        outgoing.Name, !_settings.ConnectTo.Contains(outgoing.Name), _graph.Find(outgoing.Name) is { HasConnection: true }, _deadlines.At(TimerKind.Reconnect, outgoing.Index), outgoing.Attempts));

    /// <summary>What only the state machine knows of a node, or null of one that it never had to do with.</summary>
    internal Peer? DetailsOf(Node node) => _peers.GetValueOrDefault(node.Id);

    /// <summary>How strong the session with a node is, or null while there is none.</summary>
    internal SessionStrength? StrengthOf(Node node)
    {
        if (node.Sealer is not { } sealer || !_peers.TryGetValue(node.Id, out Peer? peer))
            return null;
        return sealer.Format switch
        {
            SessionFormat.FastMesh => new(
                peer.FastMesh!.Agreement!.Suite == DataSuite.Aes256Gcm ? "AES-256-GCM" : "ChaCha20-Poly1305", AeadKeyBits, AeadTagBits, peer.FastMesh.Agreement.IsHybrid),
            SessionFormat.Sptps => new("ChaCha20-Poly1305", AeadKeyBits, AeadTagBits, false),
            _ => new(peer.Outgoing.CipherName, peer.Outgoing.KeyBits, 8 * peer.Outgoing.MacLength, false),
        };
    }
}
