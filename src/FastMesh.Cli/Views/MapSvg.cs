using System.Globalization;
using System.Xml;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Views;

/// <summary>A map of the mesh as an SVG picture.</summary>
internal static class MapSvg
{
    private const int Margin = 70, Radius = 9, LegendHeight = 34;

    private static readonly (PathKind Kind, string Text)[] s_legend =
    [
        (PathKind.Self, "this node"), (PathKind.Direct, "direct"), (PathKind.Relay, "via another node"), (PathKind.Tcp, "TCP"), (PathKind.Idle, "idle"),
        (PathKind.Unreachable, "down"),
    ];

    /// <summary>Draws it.</summary>
    public static void Write(TextWriter output, MeshMap map)
    {
        int size = Math.Clamp(360 + (40 * map.Nodes.Count), 480, 1600);
        using XmlWriter svg = XmlWriter.Create(output, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true });
        svg.WriteStartElement("svg", "http://www.w3.org/2000/svg");
        Set(svg, ("viewBox", $"0 0 {size} {size * 3 / 4}"), ("width", $"{size}"), ("height", $"{size * 3 / 4}"), ("font-family", "sans-serif"), ("font-size", "13"));
        Element(svg, "rect", null, ("width", "100%"), ("height", "100%"), ("fill", "#ffffff"));

        (double X, double Y)[] shares = MapLayout.Place(map);
        Dictionary<string, (double X, double Y)> places = map.Nodes.Zip(shares).ToDictionary(
            pair => pair.First.Name,
            pair => (Margin + (pair.Second.X * (size - (2 * Margin))), Margin + (pair.Second.Y * ((size * 3 / 4) - LegendHeight - (2 * Margin)))),
            StringComparer.Ordinal);
        foreach (MapLink link in map.Links)
        {
            if (places.TryGetValue(link.From, out (double X, double Y) from) && places.TryGetValue(link.To, out (double X, double Y) to))
                Draw(svg, link, from, to);
        }

        foreach (MapNode node in map.Nodes)
            Draw(svg, node, places[node.Name]);
        DrawLegend(svg, (size * 3 / 4) - LegendHeight + 16);
        svg.WriteEndElement();
        svg.Flush();
        output.WriteLine();
    }

    private static void Draw(XmlWriter svg, MapLink link, (double X, double Y) from, (double X, double Y) to)
    {
        svg.WriteStartElement("line");
        Set(svg, ("x1", Text(from.X)), ("y1", Text(from.Y)), ("x2", Text(to.X)), ("y2", Text(to.Y)), ("stroke", "#9ca3af"), ("stroke-width", "1.5"));
        if (!link.IsConfirmed)
            Set(svg, ("stroke-dasharray", "4 4"));
        svg.WriteEndElement();
        Element(
            svg, "text", link.Weight.ToString(CultureInfo.InvariantCulture), ("x", Text((from.X + to.X) / 2)), ("y", Text(((from.Y + to.Y) / 2) - 4)),
            ("fill", "#6b7280"), ("font-size", "11"), ("text-anchor", "middle"));
    }

    private static void Draw(XmlWriter svg, MapNode node, (double X, double Y) place)
    {
        svg.WriteStartElement("g");
        Element(svg, "title", $"{node.Name}: {node.Caption}");
        Element(svg, "circle", null, ("cx", Text(place.X)), ("cy", Text(place.Y)), ("r", Text(Radius)), ("fill", MeshMap.ColourOf(node.Kind)), ("stroke", "#ffffff"), ("stroke-width", "2"));
        Element(
            svg, "text", node.Name, ("x", Text(place.X)), ("y", Text(place.Y + Radius + 15)), ("fill", "#111827"), ("text-anchor", "middle"),
            ("font-weight", node.Kind == PathKind.Self ? "bold" : "normal"));
        Element(
            svg, "text", node.Caption, ("x", Text(place.X)), ("y", Text(place.Y + Radius + 29)), ("fill", MeshMap.ColourOf(node.Kind)), ("font-size", "11"),
            ("text-anchor", "middle"));
        svg.WriteEndElement();
    }

    private static void DrawLegend(XmlWriter svg, int y)
    {
        int x = 20;
        foreach ((PathKind kind, string text) in s_legend)
        {
            Element(svg, "circle", null, ("cx", Text(x)), ("cy", Text(y)), ("r", "5"), ("fill", MeshMap.ColourOf(kind)));
            Element(svg, "text", text, ("x", Text(x + 10)), ("y", Text(y + 4)), ("fill", "#374151"), ("font-size", "11"));
            x += 28 + (6 * text.Length);
        }
    }

    private static void Element(XmlWriter svg, string name, string? content, params (string Name, string Value)[] attributes)
    {
        svg.WriteStartElement(name);
        Set(svg, attributes);
        if (content is not null)
            svg.WriteString(content);
        svg.WriteEndElement();
    }

    private static void Set(XmlWriter svg, params (string Name, string Value)[] attributes)
    {
        foreach ((string name, string value) in attributes)
            svg.WriteAttributeString(name, value);
    }

    private static string Text(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);
}
