using System.Globalization;
using System.Text.RegularExpressions;

namespace FastMesh.Interop.Tests.Support;

/// <summary>One line of the node list that USR2 logs. Cipher and digest are OpenSSL's numbers for packets to the node.</summary>
public sealed record NodeState(
    string Name, string Address, int Cipher, int Digest, int MacLength, int Compression, string NextHop, string Via, int Mtu, int MinMtu);

/// <summary>What a daemon logs on USR2: nodes, edges and subnets as it knows them.</summary>
public sealed partial record StateDump(IReadOnlyDictionary<string, NodeState> Nodes, IReadOnlyList<string> Edges, IReadOnlyList<string> Subnets)
{
    /// <summary>Sends USR2 and reads the answer out of the log.</summary>
    public static StateDump Of(MeshNode node)
    {
        int mark = node.LogMark();
        node.Signal("USR2");
        node.WaitForLog("^End of subnet list", mark);
        string[] lines = node.Log(mark);
        Dictionary<string, NodeState> nodes = Section(lines, "Nodes:", "End of nodes")
            .Select(line => NodeLine().Match(line)).Where(match => match.Success).Select(Parse).ToDictionary(state => state.Name);
        return new(nodes, Section(lines, "Edges:", "End of edges"), Section(lines, "Subnet list:", "End of subnet list"));
    }

    /// <summary>The subnets of one owner, with weight, in the order of the dump.</summary>
    public string[] SubnetsOf(MeshNode owner) =>
        [.. Subnets.Where(line => line.EndsWith($" owner {owner.Name}", StringComparison.Ordinal)).Select(line => line.Split(' ')[0])];

    private static string[] Section(string[] lines, string first, string last) =>
    [
        .. lines.SkipWhile(line => !line.StartsWith(first, StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.StartsWith(last, StringComparison.Ordinal))
            .Where(line => line.StartsWith(' ')).Select(line => line.Trim()),
    ];

    private static NodeState Parse(Match match)
    {
        int Number(string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
        return new(match.Groups["name"].Value, match.Groups["address"].Value, Number("cipher"), Number("digest"), Number("mac"), Number("compression"),
            match.Groups["nexthop"].Value, match.Groups["via"].Value, Number("pmtu"), Number("min"));
    }

    [GeneratedRegex(@"^(?<name>\w+) at (?<address>.*) cipher (?<cipher>\d+) digest (?<digest>\d+) maclength (?<mac>\d+) compression (?<compression>\d+) " +
        @"options \w+ status \w+ nexthop (?<nexthop>\S+) via (?<via>\S+) pmtu (?<pmtu>\d+) \(min (?<min>\d+) max \d+\)")]
    private static partial Regex NodeLine();
}
