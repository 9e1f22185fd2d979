namespace FastMesh.Cli.Config;

/// <summary>How the value of a variable is read.</summary>
internal enum ConfigType
{
    /// <summary><c>yes</c> or <c>no</c>.</summary>
    Boolean,

    /// <summary>A whole number; seconds or bytes where the variable says so.</summary>
    Integer,

    /// <summary>Any text.</summary>
    Text,

    /// <summary>One word of a fixed list.</summary>
    Choice,

    /// <summary>A subnet with optional prefix length and weight.</summary>
    Subnet,

    /// <summary>A host, optionally followed by a port.</summary>
    Address,

    /// <summary>The name of a node.</summary>
    NodeName,

    /// <summary>The path of a file.</summary>
    File,

    /// <summary>A key as digits.</summary>
    Key,
}

/// <summary>Where a variable has effect. The own host file is part of the server's configuration.</summary>
[Flags]
internal enum ConfigScope
{
    /// <summary>tinc.conf, conf.d, own host file, <c>-o KEY=VALUE</c>.</summary>
    Server = 1,

    /// <summary>Host files of other nodes, <c>-o HOST.KEY=VALUE</c>.</summary>
    Peer = 2,

    /// <summary>Both.</summary>
    Both = Server | Peer,
}

/// <summary>When a changed value takes effect.</summary>
internal enum ConfigReload
{
    /// <summary>Only at the next start.</summary>
    Start,

    /// <summary>At the next SIGHUP.</summary>
    Reload,

    /// <summary>At the next connection with the node, without a signal.</summary>
    Connection,

    /// <summary>At the next use after a SIGHUP.</summary>
    Use,
}

/// <summary>What this program does with a variable.</summary>
internal enum ConfigSupport
{
    /// <summary>It works.</summary>
    Built,

    /// <summary>Known from tinc 1.0 or 1.1, but without effect here; the start says so.</summary>
    NotBuilt,
}

/// <summary>One variable of the configuration language.</summary>
/// <param name="Name">The name in its usual spelling.</param>
/// <param name="Type">How values are read.</param>
/// <param name="Default">The value if not set, in words where it depends on others.</param>
/// <param name="Scope">Where it has effect.</param>
/// <param name="Reload">When a change takes effect.</param>
internal sealed record ConfigVariable(string Name, ConfigType Type, string Default, ConfigScope Scope, ConfigReload Reload)
{
    /// <summary>All values count, not only the first.</summary>
    public bool Multiple { get; init; }

    /// <summary>When a change takes effect in this node's own configuration, if not as in host files.</summary>
    public ConfigReload? OwnReload { get; init; }

    /// <summary>Whether it works here.</summary>
    public ConfigSupport Support { get; init; }

    /// <summary>Exists only since tinc 1.1, or only here; tinc 1.0 ignores it.</summary>
    public bool NewerThanTinc10 { get; init; }
}

/// <summary>Every variable of tinc 1.0 (reference, 2.4), of tinc 1.1 (reference, 9.7) and our own, in one table.</summary>
internal static class ConfigSchema
{
    private const ConfigScope Server = ConfigScope.Server, Peer = ConfigScope.Peer, Both = ConfigScope.Both;
    private const ConfigReload Start = ConfigReload.Start, Reload = ConfigReload.Reload, Connection = ConfigReload.Connection, Use = ConfigReload.Use;

    /// <summary>All variables in alphabetical order of each group: tinc 1.0, tinc 1.1, ours.</summary>
    public static IReadOnlyList<ConfigVariable> Variables { get; } =
    [
        new("Address", ConfigType.Address, "none", Peer, Connection) { Multiple = true },
        new("AddressFamily", ConfigType.Choice, "any", Server, Start),
        new("BindToAddress", ConfigType.Address, "*", Server, Start) { Multiple = true },
        new("BindToInterface", ConfigType.Text, "none", Server, Start),
        new("Broadcast", ConfigType.Choice, "mst", Server, Reload),
        new("Cipher", ConfigType.Text, "aes-256-cbc", Server, Start),
        new("ClampMSS", ConfigType.Boolean, "yes", Both, Connection),
        new("Compression", ConfigType.Integer, "0", Server, Start),
        new("ConnectTo", ConfigType.NodeName, "none", Server, Reload) { Multiple = true },
        new("DecrementTTL", ConfigType.Boolean, "no", Server, Reload),
        new("Device", ConfigType.Text, "/dev/net/tun", Server, Start),
        new("DeviceType", ConfigType.Choice, "tun in router mode, else tap", Server, Start),
        new("Digest", ConfigType.Text, "sha256", Server, Start),
        new("DirectOnly", ConfigType.Boolean, "no", Server, Reload),
        new("Forwarding", ConfigType.Choice, "internal", Server, Reload),
        new("GraphDumpFile", ConfigType.File, "none", Server, Use),
        new("Hostnames", ConfigType.Boolean, "no", Server, Start),
        new("IffOneQueue", ConfigType.Boolean, "no", Server, Start),
        new("IndirectData", ConfigType.Boolean, "no", Both, Connection),
        new("Interface", ConfigType.Text, "the net name, else the kernel's choice", Server, Start),
        new("KeyExpire", ConfigType.Integer, "3600", Server, Reload),
        new("LocalDiscovery", ConfigType.Boolean, "yes, but no towards tinc 1.0", Server, Reload),
        new("MACExpire", ConfigType.Integer, "600", Server, Reload),
        new("MACLength", ConfigType.Integer, "4", Server, Start),
        new("MaxOutputBufferSize", ConfigType.Integer, "15180", Server, Reload),
        new("MaxTimeout", ConfigType.Integer, "900", Server, Reload),
        new("MinTimeout", ConfigType.Integer, "0", Server, Reload),
        new("Mode", ConfigType.Choice, "router", Server, Start),
        new("Name", ConfigType.NodeName, "required", Server, Start),
        new("PingInterval", ConfigType.Integer, "60", Server, Reload),
        new("PingTimeout", ConfigType.Integer, "5", Server, Reload),
        new("PMTU", ConfigType.Integer, "1518", Both, Connection),
        new("PMTUDiscovery", ConfigType.Boolean, "yes, but no with TCPOnly", Server, Start),
        new("Port", ConfigType.Text, "655", Both, Connection) { OwnReload = Start },
        new("PriorityInheritance", ConfigType.Boolean, "no", Server, Reload),
        new("PrivateKey", ConfigType.Key, "none", Server, Start),
        new("PrivateKeyFile", ConfigType.File, "rsa_key.priv", Server, Start),
        new("ProcessPriority", ConfigType.Choice, "normal", Server, Start),
        new("Proxy", ConfigType.Text, "none", Server, Connection),
        new("PublicKey", ConfigType.Key, "none", Both, Connection) { OwnReload = Start },
        new("PublicKeyFile", ConfigType.File, "the host file", Peer, Connection),
        new("ReplayWindow", ConfigType.Integer, "16", Server, Use),
        new("ScriptsInterpreter", ConfigType.Text, "none", Server, Use),
        new("StrictSubnets", ConfigType.Boolean, "no", Server, Start),
        new("Subnet", ConfigType.Subnet, "none", Both, Reload) { Multiple = true },
        new("TCPOnly", ConfigType.Boolean, "no", Both, Connection),
        new("TunnelServer", ConfigType.Boolean, "no", Server, Start),
        new("UDPRcvBuf", ConfigType.Integer, "7 MiB", Server, Start),
        new("UDPSndBuf", ConfigType.Integer, "7 MiB", Server, Start),
        new("VDEGroup", ConfigType.Text, "none", Server, Start) { Support = ConfigSupport.NotBuilt },
        new("VDEPort", ConfigType.Integer, "none", Server, Start) { Support = ConfigSupport.NotBuilt },
        new("Weight", ConfigType.Integer, "measured", Peer, Connection),

        Newer("AutoConnect", ConfigType.Boolean, "yes if there is an Ed25519 key, as in tinc 1.1, else no", Server, Reload),
        Newer("BroadcastSubnet", ConfigType.Subnet, "none", Server, Reload) with { Multiple = true },
        Newer("DeviceStandby", ConfigType.Boolean, "no", Server, Start),
        Newer("DisableBuggyPeers", ConfigType.Boolean, "no", Server, Reload),
        Newer("Ed25519PrivateKeyFile", ConfigType.File, "ed25519_key.priv", Server, Start),
        Newer("Ed25519PublicKey", ConfigType.Key, "none", Peer, Connection),
        Newer("Ed25519PublicKeyFile", ConfigType.File, "the host file", Both, Connection) with { OwnReload = Start },
        Newer("ExperimentalProtocol", ConfigType.Boolean, "yes if there is an Ed25519 key", Server, Start),
        Newer("FWMark", ConfigType.Integer, "0", Server, Start),
        Newer("InvitationExpire", ConfigType.Integer, "604800", Server, Reload),
        Newer("ListenAddress", ConfigType.Address, "*", Server, Start) with { Multiple = true },
        NotBuilt("LocalDiscoveryAddress", ConfigType.Address, "none", Server, Start),
        Newer("LogLevel", ConfigType.Integer, "0", Server, Reload),
        Newer("MaxConnectionBurst", ConfigType.Integer, "10", Server, Reload),
        Newer("MTUInfoInterval", ConfigType.Integer, "5", Server, Reload),
        Newer("Sandbox", ConfigType.Choice, "off", Server, Start),
        Newer("ScriptsExtension", ConfigType.Text, "none", Server, Reload),
        Newer("UDPDiscovery", ConfigType.Boolean, "yes", Server, Reload),
        Newer("UDPDiscoveryInterval", ConfigType.Integer, "2", Server, Reload),
        Newer("UDPDiscoveryKeepaliveInterval", ConfigType.Integer, "10", Server, Reload),
        Newer("UDPDiscoveryTimeout", ConfigType.Integer, "30", Server, Reload),
        Newer("UDPInfoInterval", ConfigType.Integer, "5", Server, Reload),
        Newer("UPnP", ConfigType.Choice, "no", Server, Start),
        Newer("UPnPDiscoverWait", ConfigType.Integer, "5", Server, Start),
        Newer("UPnPRefreshPeriod", ConfigType.Integer, "60", Server, Start),

        Newer("Ifconfig", ConfigType.Text, "none", Server, Reload) with { Multiple = true },
        Newer("InterfaceMTU", ConfigType.Integer, "the kernel's, 1500", Server, Reload),
        Newer("LegacyProtocol", ConfigType.Boolean, "yes", Server, Start),
        Newer("Route", ConfigType.Text, "none", Server, Reload) with { Multiple = true },
        Newer("SpeedTest", ConfigType.Boolean, "yes", Server, Reload),
        Newer("MetricsAddress", ConfigType.Address, "none", Server, Start),
    ];

    private static readonly Dictionary<string, ConfigVariable> s_byName = Variables.ToDictionary(v => v.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The variable of that name in any case, or null.</summary>
    public static ConfigVariable? Find(string name) => s_byName.GetValueOrDefault(name);

    /// <summary>Tells a report of every entry that has no effect because there is no such variable.</summary>
    public static void Review(ConfigTree tree)
    {
        foreach (ConfigEntry entry in tree.Entries)
        {
            if (Warning(entry) is (var text, var fix))
                tree.Report.Warn(text, entry, fix);
        }
    }

    /// <summary>What a start has to say about an entry and what would mend it, or null if nothing.</summary>
    public static (string Text, string Fix)? Warning(ConfigEntry entry)
    {
        if (entry.Variable.Length == 0)
        {
            return ($"The line \"{entry.Value}\" ({entry.Place}) has no variable name because it begins with a blank or \"=\"; ignored, as tinc does",
                "begin the line with the variable's name");
        }

        ConfigVariable? known = Find(entry.Variable);
        if (known is null)
        {
            string text = $"Unknown variable {entry.Variable} ({entry.Place}) ignored";
            return Nearest(entry.Variable) is { } name ? ($"{text}; did you mean {name}?", $"write {name}") : (text, "remove the line");
        }

        return known.Support == ConfigSupport.NotBuilt
            ? ($"Variable {known.Name} ({entry.Place}) is known but not built yet; ignored", "do without it, and remove the line") : null;
    }

    /// <summary>The known name fewest edits away, if few enough to be a slip.</summary>
    private static string? Nearest(string name)
    {
        ConfigVariable best = Variables.MinBy(v => Distance(v.Name, name))!;
        return Distance(best.Name, name) <= Math.Max(1, name.Length / 3) ? best.Name : null;
    }

    /// <summary>Levenshtein distance without regard to case.</summary>
    private static int Distance(string a, string b)
    {
        int[] previous = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int[] current = new int[b.Length + 1];
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int same = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1], previous[j]) + 1, previous[j - 1] + same);
            }

            previous = current;
        }

        return previous[b.Length];
    }

    private static ConfigVariable Newer(string name, ConfigType type, string preset, ConfigScope scope, ConfigReload reload)
        => new(name, type, preset, scope, reload) { NewerThanTinc10 = true };

    private static ConfigVariable NotBuilt(string name, ConfigType type, string preset, ConfigScope scope, ConfigReload reload)
        => Newer(name, type, preset, scope, reload) with { Support = ConfigSupport.NotBuilt };
}
