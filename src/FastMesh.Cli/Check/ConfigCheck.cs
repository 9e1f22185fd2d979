using FastMesh.Cli.Config;
using FastMesh.Engine;
using FastMesh.Engine.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastMesh.Cli.Check;

/// <summary>
/// Finds what is wrong or doubtful in a configuration directory. What the daemon would refuse is found by its own code (<see cref="ConfigLoader.Inspect"/>,
/// <see cref="Engine.Daemon.StartProbe"/>); what it would accept without working well is found by the parts here. Nothing is written.
/// </summary>
internal static class ConfigCheck
{
    /// <summary>Checks everything.</summary>
    /// <param name="paths">Which net.</param>
    /// <param name="line">Options that a start would have.</param>
    /// <param name="looksOutside">Look names up and try the sockets too.</param>
    /// <returns>The findings, the worst first.</returns>
    public static IReadOnlyList<Finding> Run(NetPaths paths, CommandLine line, bool looksOutside)
    {
        ConfigReport report = new();
        ConfigDirectory directory = new(paths.ConfigDirectory, line.Overrides);
        try
        {
            ConfigReading reading = new ConfigLoader(paths, line, new EngineLog(NullLoggerFactory.Instance)).Inspect(report);
            CheckedNet net = new(directory, line, reading, ReadPeers(directory, reading.Name, report), report);
            FileCheck.Run(net);
            ScriptCheck.Run(net);
            HostsCheck.Run(net);
            SubnetCheck.Run(net);
            if (reading.Name is not null)
            {
                VariableCheck.Run(net);
                CryptoCheck.Run(net);
                ConnectCheck.Run(net, looksOutside);
                StartCheck.Run(net, paths, looksOutside);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Which is about a directory: files that cannot be read are findings of those who read them.
            report.Add(new(Severity.Error, directory.Root, 0, $"Cannot be read: {FileError.Describe(e, directory.Root + "/.")}", "run as root"));
        }

        return [.. report.Findings.OrderBy(f => f.Severity).ThenBy(f => f.File, StringComparer.Ordinal).ThenBy(f => f.Line)];
    }

    private static Dictionary<string, CheckedPeer> ReadPeers(ConfigDirectory directory, string? ownName, ConfigReport report)
    {
        Dictionary<string, CheckedPeer> peers = [];
        foreach (string name in directory.ListHosts(out _).Where(n => n != ownName))
        {
            List<ConfigEntry> entries = directory.ReadHost(name, out ConfigFile file);
            file.Report(report, Severity.Warning);
            ConfigTree tree = new(entries, report);
            PeerSettings? settings = file.Error is null ? PeerDirectory.Read(name, tree, directory) : null;
            peers.Add(name, new CheckedPeer(name, tree, settings));
        }

        return peers;
    }
}
