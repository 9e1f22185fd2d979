using System.Security.Cryptography;
using System.Text;
using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Config;

/// <summary>Finds RSA keys where the configuration says (tinc 1.0 reference, 2.3). Problems go to the tree's report.</summary>
internal static class KeyFiles
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>
    /// The own key: PrivateKey in hex, else PrivateKeyFile, else rsa_key.priv. Without a usable one, null and an error, or a warning if the node can
    /// do without (tinc 1.1 reference, 1.4).
    /// </summary>
    public static RsaIdentity? ReadPrivate(ConfigTree server, ConfigDirectory directory, bool required)
    {
        ConfigEntry? hex = server.First("PrivateKey");
        string path = server.Text("PrivateKeyFile") is { } named ? directory.Resolve(named) : directory.PrivateKeyFile;
        string? problem = hex is not null ? ReadPrivateHex(hex, server, out RsaIdentity? key) : ReadPrivateFile(path, server.Report, out key);
        (string? file, int line) = hex is null ? (path, 0) : (hex.File, hex.Line);
        const string Remedy = "-K makes a key; the other nodes need its public half";
        if (problem is not null && required)
            server.Report.Fail(problem, file, line, Remedy);
        else if (problem is not null)
            server.Report.Warn($"{problem}. Nodes of tinc 1.0 cannot be talked to.", file, line, Remedy);
        return key;
    }

    /// <summary>
    /// The key of another node: PublicKey in hex, else in PublicKeyFile, else in its host file. Without a usable one null, and a warning unless the
    /// node has another key.
    /// </summary>
    public static RsaPublicIdentity? ReadPublic(ConfigTree peer, string name, ConfigDirectory directory, bool required)
    {
        RsaPublicIdentity? key;
        ConfigEntry place;
        string reason;
        if (peer.First("PublicKey") is { } hex)
        {
            place = hex;
            RsaPublicIdentity.TryFromHex(hex.Value, out key, out reason);
        }
        else
        {
            string path = peer.Text("PublicKeyFile") is { } named ? directory.Resolve(named) : directory.HostFile(name);
            place = new ConfigEntry("PublicKeyFile", path, path, 0);
            key = ReadPublicFile(path, out reason);
        }

        if (key is null && required)
            peer.Report.Warn($"No usable RSA public key for {name} in {place.Place}: {reason}", place, "copy the key from the node's own host file");
        return key;
    }

    /// <summary>Warns of a private key that its owner shares with others.</summary>
    public static void WarnIfOthersMayRead(string path, string kind, ConfigReport report)
    {
        if ((File.GetUnixFileMode(path) & Others) != 0)
            report.Warn($"Warning: insecure file permissions for {kind} private key file `{path}'! Only its owner should be able to read it: chmod 600", path, 0, $"chmod 600 {path}");
    }

    private static string? ReadPrivateHex(ConfigEntry hex, ConfigTree server, out RsaIdentity? key)
    {
        key = null;
        string reason = "a key in hex needs both";
        if (server.First("PublicKey") is not { } modulus)
            return ConfigReport.Describe(hex, "PrivateKey used but no PublicKey found!", reason);
        return RsaIdentity.TryFromHex(modulus.Value, hex.Value, out key, out reason)
            ? null : ConfigReport.Describe(hex, "Invalid PrivateKey for myself!", reason);
    }

    private static string? ReadPrivateFile(string path, ConfigReport report, out RsaIdentity? key)
    {
        key = null;
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
            WarnIfOthersMayRead(path, "RSA", report);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"Error reading RSA private key file `{path}': {FileError.Describe(e, path)}; -K makes a key";
        }

        char[] text = Encoding.Latin1.GetChars(bytes);
        bool ok = RsaIdentity.TryFromPem(text, out key, out string reason);
        CryptographicOperations.ZeroMemory(bytes);
        Array.Clear(text);
        return ok ? null : $"Reading RSA private key file `{path}' failed: {reason}";
    }

    private static RsaPublicIdentity? ReadPublicFile(string path, out string reason)
    {
        try
        {
            RsaPublicIdentity.TryFromPem(File.ReadAllText(path, Encoding.Latin1), out RsaPublicIdentity? key, out reason);
            return key;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = FileError.Describe(e, path);
            return null;
        }
    }
}
