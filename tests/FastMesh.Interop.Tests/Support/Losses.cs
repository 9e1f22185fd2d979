using System.Globalization;
using System.Text.RegularExpressions;

namespace FastMesh.Interop.Tests.Support;

/// <summary>
/// Everything that counts a packet lost on its way through some nodes: the drops of their data paths, with reasons, and what the kernels of their
/// hosts drop at UDP sockets, at the mesh's devices and between the hosts.
/// </summary>
public sealed partial record Losses(IReadOnlyDictionary<string, long> Counts)
{
    /// <summary>All counters of these nodes and their hosts at this moment.</summary>
    public static Losses Of(params MeshNode[] nodes)
    {
        Dictionary<string, long> counts = [];
        foreach (MeshNode node in nodes)
        {
            foreach ((string reason, long count) in DataCounters.Of(node).Values.Where(value => !value.Key.Contains(' ', StringComparison.Ordinal)))
                counts[$"{node.Name} {reason}"] = count;
            string sockets = node.Host.Sh("tail -qn +2 /proc/net/udp /proc/net/udp6");
            counts[$"{node.Name} sockets"] = sockets.Split('\n', StringSplitOptions.RemoveEmptyEntries).Sum(line => long.Parse(line.AsSpan(line.TrimEnd().LastIndexOf(' ')), CultureInfo.InvariantCulture));
            counts[$"{node.Name} devices"] = Devices().Matches(node.Host.Sh("cat /proc/net/dev")).Sum(match => Number(match, 1) + Number(match, 2));
            counts[$"{node.Name} queues"] = Dropped().Matches(node.Host.Sh("tc -s qdisc show")).Sum(match => Number(match, 1));
        }

        // Packets between hosts wait in a queue of the processor, whoever they belong to.
        counts["processors"] = File.ReadLines("/proc/net/softnet_stat").Sum(line => long.Parse(line.Split(' ')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        return new(counts);
    }

    /// <summary>What was lost since.</summary>
    public Losses Since(Losses before) => new(Counts.ToDictionary(count => count.Key, count => count.Value - before.Counts.GetValueOrDefault(count.Key)));

    /// <summary>All together.</summary>
    public long Total => Counts.Values.Sum();

    /// <summary>What is not zero.</summary>
    public override string ToString() => string.Join(", ", Counts.Where(count => count.Value != 0).Select(count => $"{count.Key} {count.Value}"));

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@":\s+\d+\s+\d+\s+\d+\s+(\d+)(?:\s+\d+){7}\s+(\d+)")]
    private static partial Regex Devices();

    [GeneratedRegex(@"dropped (\d+)")]
    private static partial Regex Dropped();
}
