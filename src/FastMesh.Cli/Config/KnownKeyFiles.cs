using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Config;

/// <summary>
/// The learned keys of other nodes, a file of text each: to forget one, remove it; to trust one for good, copy its line into the host file.
/// Read at each question, so that neither needs a reload; only where -U has put the files out of reach, what they held at start counts. Used by one
/// thread at a time.
/// </summary>
/// <param name="directory">Where <c>fastmesh/known</c> is.</param>
/// <param name="log">For files that cannot be used, the first time.</param>
internal sealed class KnownKeyFiles(ConfigDirectory directory, EngineLog log) : IKnownKeys
{
    private const string Variable = "Ed25519PublicKey";

    private readonly Dictionary<string, Ed25519PublicKey> _unwritten = [], _atStart = [];
    private readonly HashSet<string> _warned = [];

    /// <inheritdoc/>
    public Ed25519PublicKey? Find(string name)
    {
        if (!NodeName.IsValid(name))
            return null;
        if (_unwritten.TryGetValue(name, out Ed25519PublicKey? key))
            return key;
        try
        {
            ConfigFile file = ConfigFile.Parse(File.ReadAllBytes(FileOf(name)), FileOf(name));
            string? text = file.Entries.FirstOrDefault(e => e.Variable.Equals(Variable, StringComparison.OrdinalIgnoreCase))?.Value;
            if (!Ed25519PublicKey.TryParse(text, out key))
                Warn(name, $"No key can be read from {FileOf(name)}: {name} counts as a node not met before");
            return key;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return _atStart.GetValueOrDefault(name);
        }
    }

    /// <summary>Reads all files, while the daemon may still do so.</summary>
    public void Preload()
    {
        if (!Directory.Exists(directory.KnownDirectory))
            return;
        foreach (string name in Directory.EnumerateFiles(directory.KnownDirectory).Select(f => Path.GetFileName(f)))
        {
            if (Find(name) is { } key)
                _atStart[name] = key;
        }
    }

    /// <inheritdoc/>
    public void Learn(string name, Ed25519PublicKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!NodeName.IsValid(name))
            return;
        try
        {
            Directory.CreateDirectory(directory.StateDirectory, AtomicFile.OwnerDirectory);
            Directory.CreateDirectory(directory.KnownDirectory, AtomicFile.OwnerDirectory);
            AtomicFile.Write(FileOf(name), Describe(name, key), AtomicFile.OwnerOnly);
            _unwritten.Remove(name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _unwritten[name] = key;
            Warn("", $"Could not write {FileOf(name)}: {FileError.Describe(e, FileOf(name))}. Learned keys are forgotten at the end of this run; with -U, make the user the owner of {directory.StateDirectory}.");
        }
    }

    /// <inheritdoc/>
    public string FileOf(string name) => Path.Combine(directory.KnownDirectory, name);

    private static string Describe(string name, Ed25519PublicKey key)
        => $"# The key that {name} gave for itself, learned by FastMesh on {DateTime.UtcNow:yyyy-MM-dd HH:mm:ss} UTC. Remove this file to forget it.\n"
            + $"{Variable} = {key}\n";

    private void Warn(string about, string message)
    {
        if (_warned.Add(about))
            log.Always.ConfigurationWarning(message);
    }
}
