using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using FastMesh.Engine.Daemon;
using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Logging;

/// <summary>How lines of the log look (<c>--log-format</c>).</summary>
internal enum LogFormat
{
    /// <summary>As tincd's.</summary>
    Text,

    /// <summary>A JSON object per line.</summary>
    Json,

    /// <summary>Entries of systemd's journal with their fields.</summary>
    Journald,
}

/// <summary>One message on its way into the log.</summary>
/// <param name="Time">When it was logged, in UTC.</param>
/// <param name="DebugLevel">The debug level at which it appears.</param>
/// <param name="Level">How serious it is.</param>
/// <param name="Event">What happened, by number and name.</param>
/// <param name="Message">One line of text.</param>
/// <param name="State">What its fields come from.</param>
internal readonly record struct LogEntry(DateTime Time, int DebugLevel, LogLevel Level, EventId Event, string Message, object? State)
{
    private static readonly JsonWriterOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Fields after the ones that every entry has.</summary>
    public IEnumerable<KeyValuePair<string, object>> Fields => LogEvent.FieldsOf(State);

    /// <summary>The entry as one line of JSON: time (RFC 3339), level, debugLevel, eventId, event, net, message, then its fields.</summary>
    /// <param name="net">The net's name, or null without one.</param>
    public string ToJson(string? net)
    {
        using MemoryStream line = new();
        using (Utf8JsonWriter json = new(line, s_readable))
        {
            json.WriteStartObject();
            json.WriteString("time", Time.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));
            json.WriteString("level", NameOf(Level));
            json.WriteNumber("debugLevel", DebugLevel);
            json.WriteNumber("eventId", Event.Id);
            json.WriteString("event", Event.Name);
            if (net is not null)
                json.WriteString("net", net);
            json.WriteString("message", Message);
            foreach ((string name, object value) in Fields)
            {
                json.WritePropertyName(name);
                WriteValue(json, value);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(line.GetBuffer().AsSpan(0, (int)line.Length));
    }

    /// <summary>A severity as JSON and docs/EVENTS.md name it.</summary>
    public static string NameOf(LogLevel level) => level == LogLevel.Information ? "info" : level.ToString().ToLowerInvariant();

    private static void WriteValue(Utf8JsonWriter json, object value)
    {
        switch (value)
        {
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case double number:
                json.WriteNumberValue(number);
                break;
            default:
                json.WriteStringValue((string)value);
                break;
        }
    }
}
