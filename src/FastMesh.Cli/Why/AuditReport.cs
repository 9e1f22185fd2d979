namespace FastMesh.Cli.Why;

/// <summary>How well packets are protected, pair by pair (docs/schemas/audit.json).</summary>
/// <param name="Node">The own node, or null if the configuration does not tell.</param>
/// <param name="IsLive">Whether a daemon runs, so that this is what is in use; otherwise it is what the files promise.</param>
/// <param name="Weak">Number of weak points: with any, the exit code is 1.</param>
/// <param name="Notes">Number of notes.</param>
/// <param name="Own">What is to be said of the own node.</param>
/// <param name="Pairs">The own node with each other, by name.</param>
internal sealed record AuditReport(string? Node, bool IsLive, int Weak, int Notes, IReadOnlyList<AuditFinding> Own, IReadOnlyList<AuditPair> Pairs);

/// <summary>The own node and another one.</summary>
internal sealed record AuditPair
{
    /// <summary>The other node.</summary>
    public required string Node { get; init; }

    /// <summary>Whether it can be reached; null without a daemon.</summary>
    public bool? Reachable { get; init; }

    /// <summary>fastMesh, sptps or legacy; null while it is not known.</summary>
    public string? Protocol { get; init; }

    /// <summary>The cipher of packets to it; null without a session.</summary>
    public string? Cipher { get; init; }

    /// <summary>Bits of the cipher's key.</summary>
    public int? KeyBits { get; init; }

    /// <summary>Bits of what authenticates each packet.</summary>
    public int? MacBits { get; init; }

    /// <summary>Whether only the other node can open packets; otherwise each node on the way does.</summary>
    public bool? EndToEnd { get; init; }

    /// <summary>Seconds since the key in use was agreed on.</summary>
    public long? KeyAgeSeconds { get; init; }

    /// <summary>Whether the key agreement stands against a quantum computer.</summary>
    public bool? PostQuantum { get; init; }

    /// <summary>hostFile, rsaSigned, rsa, firstUse, neighbours or unknown: on what the belief in its key rests.</summary>
    public required string KeyTrust { get; init; }

    /// <summary>Bits of the RSA key in its host file, or null.</summary>
    public int? RsaBits { get; init; }

    /// <summary>What is weak or worth knowing.</summary>
    public required IReadOnlyList<AuditFinding> Findings { get; init; }
}

/// <summary>Something weak, or worth knowing.</summary>
/// <param name="Level">weak or note.</param>
/// <param name="Problem">What.</param>
/// <param name="Fix">The one thing to do about it.</param>
internal sealed record AuditFinding(string Level, string Problem, string Fix)
{
    /// <summary>The level that counts.</summary>
    public const string Weak = "weak";

    /// <summary>The other level.</summary>
    public const string Note = "note";
}
