using System.Buffers;
using System.Text;
using FastMesh.Engine.Daemon.Metrics;

namespace FastMesh.Engine.Tests.Daemon.Metrics;

/// <summary>Text as in the examples of the OpenMetrics 1.0 specification, and the classic format as Prometheus' documentation has it.</summary>
public sealed class OpenMetricsWriterTests
{
    private static readonly MetricFamily s_counter = new("acme_http_router_request_seconds", MetricType.Counter, "seconds", "path,method", "Latency."),
        s_gauge = new("go_goroutines", MetricType.Gauge, "", "", "Number."), s_info = new("foo", MetricType.Info, "", "entity", "Entities."),
        s_histogram = new("foo_size", MetricType.Histogram, "", "a", "Sizes.");

    [Fact]
    public void Counters_and_gauges_look_like_the_specification()
    {
        Assert.Equal(
            """
            # TYPE acme_http_router_request_seconds counter
            # UNIT acme_http_router_request_seconds seconds
            # HELP acme_http_router_request_seconds Latency.
            acme_http_router_request_seconds_total{path="/api/v1",method="GET"} 807283.0625
            # TYPE go_goroutines gauge
            # HELP go_goroutines Number.
            go_goroutines 69
            # EOF

            """,
            Write(MetricFormat.OpenMetrics, WriteBoth));
        Assert.Equal(
            """
            # TYPE acme_http_router_request_seconds_total counter
            # HELP acme_http_router_request_seconds_total Latency.
            acme_http_router_request_seconds_total{path="/api/v1",method="GET"} 807283.0625
            # TYPE go_goroutines gauge
            # HELP go_goroutines Number.
            go_goroutines 69

            """,
            Write(MetricFormat.Text, WriteBoth));

        static void WriteBoth(OpenMetricsWriter writer)
        {
            writer.Begin(s_counter);
            writer.Sample(807283.0625, "/api/v1", "GET");
            writer.Begin(s_gauge);
            writer.Sample(69);
        }
    }

    [Fact]
    public void An_info_is_a_gauge_in_the_classic_format()
    {
        Action<OpenMetricsWriter> write = static writer =>
        {
            writer.Begin(s_info);
            writer.Sample(1, "controller");
        };
        Assert.StartsWith("# TYPE foo info\n# HELP foo Entities.\nfoo_info{entity=\"controller\"} 1\n", Write(MetricFormat.OpenMetrics, write), StringComparison.Ordinal);
        Assert.Equal("# TYPE foo_info gauge\n# HELP foo_info Entities.\nfoo_info{entity=\"controller\"} 1\n", Write(MetricFormat.Text, write));
    }

    [Fact]
    public void Buckets_of_a_histogram_add_up()
    {
        string text = Write(MetricFormat.OpenMetrics, static writer =>
        {
            writer.Begin(s_histogram);
            writer.Histogram([2, 0, 3, 1], [0.01, 1, 10], 32.5, "b");
        });
        Assert.Equal(
            """
            # TYPE foo_size histogram
            # HELP foo_size Sizes.
            foo_size_bucket{a="b",le="0.01"} 2
            foo_size_bucket{a="b",le="1.0"} 2
            foo_size_bucket{a="b",le="10.0"} 5
            foo_size_bucket{a="b",le="+Inf"} 6
            foo_size_count{a="b"} 6
            foo_size_sum{a="b"} 32.5
            # EOF

            """,
            text);
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("C:\\DIR\n\"x\"", "C:\\\\DIR\\n\\\"x\\\"")]
    [InlineData("μ", "μ")]
    public void Label_values_are_escaped(string value, string escaped) => Assert.Contains(
        $"foo_info{{entity=\"{escaped}\"}} 1\n",
        Write(MetricFormat.OpenMetrics, writer =>
        {
            writer.Begin(s_info);
            writer.Sample(1, value);
        }),
        StringComparison.Ordinal);

    private static string Write(MetricFormat format, Action<OpenMetricsWriter> write)
    {
        ArrayBufferWriter<byte> output = new();
        OpenMetricsWriter writer = new(output, format);
        write(writer);
        writer.End();
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
