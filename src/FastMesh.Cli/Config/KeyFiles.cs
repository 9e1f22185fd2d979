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

    /// <summary>The own key: PrivateKey in hex, else PrivateKeyFile, else rsa_key.priv. Without a usable one, an error and null.</summary>
    public static RsaIdentity? ReadPrivate(ConfigTree server, ConfigDirectory directory)
    {
        return server.First("PrivateKey") is { } hex
            ? ReadPrivateHex(hex, server)
            : ReadPrivateFile(server.Text("PrivateKeyFile") is { } path ? directory.Resolve(path) : directory.PrivateKeyFile, server.Report);
    }

    /// <summary>The key of another node: PublicKey in hex, else in PublicKeyFile, else in its host file. Without a usable one, a warning and null.</summary>
    public static RsaPublicIdentity? ReadPublic(ConfigTree peer, string name, ConfigDirectory directory)
    {
        RsaPublicIdentity? key;
        string place, reason;
        if (peer.First("PublicKey") is { } hex)
        {
            place = hex.Place;
            RsaPublicIdentity.TryFromHex(hex.Value, out key, out reason);
        }
        else
        {
            place = peer.Text("PublicKeyFile") is { } path ? directory.Resolve(path) : directory.HostFile(name);
            key = ReadPublicFile(place, out reason);
        }

        if (key is null)
            peer.Report.Warn($"No usable RSA public key for {name} in {place}: {reason}");
        return key;
    }

    private static RsaIdentity? ReadPrivateHex(ConfigEntry hex, ConfigTree server)
    {
        if (server.First("PublicKey") is not { } modulus)
        {
            server.Report.Fail(hex, "PrivateKey used but no PublicKey found!", "a key in hex needs both");
            return null;
        }

        if (!RsaIdentity.TryFromHex(modulus.Value, hex.Value, out RsaIdentity? key, out string reason))
            server.Report.Fail(hex, "Invalid PrivateKey for myself!", reason);
        return key;
    }

    private static RsaIdentity? ReadPrivateFile(string path, ConfigReport report)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
            if ((File.GetUnixFileMode(path) & Others) != 0)
                report.Warn($"Warning: insecure file permissions for RSA private key file `{path}'! Only its owner should be able to read it: chmod 600");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Fail($"Error reading RSA private key file `{path}': {FileError.Describe(e, path)}; -K makes a key");
            return null;
        }

        char[] text = Encoding.Latin1.GetChars(bytes);
        bool ok = RsaIdentity.TryFromPem(text, out RsaIdentity? key, out string reason);
        CryptographicOperations.ZeroMemory(bytes);
        Array.Clear(text);
        if (!ok)
            report.Fail($"Reading RSA private key file `{path}' failed: {reason}");
        return key;
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
