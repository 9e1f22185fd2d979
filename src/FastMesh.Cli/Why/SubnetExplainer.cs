using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Why;

/// <summary>Which node gets packets to an address or a subnet, and why that one.</summary>
internal static class SubnetExplainer
{
    /// <summary>Explains; the owner's path is part of it.</summary>
    public static WhyReport Explain(DaemonStatus status, NetFiles files, string question, Subnet wanted)
    {
        (Subnet Subnet, SubnetStatus Row)[] matches = [.. status.Subnets
            .Select(row => (Subnet: Subnet.TryParse($"{row.Subnet}#{row.Weight}", out Subnet subnet) ? subnet : default, Row: row))
            .Where(one => one.Subnet.AddressBits > 0 && one.Subnet.Kind == wanted.Kind && one.Subnet.PrefixLength <= wanted.PrefixLength && one.Subnet.Contains(wanted.Address))];
        if (matches.Length == 0)
            return Unowned(files, question);

        bool IsReachable(SubnetStatus row) => row.Owner == SubnetTable.Everyone.Name || status.Nodes.Any(node => node.Name == row.Owner && (node.Reachable || node.IsSelf));
        (Subnet Subnet, SubnetStatus Row) winner = matches.FirstOrDefault(one => IsReachable(one.Row), matches[0]);
        IEnumerable<WhyFact> losers = matches.Where(one => one != winner).Select(one =>
            new WhyFact("subnet", $"{one.Subnet.NetworkText} of {one.Row.Owner} {Loses(one.Subnet, one.Row, winner.Subnet, IsReachable(one.Row))}."));
        if (winner.Row.Owner == SubnetTable.Everyone.Name)
            return new() { Question = question, Summary = $"Packets to {question} go to every node: {winner.Subnet.NetworkText} is a BroadcastSubnet here.", Facts = [.. losers], Advice = [] };
        NodeStatus? owner = status.Nodes.FirstOrDefault(node => node.Name == winner.Row.Owner);
        List<WhyFact> facts = [new("subnet", $"It is in {winner.Subnet.NetworkText} of {winner.Row.Owner}{(matches.Length == 1 ? ", and in no other subnet." : $", which wins over {matches.Length - 1} more:")}")];
        facts.AddRange(losers);
        WhyReport path = owner is null
            ? new() { Question = question, Summary = $"{winner.Row.Owner} is not known.", Facts = [], Advice = [] }
            : new PathExplainer(status, files, owner).Explain(question);
        return path with
        {
            Node = winner.Row.Owner,
            Summary = $"{question} belongs to {winner.Row.Owner}. {path.Summary}",
            Facts = [.. facts, .. path.Facts],
        };
    }

    private static string Loses(Subnet subnet, SubnetStatus row, Subnet winner, bool isReachable) =>
        !isReachable && subnet.CompareTo(winner) < 0 ? "does not count, because that node cannot be reached"
        : subnet.PrefixLength < winner.PrefixLength ? $"has a shorter prefix ({subnet.PrefixLength} bits instead of {winner.PrefixLength})"
        : subnet.Weight > winner.Weight ? $"has a higher weight ({subnet.Weight} instead of {winner.Weight})"
        : !isReachable ? "does not count, because that node cannot be reached"
        : $"is as good, but {row.Owner} comes later by name";

    private static WhyReport Unowned(NetFiles files, string question) => new()
    {
        Question = question,
        Summary = $"No node owns {question}: packets to it are dropped, and their senders told that the network is unknown.",
        Facts = files.IsSet("StrictSubnets") || files.IsSet("TunnelServer")
            ? [new("subnet", "StrictSubnets is set here (or TunnelServer): only subnets in host files of this node count.")]
            : [],
        Advice = ["write Subnet = into the host file of the node that is to get it, at that node"],
    };
}
