using System.Globalization;
using System.Text.RegularExpressions;

namespace FastMesh.Interop.Tests.Support;

/// <summary>One line of the node list that USR2 logs. Cipher and digest are OpenSSL's numbers for packets to the node.</summary>
public sealed record NodeState(
    string Name, string Address, int Cipher, int Digest, int MacLength, int Compression, string NextHop, string Via, int Mtu, int MinMtu);

/// <summary>Nodes, edges and subnets as a daemon knows them: logged on USR2, or told to the program <c>tinc</c> by tinc 1.1.</summary>
public sealed partial record StateDump(IReadOnlyDictionary<string, NodeState> Nodes, IReadOnlyList<string> Edges, IReadOnlyList<string> Subnets)
{
    public static StateDump Of(MeshNode node) => Programs.IsTinc11(node.Kind) ? FromControl(node) : FromLog(node);

    /// <summary>The subnets of one owner, with weight, in the order of the dump.</summary>
    public string[] SubnetsOf(MeshNode owner) =>
        [.. Subnets.Where(line => line.EndsWith($" owner {owner.Name}", StringComparison.Ordinal)).Select(line => line.Split(' ')[0])];

    private static StateDump FromControl(MeshNode node)
    {
        string[] Dump(string what) =>
            Shell.Run(Programs.Tinc11ControlPath, "-c", node.Directory, $"--pidfile={node.PidFile}", "dump", what).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return new(ParseNodes(Dump("nodes")), Dump("edges"), Dump("subnets"));
    }

    private static StateDump FromLog(MeshNode node)
    {
        int mark = node.LogMark();
        node.Signal("USR2");
        node.WaitForLog("^End of subnet list", mark);
        string[] lines = node.Log(mark);
        return new(ParseNodes(Section(lines, "Nodes:", "End of nodes")), Section(lines, "Edges:", "End of edges"), Section(lines, "Subnet list:", "End of subnet list"));
    }

    private static string[] Section(string[] lines, string first, string last) =>
    [
        .. lines.SkipWhile(line => !line.StartsWith(first, StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.StartsWith(last, StringComparison.Ordinal))
            .Where(line => line.StartsWith(' ')).Select(line => line.Trim()),
    ];

    private static Dictionary<string, NodeState> ParseNodes(IEnumerable<string> lines) =>
        lines.Select(line => NodeLine().Match(line)).Where(match => match.Success).Select(Parse).ToDictionary(state => state.Name);

    private static NodeState Parse(Match match)
    {
        int Number(string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
        return new(match.Groups["name"].Value, match.Groups["address"].Value, Number("cipher"), Number("digest"), Number("mac"), Number("compression"),
            match.Groups["nexthop"].Value, match.Groups["via"].Value, Number("pmtu"), Number("min"));
    }

    [GeneratedRegex(@"^(?<name>\w+) (id \w+ )?at (?<address>.*) cipher (?<cipher>\d+) digest (?<digest>\d+) maclength (?<mac>\d+) compression (?<compression>\d+) " +
        @"options \w+ status \w+ nexthop (?<nexthop>\S+) via (?<via>\S+) (distance -?\d+ )?pmtu (?<pmtu>\d+) \(min (?<min>\d+) max \d+\)")]
    private static partial Regex NodeLine();
}
