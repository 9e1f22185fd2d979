using System.Text.Json;
using System.Text.RegularExpressions;
using FastMesh.Engine.Daemon.Metrics;
using FastMesh.Engine.DataPath;

namespace FastMesh.Engine.Tests.Daemon.Metrics;

/// <summary>The dashboard and the alerts in contrib/ ask for what there is.</summary>
public sealed partial class ContribTests
{
    [Theory]
    [InlineData("grafana/fastmesh.json")]
    [InlineData("prometheus/fastmesh.rules.yml")]
    [InlineData("prometheus/fastmesh.test.yml")]
    public void Every_metric_and_label_that_is_asked_for_exists(string file)
    {
        Dictionary<string, MetricFamily> known = MetricsDocument.Families.SelectMany(Samples).ToDictionary(sample => sample.Name, sample => sample.Family);
        string text = string.Join('\n', Expressions(File.ReadAllText(Path.Combine(Root(), "contrib", file)), file));
        MatchCollection asked = Metric().Matches(text);
        Assert.True(asked.Count > 3, "the file asks for metrics");
        foreach (Match match in asked)
        {
            Assert.True(known.TryGetValue(match.Groups["name"].Value, out MetricFamily? family), $"There is no metric {match.Groups["name"].Value}");
            string[] labels = [.. Label().Matches(match.Groups["labels"].Value).Select(label => label.Groups[1].Value)];
            Assert.Empty(labels.Except(family.LabelNames).Except(["instance", "job", "le"]));
        }
    }

    [Fact]
    public void Reasons_that_alerts_name_are_those_of_drops()
    {
        string rules = File.ReadAllText(Path.Combine(Root(), "contrib", "prometheus", "fastmesh.rules.yml"));
        string[] named = Regex.Match(rules, "reason=~\"([^\"]+)\"").Groups[1].Value.Split('|');
        Assert.Empty(named.Except(Enum.GetNames<DropReason>().Select(JsonNamingPolicy.CamelCase.ConvertName)));
    }

    private static IEnumerable<(string Name, MetricFamily Family)> Samples(MetricFamily family) =>
        (family.Type == MetricType.Histogram ? (string[])["_bucket", "_count", "_sum"] : [""]).Select(suffix => (family.SampleName + suffix, family));

    /// <summary>Of a dashboard its queries; of other files everything.</summary>
    private static IEnumerable<string> Expressions(string text, string file)
    {
        if (!file.EndsWith(".json", StringComparison.Ordinal))
            return [text];
        using JsonDocument json = JsonDocument.Parse(text);
        return [.. json.RootElement.GetProperty("panels").EnumerateArray().Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!)];
    }

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "FastMesh.sln")))
            directory = Path.GetDirectoryName(directory)!;
        return directory;
    }

    [GeneratedRegex(@"\b(?<name>(fastmesh|process)_\w+)(\{(?<labels>[^}]*)\})?")]
    private static partial Regex Metric();

    [GeneratedRegex("(\\w+)\\s*(?:=|!=|=~|!~)\\s*\"")]
    private static partial Regex Label();
}
