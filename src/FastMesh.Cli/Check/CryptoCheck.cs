using FastMesh.Cli.Config;
using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Check;

/// <summary>Keys and algorithms: weak ones, and halves that do not belong together.</summary>
internal static class CryptoCheck
{
    /// <summary>NIST SP 800-131A allows no shorter RSA keys.</summary>
    private const int MinRsaBits = 2048;

    private const int MinMacLength = 4;

    /// <summary>Ciphers with blocks of 64 bits: after some 32 GB under one key blocks repeat (CVE-2016-2183).</summary>
    private static readonly string[] s_shortBlocks = ["bf", "blowfish", "cast", "des", "idea", "rc2", "rc5"];

    private static readonly string[] s_brokenDigests = ["md4", "md5", "mdc2"];

    /// <summary>Looks at this node's keys and algorithms and at the keys of all others.</summary>
    public static void Run(CheckedNet net)
    {
        CheckCipher(net);
        CheckDigest(net);
        if (net.Reading.Keys is { } keys)
        {
            CheckOwnRsa(net, keys);
            CheckOwnEd25519(net, keys);
        }

        foreach (CheckedPeer peer in net.Peers.Values)
        {
            if (peer.Settings?.PublicKey is { ModulusBits: < MinRsaBits } key)
                net.Warn(net.Directory.HostFile(peer.Name), Short(key.ModulusBits, $"of {peer.Name}"), $"make a new key on {peer.Name}: fastmesh -K4096");
        }
    }

    private static string Short(int bits, string whose) => $"The RSA key {whose} has {bits} bits only";

    private static void CheckCipher(CheckedNet net)
    {
        if (net.Server.First("Cipher") is not { } entry || LegacySuite.FindCipher(entry.Value) is not { } cipher)
            return;
        const string Fix = "write Cipher = aes-256-cbc";
        if (cipher == 0)
            net.Warn(entry, "Packets from nodes of tinc 1.0 are not encrypted", Fix);
        else if (!LegacySuite.IsUsableCipher(cipher))
            net.Warn(entry, $"No packet can be encrypted with {entry.Value}: those from nodes of tinc 1.0 all go by TCP", Fix);
        else if (s_shortBlocks.Any(n => entry.Value.StartsWith(n, StringComparison.OrdinalIgnoreCase)))
            net.Warn(entry, $"The cipher {entry.Value} is weak: its blocks have 64 bits only", Fix);
        else if (entry.Value.EndsWith("ecb", StringComparison.OrdinalIgnoreCase))
            net.Warn(entry, $"The cipher {entry.Value} is weak: equal blocks show", Fix);
    }

    private static void CheckDigest(CheckedNet net)
    {
        ConfigEntry? digest = net.Server.First("Digest"), length = net.Server.First("MACLength");
        if (digest is not null && LegacySuite.FindDigest(digest.Value) == 0)
        {
            net.Warn(digest, "Packets from nodes of tinc 1.0 are not authenticated", "write Digest = sha256");
            return;
        }

        if (digest is not null && s_brokenDigests.Contains(digest.Value.ToLowerInvariant()))
            net.Warn(digest, $"The digest {digest.Value} is broken", "write Digest = sha256");
        if (length is not null && net.Server.Integer("MACLength") is >= 0 and < MinMacLength and var bytes)
            net.Warn(length, $"With {bytes} bytes of MAC, packets from nodes of tinc 1.0 are easily forged", "write MACLength = 16");
    }

    private static void CheckOwnRsa(CheckedNet net, OwnKeys keys)
    {
        if (keys.Rsa is not { } key)
            return;
        (string name, string host) = (net.Reading.Name!, net.Directory.HostFile(net.Reading.Name!));
        string private1 = net.Server.Text("PrivateKeyFile") is { } path ? net.Directory.Resolve(path) : net.Directory.PrivateKeyFile;
        if (key.ModulusBits < MinRsaBits)
            net.Warn(private1, Short(key.ModulusBits, "of this node"), "make a new one with fastmesh -K4096 and give its public half to the other nodes");
        if (net.Server.First("PrivateKey") is not null || !File.Exists(host))
            return;
        string show = $"openssl rsa -in {private1} -RSAPublicKey_out";
        if (KeyFiles.ReadPublic(net.Server, name, net.Directory, required: true) is { } published && !AreSame(published, key.Public))
            net.Warn(host, "The RSA public key is not that of this node's private key: others that have this file refuse it", $"put there what this prints: {show}");
    }

    private static void CheckOwnEd25519(CheckedNet net, OwnKeys keys)
    {
        string host = net.Directory.HostFile(net.Reading.Name!);
        if (!keys.SpeaksSptps || keys.Identity is not { } key || !File.Exists(host))
            return;
        string fix = $"write Ed25519PublicKey = {key.Public}";
        if (Ed25519Files.ReadPublic(net.Server, net.Reading.Name!, net.Directory) is not { } published)
            net.Warn(host, "This node's Ed25519 public key is missing: others that have this file cannot speak protocol 17.7 with it", fix);
        else if (!published.Equals(key.Public))
            net.Warn(host, "The Ed25519 public key is not that of this node's private key: others that have this file refuse it", fix);
    }

    /// <summary>Whether two keys turn a number into the same one.</summary>
    private static bool AreSame(RsaPublicIdentity one, RsaPublicIdentity other)
    {
        if (one.ModulusLength != other.ModulusLength)
            return false;
        byte[] number = new byte[one.ModulusLength], first = new byte[number.Length], second = new byte[number.Length];
        number.AsSpan(1).Fill(0x5a);
        return one.Encrypt(number, first) && other.Encrypt(number, second) && first.AsSpan().SequenceEqual(second);
    }
}
