using FastMesh.Cli.Views;
using FastMesh.Engine.Daemon;

namespace FastMesh.Cli.Commands;

/// <summary><c>status</c>: one screen about the running daemon.</summary>
internal static class StatusCommand
{
    private const int LeastWidth = 80;

    /// <summary>Prints it.</summary>
    public static int Run(CommandContext context) => context.WithDaemon(daemon =>
    {
        if (context.Line.Json)
        {
            JsonOutput.Print(context.Output, daemon.Ask(ControlRequest.Status));
            return 0;
        }

        foreach (string line in StatusScreen.Lines(daemon.Status(), Width, Style.OfOutput))
            context.Output.WriteLine(line);
        return 0;
    });

    /// <summary>The terminal's width, or the least one.</summary>
    public static int Width
    {
        get
        {
            try
            {
                return Console.IsOutputRedirected ? LeastWidth : Math.Max(LeastWidth, Console.WindowWidth);
            }
            catch (IOException)
            {
                return LeastWidth;
            }
        }
    }
}
