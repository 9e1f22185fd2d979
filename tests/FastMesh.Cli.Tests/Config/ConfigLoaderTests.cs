using FastMesh.Cli.Config;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace FastMesh.Cli.Tests.Config;

/// <summary>Files to options: defaults, precedence, corrections (tinc 1.0 reference, 2.4).</summary>
public class ConfigLoaderTests
{
    [Fact]
    public void A_name_and_a_key_are_enough_and_give_the_documented_defaults()
    {
        using LoaderFixture fixture = new();
        DaemonOptions options = fixture.Load()!;
        Assert.Empty(fixture.Messages);
        MeshSettings mesh = options.Mesh;
        Assert.Equal(("a", "655", 512), (mesh.Name, mesh.Port, mesh.Key!.ModulusBits));
        Assert.Equal((427, 672, 4, 0), (mesh.Suite.Cipher, mesh.Suite.Digest, mesh.Suite.MacLength, mesh.Suite.Compression));
        Assert.Equal((60, 5, 3600, 600), (Seconds(mesh.PingInterval), Seconds(mesh.PingTimeout), Seconds(mesh.KeyExpire), Seconds(mesh.MacExpire)));
        Assert.Equal((0, 900, 16, 15180), (Seconds(mesh.MinTimeout), Seconds(mesh.MaxTimeout), mesh.ReplayWindow, mesh.MaxOutputBufferSize));
        Assert.True(mesh.ClampMss && mesh.PmtuDiscovery && options.PortIsDefault);
        Assert.False(mesh.TcpOnly || mesh.IndirectData || mesh.StrictSubnets || mesh.TunnelServer || mesh.LocalDiscovery);
        Assert.Equal((RoutingMode.Router, ForwardingMode.Internal, BroadcastMode.SpanningTree), Modes(mesh));
        Assert.Equal((DeviceKind.Tun, "/dev/net/tun", ""), Device(options));
        Assert.Null(mesh.Proxy ?? (object?)mesh.Pmtu ?? options.Nice ?? (object?)options.ScriptsInterpreter);
    }

    [Fact]
    public void The_first_value_by_command_line_then_line_then_file_name_counts()
    {
        using LoaderFixture fixture = new("\n\n\nPort = 1005\n", host: "Port = 1001\n");
        Assert.Equal("1001", fixture.Load()!.Mesh.Port);
        Assert.Equal("1009", fixture.Load("-o", "Port=1009", "-o", "Port=1008")!.Mesh.Port);
        Assert.Equal("1010", fixture.Load("-o", "a.Port=1010")!.Mesh.Port);
        Assert.Equal("1001", fixture.Load("-o", "b.Port=1010", "-o", "A.Port=1011")!.Mesh.Port);
    }

    [Fact]
    public void Metrics_are_served_only_where_the_file_says()
    {
        using LoaderFixture without = new(), with = new("MetricsAddress = [::1]:9655\n");
        Assert.Null(without.Load()!.Metrics);
        Assert.Equal(("[::1]:9655", "::1 port 9655"), (with.Load()!.Metrics!.Text, with.Load()!.Metrics!.Endpoint.ToString()));
    }

    [Fact]
    public void Files_of_conf_d_count_and_hidden_ones_too()
    {
        using LoaderFixture fixture = new();
        fixture.Net.Write("conf.d/one.conf", "ConnectTo = b\n");
        fixture.Net.Write("conf.d/.two.conf", "\nConnectTo = c\n");
        fixture.Net.Write("conf.d/.conf", "ConnectTo = d\n");
        fixture.Net.Write("conf.d/three.config", "ConnectTo = e\n");
        Assert.Equal(["b", "c"], fixture.Load()!.Mesh.ConnectTo);
    }

    [Theory]
    [InlineData("Mode = switch", RoutingMode.Switch, ForwardingMode.Internal, BroadcastMode.SpanningTree)]
    [InlineData("mode = HUB\nBroadcast=No", RoutingMode.Hub, ForwardingMode.Internal, BroadcastMode.No)]
    [InlineData("Forwarding off\nBroadcast yes", RoutingMode.Router, ForwardingMode.Off, BroadcastMode.SpanningTree)]
    [InlineData("Forwarding = kernel\nBroadcast = direct", RoutingMode.Router, ForwardingMode.Kernel, BroadcastMode.Direct)]
    public void Enumerations_ignore_case(string server, RoutingMode mode, ForwardingMode forwarding, BroadcastMode broadcast)
    {
        using LoaderFixture fixture = new(server);
        Assert.Equal((mode, forwarding, broadcast), Modes(fixture.Load()!.Mesh));
    }

    [Theory]
    [InlineData("", "", DeviceKind.Tun, "/dev/net/tun", "")]
    [InlineData("", "-nvpn", DeviceKind.Tun, "/dev/net/tun", "vpn")]
    [InlineData("Mode = switch", "-nvpn", DeviceKind.Tap, "/dev/net/tun", "vpn")]
    [InlineData("Mode = hub\nDeviceType = tun\nInterface = x0", "-nvpn", DeviceKind.Tun, "/dev/net/tun", "x0")]
    [InlineData("DeviceType = TAP\nDevice = /dev/tun7", "", DeviceKind.Tap, "/dev/tun7", "")]
    [InlineData("DeviceType = dummy", "-nvpn", DeviceKind.Dummy, "dummy", "dummy")]
    [InlineData("DeviceType = raw_socket", "-nvpn", DeviceKind.RawSocket, "eth0", "eth0")]
    [InlineData("DeviceType = raw_socket\nInterface = br0", "", DeviceKind.RawSocket, "br0", "br0")]
    [InlineData("DeviceType = multicast\nDevice = 239.1.1.1 655 2", "", DeviceKind.Multicast, "239.1.1.1 655 2", "")]
    [InlineData("DeviceType = fd\nDevice = 7", "", DeviceKind.Fd, "7", "")]
    public void Device_defaults_follow_from_mode_type_and_net_name(string server, string flag, DeviceKind kind, string device, string name)
    {
        using LoaderFixture fixture = new(server);
        DaemonOptions? options = flag.Length == 0 ? fixture.Load() : fixture.Load(flag);
        Assert.Equal((kind, device, name), Device(options!));
    }

    [Fact]
    public void Options_that_imply_others()
    {
        using LoaderFixture fixture = new("TCPOnly = yes\nTunnelServer = yes\n");
        MeshSettings mesh = fixture.Load()!.Mesh;
        Assert.True(mesh.TcpOnly && mesh.IndirectData && mesh.TunnelServer && mesh.StrictSubnets && !mesh.PmtuDiscovery);
        Assert.Equal(EdgeOptions.TcpOnly | EdgeOptions.Indirect | EdgeOptions.ClampMss, mesh.Forwarding.LocalOptions);
    }

    [Theory]
    [InlineData("PingInterval = 0", 86400, 5)]
    [InlineData("PingInterval = 3", 3, 3)]
    [InlineData("PingTimeout = 0", 60, 60)]
    [InlineData("PingTimeout = 61", 60, 60)]
    [InlineData("PingInterval = x\nPingTimeout = y", 60, 5)]
    public void Ping_times_are_corrected(string server, int interval, int timeout)
    {
        using LoaderFixture fixture = new(server);
        MeshSettings mesh = fixture.Load()!.Mesh;
        Assert.Equal((interval, timeout), (Seconds(mesh.PingInterval), Seconds(mesh.PingTimeout)));
    }

    [Fact]
    public void Variables_of_tinc_11_have_the_defaults_of_the_reference_and_can_be_set()
    {
        using LoaderFixture fixture = new();
        MeshSettings mesh = fixture.Load()!.Mesh;
        Assert.Equal((true, 2, 10, 30), (mesh.UdpDiscovery, Seconds(mesh.UdpDiscoveryInterval), Seconds(mesh.UdpDiscoveryKeepaliveInterval), Seconds(mesh.UdpDiscoveryTimeout)));
        Assert.Equal((5, 5, 10, 16, 0), (Seconds(mesh.UdpInfoInterval), Seconds(mesh.MtuInfoInterval), mesh.MaxConnectionBurst, mesh.SptpsReplayWindow, mesh.Compression));
        Assert.Equal((false, true), (mesh.LocalDiscovery, mesh.LocalDiscoveryByAddress));

        fixture.Net.Write("tinc.conf", """
            Name = a
            UDPDiscovery = no
            UDPDiscoveryInterval = 3
            UDPDiscoveryKeepaliveInterval = 11
            UDPDiscoveryTimeout = 31
            UDPInfoInterval = 6
            MTUInfoInterval = 7
            MaxConnectionBurst = 100
            ReplayWindow = 64
            Compression = 12
            ListenAddress = 127.0.0.1 700
            ListenAddress = *
            FWMark = 5
            ScriptsExtension = .sh
            Sandbox = off

            """);
        DaemonOptions options = fixture.Load()!;
        mesh = options.Mesh;
        Assert.Equal((false, 3, 11, 31), (mesh.UdpDiscovery, Seconds(mesh.UdpDiscoveryInterval), Seconds(mesh.UdpDiscoveryKeepaliveInterval), Seconds(mesh.UdpDiscoveryTimeout)));
        Assert.Equal((6, 7, 100, 64, 64), (Seconds(mesh.UdpInfoInterval), Seconds(mesh.MtuInfoInterval), mesh.MaxConnectionBurst, mesh.ReplayWindow, mesh.SptpsReplayWindow));
        Assert.Equal((12, 0), (mesh.Compression, mesh.Suite.Compression));
        Assert.Equal([new("127.0.0.1", "700"), new("*", "655")], options.ListenAddress);
        Assert.Equal((5, 5, ".sh"), (options.FirewallMark, options.Udp.Mark, options.ScriptsExtension));
        Assert.Empty(fixture.Messages);
    }

    [Theory]
    [InlineData("yes", true, true)]
    [InlineData("no", false, false)]
    public void Local_discovery_said_aloud_is_for_both_generations(string value, bool broadcast, bool byAddress)
    {
        using LoaderFixture fixture = new($"LocalDiscovery = {value}");
        MeshSettings mesh = fixture.Load()!.Mesh;
        Assert.Equal((broadcast, byAddress), (mesh.LocalDiscovery, mesh.LocalDiscoveryByAddress));
    }

    [Theory]
    [InlineData("", null, 0, 0)]
    [InlineData("UPnP = no\nUPnPDiscoverWait = 9\n", null, 0, 0)]
    [InlineData("UPnP = yes\n", true, 5, 60)]
    [InlineData("UPnP = UDPonly\nUPnPDiscoverWait = 9\nUPnPRefreshPeriod = 7\n", false, 9, 7)]
    public void Ports_are_forwarded_only_if_the_file_says_so(string text, bool? withTcp, int wait, int period)
    {
        using LoaderFixture fixture = new(text);
        PortForwardingSettings? wanted = withTcp is { } tcp ? new(tcp, TimeSpan.FromSeconds(wait), TimeSpan.FromSeconds(period)) : null;
        Assert.Equal(wanted, fixture.Load()!.PortForwarding);
        Assert.Empty(fixture.Messages);
    }

    [Fact]
    public void Broadcast_subnets_are_read_like_subnets()
    {
        using LoaderFixture fixture = new("BroadcastSubnet = 10.1.255.255\nBroadcastSubnet = fd00:1::/64#3\n");
        Assert.Equal(["10.1.255.255/32#10", "fd00:1:0:0:0:0:0:0/64#3"], fixture.Load()!.Mesh.BroadcastSubnets.Select(subnet => subnet.ToString()));
        Assert.Empty(fixture.Messages);
        using LoaderFixture broken = new("BroadcastSubnet = 10.1.255.255/16\n");
        Assert.Null(broken.Load());
        Assert.StartsWith("Network address and prefix length do not match for configuration variable BroadcastSubnet in ", Assert.Single(broken.Messages), StringComparison.Ordinal);
    }

    [Fact]
    public void A_floor_above_the_ceiling_is_lowered_with_a_warning()
    {
        using LoaderFixture fixture = new("MinTimeout = 1000\n");
        Assert.Equal(900, Seconds(fixture.Load()!.Mesh.MinTimeout));
        Assert.Equal(["Minimum timeout (1000 s) cannot be larger than maximum timeout (900 s). Correcting !"], fixture.Messages);
    }

    [Fact]
    public void Addresses_and_subnets_are_read_with_their_parts()
    {
        using LoaderFixture fixture = new("BindToAddress = *\nBindToAddress = 192.0.2.1 700\nBindToAddress=::1\t\t701\n", "Port = 800\nSubnet = 10.0.0.0/8#5\nSubnet = fd00::/64\n");
        DaemonOptions options = fixture.Load()!;
        Assert.Equal([new("*", "800"), new("192.0.2.1", "700"), new("::1", "701")], options.BindToAddress);
        Assert.Equal(["10.0.0.0/8#5", "fd00:0:0:0:0:0:0:0/64#10"], options.Mesh.Subnets.Select(s => s.ToString()));
    }

    [Theory]
    [InlineData("socks4 h 1080", ProxyKind.Socks4, "h", "1080", null, null)]
    [InlineData("SOCKS4A h 1080 me", ProxyKind.Socks4a, "h", "1080", "me", null)]
    [InlineData("socks5 h 1080 me pass word", ProxyKind.Socks5, "h", "1080", "me", "pass word")]
    [InlineData("http h 8080", ProxyKind.Http, "h", "8080", null, null)]
    public void Proxies_are_read_with_their_arguments(string value, ProxyKind kind, string host, string port, string? user, string? password)
    {
        using LoaderFixture fixture = new($"Proxy = {value}");
        Assert.Equal(new ProxySettings(kind, new HostPort(host, port), user, password), fixture.Load()!.Mesh.Proxy);
    }

    [Fact]
    public void A_proxy_command_keeps_its_blanks_and_none_means_none()
    {
        using LoaderFixture fixture = new("Proxy = exec nc  -x p %h");
        Assert.Equal("nc  -x p %h", fixture.Load()!.Mesh.Proxy!.Command);
        Assert.Null(fixture.Load("-o", "Proxy=none")!.Mesh.Proxy);
    }

    [Theory]
    [InlineData("none", "none", 0, 0, 0)]
    [InlineData("AES-128-CBC", "SHA512", 419, 674, 4)]
    [InlineData("des-ede3-cbc", "sha1", 44, 64, 4)]
    public void Ciphers_and_digests_have_their_OpenSSL_numbers(string cipher, string digest, int cipherNid, int digestNid, int macLength)
    {
        using LoaderFixture fixture = new($"Cipher = {cipher}\nDigest = {digest}");
        var suite = fixture.Load()!.Mesh.Suite;
        Assert.Equal((cipherNid, digestNid, macLength), (suite.Cipher, suite.Digest, suite.MacLength));
    }

    [Theory]
    [InlineData("low", 10)]
    [InlineData("Normal", 0)]
    [InlineData("HIGH", -10)]
    public void Process_priorities_are_nice_values(string word, int nice)
    {
        using LoaderFixture fixture = new($"ProcessPriority = {word}");
        Assert.Equal(nice, fixture.Load()!.Nice);
    }

    [SkippableFact]
    public void A_service_name_is_a_port()
    {
        using LoaderFixture fixture = new("Port = tinc");
        Skip.IfNot(File.Exists("/etc/services") && File.ReadAllText("/etc/services").Contains("655/udp"), "no service named tinc here");
        Assert.Equal("655", fixture.Load()!.Mesh.Port);
    }

    [Fact]
    public void Command_line_flags_reach_the_options()
    {
        using LoaderFixture fixture = new("LogLevel = 3\n");
        DaemonOptions options = fixture.Load("-L", "-R", "-U", "nobody", "--bypass-security", "--workers", "2", "--cpus", "0,1", "-nvpn")!;
        Assert.True(options.LockMemory && options.Chroot && options.Mesh.BypassSecurity);
        Assert.Equal(("nobody", "vpn", 2, 2), (options.User, options.NetName, options.DataPlane.Shards, options.Mesh.Forwarding.Shards));
        Assert.Equal([0, 1], options.DataPlane.Cpus);
    }

    [Fact]
    public void Any_value_of_any_variable_gives_options_or_errors()
    {
        using LoaderFixture fixture = new();
        string[] values =
        [
            "yes", "no", "-1", "0", "2147483647", "-99999999999", "x", "a b", "/", ".", "../..", new string('y', 1900), "\u00e9", "10.0.0.0/8", "::/0#-5",
            "none", "exec", "socks5 a b c d e", "$HOME", "*", "* *", "|cat", "fd", "tap", "switch", "aes-128-gcm", "md5", "whirlpool", "\t", "#",
        ];
        Gen<string> line = from variable in Gen.Elements(ConfigSchema.Variables.Select(v => v.Name).Append("Other").ToArray())
                           from value in Gen.Elements(values)
                           select $"{variable} = {value}\n";
        Prop.ForAll(line.ArrayOf().ToArbitrary(), lines =>
        {
            string text = string.Concat(lines);
            fixture.Net.Write("tinc.conf", $"Name = a\n{text}");
            fixture.Net.Write("hosts/b", text);
            int before = fixture.Messages.Length;
            DaemonOptions? options = fixture.Load("-o", "b.Port=1");
            options?.Peers.TryRead("b", out _);
            return options is not null || fixture.Messages.Length > before;
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(150).WithEndSize(30));
    }

    private static int Seconds(TimeSpan time) => (int)time.TotalSeconds;

    private static (RoutingMode Mode, ForwardingMode Forwarding, BroadcastMode Broadcast) Modes(MeshSettings mesh)
        => (mesh.Forwarding.Mode, mesh.Forwarding.Forwarding, mesh.Forwarding.Broadcast);

    private static (DeviceKind Kind, string Device, string Interface) Device(DaemonOptions options)
        => (options.Device.Kind, options.Device.Device, options.Device.Interface);
}
