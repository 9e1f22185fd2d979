namespace FastMesh.Engine.Daemon;

/// <summary>The composition root: opens device and sockets, runs scripts and the control loop, and takes all down again.</summary>
public sealed class Daemon
{
    /// <summary>Prepares a daemon; nothing is opened before <see cref="Run"/>.</summary>
    /// <param name="options">What to run.</param>
    /// <param name="log">Where messages go.</param>
    /// <param name="console">Debug level and log file as signals change them.</param>
    public Daemon(DaemonOptions options, EngineLog log, IDaemonConsole console) => throw new NotSupportedException();

    /// <summary>
    /// Sets up, calls <paramref name="ready"/> once "Ready" is logged, and runs until a signal ends it.
    /// Returns the exit code (tinc 1.0 reference, 1.5); a set-up failure is logged and gives 1.
    /// </summary>
    public int Run(Action ready) => throw new NotSupportedException();
}

/// <summary>What signals change outside the engine.</summary>
public interface IDaemonConsole
{
    /// <summary>The debug level; INT toggles it between 5 and the previous value.</summary>
    int DebugLevel { get; set; }

    /// <summary>HUP: opens the log file anew, if there is one.</summary>
    void ReopenLog();
}
