using System.Text.Json;
using FastMesh.Cli.Views;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Commands;

/// <summary><c>info</c>: about one node, or whose a subnet or an address is, in the format of the program <c>tinc</c>.</summary>
internal static class InfoCommand
{
    /// <summary>Prints it; exit code 1 if there is no such thing.</summary>
    public static int Run(CommandContext context)
    {
        string about = context.Arguments[0];
        if (NodeName.IsValid(about))
            return context.WithDaemon(daemon => context.Line.Json ? PrintJson(context, daemon, about) : PrintNode(context, daemon, about));
        bool isSubnet = about.Contains('/', StringComparison.Ordinal) || about.Contains('#', StringComparison.Ordinal);
        return Subnet.TryParse(about, out Subnet subnet) ? context.WithDaemon(daemon => PrintOwners(context, daemon, subnet, isSubnet))
            : context.Misuse("Argument is not a node name, subnet or address.");
    }

    private static int PrintNode(CommandContext context, ControlClient daemon, string name)
    {
        if (daemon.Rows(ControlRequest.DumpNodes).FirstOrDefault(row => row[0] == name) is not { } row)
            return context.Fail($"Unknown node {name}.");
        EdgeRow[] edges = [.. daemon.Rows(ControlRequest.DumpEdges).Select(EdgeRow.Of)];
        foreach (string line in TincText.Info(NodeRow.Of(row), edges, daemon.Rows(ControlRequest.DumpSubnets)))
            context.Print(line);
        return 0;
    }

    private static int PrintJson(CommandContext context, ControlClient daemon, string name)
    {
        using JsonDocument status = JsonDocument.Parse(daemon.Ask(ControlRequest.Status));
        JsonElement node = status.RootElement.GetProperty("nodes").EnumerateArray().FirstOrDefault(node => node.GetProperty("name").GetString() == name);
        if (node.ValueKind == JsonValueKind.Undefined)
            return context.Fail($"Unknown node {name}.");
        JsonOutput.Print(context.Output, node.WriteTo);
        return 0;
    }

    /// <summary>With a prefix length, exactly that subnet is meant; else every subnet that the address is in. A weight that is given must be the subnet's.</summary>
    private static int PrintOwners(CommandContext context, ControlClient daemon, Subnet wanted, bool isSubnet)
    {
        string about = context.Arguments[0];
        bool hasPrefix = about.Contains('/', StringComparison.Ordinal), hasWeight = about.Contains('#', StringComparison.Ordinal);
        List<(string Subnet, string Owner)> found = [.. daemon.Rows(ControlRequest.DumpSubnets)
            .Where(row => Subnet.TryParse(row[0], out Subnet subnet) && subnet.Kind == wanted.Kind
                && (!hasWeight || subnet.Weight == wanted.Weight)
                && (hasPrefix ? subnet.PrefixLength == wanted.PrefixLength && subnet.Address == wanted.Address : subnet.Contains(wanted.Address)))
            .Select(row => (row[0], row[1]))];
        if (found.Count == 0)
            return context.Fail($"Unknown {(isSubnet ? "subnet" : "address")} {about}.");
        if (context.Line.Json)
        {
            JsonOutput.Print(context.Output, writer =>
            {
                writer.WriteStartArray();
                foreach ((string subnet, string owner) in found)
                {
                    writer.WriteStartObject();
                    writer.WriteString("subnet", subnet);
                    writer.WriteString("owner", owner);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            });
        }
        else
        {
            foreach ((string subnet, string owner) in found)
                context.Print($"Subnet: {subnet}\nOwner:  {owner}");
        }

        return 0;
    }
}
