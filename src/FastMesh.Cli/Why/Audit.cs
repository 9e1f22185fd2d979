using System.Globalization;
using System.Text.Json;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Routing;

namespace FastMesh.Cli.Why;

/// <summary>Looks at how each pair of this node and another is protected: by what is in use, if a daemon runs, else by what the files promise.</summary>
/// <param name="files">The configuration.</param>
/// <param name="status">The daemon, or null.</param>
internal sealed class Audit(NetFiles files, DaemonStatus? status)
{
    /// <summary>NIST SP 800-131A allows no shorter RSA keys.</summary>
    private const int MinRsaBits = 2048;

    /// <summary>NIST SP 800-131A allows no shorter keys of ciphers.</summary>
    private const int MinKeyBits = 112;

    /// <summary>A MAC of fewer bits is forged by trying: at 32, one packet in 4 billion gets through. RFC 8221 asks for 96; 64 is the least of RFC 2104's halves.</summary>
    private const int MinMacBits = 64;

    /// <summary>Blocks of 64 bits repeat after some 32 GB under one key (CVE-2016-2183).</summary>
    private static readonly string[] s_shortBlocks = ["BF", "BLOWFISH", "CAST", "DES", "IDEA", "RC2", "RC5"];

    private static readonly TimeSpan s_oldKey = TimeSpan.FromDays(1);

    /// <summary>Audits.</summary>
    public AuditReport Run()
    {
        AuditPair[] pairs = status is null
            ? [.. files.Names.Order(StringComparer.Ordinal).Select(Promised)]
            : [.. status.Nodes.Where(node => !node.IsSelf).Select(InUse)];
        bool hasLegacy = pairs.Any(pair => pair.Protocol == Name(NodeProtocol.Legacy) || (pair.Protocol is null && pair.KeyTrust == Name(KeyBelief.Rsa)));
        AuditFinding[] own = [.. Own(hasLegacy)];
        AuditFinding[] all = [.. own, .. pairs.SelectMany(pair => pair.Findings)];
        return new(
            status?.Daemon.Name ?? files.Name, status is not null, all.Count(one => one.Level == AuditFinding.Weak), all.Count(one => one.Level == AuditFinding.Note), own, pairs);
    }

    private IEnumerable<AuditFinding> Own(bool hasLegacy)
    {
        if (files.Keys is { Rsa: { ModulusBits: < MinRsaBits } rsa })
            yield return Weak($"The RSA key of this node has {rsa.ModulusBits} bits", "make a new one with `generate-rsa-keys 4096' and give its public half to the other nodes");
        if (files.Keys is { SpeaksSptps: false })
            yield return Note("This node has no Ed25519 key of its own: nodes of tinc 1.1 speak tinc 1.0's protocol with it", "make one with `generate-ed25519-keys' and give its public half to the other nodes");
        if (!hasLegacy || files.Settings?.Suite is not { } suite)
            yield break;
        foreach (AuditFinding finding in OfSuite(suite.CipherName, suite.KeyBits, suite.Digest == 0 ? 0 : 8 * suite.MacLength, "packets from nodes of tinc 1.0", "tinc.conf here"))
            yield return status is null ? finding with { Level = AuditFinding.Note } : finding; // who runs tinc 1.0 is known to the daemon only
    }

    /// <summary>A pair as the daemon has it.</summary>
    private AuditPair InUse(NodeStatus node)
    {
        PeerKeys keys = files.KeysOf(node.Name);
        KeyBelief belief = KeyTrustWords.Of(node.Reachable ? node.Protocol : null, node.HasConnection, keys);
        TimeSpan? age = node.Session?.Since is { } since ? status!.Time - since : null;
        StrengthStatus? strength = node.Session?.Strength;
        List<AuditFinding> findings = [.. OfKeys(node.Name, keys, belief)];
        if (node.Reachable && node.Protocol == NodeProtocol.Legacy)
            findings.Add(Weak($"{node.Name} speaks tinc 1.0: keys without forward secrecy, requests without a MAC, each hop on the way opens packets", $"run FastMesh or tinc 1.1 with an Ed25519 key at {node.Name}"));
        if (strength is not null && node.Protocol == NodeProtocol.Legacy)
            findings.AddRange(OfSuite(strength.Cipher, strength.KeyBits, strength.MacBits, $"packets to {node.Name}", $"tinc.conf of {node.Name}"));
        if (node.Protocol == NodeProtocol.FastMesh && strength is { PostQuantum: false })
            findings.Add(Note($"The keys with {node.Name} do not stand against a quantum computer", "have OpenSSL 3.5 or newer (Debian 13) at both ends, for ML-KEM-768"));
        if (age > s_oldKey)
            findings.Add(Note($"The key in use towards {node.Name} is {Times.Words(age.Value)} old", "write KeyExpire = 3600 into tinc.conf"));
        return new()
        {
            Node = node.Name,
            Reachable = node.Reachable,
            Protocol = node.Reachable ? Name(node.Protocol) : null,
            Cipher = strength?.Cipher,
            KeyBits = strength?.KeyBits,
            MacBits = strength?.MacBits,
            EndToEnd = node.Session?.EndToEnd ?? (node.Reachable ? node.Protocol != NodeProtocol.Legacy : null),
            KeyAgeSeconds = (long?)age?.TotalSeconds,
            PostQuantum = strength?.PostQuantum,
            KeyTrust = Name(belief),
            RsaBits = keys.RsaBits,
            Findings = findings,
        };
    }

    /// <summary>A pair as the files have it: the protocol is for the two daemons to find out.</summary>
    private AuditPair Promised(string name)
    {
        PeerKeys keys = files.KeysOf(name);
        KeyBelief belief = KeyTrustWords.Of(null, true, keys);
        List<AuditFinding> findings = [.. OfKeys(name, keys, belief)];
        if (belief == KeyBelief.Rsa)
            findings.Add(Note($"Only an RSA key of {name} is known: unless it runs FastMesh, tinc 1.0's protocol is spoken with it", $"add the Ed25519PublicKey of {name} to hosts/{name}"));
        return new() { Node = name, KeyTrust = Name(belief), RsaBits = keys.RsaBits, Findings = findings };
    }

    private static IEnumerable<AuditFinding> OfKeys(string name, PeerKeys keys, KeyBelief belief)
    {
        if (keys.RsaBits is < MinRsaBits && belief is KeyBelief.Rsa or KeyBelief.RsaSigned)
            yield return Weak($"The RSA key of {name} has {keys.RsaBits} bits", $"make a new one at {name}: `generate-rsa-keys 4096', and copy its public half into hosts/{name}");
        if (belief == KeyBelief.FirstUse)
            yield return Note($"The key of {name} was believed when it was first seen", $"compare {keys.Learned} with the key at {name}, and copy its line into hosts/{name}");
    }

    private static IEnumerable<AuditFinding> OfSuite(string cipher, int keyBits, int macBits, string what, string where)
    {
        if (keyBits == 0)
            yield return Weak($"No cipher protects {what}", $"write Cipher = aes-256-cbc into {where}");
        else if (keyBits < MinKeyBits || s_shortBlocks.Any(one => cipher.StartsWith(one, StringComparison.OrdinalIgnoreCase)))
            yield return Weak($"{cipher} with a key of {keyBits} bits protects {what}", $"write Cipher = aes-256-cbc into {where}");
        if (macBits == 0)
            yield return Weak($"Nothing authenticates {what}", $"write Digest = sha256 and MACLength = 16 into {where}");
        else if (macBits < MinMacBits)
            yield return Weak(string.Create(CultureInfo.InvariantCulture, $"A MAC of {macBits} bits authenticates {what}"), $"write MACLength = 16 into {where}");
    }

    private static AuditFinding Weak(string problem, string fix) => new(AuditFinding.Weak, problem, fix);

    private static AuditFinding Note(string problem, string fix) => new(AuditFinding.Note, problem, fix);

    private static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());
}
