using System.Diagnostics.CodeAnalysis;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Protocol;

/// <summary>The invitations this node has issued (tinc 1.1 reference, 9.3, 9.4), which are files and therefore the shell's.</summary>
public interface IInvitationBook
{
    /// <summary>The key invitations are redeemed with, or null if there are none. Read afresh on reload.</summary>
    Ed25519Identity? Key { get; }

    /// <summary>
    /// Takes an invitation out of the book, for good: false, with a log line, if there is none for the cookie, or it is too old or malformed.
    /// </summary>
    /// <param name="cookie">18 bytes.</param>
    /// <param name="name">The invited node.</param>
    /// <param name="file">The file's content, to be sent.</param>
    bool TryRedeem(ReadOnlySpan<byte> cookie, [NotNullWhen(true)] out string? name, [NotNullWhen(true)] out byte[]? file);

    /// <summary>Writes the host file of an invited node; false, with a log line, if there is one already.</summary>
    bool TryAccept(string name, string publicKey);
}
