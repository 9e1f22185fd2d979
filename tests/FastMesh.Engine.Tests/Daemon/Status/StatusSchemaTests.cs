using System.Text.Json;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.DataPath;

namespace FastMesh.Engine.Tests.Daemon.Status;

/// <summary>docs/schemas/status.json requires all that the daemon always gives: whoever reads a status may rely on it.</summary>
public sealed class StatusSchemaTests
{
    private static readonly JsonElement s_schema = ReadSchema();

    [Fact]
    public void Every_reason_of_a_drop_is_required() =>
        Assert.Equal(
            Enum.GetNames<DropReason>().Select(JsonNamingPolicy.CamelCase.ConvertName).Order(StringComparer.Ordinal),
            Names(s_schema.GetProperty("$defs").GetProperty("drops").GetProperty("required")));

    [Fact]
    public void Every_result_of_a_script_is_required()
    {
        using Scripts scripts = new("/nonexistent", [], new LogRecorder().Engine);
        Assert.Equal(scripts.Counts.Keys.Order(StringComparer.Ordinal), Names(s_schema.GetProperty("properties").GetProperty("scripts").GetProperty("required")));
    }

    [Fact]
    public void Every_property_of_a_closed_object_is_required() => AssertRequired(s_schema, "status");

    private static void AssertRequired(JsonElement schema, string path)
    {
        if (schema.ValueKind != JsonValueKind.Object)
            return;
        if (schema.TryGetProperty("additionalProperties", out JsonElement others) && others.ValueKind == JsonValueKind.False)
        {
            IEnumerable<string> properties = schema.GetProperty("properties").EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal);
            Assert.Equal((path, string.Join(' ', properties)), (path, string.Join(' ', Names(schema.GetProperty("required")))));
        }

        foreach (JsonProperty part in schema.EnumerateObject())
        {
            AssertRequired(part.Value, $"{path}/{part.Name}");
            if (part.Value.ValueKind == JsonValueKind.Array)
                Assert.All(part.Value.EnumerateArray(), item => AssertRequired(item, $"{path}/{part.Name}"));
        }
    }

    private static IEnumerable<string> Names(JsonElement list) => list.EnumerateArray().Select(name => name.GetString()!).Order(StringComparer.Ordinal);

    private static JsonElement ReadSchema()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "FastMesh.sln")))
            root = Path.GetDirectoryName(root)!;
        using JsonDocument schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(root, "docs", "schemas", "status.json")));
        return schema.RootElement.Clone();
    }
}
