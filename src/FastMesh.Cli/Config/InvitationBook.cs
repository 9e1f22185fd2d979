using System.Diagnostics.CodeAnalysis;
using System.Text;
using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Config;

/// <summary>
/// The invitations this node has issued, one file each (tinc 1.1 reference, 9.3, 9.4), as the running daemon sees them. Used by one thread at a time.
/// </summary>
/// <param name="directory">Where <c>invitations</c> and <c>hosts</c> are.</param>
/// <param name="log">For what cannot be redeemed, and why.</param>
internal sealed class InvitationBook(ConfigDirectory directory, EngineLog log) : IInvitationBook
{
    /// <summary>No host file comes near; whoever can write here needs no more to fill the memory.</summary>
    private const int MaxLength = 1 << 20;

    private string _ownName = string.Empty;
    private TimeSpan _expiry;

    /// <inheritdoc/>
    public Ed25519Identity? Key { get; private set; }

    /// <summary>Reads the key again: there is one while there are invitations.</summary>
    /// <param name="ownName">Name of this node, which cannot be invited.</param>
    /// <param name="expiry">InvitationExpire.</param>
    public void Reload(string ownName, TimeSpan expiry)
    {
        (_ownName, _expiry, Key) = (ownName, expiry, null);
        string path = directory.InvitationKeyFile;
        if (!File.Exists(path))
            return;
        if (Ed25519Files.TryRead(path, new ConfigReport(), out Ed25519Identity? key, out string reason))
            Key = key;
        else
            log.Always.ConfigurationWarning($"Invitations cannot be redeemed: error reading `{path}': {reason}");
    }

    /// <inheritdoc/>
    public bool TryRedeem(ReadOnlySpan<byte> cookie, [NotNullWhen(true)] out string? name, [NotNullWhen(true)] out byte[]? file)
    {
        (name, file) = (null, null);
        if (Key is null || cookie.Length != InvitationUrl.PartLength)
            return false;

        string path = Path.Combine(directory.InvitationsDirectory, InvitationUrl.FileName(cookie, Key.Public));
        string used = $"{path}.used";
        try
        {
            File.Move(path, used, overwrite: true); // of two that come with the same cookie, one finds nothing
            FileInfo info = new(used);
            string? problem = DateTime.UtcNow - info.LastWriteTimeUtc > _expiry ? "it has expired"
                : info.Length > MaxLength ? "it is too long" : null;
            byte[] content = problem is null ? File.ReadAllBytes(used) : [];
            File.Delete(used);
            problem ??= InviteeOf(content, out name);
            file = content;
            if (problem is not null)
                log.Always.InvitationInvalid(problem);
            return problem is null;
        }
        catch (FileNotFoundException)
        {
            log.Always.InvitationInvalid("there is none like it, or it was used already");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.Always.InvitationInvalid($"{path}: {FileError.Describe(e, path)}");
        }

        return false;
    }

    /// <inheritdoc/>
    public bool TryAccept(string name, string publicKey)
    {
        if (!NodeName.IsValid(name) || !Ed25519PublicKey.TryParse(publicKey, out _))
        {
            log.Always.InvitationInvalid("the node invited sent no public key");
            return false;
        }

        string path = directory.HostFile(name);
        try
        {
            AtomicFile.WriteNew(path, $"Ed25519PublicKey = {publicKey}\n", AtomicFile.Readable);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.Always.GuestRefused(name, $"{path}: {FileError.Describe(e, path)}");
            return false;
        }
    }

    /// <summary>The name of whom an invitation is for: its first line.</summary>
    /// <returns>Null, or what is wrong.</returns>
    private string? InviteeOf(ReadOnlySpan<byte> content, out string? name)
    {
        int end = content.IndexOf((byte)'\n');
        string line = Encoding.UTF8.GetString(end < 0 ? content : content[..end]).TrimEnd('\r');
        bool valid = ConfigEntry.TrySplit(line, out string variable, out string value)
            && variable.Equals("Name", StringComparison.OrdinalIgnoreCase) && NodeName.IsValid(value) && value != _ownName;
        name = valid ? value : null;
        return valid ? null : "its first line names no node that can be invited";
    }
}
