using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Routing;

namespace FastMesh.Cli.Why;

/// <summary>Why a node is believed to be who it says.</summary>
internal enum KeyBelief
{
    /// <summary>Not known here: the files cannot be read, or no key was needed yet.</summary>
    Unknown,

    /// <summary>Its Ed25519 key is in its host file.</summary>
    HostFile,

    /// <summary>Its Ed25519 key is signed by the RSA key in its host file.</summary>
    RsaSigned,

    /// <summary>Its RSA key is in its host file: tinc 1.0.</summary>
    Rsa,

    /// <summary>It was believed the first time, and is held to that key.</summary>
    FirstUse,

    /// <summary>tinc 1.0, and no neighbour: the nodes in between vouch for it.</summary>
    Neighbours,
}

/// <summary>Finds out on what the belief in a node's key rests, as <c>KeyTrust</c> of the engine decides it.</summary>
internal static class KeyTrustWords
{
    /// <summary>Decides.</summary>
    /// <param name="protocol">How data travels to it, or null if that is not known.</param>
    /// <param name="isNeighbour">Whether there is a connection to it.</param>
    /// <param name="keys">What the files say.</param>
    public static KeyBelief Of(NodeProtocol? protocol, bool isNeighbour, PeerKeys keys) => protocol switch
    {
        NodeProtocol.Legacy => isNeighbour ? (keys.RsaBits is null ? KeyBelief.Unknown : KeyBelief.Rsa) : KeyBelief.Neighbours,
        _ when keys.HasEd25519 => KeyBelief.HostFile,
        NodeProtocol.FastMesh when keys.RsaBits is not null => KeyBelief.RsaSigned,
        _ when keys.Learned is not null => KeyBelief.FirstUse,
        null when keys.RsaBits is not null => KeyBelief.Rsa,
        _ => KeyBelief.Unknown,
    };

    /// <summary>In a few words.</summary>
    public static string Short(KeyBelief belief) => belief switch
    {
        KeyBelief.HostFile => "host file",
        KeyBelief.RsaSigned => "signed by RSA",
        KeyBelief.Rsa => "RSA host file",
        KeyBelief.FirstUse => "first use",
        KeyBelief.Neighbours => "neighbours",
        _ => "?",
    };

    /// <summary>As a sentence.</summary>
    public static string Sentence(KeyBelief belief, NodeStatus node, PeerKeys keys) => belief switch
    {
        KeyBelief.HostFile => $"Its key is the Ed25519PublicKey in hosts/{node.Name}.",
        KeyBelief.RsaSigned => $"Its key is signed by the RSA key of {keys.RsaBits} bits in hosts/{node.Name}.",
        KeyBelief.Rsa => $"It has proven to have the RSA key of {keys.RsaBits} bits in hosts/{node.Name}.",
        KeyBelief.FirstUse => $"Its key was believed the first time and is kept in {keys.Learned}.",
        KeyBelief.Neighbours => $"It is tinc 1.0 and no neighbour: {node.NextHop ?? "its neighbour"} and the nodes behind vouch for it.",
        _ => "No key of it is known here.",
    };
}
