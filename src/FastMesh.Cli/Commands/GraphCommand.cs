using FastMesh.Cli.Views;

namespace FastMesh.Cli.Commands;

/// <summary><c>graph</c>: draws the mesh.</summary>
internal static class GraphCommand
{
    /// <summary>Prints the drawing: for graphviz unless a picture is wanted.</summary>
    public static int Run(CommandContext context)
    {
        string form = context.Arguments.ElementAtOrDefault(0) ?? "dot";
        if (form is not ("dot" or "svg"))
            return context.Misuse($"Unknown form of graph `{form}': dot or svg.");
        return context.WithDaemon(daemon =>
        {
            MeshMap map = MeshMap.Of(daemon.Status());
            if (form == "svg")
                MapSvg.Write(context.Output, map);
            else
                map.Dot().ToList().ForEach(context.Print);
            return 0;
        });
    }
}
