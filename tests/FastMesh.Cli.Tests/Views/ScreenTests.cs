using System.Xml.Linq;
using FastMesh.Cli.Views;
using FastMesh.Engine.Daemon.Status;

namespace FastMesh.Cli.Tests.Views;

/// <summary>Screens and drawings of a snapshot made by hand, against texts written by hand.</summary>
public sealed class ScreenTests
{
    [Fact]
    public void The_screen_of_status_says_who_where_how_and_why()
    {
        string[] expected = """
            alpha in net demo, FastMesh 0.1.0, pid 4711, up 3 h 12 min
            device    demo (tun), router mode, MTU 1500
            set up    address 10.20.1.1/16, mtu 1500
            subnets   10.20.1.0/24
            listens   0.0.0.0:655, [::]:655
            data path 1 thread, plain system calls, offloads: vnet csum tso gso gro
            mesh      6 nodes, 5 reachable; 1 connection; 2 subnets

            NODE     PATH        PROTOCOL  SUITE                MTU      RTT  IN b/s  OUT b/s
            beta     direct      fastmesh  AES-256-GCM         1435  0.41 ms  1.23 G   56.8 k
            delta    via beta    tinc 1.1  ChaCha20-Poly1305  1400+        -     800        -
            epsilon  down 3 min
            gamma    TCP         tinc 1.0  AES-256-CBC            -  12.3 ms       -        -
            zeta     idle        fastmesh  -                      -        -       -        -

            Not direct
              delta  it has not answered by UDP: just started, or a firewall stops it
              gamma  TCPOnly is set there

            Dropped packets since the start
              12  no subnet has their destination
               3  the kernel refused to send them: delta 2, beta 1
            """.Split('\n');
        Assert.Equal(expected, StatusScreen.Lines(Snapshots.Mesh, 100, Style.Plain));
    }

    [Fact]
    public void In_eighty_columns_the_widest_columns_are_cut_and_nothing_is_longer()
    {
        DaemonStatus mesh = Snapshots.Mesh;
        mesh = mesh with { Nodes = [mesh.Nodes[0], .. mesh.Nodes.Skip(1).Select(node => node with { Name = node.Name + "_with_a_long_name_of_a_data_centre" })] };
        string[] lines = [.. StatusScreen.Lines(mesh, 80, Style.Plain)];
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
        Assert.Contains(lines, line => line.StartsWith("beta_wi", StringComparison.Ordinal) && line.Contains('…') && line.EndsWith("1.23 G   56.8 k", StringComparison.Ordinal));
    }

    [Fact]
    public void A_lonely_daemon_says_so_and_without_a_net_there_is_none()
    {
        DaemonStatus mesh = Snapshots.Mesh;
        string[] lines = [.. StatusScreen.Lines(mesh with { Nodes = [mesh.Nodes[0]], Daemon = mesh.Daemon with { Net = null } }, 80, Style.Plain)];
        Assert.Equal("alpha, FastMesh 0.1.0, pid 4711, up 3 h 12 min", lines[0]);
        Assert.Contains("No other node is known.", lines);
    }

    [Fact]
    public void Colours_wrap_lines_and_change_nothing_in_them()
    {
        string[] plain = [.. StatusScreen.Lines(Snapshots.Mesh, 100, Style.Plain)], coloured = [.. StatusScreen.Lines(Snapshots.Mesh, 100, new Style(true))];
        Assert.Contains(coloured, line => line.StartsWith("\e[32mbeta", StringComparison.Ordinal) && line.EndsWith("\e[0m", StringComparison.Ordinal));
        Assert.Equal(plain, coloured.Select(line => System.Text.RegularExpressions.Regex.Replace(line, "\e\\[[0-9]*m", "")));
    }

    [Fact]
    public void Top_is_sorted_by_traffic_and_shows_rates_between_two_snapshots()
    {
        string[] expected = """
            alpha in net demo: 6 nodes, 5 reachable; rates, sorted by total
            NODE     PATH           RTT  IN pkt/s  IN bit/s  OUT pkt/s  OUT bit/s
            beta     direct     0.41 ms    1.23 M    1.23 G         56     56.8 k
            alpha    this node        -         2       2 k          3        3 k
            delta    via beta         -         0       800          0          0
            epsilon  down             -         0         0          0          0
            gamma    TCP        12.3 ms         0         0          0          0
            zeta     idle             -         0         0          0          0
            """.Split('\n');
        Assert.Equal(expected, TopScreen.Lines(Snapshots.Mesh, null, TopOrder.Total, cumulative: false, 100, Style.Plain));

        DaemonStatus before = Snapshots.Mesh, now = before with
        {
            Time = before.Time.AddSeconds(2),
            Nodes = [.. before.Nodes.Select(node => node.Name == "zeta" ? node with { Traffic = node.Traffic with { PacketsIn = 30, BytesIn = 500_000 } } : node)],
        };
        string first = TopScreen.Lines(now, before, TopOrder.In, cumulative: false, 100, Style.Plain).ElementAt(2);
        Assert.Equal(["zeta", "idle", "-", "10", "2", "M", "0", "0"], first.Split(' ', StringSplitOptions.RemoveEmptyEntries)); // 20 packets, 4 Mbit in 2 s
    }

    [Theory]
    [InlineData(TopOrder.Name, "alpha beta delta epsilon gamma zeta")]
    [InlineData(TopOrder.Out, "beta alpha delta epsilon gamma zeta")]
    [InlineData(TopOrder.RoundTrip, "gamma beta alpha delta epsilon zeta")]
    public void Top_can_be_sorted_otherwise(object order, string names) => Assert.Equal(
        names.Split(' '), TopScreen.Lines(Snapshots.Mesh, null, (TopOrder)order, cumulative: true, 100, Style.Plain).Skip(2).Select(line => line.Split(' ')[0]));

    [Fact]
    public void The_map_has_every_connection_once_and_dashes_what_one_end_only_tells()
    {
        string[] expected = """
            graph mesh {
              node [style = filled, fontcolor = white, fontname = "sans-serif"];
              "alpha" [fillcolor = "#2563eb", tooltip = "this node"];
              "beta" [fillcolor = "#16a34a", tooltip = "direct, fastmesh"];
              "delta" [fillcolor = "#ca8a04", tooltip = "via beta, tinc 1.1"];
              "epsilon" [fillcolor = "#dc2626", tooltip = "down"];
              "gamma" [fillcolor = "#ea580c", tooltip = "TCP, tinc 1.0"];
              "zeta" [fillcolor = "#6b7280", tooltip = "idle, fastmesh"];
              "alpha" -- "beta" [label = "30"];
              "beta" -- "delta" [label = "120"];
              "beta" -- "zeta" [label = "7", style = dashed];
            }
            """.Split('\n');
        Assert.Equal(expected, MeshMap.Of(Snapshots.Mesh).Dot());
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(60), InlineData(300)]
    public void A_picture_is_well_formed_has_every_node_inside_and_is_always_the_same(int count)
    {
        MapNode[] nodes = [.. Enumerable.Range(0, count).Select(i => new MapNode($"n{i:000}", Engine.Protocol.PathKind.Direct, "direct"))];
        MeshMap map = new(nodes, [.. Enumerable.Range(1, count - 1).Select(i => new MapLink($"n{i / 2:000}", $"n{i:000}", i, true))]);
        string picture = Draw(map);
        Assert.Equal(picture, Draw(map));
        XElement svg = XElement.Parse(picture);
        XNamespace ns = "http://www.w3.org/2000/svg";
        double[] box = [.. svg.Attribute("viewBox")!.Value.Split(' ').Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture))];
        XElement[] drawn = [.. svg.Elements(ns + "g")];
        Assert.Equal(nodes.Select(node => node.Name), drawn.Select(group => group.Elements(ns + "text").First().Value));
        Assert.Equal(map.Links.Count, svg.Elements(ns + "line").Count());
        Assert.All(drawn.Select(group => group.Element(ns + "circle")!), circle =>
        {
            Assert.InRange(Number(circle, "cx"), 20, box[2] - 20);
            Assert.InRange(Number(circle, "cy"), 20, box[3] - 50); // above the legend
        });
        if (count is > 1 and <= 60)
            Assert.Equal(count, drawn.Select(group => group.Element(ns + "circle")!).Select(circle => (Number(circle, "cx"), Number(circle, "cy"))).Distinct().Count());

        static double Number(XElement element, string name) => double.Parse(element.Attribute(name)!.Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Draw(MeshMap map)
    {
        StringWriter writer = new();
        MapSvg.Write(writer, map);
        return writer.ToString();
    }

    [Theory]
    [InlineData(0, "0 s"), InlineData(59, "59 s"), InlineData(61, "1 min 1 s"), InlineData(3599, "59 min"), InlineData(3600, "1 h"), InlineData(90_000, "1 d 1 h")]
    public void Spans_have_two_units_at_most(int seconds, string text) => Assert.Equal(text, Units.Span(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0, "0"), InlineData(999, "999"), InlineData(1000, "1 k"), InlineData(99_960, "100 k"), InlineData(999_600, "1 M"), InlineData(12_345_678, "12.3 M")]
    public void Counts_have_three_digits(long count, string text) => Assert.Equal(text, Units.Count(count));
}
