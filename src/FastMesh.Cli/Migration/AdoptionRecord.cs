using System.Text.Json;
using FastMesh.Cli.Config;

namespace FastMesh.Cli.Migration;

/// <summary>How tincd was started, kept in <c>fastmesh/adopted.json</c> from <c>adopt</c> to <c>revert</c>.</summary>
internal sealed class AdoptionRecord(ConfigDirectory directory)
{
    private readonly string _path = Path.Combine(directory.StateDirectory, "adopted.json");

    /// <summary>Keeps it.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Write(DaemonLaunch launch)
    {
        Directory.CreateDirectory(directory.StateDirectory, AtomicFile.OwnerDirectory);
        AtomicFile.Write(_path, JsonSerializer.Serialize(launch, MigrationJson.Default.DaemonLaunch), AtomicFile.OwnerOnly);
    }

    /// <summary>What was kept, or null.</summary>
    public DaemonLaunch? Read()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(_path), MigrationJson.Default.DaemonLaunch);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Removes it, and the directory if there is nothing else in it.</summary>
    public void Remove()
    {
        try
        {
            File.Delete(_path);
            if (!Directory.EnumerateFileSystemEntries(directory.StateDirectory).Any())
                Directory.Delete(directory.StateDirectory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was not there, or stays: then the next adopt replaces it.
        }
    }
}
