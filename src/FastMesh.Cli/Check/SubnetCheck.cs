using FastMesh.Cli.Config;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Check;

/// <summary>Subnets of several nodes that get in each other's way, and subnets that the mode does not use.</summary>
internal static class SubnetCheck
{
    /// <summary>Compares all subnets that the directory knows of.</summary>
    public static void Run(CheckedNet net)
    {
        List<WrittenSubnet> subnets = [.. net.Peers.Values.SelectMany(p => Read(p.Name, p.Tree))];
        if (net.Reading.Name is { } name)
        {
            List<WrittenSubnet> own = [.. Read(name, net.Server)];
            CheckMode(net, own, net.Reading.Options!.Mesh.Forwarding.Mode);
            subnets.AddRange(own);
        }

        // Sorted by first address, the wider first, those that contain the next one are those at hand that have not ended.
        subnets.Sort((a, b) => Compare(a, b));
        List<WrittenSubnet> open = [];
        foreach (WrittenSubnet subnet in subnets)
        {
            open.RemoveAll(o => o.Subnet.Kind != subnet.Subnet.Kind || !o.Subnet.Contains(subnet.Subnet.Address));
            if (open.FindLast(o => o.Owner != subnet.Owner) is { } other)
                Tell(net, subnet, other);
            open.Add(subnet);
        }
    }

    private static IEnumerable<WrittenSubnet> Read(string owner, ConfigTree tree)
    {
        foreach (ConfigEntry entry in tree.All("Subnet"))
        {
            if (ServerSettings.SubnetProblem(entry, out Subnet subnet) is null)
                yield return new(subnet, owner, entry);
        }
    }

    private static int Compare(WrittenSubnet a, WrittenSubnet b)
    {
        int order = a.Subnet.Kind.CompareTo(b.Subnet.Kind);
        order = order != 0 ? order : a.Subnet.Address.CompareTo(b.Subnet.Address);
        order = order != 0 ? order : a.Subnet.PrefixLength.CompareTo(b.Subnet.PrefixLength);
        return order != 0 ? order : string.CompareOrdinal(a.Owner, b.Owner);
    }

    /// <summary>A default route is there to be overlapped.</summary>
    private static void Tell(CheckedNet net, WrittenSubnet subnet, WrittenSubnet other)
    {
        (string text, string place) = (subnet.Subnet.NetworkText, other.Entry.Place);
        bool isSame = subnet.Subnet.PrefixLength == other.Subnet.PrefixLength;
        if (isSame && subnet.Subnet.Weight == other.Subnet.Weight)
            net.Warn(subnet.Entry, $"Subnet {text} is {other.Owner}'s too, with the same weight ({place})", "remove it from one of the two, or give the spare one a larger weight, such as #20");
        else if (isSame)
            net.Note(subnet.Entry, $"Subnet {text} is {other.Owner}'s too, with another weight ({place})", "nothing, if one of the two is the spare one");
        else if (other.Subnet.PrefixLength > 0)
            net.Note(subnet.Entry, $"Subnet {text} lies in {other.Subnet.NetworkText} of {other.Owner} ({place})", "nothing, if the smaller one is an exception from the larger");
    }

    private static void CheckMode(CheckedNet net, List<WrittenSubnet> own, RoutingMode mode)
    {
        foreach (WrittenSubnet subnet in own)
        {
            bool isMac = subnet.Subnet.Kind == SubnetKind.Mac;
            if (mode == RoutingMode.Router && isMac)
                net.Warn(subnet.Entry, "A MAC address has no effect as Subnet with Mode = router", "remove the line");
            else if (mode == RoutingMode.Hub || mode == RoutingMode.Switch && !isMac)
                net.Note(subnet.Entry, $"Subnet {subnet.Subnet.NetworkText} has no effect with Mode = {mode.ToString().ToLowerInvariant()}", "remove the line");
        }
    }
}
