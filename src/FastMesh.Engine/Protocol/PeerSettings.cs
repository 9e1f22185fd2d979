using System.Diagnostics.CodeAnalysis;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>What the own host file of another node says of it (tinc 1.0 reference, 2.4, scope P).</summary>
public sealed record PeerSettings
{
    /// <summary>Address lines in order, ports filled in from the peer's Port, else 655.</summary>
    public IReadOnlyList<HostPort> Addresses { get; init; } = [];

    /// <summary>Its RSA public key, or null if there is no usable one.</summary>
    public RsaPublicIdentity? PublicKey { get; init; }

    /// <summary>
    /// Its Ed25519 public key as the user wrote it in the host file, or null. A node that speaks 17.7 itself never lets such a node in by protocol 17.0.
    /// </summary>
    public Ed25519PublicKey? Ed25519Key { get; init; }

    /// <summary>Its valid Subnet lines; used only with StrictSubnets.</summary>
    public IReadOnlyList<Subnet> Subnets { get; init; } = [];

    /// <summary>IndirectData.</summary>
    public bool IndirectData { get; init; }

    /// <summary>TCPOnly.</summary>
    public bool TcpOnly { get; init; }

    /// <summary>ClampMSS, or null if the file has none.</summary>
    public bool? ClampMss { get; init; }

    /// <summary>PMTU, or null.</summary>
    public int? Pmtu { get; init; }

    /// <summary>Weight: replaces the measured weight in the ACK sent to the peer.</summary>
    public int? Weight { get; init; }
}

/// <summary>
/// The host files of other nodes, read afresh at each call. A file that is missing or has an error makes the peer unknown;
/// the implementation logs the error with file and line.
/// </summary>
public interface IPeerDirectory
{
    /// <summary>Reads the host file of <paramref name="name"/>.</summary>
    bool TryRead(string name, [NotNullWhen(true)] out PeerSettings? peer);

    /// <summary>Names of all host files that are valid node names, in order.</summary>
    IReadOnlyList<string> Names { get; }
}
