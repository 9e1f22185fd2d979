using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Daemon;
using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Tests.Logging;

/// <summary>What a message is called does not change: docs/EVENTS.md lists all events, and is compared with the program.</summary>
public sealed partial class EventTests
{
    // The class of messages, and the first and last number of its events.
    private static readonly Dictionary<string, (int First, int Last)> s_ranges = new()
    {
        ["CliLog"] = (1, 99),
        ["ProtocolLog"] = (100, 299),
        ["DaemonLog"] = (300, 399),
        ["DataPathLog"] = (400, 499),
    };

    private static readonly string[] s_fixedFields = ["time", "level", "debugLevel", "eventId", "event", "net", "message"];

    private static readonly List<(MethodInfo Method, LoggerMessageAttribute Message)> s_events =
        [.. from assembly in new[] { typeof(CommandLine).Assembly, typeof(EngineLog).Assembly }
            from type in assembly.GetTypes()
            from method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            let message = method.GetCustomAttribute<LoggerMessageAttribute>()
            where message is not null
            orderby message.EventId
            select (method, message)];

    [Fact]
    public void Every_event_has_a_number_of_its_own_in_the_range_of_its_class()
    {
        Assert.Empty(s_events.GroupBy(e => e.Message.EventId).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.Empty(s_events.GroupBy(e => e.Method.Name).Where(group => group.Count() > 1).Select(group => group.Key));
        foreach ((MethodInfo method, LoggerMessageAttribute message) in s_events)
        {
            (int first, int last) = s_ranges[method.DeclaringType!.Name];
            Assert.InRange(message.EventId, first, last);
        }
    }

    /// <summary>Run with FASTMESH_WRITE_EVENTS=1 to add new events to the list; what stands there already must stay.</summary>
    [Fact]
    public void The_documented_events_are_those_of_the_program()
    {
        string path = Path.Combine(Root(), "docs", "EVENTS.md");
        string text = File.ReadAllText(path);
        int table = text.IndexOf("| Id |", StringComparison.Ordinal);
        string wanted = text[..table] + Table();
        if (Environment.GetEnvironmentVariable("FASTMESH_WRITE_EVENTS") is not null)
            File.WriteAllText(path, wanted);
        Assert.Equal(wanted, File.ReadAllText(path));
    }

    [Fact]
    public void No_field_of_an_event_hides_another()
    {
        foreach ((MethodInfo method, LoggerMessageAttribute message) in s_events)
        {
            List<string> fields = [.. s_fixedFields];
            foreach (string name in Placeholder().Matches(message.Message).Select(match => match.Groups[1].Value))
            {
                Type type = method.GetParameters().Single(p => p.Name!.Equals(name, StringComparison.OrdinalIgnoreCase)).ParameterType;
                fields.AddRange(type.Name switch
                {
                    "MetaConnection" => ["node", "address", "port"],
                    "Endpoint" => ["address", "port"],
                    _ => [char.ToLowerInvariant(name[0]) + name[1..]],
                });
            }

            Assert.True(fields.Distinct().Count() == fields.Count, $"{method.Name}: {string.Join(' ', fields)}");
        }
    }

    [Theory]
    [InlineData(122, true)]  // Accepted: a stranger's connection
    [InlineData(20, true)]   // InvitationInvalid
    [InlineData(401, true)]  // TrainRefused
    [InlineData(303, false)] // Ready
    [InlineData(315, false)] // DumpLine: the operator asked for it
    [InlineData(6, false)]   // Suppressed itself
    public void Only_what_others_cause_is_limited(int id, bool limited) => Assert.Equal(limited, LogEvent.CanBeProvoked(id));

    private static string Table()
    {
        StringBuilder table = new("| Id | Name | Level | Text |\n|---|---|---|---|\n");
        foreach ((MethodInfo method, LoggerMessageAttribute message) in s_events)
        {
            string text = message.Message.Replace("|", "\\|", StringComparison.Ordinal);
            table.Append($"| {message.EventId} | {method.Name} | {LogEntry.NameOf(message.Level)} | {text} |\n");
        }

        return table.ToString();
    }

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "FastMesh.sln")))
            directory = Path.GetDirectoryName(directory)!;
        return directory;
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Placeholder();
}
