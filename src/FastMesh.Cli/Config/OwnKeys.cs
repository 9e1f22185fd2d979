using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Config;

/// <summary>This node's private keys. Read once at start: by the time of a reload the daemon may no longer be allowed to.</summary>
/// <param name="Rsa">For protocol 17.0, or null.</param>
/// <param name="Identity">The Ed25519 key: the user's, else the daemon's own; null with ExperimentalProtocol = no.</param>
/// <param name="SpeaksSptps">Whether the Ed25519 key is the user's, so that protocol 17.7 is spoken (tinc 1.1 reference, 1.4).</param>
internal sealed record OwnKeys(RsaIdentity? Rsa, Ed25519Identity? Identity, bool SpeaksSptps)
{
    /// <summary>Reads the keys that the configuration asks for. What is missing for a start goes to the report, and the result is null.</summary>
    public static OwnKeys? Read(ConfigTree server, ConfigDirectory directory)
    {
        bool? wanted = server.Boolean("ExperimentalProtocol");
        Ed25519Identity? users = wanted == false ? null : Ed25519Files.ReadPrivate(server, directory, required: wanted == true);
        if (wanted == true && users is null)
            return null;

        bool legacy = server.Boolean("LegacyProtocol") ?? true;
        RsaIdentity? rsa = users is null || legacy ? KeyFiles.ReadPrivate(server, directory, required: users is null) : null;
        return rsa is null && users is null ? null : new OwnKeys(rsa, users, users is not null);
    }

    /// <summary>Adds the daemon's own identity where the user has given none and has not forbidden it.</summary>
    /// <param name="server">The server's configuration.</param>
    /// <param name="directory">Its files.</param>
    /// <param name="make">Make one if there is none; else nothing is written.</param>
    public OwnKeys WithIdentity(ConfigTree server, ConfigDirectory directory, bool make)
        => Identity is not null || server.Boolean("ExperimentalProtocol") == false
            ? this
            : this with { Identity = Ed25519Files.ReadOrMakeIdentity(directory, server.Report, make) };
}
