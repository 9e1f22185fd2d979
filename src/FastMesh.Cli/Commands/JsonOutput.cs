using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FastMesh.Cli.Commands;

/// <summary>Prints what the daemon has sent as JSON, or a part of it, with indentation.</summary>
internal static class JsonOutput
{
    private static readonly JsonWriterOptions s_indented = new() { Indented = true, Encoder = JavaScriptEncoder.Default };

    /// <summary>Prints a whole document, or the part of it that a function finds.</summary>
    public static void Print(TextWriter output, string json, Func<JsonElement, JsonElement>? part = null)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        Print(output, writer => (part?.Invoke(document.RootElement) ?? document.RootElement).WriteTo(writer));
    }

    /// <summary>Prints what a function writes.</summary>
    public static void Print(TextWriter output, Action<Utf8JsonWriter> write)
    {
        using MemoryStream bytes = new();
        using (Utf8JsonWriter writer = new(bytes, s_indented))
            write(writer);
        output.WriteLine(Encoding.UTF8.GetString(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
    }
}
