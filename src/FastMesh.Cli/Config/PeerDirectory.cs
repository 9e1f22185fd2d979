using System.Diagnostics.CodeAnalysis;
using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Config;

/// <summary>The host files of other nodes. Used by one thread at a time.</summary>
/// <param name="directory">Where they are.</param>
/// <param name="log">For errors at each reading, and for warnings the first time.</param>
internal sealed class PeerDirectory(ConfigDirectory directory, EngineLog log) : IPeerDirectory
{
    private const string DefaultPort = "655";

    private readonly HashSet<string> _warned = [];

    /// <inheritdoc/>
    public IReadOnlyList<string> Names => directory.ListHosts(out _);

    /// <inheritdoc/>
    public bool TryRead(string name, [NotNullWhen(true)] out PeerSettings? peer)
    {
        peer = null;
        if (!NodeName.IsValid(name))
            return false;

        List<ConfigEntry> entries = directory.ReadHost(name, out ConfigFile file);
        if (file.Error is not null)
        {
            log.Always.HostFileUnreadable(file.Error); // of a name that a stranger may have made up
            return false;
        }

        ConfigReport report = new();
        peer = Read(name, new ConfigTree(entries, report), directory);
        foreach (string warning in report.Warnings.Where(_warned.Add))
            log.Always.ConfigurationWarning(warning);
        return true;
    }

    /// <summary>Turns a host file into settings; what is wrong with it goes to the tree's report.</summary>
    public static PeerSettings Read(string name, ConfigTree tree, ConfigDirectory directory)
    {
        ConfigSchema.Review(tree);
        string port = tree.Text("Port") ?? DefaultPort;
        bool tcpOnly = tree.Boolean("TCPOnly") ?? false;
        Ed25519PublicKey? ed25519 = Ed25519Files.ReadPublic(tree, name, directory);
        return new PeerSettings
        {
            Addresses = [.. tree.All("Address").Select(e => ServerSettings.ParseAddress(e.Value, port))],
            PublicKey = KeyFiles.ReadPublic(tree, name, directory, required: ed25519 is null),
            Ed25519Key = ed25519,
            Subnets = ReadSubnets(tree),
            IndirectData = tcpOnly || (tree.Boolean("IndirectData") ?? false),
            TcpOnly = tcpOnly,
            ClampMss = tree.Boolean("ClampMSS"),
            Pmtu = tree.Integer("PMTU"),
            Weight = tree.Integer("Weight"),
        };
    }

    private static List<Subnet> ReadSubnets(ConfigTree tree)
    {
        List<Subnet> subnets = [];
        foreach (ConfigEntry entry in tree.All("Subnet"))
        {
            if (ServerSettings.SubnetProblem(entry, out Subnet subnet) is { } problem)
                tree.Report.Warn($"{problem}; ignored", entry, ServerSettings.SubnetForm);
            else
                subnets.Add(subnet);
        }

        return subnets;
    }
}
