using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.DataPath;

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
    private readonly InvitationBook _invitations;
    private OwnKeys? _keys;
    private DaemonOptions? _inForce;

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
        _invitations = new InvitationBook(_directory, log);
    }

    /// <summary>LogLevel: the debug level if the command line gives none.</summary>
    public int LogLevel { get; private set; }

    /// <summary>Reads everything and logs what is wrong with it.</summary>
    /// <returns>The options, or null if an error stands against a start.</returns>
    public DaemonOptions? Load()
    {
        ConfigReport report = new();
        List<ConfigEntry> entries = _directory.ReadServer(report);
        _inForce = report.Errors.Count == 0 ? Read(entries, report) : null;
        if (_inForce is not null)
            _knownKeys.Preload();
        Log(report);
        return _inForce;
    }

    /// <summary>
    /// Reads everything again. An unreadable file is a reason to end, as in tincd, which does not look at most values then; so a bad
    /// value, which tincd would not have noticed, leaves everything as it is.
    /// </summary>
    /// <returns>The options, or null if a bad value leaves those in force.</returns>
    /// <exception cref="InvalidDataException">tinc.conf or a file of conf.d is missing or has a line without a value.</exception>
    private DaemonOptions? Reload()
    {
        ConfigReport report = new();
        List<ConfigEntry> entries = _directory.ReadServer(report);
        if (report.Errors.Count > 0)
            throw new InvalidDataException(string.Join("; ", report.Errors));
        _peers.MarkReload();

        DaemonOptions? options = Read(entries, report);
        Log(report);
        if (options is null)
            _log.Always.ReloadRefused();
        _inForce = options ?? _inForce;
        return options;
    }

    private void Log(ConfigReport report)
    {
        foreach (string warning in report.Warnings)
            _log.Always.ConfigurationWarning(warning);
        foreach (string error in report.Errors)
            _log.Always.ConfigurationError(error);
    }

    private DaemonOptions? Read(List<ConfigEntry> entries, ConfigReport report)
    {
        if (Interpret(entries, report) is not { Options: { } options, Keys: { } keys } reading || report.Errors.Count > 0)
            return null;

        _keys = keys = keys.WithIdentity(reading.Server, _directory, make: true); // only once nothing stands against a start, as it may write
        if (report.Errors.Count > 0)
            return null;

        LogLevel = reading.LogLevel;
        _invitations.Reload(options.Mesh.Name, reading.InvitationExpire);
        return options with { Mesh = options.Mesh with { Key = keys.Rsa, Identity = keys.Identity, SpeaksSptps = keys.SpeaksSptps } };
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
        string? name = _inForce?.Mesh.Name ?? OwnName.Resolve(new ConfigTree(entries, report));
        if (name is not null)
        {
            entries.AddRange(_directory.ReadHost(name, out ConfigFile host));
            host.Report(report, Severity.Warning);
        }

        ConfigTree server = new(entries, report);
        if (name is null)
            return new ConfigReading(null, server, null, null);

        ConfigSchema.Review(server);
        OwnKeys? keys = _keys ?? OwnKeys.Read(server, _directory);
        ServerSettings settings = new(server, _paths.NetName);
        return new ConfigReading(name, server, keys, Assemble(name, settings))
        {
            LogLevel = settings.LogLevel,
            InvitationExpire = settings.InvitationExpire,
        };
    }

    private DaemonOptions Assemble(string name, ServerSettings settings)
    {
        int shards = _commandLine.Workers;
        return new DaemonOptions
        {
            NetName = _paths.NetName ?? string.Empty,
            ConfigDirectory = _paths.ConfigDirectory,
            Mesh = settings.ReadMesh(name, shards) with
            {
                KnownKeys = _knownKeys,
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
            GraphDumpFile = settings.GraphDumpFile,
            Metrics = settings.ReadMetricsAddress(),
            Nice = settings.ReadNice(),
            LockMemory = _commandLine.LockMemory,
            Chroot = _commandLine.ChangeRoot,
            User = _commandLine.User,
            Reread = Reload,
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
    /// <summary>LogLevel.</summary>
    public int LogLevel { get; init; }

    /// <summary>InvitationExpire.</summary>
    public TimeSpan InvitationExpire { get; init; }
}
