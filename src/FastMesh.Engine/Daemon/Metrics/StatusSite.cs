using System.Buffers;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Daemon.Metrics;

/// <summary>What can be asked for.</summary>
internal enum HttpDocument
{
    /// <summary><c>/</c></summary>
    Page,

    /// <summary><c>/status.json</c></summary>
    Status,

    /// <summary><c>/metrics</c> in OpenMetrics.</summary>
    Metrics,

    /// <summary><c>/metrics</c> in Prometheus' classic text format.</summary>
    MetricsText,

    /// <summary><c>/healthz</c></summary>
    Health,
}

/// <summary>
/// The documents that the server has: the page, and views of the latest snapshot, each written once per snapshot. For the server's thread only.
/// </summary>
/// <param name="exchange">Where snapshots come from; stays the caller's.</param>
/// <param name="plane">Whose shards are to make progress.</param>
internal sealed class StatusSite(StatusExchange exchange, DataPlane plane)
{
    /// <summary>Content type of short answers.</summary>
    public const string PlainText = "text/plain; charset=utf-8";

    private const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ClassicType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly byte[] s_page = LoadPage();
    private static readonly string s_pageHeaders = PagePolicy(Encoding.UTF8.GetString(s_page));

    private readonly View _status = new(static (status, output) =>
    {
        using Utf8JsonWriter json = new(output);
        JsonSerializer.Serialize(json, status, StatusJson.Default.DaemonStatus);
    });

    private readonly View _metrics = new(static (status, output) => MetricsDocument.Write(status, output, MetricFormat.OpenMetrics));
    private readonly View _metricsText = new(static (status, output) => MetricsDocument.Write(status, output, MetricFormat.Text));

    /// <summary>Readable when an answer may have become ready.</summary>
    public int WakeDescriptor => exchange.Descriptor;

    /// <summary>Takes the wake-ups that came.</summary>
    public void DrainWake() => exchange.Drain();

    /// <summary>Wakes the server. May be called by any thread.</summary>
    public void Wake() => exchange.Wake();

    /// <summary>Which document a request is for, or null if there is none such.</summary>
    public static HttpDocument? Find(in HttpRequest request)
    {
        if (request.Path.SequenceEqual("/metrics"u8))
            return WantsText(request.Accept) ? HttpDocument.MetricsText : HttpDocument.Metrics;
        return request.Path.SequenceEqual("/"u8) ? HttpDocument.Page
            : request.Path.SequenceEqual("/status.json"u8) ? HttpDocument.Status
            : request.Path.SequenceEqual("/healthz"u8) ? HttpDocument.Health
            : null;
    }

    /// <summary>Answers if the answer is ready, or if it comes too <paramref name="late"/>.</summary>
    public bool TryAnswer(HttpConnection connection, bool late, Instant now)
    {
        switch (connection.Wanted)
        {
            case HttpDocument.Page:
                connection.Respond("200 OK", "text/html; charset=utf-8", s_pageHeaders, s_page, now);
                return true;
            case HttpDocument.Health:
                return TryAnswerHealth(connection, late, now);
            default:
                if (exchange.TryTake(connection.AskedAt + -StatusExchange.Freshness) is { } status)
                {
                    (View view, string type) = ViewOf(connection.Wanted);
                    connection.Respond("200 OK", type, "", view.Of(status), now);
                    return true;
                }

                if (late)
                    connection.Respond("503 Service Unavailable", PlainText, "", "The control loop does not answer.\n"u8, now);
                return late;
        }
    }

    /// <summary>Healthy is who makes progress: the control loop has answered and each shard has taken a turn since the question.</summary>
    private bool TryAnswerHealth(HttpConnection connection, bool late, Instant now)
    {
        long[] turns = plane.Turns;
        connection.TurnsBefore ??= turns;
        bool loopAnswers = exchange.TryTake(connection.AskedAt) is not null;
        int[] stuck = [.. Enumerable.Range(0, turns.Length).Where(shard => turns[shard] == connection.TurnsBefore[shard])];
        if (loopAnswers && stuck.Length == 0)
        {
            connection.Respond("200 OK", PlainText, "", "ok\n"u8, now);
            return true;
        }

        if (late)
        {
            string[] reasons = [.. loopAnswers ? Array.Empty<string>() : ["the control loop"], .. stuck.Select(shard => $"shard {shard}")];
            connection.Respond("503 Service Unavailable", PlainText, "", Encoding.ASCII.GetBytes($"No progress for 5 seconds: {string.Join(", ", reasons)}\n"), now);
            return true;
        }

        plane.Poke();
        return false;
    }

    private (View View, string ContentType) ViewOf(HttpDocument document) => document switch
    {
        HttpDocument.Status => (_status, "application/json"),
        HttpDocument.Metrics => (_metrics, OpenMetricsType),
        _ => (_metricsText, ClassicType),
    };

    /// <summary>Whoever names some text but not OpenMetrics: old scrapers, and browsers, which would save the other as a file.</summary>
    private static bool WantsText(ReadOnlySpan<byte> accept) =>
        accept.IndexOf("text/"u8) >= 0 && accept.IndexOf("application/openmetrics-text"u8) < 0;

    private static byte[] LoadPage()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("page.html")!;
        byte[] page = new byte[stream.Length];
        stream.ReadExactly(page);
        return page;
    }

    /// <summary>The page may run its own script, use its own styles, and ask its own server; nothing else, and nobody may frame it.</summary>
    private static string PagePolicy(string page) =>
        $"Content-Security-Policy: default-src 'none'; script-src '{HashOf(page, "script")}'; style-src '{HashOf(page, "style")}'; connect-src 'self'; img-src data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n";

    private static string HashOf(string page, string element)
    {
        int start = page.IndexOf($"<{element}>", StringComparison.Ordinal) + element.Length + 2;
        string content = page[start..page.IndexOf($"</{element}>", start, StringComparison.Ordinal)];
        return $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}";
    }

    /// <summary>A document made of the latest snapshot, kept until there is a later one.</summary>
    private sealed class View(Action<DaemonStatus, ArrayBufferWriter<byte>> write)
    {
        private readonly ArrayBufferWriter<byte> _text = new();
        private DaemonStatus? _of;

        public ReadOnlySpan<byte> Of(DaemonStatus status)
        {
            if (!ReferenceEquals(_of, status))
            {
                _text.ResetWrittenCount();
                write(status, _text);
                _of = status;
            }

            return _text.WrittenSpan;
        }
    }
}
