using System.Globalization;
using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Config;

/// <summary>
/// The addresses at which other nodes were reached, a file of text each, in the language of host files. tincd has its own in <c>cache/</c>, which is left alone.
/// Read once at start, while the daemon may still do so; from then on what is in memory counts, and is written. Used by one thread at a time.
/// </summary>
/// <param name="directory">Where <c>fastmesh/addresses</c> is.</param>
/// <param name="log">For files that cannot be written, the first time.</param>
internal sealed class KnownAddressFiles(ConfigDirectory directory, EngineLog log) : IKnownAddresses
{
    private const string Variable = "Address";

    private readonly Dictionary<string, IReadOnlyList<Endpoint>> _known = [];
    private bool _warned;

    /// <summary>Reads all files. Lines and files that are no addresses of a node are passed over: nothing depends on them.</summary>
    public void Load()
    {
        try
        {
            foreach (string path in Directory.EnumerateFiles(directory.AddressesDirectory).Where(path => NodeName.IsValid(Path.GetFileName(path))))
                _known[Path.GetFileName(path)] = [.. ConfigFile.Read(path).Entries.Select(AddressIn).Where(address => address.IsSet)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // None was kept, or they are out of reach.
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<Endpoint> Find(string name) => _known.GetValueOrDefault(name) ?? [];

    /// <inheritdoc/>
    public void Keep(string name, IReadOnlyList<Endpoint> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        if (!NodeName.IsValid(name))
            return;
        _known[name] = addresses;
        string path = Path.Combine(directory.AddressesDirectory, name);
        try
        {
            Directory.CreateDirectory(directory.StateDirectory, AtomicFile.OwnerDirectory);
            Directory.CreateDirectory(directory.AddressesDirectory, AtomicFile.OwnerDirectory);
            AtomicFile.WriteUnsynced(path, Describe(name, addresses), AtomicFile.OwnerOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_warned)
                log.Always.ConfigurationWarning($"Could not write {path}: {FileError.Describe(e, path)}. Addresses of other nodes are forgotten at the end of this run; with -U, make the user the owner of {directory.StateDirectory}.");
            _warned = true;
        }
    }

    private static Endpoint AddressIn(ConfigEntry entry)
    {
        if (!entry.Variable.Equals(Variable, StringComparison.OrdinalIgnoreCase))
            return default;
        HostPort address = ServerSettings.ParseAddress(entry.Value, defaultPort: "");
        return Endpoint.TryParse(address.Host, address.Port, out Endpoint endpoint) ? endpoint : default;
    }

    private static string Describe(string name, IReadOnlyList<Endpoint> addresses)
        => $"# Where {name} was reached by FastMesh, the latest first. Remove this file to forget it.\n"
            + string.Concat(addresses.Select(address => string.Create(CultureInfo.InvariantCulture, $"{Variable} = {address.AddressText} {address.Port}\n")));
}
