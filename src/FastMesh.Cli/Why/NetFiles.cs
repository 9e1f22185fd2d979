using FastMesh.Cli.Config;
using FastMesh.Engine;
using FastMesh.Engine.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastMesh.Cli.Why;

/// <summary>What the files say of another node's keys.</summary>
/// <param name="HasEd25519">Whether its host file has its Ed25519 key.</param>
/// <param name="RsaBits">Bits of the RSA key in its host file, or null.</param>
/// <param name="Learned">The file in which its Ed25519 key was learned, or null.</param>
internal sealed record PeerKeys(bool HasEd25519, int? RsaBits, string? Learned)
{
    /// <summary>Nothing is known of it.</summary>
    public static PeerKeys None { get; } = new(false, null, null);
}

/// <summary>
/// The configuration of a net as <c>why</c> and <c>audit</c> need it. What cannot be read is left out: <c>check</c> says what is wrong with files.
/// </summary>
internal sealed class NetFiles
{
    private readonly Dictionary<string, PeerKeys> _peers = new(StringComparer.Ordinal);

    /// <summary>The directory.</summary>
    public required ConfigDirectory Directory { get; init; }

    /// <summary>Own name, or null.</summary>
    public string? Name { get; private init; }

    /// <summary>The settings that a start would have, or null.</summary>
    public MeshSettings? Settings { get; private init; }

    /// <summary>The user's private keys, or null if they cannot be read.</summary>
    public OwnKeys? Keys { get; private init; }

    /// <summary>Everything that counts for this node.</summary>
    public ConfigTree? Server { get; private init; }

    /// <summary>The other nodes that have a host file.</summary>
    public IReadOnlyCollection<string> Names => _peers.Keys;

    /// <summary>Reads what there is.</summary>
    public static NetFiles Read(NetPaths paths, CommandLine line)
    {
        ConfigDirectory directory = new(paths.ConfigDirectory, line.Overrides);
        EngineLog silent = new(NullLoggerFactory.Instance);
        try
        {
            ConfigReading reading = new ConfigLoader(paths, line, silent).Inspect(new ConfigReport());
            NetFiles files = new()
            {
                Directory = directory,
                Name = reading.Name,
                Settings = reading.Options?.Mesh,
                Keys = reading.Keys,
                Server = reading.Server,
            };
            PeerDirectory peers = new(directory, silent);
            KnownKeyFiles known = new(directory, silent);
            foreach (string name in peers.Names.Where(name => name != reading.Name))
                files._peers[name] = KeysOf(name, peers, known);
            if (System.IO.Directory.Exists(directory.KnownDirectory))
            {
                foreach (string name in System.IO.Directory.EnumerateFiles(directory.KnownDirectory).Select(file => Path.GetFileName(file)!))
                    files._peers.TryAdd(name, KeysOf(name, peers, known));
            }

            return files;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new NetFiles { Directory = directory };
        }
    }

    /// <summary>What the files say of a node's keys.</summary>
    public PeerKeys KeysOf(string name) => _peers.GetValueOrDefault(name, PeerKeys.None);

    /// <summary>Whether a variable of tinc.conf or the own host file says yes.</summary>
    public bool IsSet(string variable) => Server?.Boolean(variable) ?? false;

    private static PeerKeys KeysOf(string name, PeerDirectory peers, KnownKeyFiles known)
    {
        PeerSettings? host = peers.Names.Contains(name) && peers.TryRead(name, out PeerSettings? settings) ? settings : null;
        return new(host?.Ed25519Key is not null, host?.PublicKey?.ModulusBits, known.Find(name) is null ? null : known.FileOf(name));
    }
}
