using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Config;

/// <summary>
/// Reads the configuration of a net into <see cref="DaemonOptions"/>, at start and at each reload. Name and private keys are read only at
/// start: the one cannot change, and by the time of a reload the daemon may no longer be allowed to read the others.
/// </summary>
internal sealed class ConfigLoader
{
    private readonly CommandLine _commandLine;
    private readonly NetPaths _paths;
    private readonly EngineLog _log;
    private readonly ConfigDirectory _directory;
    private readonly PeerDirectory _peers;
    private readonly KnownKeyFiles _knownKeys;
    private readonly KnownAddressFiles _knownAddresses;
    private readonly InvitationBook _invitations;
    private OwnKeys? _keys;
    private ConfigReading? _reading;
    private ConfigSnapshot? _inForce;

    /// <summary>Prepares to read; nothing is read yet.</summary>
    /// <param name="paths">Which net.</param>
    /// <param name="commandLine">Options that override or add to the files.</param>
    /// <param name="log">For what is wrong with the files.</param>
    public ConfigLoader(NetPaths paths, CommandLine commandLine, EngineLog log)
    {
        (_paths, _commandLine, _log) = (paths, commandLine, log);
        _directory = new ConfigDirectory(paths.ConfigDirectory, commandLine.Overrides, commandLine.ChangeRoot);
        _peers = new PeerDirectory(_directory, log);
        _knownKeys = new KnownKeyFiles(_directory, log);
        _knownAddresses = new KnownAddressFiles(_directory, log);
        _invitations = new InvitationBook(_directory, log);
    }

    /// <summary>Reads everything and logs what is wrong with it.</summary>
    /// <returns>The options, or null if an error stands against a start.</returns>
    public DaemonOptions? Load()
    {
        ConfigReport report = new();
        List<ConfigEntry> entries = _directory.ReadServer(report);
        ConfigReading? reading = null;
        DaemonOptions? options = report.Errors.Count == 0 ? Read(entries, report, out reading) : null;
        foreach (string warning in report.Warnings)
            _log.Always.ConfigurationWarning(warning);
        foreach (string error in report.Errors)
            _log.Always.ConfigurationError(error);
        if (options is null)
            return null;

        (_reading, _inForce) = (reading, SnapshotOf(reading!, report));
        _invitations.Reload(options.Mesh.Name, reading!.InvitationExpire);
        _knownKeys.Preload();
        _knownAddresses.Load();
        return options;
    }

    /// <summary>Reads everything again and compares it with what is in force, which changes only once the reading is accepted.</summary>
    private ConfigurationReading Reread()
    {
        ConfigReport report = new();
        List<ConfigEntry> entries = _directory.ReadServer(report);
        ConfigReading? reading = null;
        DaemonOptions? options = report.Errors.Count == 0 ? Read(entries, report, out reading) : null;
        ConfigSnapshot? snapshot = options is null ? null : SnapshotOf(reading!, report);
        if (snapshot is not null)
            CheckHosts(snapshot.Hosts, report);
        if (options is null || snapshot is null || report.Errors.Count > 0)
            return new ConfigurationReading { Errors = [.. report.Errors.Select(WithUser)], Warnings = report.Warnings };

        ConfigSnapshot before = _inForce!;
        return new ConfigurationReading
        {
            Options = options,
            Warnings = report.Warnings,
            Variables = [.. before.ChangesTo(snapshot)],
            Hosts = [.. before.HostChangesTo(snapshot)],
            Accept = () =>
            {
                (_inForce, _reading) = (before.AfterReload(snapshot), reading);
                _invitations.Reload(options.Mesh.Name, reading!.InvitationExpire);
            },
        };
    }

    /// <summary>What cannot be read often could be when the daemon was another user.</summary>
    private string WithUser(string error) => _commandLine.User is { } user && error.Contains("Permission denied", StringComparison.Ordinal)
        ? $"{error} (since its start the daemon runs as {user})" : error;

    private ConfigSnapshot SnapshotOf(ConfigReading reading, ConfigReport report)
    {
        IReadOnlyList<string> names = _directory.ListHosts(out string? error);
        if (error is not null && _inForce is not null)
            report.Fail(error, _directory.HostsDirectory, 0, "make it readable");
        return new ConfigSnapshot(reading.Server, names.Where(name => name != reading.Name).ToDictionary(name => name, ReadHost));
    }

    private ConfigFile ReadHost(string name)
    {
        List<ConfigEntry> entries = _directory.ReadHost(name, out ConfigFile file);
        return file with { Entries = entries };
    }

    /// <summary>
    /// Host files that are broken, or have lost their key, stand against a reload: it would end connections that cannot come back. At the
    /// start they only keep their nodes from connecting, as in tincd. Files that are as they were do not count.
    /// </summary>
    private void CheckHosts(IReadOnlyDictionary<string, ConfigFile> hosts, ConfigReport report)
    {
        foreach ((string name, ConfigFile file) in hosts)
        {
            ConfigFile? before = _inForce!.Hosts.GetValueOrDefault(name);
            if (before is not null && before.Error == file.Error && before.Blocks == file.Blocks && before.Entries.SequenceEqual(file.Entries))
                continue;
            file.Report(report, Severity.Error);
            if (file.Error is not null)
                continue;

            ConfigReport findings = new();
            PeerSettings peer = PeerDirectory.Read(name, new ConfigTree(file.Entries, findings), _directory);
            bool keyless = before is { Error: null } && peer is { PublicKey: null, Ed25519Key: null };
            foreach (Finding finding in findings.Findings)
                report.Add(keyless && finding.Text.Contains("key for", StringComparison.OrdinalIgnoreCase) ? finding with { Severity = Severity.Error } : finding);
        }
    }

    private DaemonOptions? Read(List<ConfigEntry> entries, ConfigReport report, out ConfigReading? result)
    {
        result = Interpret(entries, report);
        if (result is not { Options: { } options, Keys: { } keys } || report.Errors.Count > 0)
            return null;

        _keys = keys = _inForce is null ? keys.WithIdentity(result.Server, _directory, make: true) : keys; // which may write: only at a start that nothing stands against
        return report.Errors.Count > 0 ? null
            : options with { Mesh = options.Mesh with { Key = keys.Rsa, Identity = keys.Identity, SpeaksSptps = keys.SpeaksSptps } };
    }

    /// <summary>
    /// Reads everything as a start or reload would, without a change to any file or to what is in force, and without a word in the log. What is wrong is
    /// in the report; an error there stands against a start.
    /// </summary>
    public ConfigReading Inspect(ConfigReport report)
    {
        List<ConfigEntry> entries = _directory.ReadServer(report);
        ConfigTree server = new(entries, report);
        bool isCutShort = report.Errors.Count > 0 && server.First("Name") is null; // the name may stand where reading stopped
        ConfigReading reading = isCutShort ? new ConfigReading(null, server, null, null) : Interpret(entries, report);
        reading.Keys?.WithIdentity(reading.Server, _directory, make: false);
        return reading;
    }

    private ConfigReading Interpret(List<ConfigEntry> entries, ConfigReport report)
    {
        ConfigFile? ownHost = null;
        string? name = _reading?.Name ?? OwnName.Resolve(new ConfigTree(entries, report));
        if (name is not null)
        {
            entries.AddRange(_directory.ReadHost(name, out ownHost));
            ownHost.Report(report, _reading is { OwnHostIsReadable: true } ? Severity.Error : Severity.Warning);
        }

        ConfigTree server = new(entries, report);
        if (name is null)
            return new ConfigReading(null, server, null, null);

        ConfigSchema.Review(server);
        OwnKeys? keys = _keys ?? OwnKeys.Read(server, _directory);
        ServerSettings settings = new(server, _paths.NetName);
        return new ConfigReading(name, server, keys, Assemble(name, settings, keys))
        {
            OwnHostIsReadable = ownHost is { Error: null },
            InvitationExpire = settings.InvitationExpire,
        };
    }

    private DaemonOptions Assemble(string name, ServerSettings settings, OwnKeys? keys)
    {
        int shards = _commandLine.Workers;
        return new DaemonOptions
        {
            NetName = _paths.NetName ?? string.Empty,
            ConfigDirectory = _paths.ConfigDirectory,
            Mesh = settings.ReadMesh(name, shards) with
            {
                AutoConnect = settings.AutoConnect ?? keys is { SpeaksSptps: true },
                KnownKeys = _knownKeys,
                KnownAddresses = _knownAddresses,
                Invitations = _invitations,
                BypassSecurity = _commandLine.BypassSecurity,
            },
            Peers = _peers,
            Device = settings.ReadDevice(),
            Interface = settings.ReadInterface(),
            PortIsDefault = settings.PortIsDefault,
            BindToAddress = settings.ReadAddresses("BindToAddress"),
            ListenAddress = settings.ReadAddresses("ListenAddress"),
            BindToInterface = settings.BindToInterface,
            FirewallMark = settings.FirewallMark,
            PortForwarding = settings.ReadPortForwarding(),
            Udp = settings.ReadUdp(),
            DataPlane = new DataPlaneSettings
            {
                Shards = shards,
                Cpus = _commandLine.Cpus,
                Offloads = _commandLine.Offloads,
                Io = _commandLine.Io,
            },
            Crypto = _commandLine.Crypto,
            ScriptsInterpreter = settings.ScriptsInterpreter,
            ScriptsExtension = settings.ScriptsExtension,
            HostNames = settings.HostNames,
            GraphDumpFile = settings.GraphDumpFile,
            Metrics = settings.ReadMetricsAddress(),
            Nice = settings.ReadNice(),
            LockMemory = _commandLine.LockMemory,
            Chroot = _commandLine.ChangeRoot,
            User = _commandLine.User,
            DebugLevel = _commandLine.DebugLevel ?? settings.LogLevel,
            Reread = Reread,
        };
    }
}

/// <summary>What a configuration says, as far as it could be read.</summary>
/// <param name="Name">Own name, or null if there is none: then the rest is not known either.</param>
/// <param name="Server">Everything that counts for this node.</param>
/// <param name="Keys">The user's private keys, or null if they are of no use.</param>
/// <param name="Options">The settings, without keys and with defaults in place of what is wrong, or null without a name.</param>
internal sealed record ConfigReading(string? Name, ConfigTree Server, OwnKeys? Keys, DaemonOptions? Options)
{
    /// <summary>Whether the own host file could be read.</summary>
    public bool OwnHostIsReadable { get; init; }

    /// <summary>InvitationExpire.</summary>
    public TimeSpan InvitationExpire { get; init; }
}
