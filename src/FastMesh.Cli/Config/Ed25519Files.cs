using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Config;

/// <summary>Finds Ed25519 keys where the configuration says (tinc 1.1 reference, 2.2). Problems go to the tree's report.</summary>
internal static class Ed25519Files
{
    /// <summary>
    /// The key the user gave this node: Ed25519PrivateKeyFile, else ed25519_key.priv. Null if there is none, which is a matter of course for a
    /// directory of tinc 1.0, or if it is of no use, with the reason in the report.
    /// </summary>
    /// <param name="server">The server's configuration.</param>
    /// <param name="directory">Its files.</param>
    /// <param name="required">ExperimentalProtocol = yes: without a key there is no start.</param>
    public static Ed25519Identity? ReadPrivate(ConfigTree server, ConfigDirectory directory, bool required)
    {
        string? named = server.Text("Ed25519PrivateKeyFile");
        string path = named is null ? directory.Ed25519PrivateKeyFile : directory.Resolve(named);
        if (!required && named is null && !File.Exists(path))
            return null;
        if (TryRead(path, server.Report, out Ed25519Identity? key, out string reason))
            return key;

        string problem = $"Error reading Ed25519 private key file `{path}': {reason}";
        if (required)
            server.Report.Fail($"{problem}; generate-ed25519-keys makes a key", path, 0, "generate-ed25519-keys makes a key");
        else
            server.Report.Warn($"{problem}. Protocol 17.7 is not spoken.", path, 0, "generate-ed25519-keys makes a key");
        return null;
    }

    /// <summary>
    /// The daemon's own identity, by which other FastMesh nodes know it: <c>fastmesh/ed25519_key.priv</c>, made at the first start. A directory that
    /// cannot be written costs one warning and gives a key for this run.
    /// </summary>
    /// <param name="directory">Files of the net.</param>
    /// <param name="report">For what stands against it.</param>
    /// <param name="make">Make one if there is none; else nothing is written.</param>
    /// <returns>Null, with an error in the report, if there is a file that is of no use: others may have learned the key that it held.</returns>
    public static Ed25519Identity? ReadOrMakeIdentity(ConfigDirectory directory, ConfigReport report, bool make)
    {
        string path = directory.IdentityFile;
        if (File.Exists(path))
        {
            if (TryRead(path, report, out Ed25519Identity? known, out string reason))
                return known;
            const string Remedy = "if it is lost, remove the file, and on FastMesh peers what they learned of this node";
            report.Fail($"Error reading this node's own key `{path}': {reason}; {Remedy}", path, 0, Remedy);
            return null;
        }

        if (!make)
            return null;
        Ed25519Identity made = Ed25519Identity.Generate(new SystemRandom());
        try
        {
            Directory.CreateDirectory(directory.StateDirectory, AtomicFile.OwnerDirectory);
            AtomicFile.Write(path, made.ToPem(), AtomicFile.OwnerOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Warn($"Could not write `{path}': {FileError.Describe(e, path)}. This node has a new key at each start, so FastMesh peers may refuse the next one.",
                path, 0, "make the directory writable");
        }

        return made;
    }

    /// <summary>The key of another node that its host file gives: Ed25519PublicKey, else Ed25519PublicKeyFile, else a block in the host file.</summary>
    public static Ed25519PublicKey? ReadPublic(ConfigTree peer, string name, ConfigDirectory directory)
    {
        if (peer.First("Ed25519PublicKey") is { } entry)
        {
            if (!Ed25519PublicKey.TryParse(entry.Value, out Ed25519PublicKey? written))
                peer.Report.Warn($"Invalid Ed25519PublicKey for {name} in {entry.Place}: it has 43 characters of base64", entry, "copy the line from the node's own host file");
            return written;
        }

        string? file = peer.Text("Ed25519PublicKeyFile");
        string path = file is null ? directory.HostFile(name) : directory.Resolve(file);
        Ed25519PublicKey? key = null;
        string reason;
        try
        {
            string text = File.ReadAllText(path, Encoding.Latin1);
            if (file is null && !text.Contains("-----BEGIN ED25519 PUBLIC KEY", StringComparison.Ordinal))
                return null;
            Ed25519PublicKey.TryFromPem(text, out key, out reason);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = FileError.Describe(e, path);
        }

        if (key is null)
            peer.Report.Warn($"No usable Ed25519 public key for {name} in {path}: {reason}", path, 0, "copy the key from the node's own host file");
        return key;
    }

    /// <summary>Reads a private key. A file that others may read is worth a warning in the report.</summary>
    public static bool TryRead(string path, ConfigReport report, [NotNullWhen(true)] out Ed25519Identity? key, out string reason)
    {
        key = null;
        try
        {
            byte[] bytes = File.ReadAllBytes(path);
            char[] text = Encoding.Latin1.GetChars(bytes);
            Ed25519Identity.TryFromPem(text, out key, out reason);
            CryptographicOperations.ZeroMemory(bytes);
            Array.Clear(text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = FileError.Describe(e, path);
        }

        if (key is not null)
            KeyFiles.WarnIfOthersMayRead(path, "Ed25519", report);
        return key is not null;
    }
}
