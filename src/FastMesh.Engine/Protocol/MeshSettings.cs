using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>Which IP versions to listen on and to resolve to (AddressFamily).</summary>
public enum AddressFamilyChoice
{
    /// <summary>Both.</summary>
    Any,

    /// <summary>IPv4 only.</summary>
    IPv4,

    /// <summary>IPv6 only.</summary>
    IPv6,
}

/// <summary>A host name or numeric address, and a port number or service name, as written in the configuration.</summary>
/// <param name="Host">Name or number; <c>*</c> in BindToAddress means any.</param>
/// <param name="Port">Number or service name.</param>
public readonly record struct HostPort(string Host, string Port)
{
    /// <summary>The form of tinc's log lines.</summary>
    public override string ToString() => $"{Host} port {Port}";
}

/// <summary>The kinds of Proxy (tinc 1.0 reference, 4.10).</summary>
public enum ProxyKind
{
    /// <summary>SOCKS 4, IPv4 targets.</summary>
    Socks4,

    /// <summary>SOCKS 4a, host names allowed.</summary>
    Socks4a,

    /// <summary>SOCKS 5.</summary>
    Socks5,

    /// <summary>HTTP CONNECT.</summary>
    Http,

    /// <summary>A command whose standard input and output are the meta stream.</summary>
    Exec,
}

/// <summary>The Proxy setting.</summary>
/// <param name="Kind">How to talk to it.</param>
/// <param name="Address">Where it is; unused for <see cref="ProxyKind.Exec"/>.</param>
/// <param name="User">User name or null.</param>
/// <param name="Password">Password or null.</param>
/// <param name="Command">The command of <see cref="ProxyKind.Exec"/>.</param>
public sealed record ProxySettings(ProxyKind Kind, HostPort Address, string? User = null, string? Password = null, string? Command = null);

/// <summary>Everything the mesh state machine needs to know at start (tinc 1.0 reference, 2.4). Immutable.</summary>
public sealed record MeshSettings
{
    /// <summary>Own name, valid by <see cref="NodeName"/>.</summary>
    public required string Name { get; init; }

    /// <summary>Own RSA key; its public half is what peers have in their host files. Null if there is none: then protocol 17.0 is not spoken.</summary>
    public RsaIdentity? Key { get; init; }

    /// <summary>
    /// Own Ed25519 key: the user's, else the daemon's own one beside the configuration. Null with ExperimentalProtocol = no: a plain tinc 1.0 node.
    /// </summary>
    public Ed25519Identity? Identity { get; init; }

    /// <summary>Whether <see cref="Identity"/> is the user's: then this node speaks 17.7 to everyone (tinc 1.1 reference, 1.1, 1.4).</summary>
    public bool SpeaksSptps { get; init; }

    /// <summary>Whether other FastMesh nodes are to know this one for what it is; not so in tests in which it stands for stock tinc 1.1.</summary>
    internal bool IsFastMesh { get; init; } = true;

    /// <summary>Whether this machine has instructions for AES, so that FastMesh sessions should use it.</summary>
    public bool AesIsFast { get; init; } =
        System.Runtime.Intrinsics.X86.Aes.IsSupported || System.Runtime.Intrinsics.Arm.Aes.IsSupported;

    /// <summary>Learned keys of other nodes.</summary>
    public IKnownKeys KnownKeys { get; init; } = new KeysInMemory();

    /// <summary>Addresses at which other nodes were reached.</summary>
    public IKnownAddresses KnownAddresses { get; init; } = new AddressesInMemory();

    /// <summary>Redeems invitations, or null if there are none.</summary>
    public IInvitationBook? Invitations { get; init; }

    /// <summary>Own subnets.</summary>
    public IReadOnlyList<Subnet> Subnets { get; init; } = [];

    /// <summary>BroadcastSubnet: destinations of which every node gets a copy. Never announced (tinc 1.1 reference, 9.5).</summary>
    public IReadOnlyList<Subnet> BroadcastSubnets { get; init; } = [];

    /// <summary>Nodes to connect to, in order, without duplicates.</summary>
    public IReadOnlyList<string> ConnectTo { get; init; } = [];

    /// <summary>AutoConnect; its preset is <see cref="SpeaksSptps"/>.</summary>
    public bool AutoConnect { get; init; }

    /// <summary>Own listening port as announced in ACK: the configured text made numeric, or the port the socket got.</summary>
    public string Port { get; init; } = "655";

    /// <summary>How others must protect packets to this node (Cipher, Digest, MACLength, Compression).</summary>
    public LegacySuite Suite { get; init; } = LegacySuite.Default;

    /// <summary>What is fixed about forwarding; also in the published tables.</summary>
    public ForwardingOptions Forwarding { get; init; } = new();

    /// <summary>AddressFamily.</summary>
    public AddressFamilyChoice AddressFamily { get; init; }

    /// <summary>IndirectData.</summary>
    public bool IndirectData { get; init; }

    /// <summary>TCPOnly; implies IndirectData.</summary>
    public bool TcpOnly { get; init; }

    /// <summary>PMTUDiscovery; the default is the opposite of TCPOnly.</summary>
    public bool PmtuDiscovery { get; init; } = true;

    /// <summary>ClampMSS.</summary>
    public bool ClampMss { get; init; } = true;

    /// <summary>LocalDiscovery: towards tinc 1.0 nodes by broadcast.</summary>
    public bool LocalDiscovery { get; init; }

    /// <summary>LocalDiscovery towards other nodes: to the local address they announce (tinc 1.1 reference, 7.4).</summary>
    public bool LocalDiscoveryByAddress { get; init; } = true;

    /// <summary>UDPDiscovery: false takes for granted that UDP works.</summary>
    public bool UdpDiscovery { get; init; } = true;

    /// <summary>UDPDiscoveryInterval: between probes while UDP is not confirmed.</summary>
    public TimeSpan UdpDiscoveryInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>UDPDiscoveryKeepaliveInterval: between probes once it is.</summary>
    public TimeSpan UdpDiscoveryKeepaliveInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>UDPDiscoveryTimeout: without a reply for so long, UDP counts as lost.</summary>
    public TimeSpan UdpDiscoveryTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>UDPInfoInterval: between UDP_INFOs about a node.</summary>
    public TimeSpan UdpInfoInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>MTUInfoInterval: between MTU_INFOs to a node.</summary>
    public TimeSpan MtuInfoInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>MaxConnectionBurst: connections accepted at once; one more per second (tinc 1.1 reference, 9.6).</summary>
    public int MaxConnectionBurst { get; init; } = 10;

    /// <summary>Bytes of replay window of SPTPS sessions: ReplayWindow if it is set, else 16 (tinc 1.1 reference, 3.6).</summary>
    public int SptpsReplayWindow { get; init; } = 16;

    /// <summary>Compression wanted of others, 0 to 12; the level of <see cref="Suite"/> is the same if it is below 12, else 0.</summary>
    public int Compression { get; init; }

    /// <summary>StrictSubnets; true whenever TunnelServer is.</summary>
    public bool StrictSubnets { get; init; }

    /// <summary>TunnelServer.</summary>
    public bool TunnelServer { get; init; }

    /// <summary>PMTU: ceiling for the path MTU of direct neighbours, bytes, or null.</summary>
    public int? Pmtu { get; init; }

    /// <summary>ReplayWindow, bytes of bitmap; 0 turns the check off.</summary>
    public int ReplayWindow { get; init; } = 16;

    /// <summary>MaxOutputBufferSize, bytes.</summary>
    public int MaxOutputBufferSize { get; init; } = 10 * Node.MaxFrameLength;

    /// <summary>PingInterval.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>PingTimeout; also the period of the periodic check.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>KeyExpire.</summary>
    public TimeSpan KeyExpire { get; init; } = TimeSpan.FromSeconds(3600);

    /// <summary>MACExpire.</summary>
    public TimeSpan MacExpire { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>MinTimeout: floor of the reconnect back-off.</summary>
    public TimeSpan MinTimeout { get; init; }

    /// <summary>MaxTimeout: ceiling of the reconnect back-off.</summary>
    public TimeSpan MaxTimeout { get; init; } = TimeSpan.FromSeconds(900);

    /// <summary>Proxy for outgoing meta connections, or null.</summary>
    public ProxySettings? Proxy { get; init; }

    /// <summary>--bypass-security: no meta authentication or encryption.</summary>
    public bool BypassSecurity { get; init; }

    /// <summary>LegacyProtocol (ours): false refuses protocol 17.0.</summary>
    public bool LegacyProtocol { get; init; } = true;

    /// <summary>DeviceStandby: the interface is set up only while another node can be reached (tinc 1.1 reference, 9.5).</summary>
    public bool DeviceStandby { get; init; }

    /// <summary>DisableBuggyPeers: a packet that is too long is sent on each new connection (tinc 1.1 reference, 1.7).</summary>
    public bool DisableBuggyPeers { get; init; }

    /// <summary>SpeedTest (ours): whether other nodes may test the speed to this one.</summary>
    public bool SpeedTest { get; init; } = true;

    /// <summary>GraphDumpFile: whether graph dumps are wanted.</summary>
    public bool DumpGraph { get; init; }

    /// <summary>
    /// These settings as far as a reload can make them those of a running daemon: what only a start can change stays as it is. Sessions and
    /// connections that there are already keep what they were made with.
    /// </summary>
    /// <param name="running">The settings in force.</param>
    public MeshSettings AfterReloadOf(MeshSettings running)
    {
        ArgumentNullException.ThrowIfNull(running);
        return this with
        {
            Name = running.Name,
            Key = running.Key,
            Identity = running.Identity,
            SpeaksSptps = running.SpeaksSptps,
            IsFastMesh = running.IsFastMesh,
            AesIsFast = running.AesIsFast,
            KnownKeys = running.KnownKeys,
            KnownAddresses = running.KnownAddresses,
            Invitations = running.Invitations,
            Port = running.Port,
            Suite = running.Suite,
            Compression = running.Compression,
            AddressFamily = running.AddressFamily,
            PmtuDiscovery = running.PmtuDiscovery,
            StrictSubnets = running.StrictSubnets,
            TunnelServer = running.TunnelServer,
            LegacyProtocol = running.LegacyProtocol,
            BypassSecurity = running.BypassSecurity,
            DeviceStandby = running.DeviceStandby,
            Forwarding = Forwarding with
            {
                Mode = running.Forwarding.Mode,
                TunnelServer = running.Forwarding.TunnelServer,
                Shards = running.Forwarding.Shards,
                LocalOptions = (Forwarding.LocalOptions & ~EdgeOptions.PmtuDiscovery) | (running.Forwarding.LocalOptions & EdgeOptions.PmtuDiscovery),
            },
        };
    }
}
