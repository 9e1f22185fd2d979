using System.Text.Json.Serialization;

namespace FastMesh.Cli.Migration;

/// <summary>How a daemon is started and stopped: as a unit of systemd, or as a program with its arguments.</summary>
/// <param name="Title">What messages call it.</param>
/// <param name="Unit">The unit, or null.</param>
/// <param name="IsEnabled">The unit is started at boot.</param>
/// <param name="Program">Path of the program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Directory">Working directory.</param>
/// <param name="Environment">Its environment, NAME=VALUE each; null for that of the starter.</param>
/// <param name="Output">A file that it writes to, or null.</param>
/// <param name="Detaches">It returns when it is up, or as good as up, and goes on in the background.</param>
internal sealed record DaemonLaunch(
    string Title,
    string? Unit,
    bool IsEnabled,
    string Program,
    IReadOnlyList<string> Arguments,
    string Directory,
    IReadOnlyList<string>? Environment,
    string? Output,
    bool Detaches)
{
    /// <summary>Starts it. Whether it really runs is to be seen by its pid file.</summary>
    /// <returns>Null, or why not.</returns>
    public string? Start()
    {
        CommandResult result = Unit is not null ? Command.Run("systemctl", "start", Unit)
            : Detaches ? Command.Run(Program, Arguments, Directory, Environment)
            : Command.RunInBackground(Program, Arguments, Directory, Environment, Output);
        return result.Succeeded ? null : $"{Title} did not start: {result.Reason}";
    }

    /// <summary>Ends it and waits for its end.</summary>
    /// <returns>Null, or why not.</returns>
    public string? Stop(int process)
    {
        if (Unit is null)
            return RunningDaemon.End(process) ? null : $"{Title} does not end";
        CommandResult result = Command.Run("systemctl", "stop", Unit);
        return result.Succeeded ? null : $"{Title} did not stop: {result.Reason}";
    }

    /// <summary>Whether it is started at boot is a matter of the unit alone.</summary>
    public void Enable(bool enabled)
    {
        if (Unit is not null)
            Command.Run("systemctl", enabled ? "enable" : "disable", Unit);
    }
}

/// <summary>What <c>adopt</c> leaves for <c>revert</c>: <c>fastmesh/adopted.json</c>, the owner's alone because of the environment.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DaemonLaunch))]
[JsonSerializable(typeof(MigrationReport))]
internal sealed partial class MigrationJson : JsonSerializerContext;
