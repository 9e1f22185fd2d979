using System.Globalization;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Daemon.Metrics;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Config;

/// <summary>
/// Turns the server's configuration into settings of the engine, with the defaults, corrections and checks of the tinc 1.0
/// reference, 2.4, and the tinc 1.1 reference, 9.7. What is wrong goes to the tree's report; the result then holds defaults in its place.
/// </summary>
/// <param name="server">tinc.conf, conf.d, own host file and options.</param>
/// <param name="netName">Net name, or null; the default interface name.</param>
internal sealed class ServerSettings(ConfigTree server, string? netName)
{
    private const string DefaultPort = "655";

    /// <summary>LZ4, which tinc 1.0 does not know.</summary>
    private const int MaxCompression = 12, MaxLegacyCompression = 11;

    private ConfigReport Report => server.Report;

    /// <summary>BindToInterface, or null.</summary>
    public string? BindToInterface => server.Text("BindToInterface");

    /// <summary>ScriptsInterpreter, or null.</summary>
    public string? ScriptsInterpreter => server.Text("ScriptsInterpreter");

    /// <summary>ScriptsExtension, or nothing.</summary>
    public string ScriptsExtension => server.Text("ScriptsExtension") ?? string.Empty;

    /// <summary>FWMark, or 0.</summary>
    public int FirewallMark => server.Integer("FWMark") ?? 0;

    /// <summary>LogLevel, or 0: the debug level if the command line gives none.</summary>
    public int LogLevel => server.Integer("LogLevel") ?? 0;

    /// <summary>InvitationExpire.</summary>
    public TimeSpan InvitationExpire => Seconds("InvitationExpire", 0, TimeSpan.FromDays(7));

    /// <summary>AutoConnect, or null.</summary>
    public bool? AutoConnect => server.Boolean("AutoConnect");

    /// <summary>Hostnames.</summary>
    public bool HostNames => server.Boolean("Hostnames") ?? false;

    /// <summary>GraphDumpFile, or null.</summary>
    public string? GraphDumpFile => server.Text("GraphDumpFile");

    /// <summary>Whether Port is not set.</summary>
    public bool PortIsDefault => server.First("Port") is null;

    private bool TcpOnly => server.Boolean("TCPOnly") ?? false;

    private bool PmtuDiscovery => server.Boolean("PMTUDiscovery") ?? !TcpOnly;

    private bool TunnelServer => server.Boolean("TunnelServer") ?? false;

    /// <summary>Settings of the mesh, without keys.</summary>
    /// <param name="name">Own name.</param>
    /// <param name="shards">Number of data path threads.</param>
    public MeshSettings ReadMesh(string name, int shards)
    {
        CheckSandbox();
        MeshSettings preset = new() { Name = name };
        TimeSpan pingInterval = ReadPingInterval(preset.PingInterval);
        (TimeSpan minTimeout, TimeSpan maxTimeout) = ReadTimeouts(preset);
        return preset with
        {
            Subnets = ReadSubnets("Subnet"),
            BroadcastSubnets = ReadSubnets("BroadcastSubnet"),
            ConnectTo = ReadConnectTo(name),
            Port = ReadPort(),
            Suite = ReadSuite(),
            Compression = ReadCompression(),
            Forwarding = ReadForwarding(shards),
            AddressFamily = server.Choice(
                "AddressFamily", "address family", AddressFamilyChoice.Any,
                ("ipv4", AddressFamilyChoice.IPv4), ("ipv6", AddressFamilyChoice.IPv6), ("any", AddressFamilyChoice.Any)),
            IndirectData = TcpOnly || (server.Boolean("IndirectData") ?? false),
            TcpOnly = TcpOnly,
            PmtuDiscovery = PmtuDiscovery,
            ClampMss = server.Boolean("ClampMSS") ?? true,
            LocalDiscovery = server.Boolean("LocalDiscovery") ?? preset.LocalDiscovery,
            LocalDiscoveryByAddress = server.Boolean("LocalDiscovery") ?? preset.LocalDiscoveryByAddress,
            UdpDiscovery = server.Boolean("UDPDiscovery") ?? preset.UdpDiscovery,
            UdpDiscoveryInterval = Seconds("UDPDiscoveryInterval", 1, preset.UdpDiscoveryInterval),
            UdpDiscoveryKeepaliveInterval = Seconds("UDPDiscoveryKeepaliveInterval", 1, preset.UdpDiscoveryKeepaliveInterval),
            UdpDiscoveryTimeout = Seconds("UDPDiscoveryTimeout", 1, preset.UdpDiscoveryTimeout),
            UdpInfoInterval = Seconds("UDPInfoInterval", 0, preset.UdpInfoInterval),
            MtuInfoInterval = Seconds("MTUInfoInterval", 0, preset.MtuInfoInterval),
            MaxConnectionBurst = AtLeast("MaxConnectionBurst", 1, preset.MaxConnectionBurst),
            StrictSubnets = TunnelServer || (server.Boolean("StrictSubnets") ?? false),
            TunnelServer = TunnelServer,
            LegacyProtocol = server.Boolean("LegacyProtocol") ?? true,
            DisableBuggyPeers = server.Boolean("DisableBuggyPeers") ?? false,
            DeviceStandby = server.Boolean("DeviceStandby") ?? false,
            SpeedTest = server.Boolean("SpeedTest") ?? true,
            Pmtu = server.Integer("PMTU"),
            ReplayWindow = AtLeast("ReplayWindow", 0, preset.ReplayWindow),
            SptpsReplayWindow = AtLeast("ReplayWindow", 0, preset.SptpsReplayWindow),
            MaxOutputBufferSize = Math.Max(1, server.Integer("MaxOutputBufferSize") ?? preset.MaxOutputBufferSize),
            PingInterval = pingInterval,
            PingTimeout = ReadPingTimeout(preset.PingTimeout, pingInterval),
            KeyExpire = Seconds("KeyExpire", 1, preset.KeyExpire),
            MacExpire = Seconds("MACExpire", 0, preset.MacExpire),
            MinTimeout = minTimeout,
            MaxTimeout = maxTimeout,
            Proxy = ReadProxy(),
            DumpGraph = GraphDumpFile is not null,
        };
    }

    /// <summary>DeviceType, Device, Interface, IffOneQueue with the defaults of each kind (tinc 1.0 reference, chapter 8).</summary>
    public DeviceSettings ReadDevice()
    {
        string? device = server.Text("Device");
        string? wanted = server.Text("Interface");
        DeviceKind kind = ReadDeviceKind();
        if (kind is DeviceKind.Multicast or DeviceKind.Fd && device is null)
            Report.Fail($"Device variable required for DeviceType = {kind.ToString().ToLowerInvariant()}", server.First("DeviceType")?.File, server.First("DeviceType")?.Line ?? 0, "add a line Device = ...");

        string name = wanted ?? kind switch
        {
            DeviceKind.Dummy => "dummy",
            DeviceKind.RawSocket => "eth0",
            DeviceKind.Tun or DeviceKind.Tap => netName ?? string.Empty,
            _ => string.Empty,
        };
        return new DeviceSettings
        {
            Kind = kind,
            Device = device ?? kind switch { DeviceKind.Dummy => "dummy", DeviceKind.RawSocket => name, _ => "/dev/net/tun" },
            Interface = name,
            OneQueue = server.Boolean("IffOneQueue") ?? false,
        };
    }

    /// <summary>What the interface is to be set up with.</summary>
    public IReadOnlyList<InterfaceStep> ReadInterface() => InterfaceVariables.Read(server, ReadDeviceKind());

    /// <summary>Values of BindToAddress or ListenAddress with their ports.</summary>
    public IReadOnlyList<HostPort> ReadAddresses(string variable)
        => [.. server.All(variable).Select(e => ParseAddress(e.Value, server.Text("Port") ?? DefaultPort))];

    /// <summary>Options of the UDP sockets.</summary>
    public UdpSettings ReadUdp() => new()
    {
        ReceiveBuffer = ReadBufferSize("UDPRcvBuf"),
        SendBuffer = ReadBufferSize("UDPSndBuf"),
        DontFragment = PmtuDiscovery,
        Interface = BindToInterface,
        Mark = FirewallMark,
    };

    /// <summary>UPnP with its times, or null if ports are not to be forwarded.</summary>
    public PortForwardingSettings? ReadPortForwarding()
    {
        PortForwardingSettings wanted = new(false, Seconds("UPnPDiscoverWait", 1, TimeSpan.FromSeconds(5)), Seconds("UPnPRefreshPeriod", 1, TimeSpan.FromSeconds(60)));
        return server.Choice("UPnP", "value of UPnP", null, ("no", null), ("udponly", wanted), ("yes", wanted with { WithTcp = true }));
    }

    /// <summary>MetricsAddress, or null if not set.</summary>
    public MetricsAddress? ReadMetricsAddress()
    {
        if (server.First("MetricsAddress") is not { } entry)
            return null;
        if (!MetricsAddress.TryParse(entry.Value, out MetricsAddress? address))
            Report.Fail(entry, $"Invalid address \"{entry.Value}\"", "write 127.0.0.1:9655, [::1]:9655 or unix:/PATH");
        return address;
    }

    /// <summary>ProcessPriority as a nice value, or null if not set.</summary>
    public int? ReadNice() => server.Choice<int?>("ProcessPriority", "priority", null, ("low", 10), ("normal", 0), ("high", -10));

    /// <summary>Splits <c>HOST [PORT]</c> at the first blank.</summary>
    public static HostPort ParseAddress(string value, string defaultPort)
    {
        int blank = value.AsSpan().IndexOfAny(" \t");
        return blank < 0 ? new HostPort(value, defaultPort) : new HostPort(value[..blank], value[blank..].Trim(' ', '\t'));
    }

    private List<Subnet> ReadSubnets(string variable)
    {
        List<Subnet> subnets = [];
        foreach (ConfigEntry entry in server.All(variable))
        {
            if (SubnetProblem(entry, out Subnet subnet) is { } problem)
                Report.Fail(problem, entry.File, entry.Line, SubnetForm);
            else
                subnets.Add(subnet);
        }

        return subnets;
    }

    /// <summary>What a Subnet looks like, in words.</summary>
    public const string SubnetForm = "write it as ADDRESS[/PREFIX][#WEIGHT], with zeros after the prefix";

    /// <summary>Reads one Subnet value of a configuration file, whose host bits must be zero.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public static string? SubnetProblem(ConfigEntry entry, out Subnet subnet)
    {
        if (!Subnet.TryParse(entry.Value, out subnet))
            return $"Subnet expected for configuration variable {entry.Variable} in {entry.Place}, not \"{entry.Value}\"; write it as ADDRESS[/PREFIX][#WEIGHT]";
        return subnet.HostBitsAreZero
            ? null
            : $"Network address and prefix length do not match for configuration variable {entry.Variable} in {entry.Place}: "
                + $"bits after the prefix of {entry.Value} must be zero";
    }

    private List<string> ReadConnectTo(string ownName)
    {
        List<string> names = [];
        foreach (ConfigEntry entry in server.All("ConnectTo"))
        {
            if (!NodeName.IsValid(entry.Value))
                Report.Warn($"Invalid name for outgoing connection in {entry.Place}: \"{entry.Value}\"; ignored", entry, "give the name of a node, and nothing after it");
            else if (entry.Value == ownName)
                Report.Warn($"ConnectTo names this node itself in {entry.Place}; ignored", entry, "remove the line");
            else if (!names.Contains(entry.Value))
                names.Add(entry.Value);
        }

        return names;
    }

    private string ReadPort()
    {
        if (server.First("Port") is not { } entry)
            return DefaultPort;
        if (ServiceNames.TryGetPort(entry.Value, out ushort port))
            return port.ToString(CultureInfo.InvariantCulture);
        Report.Fail(entry, $"Invalid port \"{entry.Value}\"", "Port is a number from 0 to 65535 or a name from /etc/services, with nothing after it");
        return DefaultPort;
    }

    private LegacySuite ReadSuite()
    {
        LegacySuite preset = LegacySuite.Default;
        int cipher = ReadAlgorithm("Cipher", preset.Cipher, LegacySuite.FindCipher, "the OpenSSL name of a CBC cipher such as aes-256-cbc, or none");
        int digest = ReadAlgorithm("Digest", preset.Digest, LegacySuite.FindDigest, "the OpenSSL name of a digest such as sha256, or none");
        int macLength = AtLeast("MACLength", 0, preset.MacLength);
        int digestLength = LegacySuite.DigestLength(digest);
        if (digest != 0 && macLength > digestLength)
        {
            ConfigEntry entry = (server.First("MACLength") ?? server.First("Digest"))!;
            string problem = $"MAC length exceeds size of digest: MACLength is {macLength}, the digest has {digestLength} bytes";
            Report.Fail(problem, entry.File, entry.Line, $"set MACLength to {digestLength} or less");
        }

        int compression = ReadCompression();
        return new LegacySuite(cipher, digest, digest == 0 ? 0 : macLength, compression > MaxLegacyCompression ? preset.Compression : compression);
    }

    private int ReadCompression()
    {
        int level = server.Integer("Compression") ?? 0;
        if (level is >= 0 and <= MaxCompression)
            return level;
        Report.Fail(server.First("Compression")!, $"Bogus compression level {level}", "levels are 0 (none), 1 to 9 (zlib), 10 and 11 (LZO), 12 (LZ4)");
        return 0;
    }

    /// <summary>Other values than off need pledge and unveil of OpenBSD.</summary>
    private void CheckSandbox() => server.Choice("Sandbox", "sandbox level", false, ("off", false));

    private int ReadAlgorithm(string variable, int preset, Func<string, int?> find, string remedy)
    {
        if (server.First(variable) is not { } entry)
            return preset;
        if (find(entry.Value) is { } number)
            return number;
        Report.Fail(entry, $"Unrecognized {variable.ToLowerInvariant()} type \"{entry.Value}\"", $"give {remedy}");
        return preset;
    }

    private ForwardingOptions ReadForwarding(int shards) => new()
    {
        Mode = ReadMode(),
        Forwarding = server.Choice(
            "Forwarding", "forwarding mode", ForwardingMode.Internal,
            ("off", ForwardingMode.Off), ("internal", ForwardingMode.Internal), ("kernel", ForwardingMode.Kernel)),
        Broadcast = server.Choice(
            "Broadcast", "broadcast mode", BroadcastMode.SpanningTree,
            ("no", BroadcastMode.No), ("mst", BroadcastMode.SpanningTree), ("yes", BroadcastMode.SpanningTree), ("direct", BroadcastMode.Direct)),
        DirectOnly = server.Boolean("DirectOnly") ?? false,
        DecrementTtl = server.Boolean("DecrementTTL") ?? false,
        PriorityInheritance = server.Boolean("PriorityInheritance") ?? false,
        TunnelServer = TunnelServer,
        LocalOptions = ReadLocalOptions(),
        Shards = shards,
    };

    private EdgeOptions ReadLocalOptions()
    {
        EdgeOptions options = EdgeOptions.None;
        options |= TcpOnly ? EdgeOptions.TcpOnly : EdgeOptions.None;
        options |= TcpOnly || (server.Boolean("IndirectData") ?? false) ? EdgeOptions.Indirect : EdgeOptions.None;
        options |= PmtuDiscovery ? EdgeOptions.PmtuDiscovery : EdgeOptions.None;
        return options | (server.Boolean("ClampMSS") ?? true ? EdgeOptions.ClampMss : EdgeOptions.None);
    }

    private RoutingMode ReadMode() => server.Choice(
        "Mode", "routing mode", RoutingMode.Router,
        ("router", RoutingMode.Router), ("switch", RoutingMode.Switch), ("hub", RoutingMode.Hub));

    private DeviceKind ReadDeviceKind()
    {
        if (server.First("DeviceType") is { } entry && entry.Value.ToLowerInvariant() is "uml" or "vde")
        {
            Report.Fail(entry, $"DeviceType {entry.Value} is not supported", "use tap with a bridge instead");
            return DeviceKind.Dummy;
        }

        DeviceKind preset = ReadMode() == RoutingMode.Router ? DeviceKind.Tun : DeviceKind.Tap;
        return server.Choice(
            "DeviceType", "device type", preset,
            ("tun", DeviceKind.Tun), ("tap", DeviceKind.Tap), ("dummy", DeviceKind.Dummy), ("fd", DeviceKind.Fd),
            ("raw_socket", DeviceKind.RawSocket), ("multicast", DeviceKind.Multicast));
    }

    private ProxySettings? ReadProxy()
    {
        if (server.First("Proxy") is not { } entry)
            return null;

        string[] words = entry.Value.Split(' ', 2);
        ProxyKind? kind = server.Choice<ProxyKind?>(
            entry with { Value = words[0] }, "proxy type", null,
            ("none", null), ("socks4", ProxyKind.Socks4), ("socks4a", ProxyKind.Socks4a), ("socks5", ProxyKind.Socks5),
            ("http", ProxyKind.Http), ("exec", ProxyKind.Exec));
        if (kind is null)
            return null;

        string arguments = words.Length > 1 ? words[1] : string.Empty;
        if (kind == ProxyKind.Exec)
        {
            if (arguments.Length == 0)
                Report.Fail(entry, "Argument expected for proxy type exec!", "write Proxy = exec COMMAND");
            return new ProxySettings(ProxyKind.Exec, default, Command: arguments);
        }

        string[] parts = arguments.Split(' ', 4);
        if (parts.Length < 2 || parts[0].Length == 0 || parts[1].Length == 0)
        {
            Report.Fail(entry, "Host and port argument expected for proxy!", $"write Proxy = {words[0]} HOST PORT");
            return null;
        }

        return new ProxySettings(kind.Value, new HostPort(parts[0], parts[1]), parts.ElementAtOrDefault(2), parts.ElementAtOrDefault(3));
    }

    /// <summary>Less than a second becomes a day.</summary>
    private TimeSpan ReadPingInterval(TimeSpan preset)
        => server.Integer("PingInterval") is not { } seconds ? preset : TimeSpan.FromSeconds(seconds < 1 ? 86400 : seconds);

    private TimeSpan ReadPingTimeout(TimeSpan preset, TimeSpan interval)
    {
        TimeSpan timeout = server.Integer("PingTimeout") is { } seconds ? TimeSpan.FromSeconds(seconds) : preset;
        return timeout < TimeSpan.FromSeconds(1) || timeout > interval ? interval : timeout;
    }

    private (TimeSpan Min, TimeSpan Max) ReadTimeouts(MeshSettings preset)
    {
        int max = AtLeast("MaxTimeout", 1, (int)preset.MaxTimeout.TotalSeconds);
        int min = AtLeast("MinTimeout", 0, (int)preset.MinTimeout.TotalSeconds);
        if (min > max)
        {
            ConfigEntry entry = (server.First("MinTimeout") ?? server.First("MaxTimeout"))!;
            Report.Warn($"Minimum timeout ({min} s) cannot be larger than maximum timeout ({max} s). Correcting !", entry, "make MinTimeout the smaller of the two");
            min = max;
        }

        return (TimeSpan.FromSeconds(min), TimeSpan.FromSeconds(max));
    }

    private TimeSpan Seconds(string variable, int floor, TimeSpan preset)
        => server.Integer(variable) is { } seconds ? TimeSpan.FromSeconds(Math.Max(floor, seconds)) : preset;

    /// <summary>A size of at least one byte; 0 leaves it to the system, as tinc 1.1 has it.</summary>
    private int? ReadBufferSize(string variable)
    {
        int size = AtLeast(variable, 0, 0);
        return size == 0 ? null : size;
    }

    /// <summary>A number that must not be smaller than <paramref name="floor"/>.</summary>
    private int AtLeast(string variable, int floor, int preset)
    {
        int value = server.Integer(variable) ?? preset;
        if (value >= floor)
            return value;
        Report.Fail(server.First(variable)!, $"Bogus value {value}", $"it must be at least {floor}");
        return preset;
    }
}
