using System.Text.Json;

namespace FastMesh.Tests;

/// <summary>
/// Holds what commands print as JSON against the schemas of <c>docs/schemas</c>, as far as these go: type, enum, minimum, properties, items. (No library for
/// JSON Schema can be restored from every registry.)
/// </summary>
internal static class JsonSchemas
{
    /// <summary>Fails the test, with the reasons, unless a text is a document of a schema.</summary>
    /// <param name="name">Name of the schema's file without its end.</param>
    /// <param name="text">The document.</param>
    public static void AssertValid(string name, string text)
    {
        using JsonDocument schema = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root(), "docs", "schemas", $"{name}.json")));
        using JsonDocument document = JsonDocument.Parse(text);
        string[] problems = [.. Problems(schema.RootElement, document.RootElement, "")];
        Assert.True(problems.Length == 0, $"{string.Join('\n', problems)}\n{text}");
    }

    private static IEnumerable<string> Problems(JsonElement schema, JsonElement value, string place)
    {
        if (schema.TryGetProperty("type", out JsonElement type) && !Types(type).Any(t => Is(value, t)))
            yield return $"{place}: not of type {type}";
        if (schema.TryGetProperty("enum", out JsonElement words) && !words.EnumerateArray().Any(w => JsonElement.DeepEquals(w, value)))
            yield return $"{place}: not one of {words}";
        if (schema.TryGetProperty("minimum", out JsonElement minimum) && value.ValueKind == JsonValueKind.Number && value.GetDouble() < minimum.GetDouble())
            yield return $"{place}: below {minimum}";
        IEnumerable<string> inside = value.ValueKind switch
        {
            JsonValueKind.Object => ProblemsOfObject(schema, value, place),
            JsonValueKind.Array when schema.TryGetProperty("items", out JsonElement items) =>
                value.EnumerateArray().SelectMany((item, i) => Problems(items, item, $"{place}/{i}")),
            _ => [],
        };
        foreach (string problem in inside)
            yield return problem;
    }

    private static IEnumerable<string> ProblemsOfObject(JsonElement schema, JsonElement value, string place)
    {
        if (schema.TryGetProperty("required", out JsonElement required))
        {
            foreach (string? name in required.EnumerateArray().Select(r => r.GetString()).Where(r => !value.TryGetProperty(r!, out _)))
                yield return $"{place}/{name}: missing";
        }

        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (schema.TryGetProperty("properties", out JsonElement known) && known.TryGetProperty(property.Name, out JsonElement inner))
            {
                foreach (string problem in Problems(inner, property.Value, $"{place}/{property.Name}"))
                    yield return problem;
            }
            else if (schema.TryGetProperty("additionalProperties", out JsonElement others) && others.ValueKind == JsonValueKind.False)
            {
                yield return $"{place}/{property.Name}: not in the schema";
            }
        }
    }

    private static IEnumerable<string> Types(JsonElement type)
        => type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(t => t.GetString()!) : [type.GetString()!];

    private static bool Is(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        _ => value.ValueKind == JsonValueKind.Number,
    };

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "FastMesh.sln")))
            directory = Path.GetDirectoryName(directory)!;
        return directory;
    }
}
