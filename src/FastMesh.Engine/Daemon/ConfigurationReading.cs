namespace FastMesh.Engine.Daemon;

/// <summary>The configuration as its files are now, compared with the one in force. Reading it has changed nothing.</summary>
public sealed record ConfigurationReading
{
    /// <summary>What to run with, or null if <see cref="Errors"/> stand against it.</summary>
    public DaemonOptions? Options { get; init; }

    /// <summary>What is broken, with file and line; any of it stands against all.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>What is doubtful, with file and line.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Variables whose value differs, of this node's own configuration first.</summary>
    public IReadOnlyList<VariableChange> Variables { get; init; } = [];

    /// <summary>Host files that came, went, or hold another key.</summary>
    public IReadOnlyList<HostChange> Hosts { get; init; } = [];

    /// <summary>Makes this the configuration in force, with which later readings are compared.</summary>
    public Action Accept { get; init; } = () => { };
}

/// <summary>When a changed value takes effect.</summary>
public enum ChangeEffect
{
    /// <summary>At the reload.</summary>
    Reload,

    /// <summary>With the next meta connection; those that there are stay unless they are listed as changing.</summary>
    NextConnection,

    /// <summary>With the next session, script or dump.</summary>
    NextUse,

    /// <summary>Only at the next start of the daemon.</summary>
    Restart,

    /// <summary>None: the variable is not known, or means nothing where it stands.</summary>
    None,
}

/// <summary>A value and where it is written.</summary>
/// <param name="Text">The value; of a secret, that it is one.</param>
/// <param name="Place">File and line, or which option of the command line.</param>
public sealed record PlacedValue(string Text, string Place);

/// <summary>One value that was added or removed, or that took the place of another.</summary>
/// <param name="Variable">Name of the variable.</param>
/// <param name="Host">The node whose host file it is in; null: this node's own configuration.</param>
/// <param name="Old">What is in force; null: nothing.</param>
/// <param name="New">What the files say; null: nothing.</param>
/// <param name="Effect">When it takes effect.</param>
public sealed record VariableChange(string Variable, string? Host, PlacedValue? Old, PlacedValue? New, ChangeEffect Effect);

/// <summary>What happened to a host file.</summary>
public enum HostFileChange
{
    /// <summary>It is new.</summary>
    Added,

    /// <summary>It is gone.</summary>
    Removed,

    /// <summary>The key in it is another one.</summary>
    KeyChanged,
}

/// <summary>A host file that came, went, or holds another key.</summary>
/// <param name="Node">The node.</param>
/// <param name="Change">What happened to it.</param>
/// <param name="File">Its path.</param>
public sealed record HostChange(string Node, HostFileChange Change, string File);
