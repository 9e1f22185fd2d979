using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Config;

/// <summary>
/// The files of one net: tinc.conf, conf.d and hosts, together with the <c>-o</c> options that stand in for their values
/// (tinc 1.0 reference, 2.1 and 2.2). Every call reads the files afresh.
/// </summary>
/// <param name="root">Absolute path of the directory.</param>
/// <param name="overrides">Options in command line order.</param>
/// <param name="changesRoot">The daemon changes its root to the directory at some time (<c>-R</c>).</param>
internal sealed class ConfigDirectory(string root, IReadOnlyList<ConfigEntry> overrides, bool changesRoot = false)
{
    /// <summary>Absolute path of the directory; after the change of root, that is the root itself.</summary>
    public string Root => changesRoot && !Directory.Exists(root) ? "/" : root;

    /// <summary>The server's own file.</summary>
    public string ServerFile => Path.Combine(Root, "tinc.conf");

    /// <summary>The private key unless PrivateKeyFile says otherwise.</summary>
    public string PrivateKeyFile => Path.Combine(Root, "rsa_key.priv");

    /// <summary>The Ed25519 private key unless Ed25519PrivateKeyFile says otherwise.</summary>
    public string Ed25519PrivateKeyFile => Path.Combine(Root, "ed25519_key.priv");

    /// <summary>What the daemon keeps for itself. Nothing in it is tinc's, and tincd can run without it.</summary>
    public string StateDirectory => Path.Combine(Root, "fastmesh");

    /// <summary>The identity of a node whose user gave it no Ed25519 key.</summary>
    public string IdentityFile => Path.Combine(StateDirectory, "ed25519_key.priv");

    /// <summary>Where learned keys of other nodes are.</summary>
    public string KnownDirectory => Path.Combine(StateDirectory, "known");

    /// <summary>Where addresses are at which other nodes were reached.</summary>
    public string AddressesDirectory => Path.Combine(StateDirectory, "addresses");

    /// <summary>Where invitations that this node has issued are.</summary>
    public string InvitationsDirectory => Path.Combine(Root, "invitations");

    /// <summary>The key that invitations are redeemed with.</summary>
    public string InvitationKeyFile => Path.Combine(InvitationsDirectory, "ed25519_key.priv");

    /// <summary>Where the files of nodes are.</summary>
    public string HostsDirectory => Path.Combine(Root, "hosts");

    /// <summary>The file of one node.</summary>
    public string HostFile(string name) => Path.Combine(HostsDirectory, name);

    /// <summary>
    /// The file a key variable names. tinc takes a relative path from the working directory, which is not where the administrator
    /// was once the daemon has detached; if there is no such file, it is looked for in this directory.
    /// </summary>
    public string Resolve(string path) => File.Exists(path) ? Path.GetFullPath(path) : Path.Combine(Root, path);

    /// <summary>Reads tinc.conf, conf.d and the options without a host; each unreadable file or line is an error in the report.</summary>
    public List<ConfigEntry> ReadServer(ConfigReport report)
    {
        List<ConfigEntry> entries = [.. overrides.Where(o => !o.Variable.Contains('.', StringComparison.Ordinal))];
        foreach (string path in ServerFiles())
        {
            ConfigFile file = ConfigFile.Read(path);
            entries.AddRange(file.Entries);
            file.Report(report, Severity.Error);
        }

        return entries;
    }

    /// <summary>The names of all host files that can be nodes, in order.</summary>
    /// <param name="error">Why the directory cannot be read, or null; one that does not exist has no files.</param>
    public IReadOnlyList<string> ListHosts(out string? error)
    {
        error = null;
        try
        {
            return [.. Directory.EnumerateFiles(HostsDirectory).Select(p => Path.GetFileName(p)).Where(n => NodeName.IsValid(n)).Order(StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"Cannot read {HostsDirectory}: {FileError.Describe(e, HostsDirectory)}";
            return [];
        }
    }

    /// <summary>Reads the file of one node and the options for it. An error leaves what came before it.</summary>
    /// <param name="name">Name of the node, already checked.</param>
    /// <param name="file">What is in the file, and what is wrong with it.</param>
    public List<ConfigEntry> ReadHost(string name, out ConfigFile file)
    {
        file = ConfigFile.Read(HostFile(name));
        string prefix = name + ".";
        IEnumerable<ConfigEntry> options = overrides
            .Where(o => o.Variable.StartsWith(prefix, StringComparison.Ordinal))
            .Select(o => o with { Variable = o.Variable[prefix.Length..] });
        return [.. options, .. file.Entries];
    }

    /// <summary>tinc.conf, then every file of conf.d whose name is longer than its ending .conf.</summary>
    public IEnumerable<string> ServerFiles()
    {
        string directory = Path.Combine(Root, "conf.d");
        string[] more = [];
        if (Directory.Exists(directory))
        {
            more = Directory.GetFileSystemEntries(directory);
        }

        return more
            .Where(p => p.EndsWith(".conf", StringComparison.Ordinal) && Path.GetFileName(p).Length > ".conf".Length)
            .Order(StringComparer.Ordinal)
            .Prepend(ServerFile);
    }
}
