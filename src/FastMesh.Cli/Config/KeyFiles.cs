using System.Security.Cryptography;
using System.Text;
using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Config;

/// <summary>Finds RSA keys where the configuration says (tinc 1.0 reference, 2.3). Problems go to the tree's report.</summary>
internal static class KeyFiles
{
    private const int MaxBits = 8192;
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>The own key: PrivateKey in hex, else PrivateKeyFile, else rsa_key.priv. Without a usable one, an error and null.</summary>
    public static RsaIdentity? ReadPrivate(ConfigTree server, ConfigDirectory directory)
    {
        RsaIdentity? key = server.First("PrivateKey") is { } hex
            ? ReadPrivateHex(hex, server)
            : ReadPrivateFile(server.Text("PrivateKeyFile") is { } path ? directory.Resolve(path) : directory.PrivateKeyFile, server.Report);
        if (key is null || (key.Bits % 8 == 0 && key.Bits is > 0 and <= MaxBits))
            return key;

        server.Report.Fail($"The RSA private key has {key.Bits} bits; tinc needs a multiple of 8 and at most {MaxBits}");
        return null;
    }

    /// <summary>The key of another node: PublicKey in hex, else in PublicKeyFile, else in its host file. Without a usable one, a warning and null.</summary>
    public static RsaPublicIdentity? ReadPublic(ConfigTree peer, string name, ConfigDirectory directory)
    {
        RsaPublicIdentity? key;
        string place;
        if (peer.First("PublicKey") is { } hex)
        {
            place = hex.Place;
            key = RsaPublicIdentity.FromHex(hex.Value);
        }
        else
        {
            place = peer.Text("PublicKeyFile") is { } path ? directory.Resolve(path) : directory.HostFile(name);
            key = ReadPublicFile(place);
        }

        if (key is not null && key.Bits % 8 == 0 && key.Bits is > 0 and <= MaxBits)
            return key;

        peer.Report.Warn(key is null
            ? $"No usable RSA public key for {name} in {place}"
            : $"The RSA public key for {name} in {place} has {key.Bits} bits; tinc needs a multiple of 8 and at most {MaxBits}");
        return null;
    }

    private static RsaIdentity? ReadPrivateHex(ConfigEntry hex, ConfigTree server)
    {
        if (server.First("PublicKey") is not { } modulus)
        {
            server.Report.Fail(hex, "PrivateKey used but no PublicKey found!", "a key in hex needs both");
            return null;
        }

        RsaIdentity? key = RsaIdentity.FromHex(modulus.Value, hex.Value);
        if (key is null)
            server.Report.Fail(hex, "Invalid PrivateKey for myself!", "both PrivateKey and PublicKey consist of hex digits only");
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
        RsaIdentity? key = RsaIdentity.FromPem(text);
        CryptographicOperations.ZeroMemory(bytes);
        Array.Clear(text);
        if (key is null)
            report.Fail($"Reading RSA private key file `{path}' failed: it holds no unencrypted PEM block RSA PRIVATE KEY or PRIVATE KEY");
        return key;
    }

    private static RsaPublicIdentity? ReadPublicFile(string path)
    {
        try
        {
            return RsaPublicIdentity.FromPem(File.ReadAllText(path, Encoding.Latin1));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
