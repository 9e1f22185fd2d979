using FastMesh.Cli.Config;
using FastMesh.Engine.Routing;

namespace FastMesh.Cli.Check;

/// <summary>Variables that are there but do nothing: set twice, in the wrong file, or for another mode.</summary>
internal static class VariableCheck
{
    /// <summary>What tinc's manual lists for host files, so that copies of a node's own host file have it everywhere.</summary>
    private static readonly string[] s_usualInHostFiles = ["Cipher", "Compression", "Digest", "MACLength"];

    /// <summary>In tinc.conf it is the address that invitations name.</summary>
    private const string ForInvitations = "Address";

    /// <summary>Looks at this node's variables and at those of all others.</summary>
    public static void Run(CheckedNet net)
    {
        foreach (ConfigEntry entry in net.Server.Entries)
        {
            bool isGlobal = entry.File is not null && entry.File != net.Directory.HostFile(net.Reading.Name!);
            if (isGlobal && ConfigSchema.Find(entry.Variable) is { } known && !known.Scope.HasFlag(ConfigScope.Server) && known.Name != ForInvitations)
                net.Warn(entry, $"{known.Name} has no effect here", $"move it to {net.Directory.HostFile(net.Reading.Name!)}");
        }

        foreach (CheckedPeer peer in net.Peers.Values)
        {
            foreach (ConfigEntry entry in peer.Tree.Entries)
            {
                if (ConfigSchema.Find(entry.Variable) is { } known && !known.Scope.HasFlag(ConfigScope.Peer) && !s_usualInHostFiles.Contains(known.Name))
                    net.Note(entry, $"{known.Name} has no effect in the host file of another node", "set it in tinc.conf of the node that is meant");
            }

            CheckRepetitions(net, peer.Tree);
        }

        CheckRepetitions(net, net.Server);
        CheckNumbers(net, net.Server);
        CheckMode(net);
        CheckTimes(net);
    }

    private static void CheckRepetitions(CheckedNet net, ConfigTree tree)
    {
        foreach (IGrouping<string, ConfigEntry> group in tree.Entries.GroupBy(e => e.Variable, StringComparer.OrdinalIgnoreCase))
        {
            if (ConfigSchema.Find(group.Key) is not { } known)
                continue;
            ConfigEntry first = group.First();
            foreach (ConfigEntry again in group.Skip(1).Where(e => e.File is not null && first.File is not null))
            {
                if (!known.Multiple)
                    net.Warn(again, $"{known.Name} is set again and ignored: {first.Place} counts", "remove one of the two");
                else if (group.First(e => e.Value.Equals(again.Value, StringComparison.OrdinalIgnoreCase)) is var same && same != again)
                    net.Note(again, $"{known.Name} = {again.Value} is there already: {same.Place}", "remove one of the two");
            }
        }
    }

    /// <summary>tinc takes the digits at the beginning and drops the rest.</summary>
    private static void CheckNumbers(CheckedNet net, ConfigTree tree)
    {
        foreach (ConfigEntry entry in tree.Entries)
        {
            if (ConfigSchema.Find(entry.Variable) is { Type: ConfigType.Integer } known && ConfigValue.TryParseInteger(entry.Value, out int number)
                && entry.Value.AsSpan().TrimStart("+-0123456789").Length > 0)
                net.Warn(entry, $"Of {known.Name} = {entry.Value} only {number} counts", $"write {known.Name} = {number}");
        }
    }

    private static void CheckMode(CheckedNet net)
    {
        RoutingMode mode = net.Reading.Options!.Mesh.Forwarding.Mode;
        if (mode != RoutingMode.Switch && net.Server.First("MACExpire") is { } expiry)
            net.Note(expiry, "MACExpire has an effect with Mode = switch only", "remove the line");
        if (!net.Reading.Options.Mesh.LegacyProtocol)
        {
            foreach (string variable in (string[])["Cipher", "Digest", "MACLength"])
            {
                if (net.Server.First(variable) is { } entry)
                    net.Note(entry, $"{variable} has no effect with LegacyProtocol = no", "remove the line");
            }
        }
    }

    private static void CheckTimes(CheckedNet net)
    {
        if (net.Server.Integer("PingTimeout") is { } timeout && net.Server.First("PingTimeout") is { } entry
            && (timeout < 1 || timeout > net.Reading.Options!.Mesh.PingInterval.TotalSeconds))
            net.Warn(entry, $"PingTimeout = {timeout} is not between 1 and PingInterval, which counts instead", "give a smaller PingTimeout, such as 5");
    }
}
