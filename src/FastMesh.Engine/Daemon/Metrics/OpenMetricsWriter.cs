using System.Buffers;
using System.Globalization;
using System.Text;

namespace FastMesh.Engine.Daemon.Metrics;

/// <summary>What kind of metric a family is.</summary>
internal enum MetricType
{
    /// <summary>A value that goes up and down.</summary>
    Gauge,

    /// <summary>A sum since the start; its samples end with <c>_total</c>.</summary>
    Counter,

    /// <summary>Counts per bucket and a sum; samples end with <c>_bucket</c>, <c>_count</c>, <c>_sum</c>.</summary>
    Histogram,

    /// <summary>Labels only, value 1; its sample ends with <c>_info</c>.</summary>
    Info,
}

/// <summary>The two formats that Prometheus and its relatives read.</summary>
internal enum MetricFormat
{
    /// <summary>OpenMetrics 1.0.</summary>
    OpenMetrics,

    /// <summary>Prometheus' classic text format 0.0.4: no units, no end mark, the names of counters and infos in full everywhere.</summary>
    Text,
}

/// <summary>A family of metrics. Its name is stable: dashboards and alerts rest on it.</summary>
/// <param name="Name">Without the ending of its samples; ends with its unit if it has one.</param>
/// <param name="Type">Its type.</param>
/// <param name="Unit">seconds, bytes or nothing.</param>
/// <param name="Labels">Names of its labels, separated by commas.</param>
/// <param name="Help">What it says, one line.</param>
internal sealed record MetricFamily(string Name, MetricType Type, string Unit, string Labels, string Help)
{
    /// <summary>The name of its samples; of a histogram, which has three, what they begin with.</summary>
    public string SampleName => Type switch { MetricType.Counter => Name + "_total", MetricType.Info => Name + "_info", _ => Name };

    /// <summary>The names of its labels.</summary>
    public string[] LabelNames { get; } = Labels.Split(',', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Writes metrics as UTF-8 text. Allocates nothing per sample but what the output needs.</summary>
/// <param name="output">Where to.</param>
/// <param name="format">How.</param>
internal sealed class OpenMetricsWriter(IBufferWriter<byte> output, MetricFormat format)
{
    private MetricFamily _family = null!;

    /// <summary>Begins a family; its samples follow.</summary>
    public void Begin(MetricFamily family)
    {
        _family = family;
        string name = format == MetricFormat.Text ? family.SampleName : family.Name;
        string type = family.Type switch
        {
            MetricType.Counter => "counter",
            MetricType.Histogram => "histogram",
            MetricType.Info when format == MetricFormat.OpenMetrics => "info",
            _ => "gauge",
        };
        Put($"# TYPE {name} {type}\n");
        if (family.Unit.Length > 0 && format == MetricFormat.OpenMetrics)
            Put($"# UNIT {name} {family.Unit}\n");
        Put($"# HELP {name} {family.Help}\n");
    }

    /// <summary>One sample with a value for each label of the family, in its order.</summary>
    public void Sample(double value, params ReadOnlySpan<string> labels) => Put("", value, labels, bound: null);

    /// <summary>One histogram.</summary>
    /// <param name="counts">Observations per bucket, not added up; those above the last bound at the end.</param>
    /// <param name="bounds">Upper bounds of all buckets but the last.</param>
    /// <param name="sum">The sum of what was observed, in the family's unit.</param>
    /// <param name="labels">A value for each label.</param>
    public void Histogram(ReadOnlySpan<long> counts, ReadOnlySpan<double> bounds, double sum, params ReadOnlySpan<string> labels)
    {
        long total = 0;
        for (int i = 0; i < counts.Length; i++)
            Put("_bucket", total += counts[i], labels, i < bounds.Length ? bounds[i] : double.PositiveInfinity);
        Put("_count", total, labels, bound: null);
        Put("_sum", sum, labels, bound: null);
    }

    /// <summary>Ends the text.</summary>
    public void End()
    {
        if (format == MetricFormat.OpenMetrics)
            Put("# EOF\n");
    }

    private void Put(string suffix, double value, ReadOnlySpan<string> labels, double? bound)
    {
        Put(_family.SampleName);
        Put(suffix);
        string separator = "{";
        for (int i = 0; i < labels.Length; i++, separator = ",")
        {
            Put(separator);
            Put(_family.LabelNames[i]);
            Put("=\"");
            PutEscaped(labels[i]);
            Put("\"");
        }

        if (bound is { } limit)
        {
            Put(separator);
            Put("le=\"");
            Put(limit);
            Put(double.IsInteger(limit) ? ".0\"" : "\""); // the one form of a bound in OpenMetrics
            separator = ",";
        }

        Put(separator == "," ? "} " : " ");
        Put(value);
        Put("\n");
    }

    /// <summary>A label's value: backslash, quote and line feed are escaped.</summary>
    private void PutEscaped(string value)
    {
        if (value.AsSpan().ContainsAny("\\\"\n"))
            value = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        Put(value);
    }

    private void Put(double number)
    {
        const int Longest = 32;
        if (double.IsInfinity(number))
            Put(number > 0 ? "+Inf" : "-Inf");
        else if (number.TryFormat(output.GetSpan(Longest), out int written, provider: CultureInfo.InvariantCulture))
            output.Advance(written);
    }

    private void Put(string text) => output.Advance(Encoding.UTF8.GetBytes(text, output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length))));
}
