using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Config;

/// <summary>
/// Reads the configuration of a net into <see cref="DaemonOptions"/>, at start and at each reload. The private key is read only at
/// start: by the time of a reload the daemon may no longer be allowed to.
/// </summary>
internal sealed class ConfigLoader
{
    private readonly CommandLine _commandLine;
    private readonly NetPaths _paths;
    private readonly EngineLog _log;
    private readonly ConfigDirectory _directory;
    private readonly PeerDirectory _peers;
    private RsaIdentity? _key;

    /// <summary>Prepares to read; nothing is read yet.</summary>
    public ConfigLoader(NetPaths paths, CommandLine commandLine, EngineLog log)
    {
        (_paths, _commandLine, _log) = (paths, commandLine, log);
        _directory = new ConfigDirectory(paths.ConfigDirectory, commandLine.Overrides, commandLine.ChangeRoot);
        _peers = new PeerDirectory(_directory, log);
    }

    /// <summary>LogLevel: the debug level if the command line gives none.</summary>
    public int LogLevel { get; private set; }

    /// <summary>Reads everything and logs what is wrong with it.</summary>
    /// <returns>The options, or null if an error stands against a start.</returns>
    public DaemonOptions? Load()
    {
        ConfigReport report = new();
        DaemonOptions? options = Read(report);
        foreach (string warning in report.Warnings)
            _log.Always.ConfigurationWarning(warning);
        foreach (string error in report.Errors)
            _log.Always.ConfigurationError(error);
        return options;
    }

    private DaemonOptions Reload()
    {
        _peers.MarkReload();
        ConfigReport report = new();
        DaemonOptions? options = Read(report);
        foreach (string warning in report.Warnings)
            _log.Always.ConfigurationWarning(warning);
        return options ?? throw new InvalidDataException(string.Join("; ", report.Errors));
    }

    private DaemonOptions? Read(ConfigReport report)
    {
        List<ConfigEntry> entries = _directory.ReadServer(report);
        string? name = report.Errors.Count == 0 ? OwnName.Resolve(new ConfigTree(entries, report)) : null;
        if (name is null)
            return null;

        entries.AddRange(_directory.ReadHost(name, out string? hostError));
        if (hostError is not null)
            report.Warn(hostError);

        ConfigTree server = new(entries, report);
        foreach (ConfigEntry entry in server.Entries)
        {
            if (ConfigSchema.Warning(entry) is { } warning)
                report.Warn(warning);
        }

        LogLevel = server.Integer("LogLevel") ?? 0;
        _key ??= KeyFiles.ReadPrivate(server, _directory);
        DaemonOptions? options = _key is null ? null : Assemble(name, _key, new ServerSettings(server, _paths.NetName));
        return report.Errors.Count == 0 ? options : null;
    }

    private DaemonOptions Assemble(string name, RsaIdentity key, ServerSettings settings)
    {
        int shards = _commandLine.Workers ?? Math.Max(1, _commandLine.Cpus.Count);
        return new DaemonOptions
        {
            NetName = _paths.NetName ?? string.Empty,
            ConfigDirectory = _paths.ConfigDirectory,
            Mesh = settings.ReadMesh(name, key, shards) with { BypassSecurity = _commandLine.BypassSecurity },
            Peers = _peers,
            Device = settings.ReadDevice(),
            PortIsDefault = settings.PortIsDefault,
            BindToAddress = settings.ReadBindToAddress(),
            BindToInterface = settings.BindToInterface,
            Udp = settings.ReadUdp(),
            DataPlane = new DataPlaneSettings { Shards = shards, Cpus = _commandLine.Cpus },
            ScriptsInterpreter = settings.ScriptsInterpreter,
            GraphDumpFile = settings.GraphDumpFile,
            Nice = settings.ReadNice(),
            LockMemory = _commandLine.LockMemory,
            Chroot = _commandLine.ChangeRoot,
            User = _commandLine.User,
            Reread = Reload,
        };
    }
}
