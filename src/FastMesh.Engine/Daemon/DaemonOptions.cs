using FastMesh.Engine.Crypto;
using FastMesh.Engine.Daemon.Metrics;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Daemon;

/// <summary>Everything the daemon needs to run, read and checked. Immutable; a reload makes a new one.</summary>
public sealed record DaemonOptions
{
    /// <summary>The net name, or empty.</summary>
    public string NetName { get; init; } = "";

    /// <summary>CONFBASE, absolute.</summary>
    public required string ConfigDirectory { get; init; }

    /// <summary>Settings of the mesh.</summary>
    public required MeshSettings Mesh { get; init; }

    /// <summary>Host files of other nodes.</summary>
    public required IPeerDirectory Peers { get; init; }

    /// <summary>The virtual network device.</summary>
    public DeviceSettings Device { get; init; } = new();

    /// <summary>Ifconfig, Route, InterfaceMTU: what the interface is to be set up with, in the order in which it can be.</summary>
    public IReadOnlyList<InterfaceStep> Interface { get; init; } = [];

    /// <summary>Where it is kept what has been set up of an interface that outlives the daemon, or null: nowhere.</summary>
    public string? InterfaceRecord { get; init; }

    /// <summary>BindToAddress values: where to listen and to connect from. Host <c>*</c> means any address; ports are filled in.</summary>
    public IReadOnlyList<HostPort> BindToAddress { get; init; } = [];

    /// <summary>ListenAddress values: where to listen only. If there is neither: one wildcard set.</summary>
    public IReadOnlyList<HostPort> ListenAddress { get; init; } = [];

    /// <summary>BindToInterface, or null; also for TCP.</summary>
    public string? BindToInterface { get; init; }

    /// <summary>FWMark: SO_MARK of meta connections, or 0; that of UDP is in <see cref="Udp"/>.</summary>
    public int FirewallMark { get; init; }

    /// <summary>UPnP, or null: no router is asked to forward ports.</summary>
    public PortForwardingSettings? PortForwarding { get; init; }

    /// <summary>Options of the UDP sockets.</summary>
    public UdpSettings Udp { get; init; } = new();

    /// <summary>How the shards run.</summary>
    public DataPlaneSettings DataPlane { get; init; } = new();

    /// <summary>Which library encrypts (<c>--crypto</c>).</summary>
    public CryptoChoice Crypto { get; init; }

    /// <summary>ScriptsInterpreter, or null.</summary>
    public string? ScriptsInterpreter { get; init; }

    /// <summary>ScriptsExtension: the end of every script's file name, or nothing.</summary>
    public string ScriptsExtension { get; init; } = "";

    /// <summary>Hostnames: whether log lines show host names in place of addresses.</summary>
    public bool HostNames { get; init; }

    /// <summary>GraphDumpFile: a path, or a command after a leading pipe character; null: none.</summary>
    public string? GraphDumpFile { get; init; }

    /// <summary>ProcessPriority as a nice value: 10, 0 or -10; null: leave it alone.</summary>
    public int? Nice { get; init; }

    /// <summary>-L: lock all memory.</summary>
    public bool LockMemory { get; init; }

    /// <summary>-R: chroot to the configuration directory after start-up.</summary>
    public bool Chroot { get; init; }

    /// <summary>-U: the user to become after start-up, or null.</summary>
    public string? User { get; init; }

    /// <summary>Port is not configured: the port announced is that of the first UDP socket, whatever BindToAddress made it.</summary>
    public bool PortIsDefault { get; init; }

    /// <summary>Whether the daemon has left its terminal: it then catches and reports every signal, and inherits no sockets.</summary>
    public bool Detached { get; init; }

    /// <summary>Where control clients connect, or null: nowhere.</summary>
    public ControlSettings? Control { get; init; }

    /// <summary>MetricsAddress: where metrics are served, or null: nowhere.</summary>
    public MetricsAddress? Metrics { get; init; }

    /// <summary>The debug level that the command line or LogLevel asks for; at a reload one that has changed is set.</summary>
    public int DebugLevel { get; init; }

    /// <summary>Reads the configuration again, for a reload or to tell what one would change; null: it never changes.</summary>
    public Func<ConfigurationReading>? Reread { get; init; }
}
