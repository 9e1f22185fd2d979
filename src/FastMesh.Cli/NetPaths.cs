namespace FastMesh.Cli;

/// <summary>Names and paths that follow from <c>-n</c>, <c>-c</c>, <c>--pidfile</c> and <c>--logfile</c> (tinc 1.0 reference, 1.3).</summary>
/// <param name="NetName">Net name, or null.</param>
/// <param name="ConfigDirectory">Absolute path of the directory with tinc.conf.</param>
/// <param name="Identity">Name in logs and default file names: <c>tinc.NET</c> or <c>tinc</c>, so that what watches tincd finds us.</param>
/// <param name="PidFile">Absolute path of the pid file.</param>
/// <param name="LogFile">Absolute path of the log file, used only if logging to one.</param>
internal sealed record NetPaths(string? NetName, string ConfigDirectory, string Identity, string PidFile, string LogFile)
{
    /// <summary>Where the directories of all nets are.</summary>
    public const string ConfigRoot = "/etc/tinc";

    /// <summary>Names the net in a message, or nothing without one.</summary>
    public string ForNet => NetName is null ? string.Empty : $" for net `{NetName}'";

    /// <summary>The control socket beside the pid file (tinc 1.1 reference, 10.1): <c>.pid</c> becomes <c>.socket</c>, else that is appended.</summary>
    public string ControlSocket => BesidePidFile(".socket");

    /// <summary>What the daemon has set up of an interface that outlives it, beside the pid file.</summary>
    public string InterfaceRecord => BesidePidFile(".interface");

    /// <summary>
    /// Derives all paths. Relative ones are resolved now: tincd does so only after it has changed to the root directory, where
    /// they no longer lead to the same place.
    /// </summary>
    public static NetPaths From(CommandLine commandLine)
    {
        // The program tinc takes the net from the environment, tincd does not (tinc 1.1 reference, 10.3).
        string? net = commandLine.NetName
            ?? (commandLine.Command is not null && !commandLine.NetIsGiven && Environment.GetEnvironmentVariable("NETNAME") is { Length: > 0 } variable and not "."
                ? variable : null);
        string identity = net is null ? "tinc" : $"tinc.{net}";
        return new NetPaths(
            net,
            Path.GetFullPath(NonEmpty(commandLine.ConfigDirectory) ?? (net is null ? ConfigRoot : $"{ConfigRoot}/{net}")),
            identity,
            Path.GetFullPath(NonEmpty(commandLine.PidFile) ?? $"/run/{identity}.pid"),
            Path.GetFullPath(NonEmpty(commandLine.LogFile) ?? $"/var/log/{identity}.log"));
    }

    private string BesidePidFile(string extension) => (PidFile.EndsWith(".pid", StringComparison.Ordinal) ? PidFile[..^4] : PidFile) + extension;

    private static string? NonEmpty(string? path) => string.IsNullOrEmpty(path) ? null : path;
}
