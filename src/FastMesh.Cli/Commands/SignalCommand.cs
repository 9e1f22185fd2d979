using FastMesh.Engine.Daemon;

namespace FastMesh.Cli.Commands;

/// <summary><c>-k</c>: sends a signal to the running daemon (tinc 1.0 reference, 1.4). Does not wait for what it does.</summary>
internal static class SignalCommand
{
    /// <summary>Sends it.</summary>
    /// <param name="paths">Which daemon.</param>
    /// <param name="signal">Number of the signal.</param>
    /// <returns>The exit code: 0 also if the process is gone, in which case its pid file is removed.</returns>
    public static int Run(NetPaths paths, int signal)
    {
        PidFile file = new(paths.PidFile);
        int process = file.Read();
        if (process == 0)
        {
            Console.Error.WriteLine($"No other fastmesh or tincd is running{paths.ForNet}.");
            return 1;
        }

        if (!ProcessHost.SendSignal(process, signal))
        {
            Console.Error.WriteLine("The daemon is no longer running. Removing stale lock file.");
            file.Remove();
        }

        return 0;
    }
}
