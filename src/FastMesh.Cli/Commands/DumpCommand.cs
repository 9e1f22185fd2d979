using System.Globalization;
using System.Text.Json;
using FastMesh.Cli.Views;
using FastMesh.Engine.Daemon;

namespace FastMesh.Cli.Commands;

/// <summary><c>dump</c>: lists of what the daemon knows, in the format of the program <c>tinc</c> (tinc 1.1 reference, 10.3), or as JSON.</summary>
internal static class DumpCommand
{
    private const string ReachableBit = "reachable";

    /// <summary>Kinds of dumps and the property of the snapshot that has the same as JSON.</summary>
    private static readonly Dictionary<string, string> s_kinds = new(StringComparer.OrdinalIgnoreCase)
    {
        ["nodes"] = "nodes",
        ["edges"] = "edges",
        ["subnets"] = "subnets",
        ["connections"] = "connections",
        ["graph"] = "edges",
        ["digraph"] = "edges",
        ["invitations"] = "invitations",
    };

    /// <summary>What may be dumped, for messages.</summary>
    public static string Kinds => string.Join("|", s_kinds.Keys);

    /// <summary>Prints a list.</summary>
    public static int Run(CommandContext context)
    {
        bool onlyReachable = context.Arguments[0].Equals(ReachableBit, StringComparison.OrdinalIgnoreCase);
        string? kind = context.Arguments.ElementAtOrDefault(onlyReachable ? 1 : 0)?.ToLowerInvariant();
        if (kind is null || !s_kinds.TryGetValue(kind, out string? property))
            return context.Misuse($"Unknown dump type `{kind ?? context.Arguments[0]}': {Kinds}, or reachable nodes.");
        if (onlyReachable && kind != "nodes")
            return context.Misuse("`reachable' only supported for nodes.");
        if (context.Arguments.Count > (onlyReachable ? 2 : 1))
            return context.Misuse("Too many arguments!");
        return kind == "invitations" ? DumpInvitations(context)
            : context.WithDaemon(daemon => context.Line.Json ? PrintJson(context, daemon, kind, property, onlyReachable) : Print(context, daemon, kind, onlyReachable));
    }

    private static int Print(CommandContext context, ControlClient daemon, string kind, bool onlyReachable)
    {
        IEnumerable<string> lines = kind switch
        {
            "nodes" => daemon.Rows(ControlRequest.DumpNodes).Select(NodeRow.Of).Where(node => !onlyReachable || node.Is(NodeRow.Reachable)).Select(TincText.Node),
            "edges" => daemon.Rows(ControlRequest.DumpEdges).Select(EdgeRow.Of).Select(TincText.Edge),
            "subnets" => daemon.Rows(ControlRequest.DumpSubnets).Select(row => $"{row[0]} owner {row[1]}"),
            "connections" => daemon.Rows(ControlRequest.DumpConnections).Select(TincText.Connection),
            _ => TincText.Graph(
                daemon.Rows(ControlRequest.DumpNodes).Select(NodeRow.Of), daemon.Rows(ControlRequest.DumpEdges).Select(EdgeRow.Of), kind == "digraph"),
        };
        foreach (string line in lines)
            context.Print(line);
        return 0;
    }

    private static int PrintJson(CommandContext context, ControlClient daemon, string kind, string property, bool onlyReachable)
    {
        using JsonDocument status = JsonDocument.Parse(daemon.Ask(ControlRequest.Status));
        JsonElement items = status.RootElement.GetProperty(property);
        JsonOutput.Print(context.Output, writer =>
        {
            if (kind is "graph" or "digraph")
            {
                writer.WriteStartObject();
                writer.WritePropertyName("nodes");
                status.RootElement.GetProperty("nodes").WriteTo(writer);
                writer.WritePropertyName("edges");
            }

            writer.WriteStartArray();
            foreach (JsonElement item in items.EnumerateArray())
            {
                if (!onlyReachable || item.GetProperty("reachable").GetBoolean())
                    item.WriteTo(writer);
            }

            writer.WriteEndArray();
            if (kind is "graph" or "digraph")
                writer.WriteEndObject();
        });
        return 0;
    }

    /// <summary>What has been issued and not been redeemed: the files, and in each the invited name. Needs no daemon.</summary>
    private static int DumpInvitations(CommandContext context)
    {
        List<(string File, string Invitee)> invitations;
        try
        {
            string directory = context.Directory.InvitationsDirectory;
            invitations = !Directory.Exists(directory) ? [] : [.. Directory.GetFiles(directory).Where(path => Path.GetFileName(path).Length == InvitationNameLength)
                .Select(path => (Path.GetFileName(path), InviteeOf(path))).Where(item => item.Item2.Length > 0).Order()];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return context.Fail($"Cannot read the invitations: {e.Message}");
        }

        if (context.Line.Json)
        {
            JsonOutput.Print(context.Output, writer =>
            {
                writer.WriteStartArray();
                foreach ((string file, string invitee) in invitations)
                {
                    writer.WriteStartObject();
                    writer.WriteString("file", file);
                    writer.WriteString("invitee", invitee);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            });
        }
        else
        {
            foreach ((string file, string invitee) in invitations)
                context.Print(string.Create(CultureInfo.InvariantCulture, $"{file} {invitee}"));
            if (invitations.Count == 0)
                context.Note("No outstanding invitations.");
        }

        return 0;
    }

    /// <summary>Characters of an invitation's file name: 18 bytes in base64.</summary>
    private const int InvitationNameLength = 24;

    /// <summary>The name in the first line, <c>Name = X</c>; empty if there is none.</summary>
    private static string InviteeOf(string path)
    {
        string? line = File.ReadLines(path).FirstOrDefault();
        return line is not null && Config.ConfigEntry.TrySplit(line, out string variable, out string value)
            && variable.Equals("Name", StringComparison.OrdinalIgnoreCase) ? value : "";
    }
}
